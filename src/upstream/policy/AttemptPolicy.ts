/**
 * What a failed attempt means: whether another target may be asked, whether waiting could mend it, how long to wait, and which
 * error the client gets when nothing is left. Deciding is kept apart from calling and from classifying what a socket did.
 */
import * as Brand from "effect/Brand"
import * as Data from "effect/Data"
import type { AttemptRecord } from "../../audit/record/AuditRecord.ts"
import {
  type FailedAttempt,
  type GatewayError,
  Overloaded,
  roomRetrySeconds,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "../../errors/GatewayError.ts"
import { redirectTarget } from "../../errors/Redirect.ts"
import {
  countsAs,
  hiddenRefusal,
  isClientsFault,
  type RefusalKind,
  refusalKind,
} from "../../errors/Refusal.ts"
import { toClient } from "../../operations/RequestHeaders.ts"
import type { Target } from "../../routing/Upstream.ts"
import { noSecrets, type Secrets } from "../../secrets/Secrets.ts"
import { told } from "../../secrets/Told.ts"

export interface RetryPolicy {
  /** How often the whole plan is walked, the first time included. */
  readonly rounds: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Whether an upstream's HTTP status is worth another target. */
  readonly retryOn: (status: number) => boolean
}

/** Why an attempt gave no answer for the client. */
export type AttemptFailure = Data.TaggedEnum<{
  /** No connection came to be: refused, unknown host, TLS. */
  ConnectFailed: { readonly reason: string }
  /** The connection broke before the answer was whole (of a stream: before its first event). */
  BrokenOff: { readonly reason: string }
  /** One of the five timeouts of the upstream ran out, or the time of the request as a whole. */
  TimedOut: {
    readonly phase: "connect" | "first_byte" | "answer" | "idle" | "total" | "deadline"
    readonly afterMs: number
  }
  /** An HTTP answer that is not the client's; or an error in one of a good status, such as the first event of a stream. */
  Refused: {
    readonly kind: RefusalKind
    /** Of an error in an answer the one it names itself, else 502. */
    readonly status: number
    /** What an error in an answer says, `undefined` where the status was no good one. */
    readonly inAnswer: string | undefined
    readonly headers: Readonly<Record<string, string>>
    readonly body: Uint8Array
    /** Milliseconds the upstream asked to be left alone. */
    readonly retryAfterMs: number | undefined
  }
  /** An answer of a good status that is none: no JSON, or encoded in a way it was not asked for. */
  Unusable: { readonly reason: string }
  /** This gateway had no room: no place among the calls an upstream is sent at once, or no memory for its answer. */
  NoRoom: { readonly lacks: "place" | "memory"; readonly reason: string }
}>

export const AttemptFailure = Data.taggedEnum<AttemptFailure>()

export const noMemory: AttemptFailure = AttemptFailure.NoRoom({
  lacks: "memory",
  reason: "no memory left for its answer",
})

export type Refused = Data.TaggedEnum.Value<AttemptFailure, "Refused">

/** An HTTP answer that is no success, and whose fault it is. */
export const refusedBy = (
  { headers, retryAfterMs, status }: Pick<Refused, "headers" | "retryAfterMs" | "status">,
  body: Uint8Array,
): Refused =>
  AttemptFailure.Refused({
    kind: refusalKind(status, headers, body),
    status,
    inAnswer: undefined,
    headers,
    body,
    retryAfterMs,
  })

/** An error that came with a good status, and whose fault it is. */
export const errorInAnswer = (message: string, body: Uint8Array): Refused => {
  const { kind, status = 502 } = hiddenRefusal(body)
  return AttemptFailure.Refused({
    kind,
    status,
    inAnswer: message,
    headers: {},
    body,
    retryAfterMs: undefined,
  })
}

/**
 * A failure of which everything may be told: nothing but `toldFailure` makes one, and only of one are there words for logs, records and clients.
 */
export type ToldFailure = AttemptFailure & Brand.Brand<"ToldFailure">

/** A refusal of which everything may be told. */
export type ToldRefusal = Refused & Brand.Brand<"ToldFailure">

const asTold = Brand.nominal<ToldFailure>()
const asToldRefusal = Brand.nominal<ToldRefusal>()

/** A refusal as it may be told: without a secret in its words, its headers and its body, which the client may be given. */
export const toldRefusal = (refused: Refused, secrets: Secrets): ToldRefusal => {
  const headers: Record<string, string> = {}
  for (const name in refused.headers) headers[name] = secrets.without(refused.headers[name] ?? "")
  return asToldRefusal({
    ...refused,
    inAnswer: refused.inAnswer === undefined ? undefined : told(refused.inAnswer, secrets),
    headers,
    body: secrets.withoutIn(refused.body),
  })
}

/** A failure as it may be told. Where the words are this gateway's own, of no secrets. */
export const toldFailure = (failure: AttemptFailure, secrets: Secrets = noSecrets): ToldFailure => {
  switch (failure._tag) {
    case "TimedOut":
      return asTold(failure)
    case "Refused":
      return toldRefusal(failure, secrets)
    default:
      return asTold({ ...failure, reason: told(failure.reason, secrets) })
  }
}

/** A failed attempt with its target. */
export interface Failed {
  readonly target: Target
  readonly failure: ToldFailure
}

/**
 * Whether a refusal is the client's answer rather than a reason to ask another target. A status beyond 599 is a fault of the server (RFC 9110 §15),
 * and an error in an answer that does not say it is the request's is one of the answer.
 */
export const isAnswer = ({ inAnswer, kind, status }: Refused, { retryOn }: RetryPolicy): boolean =>
  isErrorStatus(status) && (inAnswer === undefined || status < 500) && !countsAs(status, kind).some(retryOn)

const isErrorStatus = (status: number): boolean => status >= 400 && status <= 599

/**
 * Whether waiting could mend the failure, so that the same target may be asked again in a later round. A refused key, an empty
 * account, a missing model or a redirect stays what it is.
 */
export const isTransient = (failure: AttemptFailure): boolean => {
  switch (failure._tag) {
    case "ConnectFailed":
    case "BrokenOff":
    case "TimedOut":
    case "Unusable":
      return true
    case "NoRoom":
      return false
    case "Refused":
      // A 413 of a rate limit says that the request alone is over it.
      return failure.kind === "provider" || (failure.kind === "limit" && failure.status !== 413)
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

/** What a refusal is about, where its status says too little. */
const inWords = ({ headers, kind }: ToldRefusal): string => {
  switch (kind) {
    case "credentials":
      return " (it refuses the key)"
    case "billing":
      return " (the account has no credit or quota left)"
    case "missing_model":
      return " (it has no such model)"
    case "moderation":
      return " (its moderation flagged the prompt)"
    case "firewall":
      return " (a firewall before it)"
    case "redirect": {
      const target = redirectTarget(headers["location"])
      return target === undefined ? "" : ` with location ${target}`
    }
    default:
      return ""
  }
}

/** What a code of the resolver means to whoever has mistyped a host. */
const connectWords: ReadonlyMap<string, string> = new Map([
  ["ENOTFOUND", "no host has that name"],
  ["EAI_AGAIN", "the host's name could not be looked up"],
])

/** A failure in a few words, for messages, logs and the audit. */
export const reasonOf = (failure: ToldFailure): string => {
  switch (failure._tag) {
    case "ConnectFailed": {
      const words = connectWords.get(failure.reason)
      return `could not connect (${failure.reason}${words === undefined ? "" : `: ${words}`})`
    }
    case "BrokenOff":
      return `broke off (${failure.reason})`
    case "TimedOut":
      return `timed out (${failure.phase} after ${failure.afterMs} ms)`
    case "Refused":
      return failure.inAnswer === undefined
        ? `answered ${failure.status}${inWords(failure)}`
        : `answered with an error (${failure.inAnswer})`
    case "Unusable":
    case "NoRoom":
      return failure.reason
  }
}

/** A failure as the record of its attempt has it: a status, or a cause. */
export const recordedAs = (failure: ToldFailure): Pick<AttemptRecord, "status" | "cause"> =>
  failure._tag === "Refused" && failure.inAnswer === undefined
    ? { status: failure.status, cause: undefined }
    : { status: undefined, cause: reasonOf(failure) }

/** Each target once, with how it failed last. */
export const failuresOf = (failed: ReadonlyArray<Failed>): ReadonlyArray<FailedAttempt> => {
  const reasons = new Map(failed.map((one) => [one.target.upstream.name, reasonOf(one.failure)]))
  return Array.from(reasons, ([upstream, reason]) => ({ upstream, reason }))
}

/**
 * The error of a refusal. What is held against this gateway's own key or its account is not told as the client's.
 *
 * @param failures of all that were asked
 */
export const refusalOf = (
  { body, headers, inAnswer, kind, status }: ToldRefusal,
  { upstream }: Target,
  failures: ReadonlyArray<FailedAttempt>,
): UpstreamCredentialsRejected | UpstreamRefused => {
  const { name } = upstream
  const ownKey = upstream.apiKey !== undefined
  const answered = inAnswer === undefined ? status : 200
  if (ownKey && (kind === "credentials" || kind === "billing")) {
    return new UpstreamCredentialsRejected({ upstream: name, status: answered, reason: kind, failures })
  }
  return new UpstreamRefused({
    upstream: name,
    status: isErrorStatus(status) ? status : 502,
    said: { kind, answered, location: redirectTarget(headers["location"]) },
    isClientsFault: isClientsFault(kind, ownKey),
    headers: toClient(headers, noSecrets),
    body,
    failures,
  })
}

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
  if (failure._tag === "Refused") return refusalOf(failure, target, failuresOf(all))
  const failures = failuresOf(all)
  return failed.every((one) => one.failure._tag === "TimedOut")
    ? new UpstreamTimeout({ failures })
    : new UpstreamUnreachable({ failures })
}
