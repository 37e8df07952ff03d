/** A call of an upstream as plain values: what is sent, how an answer begins, who is told what becomes of it, and the way to end it. */
import type { Deadline } from "../../access/Deadline.ts"
import type { PassedMethod } from "../../routing/Passthrough.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import type { SentBytes } from "../../wire/StoredBytes.ts"
import type { AttemptFailure } from "../policy/AttemptFailure.ts"

/** What is sent: `path` below the upstream's `baseUrl`, or from the root of its host, headers complete (the credential included). */
export interface UpstreamCall {
  readonly upstream: Upstream
  readonly method: "GET" | "HEAD" | PassedMethod
  readonly path: string
  /** Put behind the path, without a `?`, and before what is configured to stand there; nothing where there is none. */
  readonly query?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** One that comes as it is sent cannot be sent again: it goes over a new connection, which is no stale one. */
  readonly body: SentBytes | AsyncIterable<Uint8Array> | undefined
  /**
   * What is waited for: a plain answer, to its last byte, or what `OpenCall.begun` tells: the first event of a stream, or the first bytes of an answer
   * that is handed on as it comes, for which a plain answer's time is given.
   */
  readonly awaits: "answer" | "event" | "bytes"
  /** Whether a packed body is unpacked: one that does not even say so, one that does, or none, which is handed on as it is. */
  readonly unpacks: "any" | "told" | "none"
  /** When the call is over whatever it has come to. */
  readonly deadline: Pick<Deadline, "at" | "afterMs"> | undefined
}

/** How an answer begins. */
export interface AnswerHead {
  readonly status: number
  /** Lower-case names; values of repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds its `Retry-After` asks for. */
  readonly retryAfterMs: number | undefined
}

/** Is told what becomes of a call, in this order, and nothing any more once the call is closed. */
export interface CallListener {
  readonly onHead: (head: AnswerHead) => void
  /** The body as it comes, unpacked. Nothing comes of one that nobody here can unpack: a call with a good status fails then, and an error has no body. */
  readonly onBytes: (bytes: Uint8Array) => void
  /** The last word: why the call failed, before its head or after it; nothing where its body is whole. */
  readonly onEnd: (failure: AttemptFailure | undefined) => void
}

/** A call under way, and the way to end it. */
export interface OpenCall {
  /** Tells another from now on what becomes of it. */
  readonly tell: (listener: CallListener) => void
  /** To be called when the first event has come, or an answer that has none: stops the first-byte timeout of a call that waits for an `event`. */
  readonly begun: () => void
  /** To be called when the answer is handed on as its bytes come: from then on it has the time of one, and not that of a plain answer. */
  readonly handedOn: () => void
  /** The bytes are not those that the connection brings, nor as many. */
  readonly isUnpacked: boolean
  /** Stops the bytes, except for those that are on their way, until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends it wherever it is; the connection is closed if the body was not read to its end. Does nothing the second time. */
  readonly close: () => void
}
