/** Sends the gateway's plain answers over Node's own response. */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type { ClientAnswer } from "../gateway/Exchange.ts"
import type { Outlet } from "../gateway/Relay.ts"
import { fieldsOf, type SentHeaders } from "../wire/Headers.ts"
import type { Linger } from "./Lingering.ts"
import { saysBody } from "./RequestHead.ts"

/** Sends the answer, with `onEvery` beside its own headers. Interrupting it leaves the response unfinished: its connection is closed, so that no client takes it for whole. */
export const send = (
  answer: ClientAnswer,
  onEvery: SentHeaders,
  message: IncomingMessage,
  response: ServerResponse,
  linger: Linger,
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { body, status } = answer
    const fields = fieldsOf(answer.headers, onEvery)
    if (!(body instanceof Uint8Array)) {
      response.writeHead(status, fields)
      const outlet = outletOf(response)
      return Effect.map(body.run(outlet), () => outlet.end())
    }
    if (body.length > 0) {
      fields.push("content-length", String(body.length))
      // What is asked is as much the caller's as what is answered; no cache between them has a use for either.
      if (answer.headers["cache-control"] === undefined) fields.push("cache-control", "no-store")
    }
    response.writeHead(status, fields)
    if (message.complete || !saysBody(message)) {
      response.end(body)
      return Effect.void
    }
    // The client may still be sending, as one whose body was refused is: what it sends is thrown away for a moment before the
    // connection closes, so that it reads the answer rather than a reset.
    response.write(body)
    return Effect.ensuring(
      linger(message),
      Effect.sync(() => {
        response.end()
        // Node would read on for as long as a request may take.
        if (!message.complete) message.socket.destroySoon()
      }),
    )
  })

const crlf = Buffer.from("\r\n")

/** Bytes as one chunk of a body (RFC 9112 §7.1). */
const chunkOf = (bytes: Uint8Array): Uint8Array => {
  const size = `${bytes.length.toString(16)}\r\n`
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + crlf.length)
  chunk.write(size, "latin1")
  chunk.set(bytes, size.length)
  chunk.set(crlf, size.length + bytes.length)
  return chunk
}

interface EndingOutlet extends Outlet {
  /** The body is whole. */
  readonly end: () => void
}

/**
 * Where a body goes that comes piece by piece, behind a head that was written. Chunks are framed here and not by Node, which writes each in three
 * pieces: of an event, most of what it costs is its write.
 */
const outletOf = (response: ServerResponse): EndingOutlet => {
  const onDrain = (go: () => void) => void response.once("drain", go)
  // To HTTP/1.0, which knows no chunks.
  if (!response.chunkedEncoding) {
    return { write: (bytes) => response.write(bytes), onDrain, end: () => void response.end() }
  }
  response.chunkedEncoding = false
  return {
    // A chunk of no bytes would be the last one.
    write: (bytes) => (bytes.length === 0 ? !response.writableNeedDrain : response.write(chunkOf(bytes))),
    onDrain,
    end: () => void response.end("0\r\n\r\n", "latin1"),
  }
}
