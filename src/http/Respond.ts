/** Sends the gateway's plain answers over Node's own response. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type { ClientAnswer } from "../Gateway.ts"
import type { Outlet } from "../stream/Relay.ts"
import { discard } from "./ClientBody.ts"

/** Sends the answer. Interrupting it leaves the response unfinished: its connection is closed, so that no client takes it for whole. */
export const send = (
  answer: ClientAnswer,
  message: IncomingMessage,
  response: ServerResponse,
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { body, headers, status } = answer
    if (!(body instanceof Uint8Array)) {
      response.writeHead(status, headers)
      return Effect.map(body(outletOf(response)), () => void response.end())
    }
    response.writeHead(status, body.length === 0 ? headers : { ...headers, "content-length": body.length })
    if (message.complete || message.method === "GET" || message.method === "HEAD") {
      response.end(body)
      return Effect.void
    }
    // The client may still be sending, as one whose body was refused is: what it sends is thrown away for a moment before the
    // connection closes, so that it reads the answer rather than a reset.
    response.write(body)
    return Effect.ensuring(
      discard(message),
      Effect.sync(() => response.end()),
    )
  })

const outletOf = (response: ServerResponse): Outlet => ({
  write: (bytes) => response.write(bytes),
  onDrain: (go) => void response.once("drain", go),
})
