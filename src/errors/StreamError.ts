/** The errors that a stream of this gateway ends in, where it is not the upstream that tells one. */
import type { ShapedError } from "./SaidError.ts"

/** The error of a stream whose upstream broke off, for the reason given. */
export const brokenStream = (reason: string): ShapedError => ({
  message: `The upstream's answer broke off: ${reason}. What was sent until here is not the whole answer.`,
  type: "upstream_error",
  param: null,
  code: "upstream_stream_broken",
})

/** The error of a stream that ends because this gateway does. */
export const cutStream = (when: string): ShapedError => ({
  message: `This gateway was shut down, and the answer cut ${when}. What was sent until here is not the whole answer.`,
  type: "server_error",
  param: null,
  code: "shutting_down",
})
