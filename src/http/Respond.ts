/** Gives the gateway's plain answers the form `@effect/platform` serves. */
import type { IncomingMessage } from "node:http"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Stream from "effect/Stream"
import { answerOf, type GatewayError } from "../domain/GatewayError.ts"
import type { ClientAnswer } from "../Gateway.ts"
import { discard } from "./ClientBody.ts"

/**
 * The answer as a response. Plain bodies are sent as a stream of one chunk with their length declared: for a body of bytes the
 * platform waits until the socket has taken all of it, in a region that cannot be interrupted, and a client that leaves while it
 * reads would keep its fiber for ever.
 *
 * Where the client may still be sending (a refused body), what it sends is thrown away for a moment before the connection closes,
 * so that it reads the answer rather than a reset.
 */
export const toResponse = (
  answer: ClientAnswer,
  message: IncomingMessage,
): HttpServerResponse.HttpServerResponse => {
  const { body, headers, status } = answer
  if (!(body instanceof Uint8Array)) return HttpServerResponse.stream(body, { status, headers })
  if (body.length === 0) return HttpServerResponse.empty({ status, headers })
  const sent = Stream.make(body)
  return HttpServerResponse.stream(
    message.complete ? sent : Stream.concat(sent, Stream.drain(Stream.fromEffect(discard(message)))),
    { status, headers, contentLength: body.length },
  )
}

/** An error as it is declared. */
export const errorAnswer = (error: GatewayError): ClientAnswer => answerOf(error)
