/**
 * What follows a failed attempt: whether another target may be asked, whether the same one may be asked again, and how long to wait before that.
 */
import { type AttemptFailure, isTransient, type Refused } from "./AttemptFailure.ts"
import { countsAs, isErrorStatus } from "./Refusal.ts"

export interface RetryPolicy {
  /** How often the whole plan is walked, the first time included. */
  readonly rounds: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Whether an upstream's HTTP status is worth another target. */
  readonly retryOn: (status: number) => boolean
}

/**
 * Whether a refusal is the client's answer rather than a reason to ask another target. A status beyond 599 is a fault of the server (RFC 9110 §15),
 * and an error in an answer that does not say it is the request's is one of the answer.
 */
export const isAnswer = ({ inAnswer, kind, status }: Refused, { retryOn }: RetryPolicy): boolean =>
  isErrorStatus(status) && (inAnswer === undefined || status < 500) && !countsAs(status, kind).some(retryOn)

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
