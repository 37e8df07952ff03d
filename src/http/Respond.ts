/**
 * Sends the gateway's plain answers over Node's own response.
 *
 * `@effect/platform` would do, at a price: for a body of bytes it waits until the socket has taken all of it, in a region that cannot be
 * interrupted, so that a client that leaves while it reads would keep its fiber for ever; and a body wrapped in a `Stream` to avoid
 * that costs about 300 µs more per answer. What it serves afterwards is a response that has been sent already.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ClientAnswer } from "../Gateway.ts"
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
      return sendStream(body, response)
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

/** Writes no faster than the client reads. */
const sendStream = (body: Stream.Stream<Uint8Array>, response: ServerResponse): Effect.Effect<void> =>
  Stream.runForEach(body, (bytes) => (response.write(bytes) ? Effect.void : drained(response))).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (exit._tag === "Failure") response.destroy()
        // Of a destroyed response nothing is sent any more, but the platform has to find it ended.
        response.end()
      }),
    ),
  )

const drained = (response: ServerResponse): Effect.Effect<void> =>
  Effect.async((resume) => {
    const onDrain = () => resume(Effect.void)
    response.once("drain", onDrain)
    return Effect.sync(() => response.off("drain", onDrain))
  })
