/**
 * What a failed attempt means: whether another target may be asked, whether waiting could mend it, how long to wait, and which
 * error the client gets when nothing is left. Deciding is kept apart from calling and from classifying what a socket did.
 */
import * as Data from "effect/Data"
import {
  type FailedAttempt,
  type GatewayError,
  Overloaded,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "./GatewayError.ts"
import { toClient } from "./RequestHeaders.ts"
import type { RetryPolicy } from "./Snapshot.ts"
import type { Target } from "./Upstream.ts"

/** Why an attempt gave no answer for the client. */
export type AttemptFailure = Data.TaggedEnum<{
  /** No connection came to be: refused, unknown host, TLS. */
  ConnectFailed: { readonly reason: string }
  /** The connection broke before the answer was whole (of a stream: before its first event). */
  BrokenOff: { readonly reason: string }
  /** One of the four timeouts of the upstream ran out, or the time of the request as a whole. */
  TimedOut: {
    readonly phase: "connect" | "first_byte" | "idle" | "total" | "deadline"
    readonly afterMs: number
  }
  /** An HTTP answer that is not the client's. */
  Refused: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Uint8Array
    /** Milliseconds the upstream asked to be left alone. */
    readonly retryAfterMs: number | undefined
  }
  /** An answer of a good status that is an error all the same; of a stream, its first event. */
  ErrorInAnswer: { readonly message: string; readonly body: Uint8Array }
  /** An answer of a good status that is none: no JSON, or encoded in a way it was not asked for. */
  Unusable: { readonly reason: string }
  /** This gateway had no room: no place among the calls an upstream is sent at once, or no memory for its answer. */
  NoRoom: { readonly lacks: "place" | "memory"; readonly reason: string }
}>

export const AttemptFailure = Data.taggedEnum<AttemptFailure>()

/** A failed attempt with its target. */
export interface Failed {
  readonly target: Target
  readonly failure: AttemptFailure
}

/**
 * Whether an HTTP status of an upstream is the client's answer rather than a reason to ask another target. One beyond 599 is a fault of the
 * server (RFC 9110 §15).
 */
export const isAnswer = (status: number, policy: RetryPolicy): boolean =>
  (status >= 200 && status < 300) || (isErrorStatus(status) && !policy.retryOn(status))

const isErrorStatus = (status: number): boolean => status >= 400 && status <= 599

/**
 * Whether waiting could mend the failure, so that the same target may be asked again in a later round. A refused key, a missing
 * model or a redirect stays what it is.
 */
export const isTransient = (failure: AttemptFailure): boolean => {
  switch (failure._tag) {
    case "ConnectFailed":
    case "BrokenOff":
    case "TimedOut":
    case "ErrorInAnswer":
    case "Unusable":
      return true
    case "NoRoom":
      return false
    case "Refused":
      return (
        failure.status === 408 || failure.status === 425 || failure.status === 429 || failure.status >= 500
      )
  }
}

/** Whether a target takes part in a further round, should there be one: what had no room may have some by then. */
export const isWorthAnotherRound = (failure: AttemptFailure): boolean =>
  isTransient(failure) || failure._tag === "NoRoom"

/**
 * Milliseconds to wait before round `round` (2 is the first that waits): the soonest moment at which one of the failed targets may
 * be well again. A target that said `Retry-After` is taken at its word, any other gets exponential backoff with full jitter
 * (Brooker, "Exponential Backoff And Jitter", 2015); neither waits longer than `maxDelayMs`.
 *
 * @param draw uniform in [0, 1)
 */
export const delayBeforeRound = (
  round: number,
  failures: ReadonlyArray<AttemptFailure>,
  policy: RetryPolicy,
  draw: number,
): number => {
  const backoff = draw * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (round - 2))
  let soonest = Number.POSITIVE_INFINITY
  for (const failure of failures) {
    const asked = failure._tag === "Refused" ? failure.retryAfterMs : undefined
    soonest = Math.min(soonest, asked === undefined ? backoff : Math.max(0, asked))
  }
  return Math.min(policy.maxDelayMs, soonest)
}

/**
 * Milliseconds of a `retry-after-ms` or `retry-after` header (RFC 9110 §10.2.3: seconds or a date); `undefined` where there is
 * none that can be read.
 *
 * @param now epoch milliseconds
 */
export const retryAfterMs = (headers: Readonly<Record<string, string>>, now: number): number | undefined => {
  const milliseconds = Number.parseFloat(headers["retry-after-ms"] ?? "")
  if (milliseconds >= 0) return milliseconds
  const value = headers["retry-after"]?.trim()
  if (value === undefined || value === "") return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number.parseFloat(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** A failure in a few words, for messages, logs and the audit. */
export const reasonOf = (failure: AttemptFailure): string => {
  switch (failure._tag) {
    case "ConnectFailed":
      return `could not connect (${failure.reason})`
    case "BrokenOff":
      return `broke off (${failure.reason})`
    case "TimedOut":
      return `timed out (${failure.phase} after ${failure.afterMs} ms)`
    case "Refused":
      return `answered ${failure.status}`
    case "ErrorInAnswer":
      return `answered with an error (${failure.message})`
    case "Unusable":
    case "NoRoom":
      return failure.reason
  }
}

/** Each target once, with how it failed last. */
export const failuresOf = (failed: ReadonlyArray<Failed>): ReadonlyArray<FailedAttempt> => {
  const reasons = new Map(failed.map((one) => [one.target.upstream.name, reasonOf(one.failure)]))
  return Array.from(reasons, ([upstream, reason]) => ({ upstream, reason }))
}

/** Seconds after which a client that found no room may come again. */
const roomRetrySeconds = 1

/**
 * The error the client gets when every attempt failed. The last failure of an upstream decides, except that timeouts are only called
 * so when all attempts timed out; that there was no room is only said where there was none anywhere.
 *
 * @param all in the order of the attempts
 */
export const errorOf = (all: ReadonlyArray<Failed>): GatewayError => {
  const failed = all.filter(({ failure }) => failure._tag !== "NoRoom")
  const last = failed.at(-1)
  if (last === undefined) {
    const roomless = all.at(-1)?.failure
    return roomless?._tag === "NoRoom"
      ? new Overloaded({
          reason: roomless.lacks === "memory" ? "memory" : "upstreams",
          retryAfterSeconds: roomRetrySeconds,
        })
      : new UpstreamUnreachable({ failures: [] })
  }
  const { failure, target } = last
  const upstream = target.upstream.name
  if (failure._tag === "Refused") {
    const { status, headers, body } = failure
    return (status === 401 || status === 403) && target.upstream.apiKey !== undefined
      ? new UpstreamCredentialsRejected({ upstream, status })
      : new UpstreamRefused({
          upstream,
          status: isErrorStatus(status) ? status : 502,
          headers: toClient(headers),
          body,
        })
  }
  if (failure._tag === "ErrorInAnswer") {
    return new UpstreamRefused({ upstream, status: 502, headers: {}, body: failure.body })
  }
  const failures = failuresOf(all)
  return failed.every((one) => one.failure._tag === "TimedOut")
    ? new UpstreamTimeout({ failures })
    : new UpstreamUnreachable({ failures })
}
