/** What this gateway cannot do just now: it has no room, shuts down, or has a defect. */
import * as Data from "effect/Data"
import type { Declaration } from "./Declaration.ts"

const roomless: Readonly<Record<Overloaded["reason"], string>> = {
  requests: "too many requests are under way (server.max_in_flight)",
  memory:
    "the bodies of the requests under way take all the memory set apart for them (server.max_buffered_bytes)",
  disk: "the uploads under way take all the disk set apart for them (server.max_spooled_bytes), or the temporary folder is full",
  reading: "too many large bodies wait to be read",
  upstreams: "every upstream that serves the model is busy (max_concurrent)",
}

const shares: Readonly<Record<ShareTaken["of"], string>> = {
  requests: "of the requests that may be under way at once (server.max_in_flight)",
  memory: "of the memory set apart for bodies (server.max_buffered_bytes)",
  disk: "of the disk set apart for uploads (server.max_spooled_bytes)",
}

/** There is no room for the request now: too many are under way, their bodies take too much memory or disk or wait to be read, or every upstream is full. */
export class Overloaded extends Data.TaggedError("Overloaded")<{
  readonly reason: "requests" | "memory" | "disk" | "reading" | "upstreams"
  readonly retryAfterSeconds: number
}> {
  get declared(): Declaration {
    return {
      status: 503,
      message: `This gateway has no room for the request now: ${roomless[this.reason]}. Send it again a little later.`,
      type: "server_error",
      param: null,
      code: "overloaded",
      // Who is turned away for want of room does not keep its connection either.
      headers: {
        "retry-after": String(this.retryAfterSeconds),
        ...(this.reason === "upstreams" ? {} : { connection: "close" }),
      },
    }
  }
}

/** Seconds after which a client that found no room may come again. */
export const roomRetrySeconds = 1

/** There is no memory for a body. Whether its client has it all is told where errors become answers. */
export const noMemory = new Overloaded({ reason: "memory", retryAfterSeconds: roomRetrySeconds })

/** There is no disk for a body, likewise. */
export const noDisk = new Overloaded({ reason: "disk", retryAfterSeconds: roomRetrySeconds })

/** The requests that the client has under way take all that one may have of the room there is for all. */
export class ShareTaken extends Data.TaggedError("ShareTaken")<{
  readonly of: "requests" | "memory" | "disk"
  readonly retryAfterSeconds: number
}> {
  get declared(): Declaration {
    return {
      status: 429,
      message: `Your requests under way take all that one caller may have ${shares[this.of]}. Send it again when one of them has ended.`,
      type: "rate_limit_error",
      param: null,
      code: "caller_share_taken",
      headers: { "retry-after": String(this.retryAfterSeconds), connection: "close" },
    }
  }
}

/** The gateway is draining. */
export class ShuttingDown extends Data.TaggedError("ShuttingDown")<{
  readonly retryAfterSeconds: number
  /** When the request was cut that was under way. */
  readonly cut?: string
}> {
  get declared(): Declaration {
    return {
      status: 503,
      message: `This gateway is shutting down${this.cut === undefined ? "" : `, and the request was cut ${this.cut}`}. Send the request again; another instance will take it.`,
      type: "server_error",
      param: null,
      code: "shutting_down",
      headers: { "retry-after": String(this.retryAfterSeconds), connection: "close" },
    }
  }
}

/** A defect of the gateway itself; the cause goes to the log, never to the client. */
export class InternalError extends Data.TaggedError("InternalError")<{ readonly requestId: string }> {
  get declared(): Declaration {
    return {
      status: 500,
      message: `Something went wrong inside the gateway. Its log tells more under request id ${this.requestId}.`,
      type: "server_error",
      param: null,
      code: "internal_error",
    }
  }
}
