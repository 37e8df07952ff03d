/** Errors inside a stream: how upstreams say them, and the one way a client is told, as the stream's last event. */
import { type ShapedError, shaped } from "./ErrorShape.ts"
import type { Json, JsonObject } from "./Json.ts"
import { encodeJson, parseObject } from "./JsonBytes.ts"
import type { SseEvent } from "./Sse.ts"

/** The `error` member of a stream's last event. */
export type StreamError = ShapedError

const decoder = new TextDecoder()

/** As much of an error that is not JSON as is passed on. */
const excerptBytes = 1000

const isSaid = (error: Json | undefined): error is Json =>
  error !== undefined && error !== null && error !== "" && error !== false

/** The error a chunk is or carries: in its `error` member, or, as vLLM has sent them, itself with `object: "error"`. */
export const errorInChunk = (chunk: JsonObject): StreamError | undefined => {
  const error = chunk["error"]
  if (isSaid(error)) return shaped(error)
  return chunk["object"] === "error" ? shaped(chunk) : undefined
}

/** The error of an event named `error`, whatever its data is. */
export const errorOfErrorEvent = (data: Uint8Array, chunk: JsonObject | undefined): StreamError =>
  chunk === undefined
    ? shaped(decoder.decode(data.subarray(0, excerptBytes)).trim())
    : (errorInChunk(chunk) ?? shaped(chunk))

/** The error an event says, or `undefined` where it says none. Parses the data: meant for a stream's first event. */
export const errorEvent = (event: SseEvent): StreamError | undefined => {
  const chunk = parseObject(event.data)
  if (event.event === "error") return errorOfErrorEvent(event.data, chunk)
  return chunk === undefined ? undefined : errorInChunk(chunk)
}

/** The error of a stream whose upstream broke off, for the reason given. */
export const brokenStream = (reason: string): StreamError => ({
  message: `The upstream's answer broke off: ${reason}. What was sent until here is not the whole answer.`,
  type: "upstream_error",
  param: null,
  code: "upstream_stream_broken",
})

/** The error of a stream that ends because this gateway does. */
export const cutStream = (when: string): StreamError => ({
  message: `This gateway was shut down, and the answer cut ${when}. What was sent until here is not the whole answer.`,
  type: "server_error",
  param: null,
  code: "shutting_down",
})

/** The data of the event that tells a client. */
export const errorData = (error: StreamError): Uint8Array => {
  const { message, type, param, code } = error
  // An upstream's further members may be nested too deep to print.
  return (
    encodeJson({ error: { ...error } }) ?? encodeJson({ error: { message, type, param, code } }) ?? noData
  )
}

const noData = new Uint8Array()
