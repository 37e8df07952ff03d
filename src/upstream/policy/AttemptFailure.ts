/** Why an attempt gave no answer, and of which of these failures everything may be told. */
import * as Brand from "effect/Brand"
import * as Data from "effect/Data"
import type { RefusalKind } from "../../errors/RefusalKind.ts"
import { noSecrets, type Secrets } from "../../secrets/Secrets.ts"
import { told } from "../../secrets/Told.ts"
import { hiddenRefusal, refusalKind } from "./Refusal.ts"

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
    /** An error in an answer has the one it names itself, else 502. */
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

export const noTurn: AttemptFailure = AttemptFailure.NoRoom({
  lacks: "memory",
  reason: "its answer is long, and too many others are being read",
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

/**
 * An error that came with a good status, and whose fault it is.
 *
 * @param said its body, by which that is known
 * @param body the same as it is told
 */
export const errorInAnswer = (message: string, said: Uint8Array, body = said): Refused => {
  const { kind, status = 502 } = hiddenRefusal(said)
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
    case "ConnectFailed":
    case "BrokenOff":
    case "Unusable":
    case "NoRoom":
      return asTold({ ...failure, reason: told(failure.reason, secrets) })
  }
}

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
