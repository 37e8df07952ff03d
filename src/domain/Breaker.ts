/**
 * The circuit breaker of one upstream, as a pure state machine: what its attempts came to decides whether the next requests ask it in
 * its turn, or only after all others (Nygard, "Release It!", 2007). It never takes an upstream out of a plan.
 */
import * as Data from "effect/Data"
import { type AttemptFailure, isTransient } from "./AttemptPolicy.ts"
import type { BreakerPolicy } from "./Snapshot.ts"

/** Why a breaker opened. */
export type OpenReason = "failing" | "rate_limited" | "credentials_rejected"

export type Breaker = Data.TaggedEnum<{
  /** Asked in its turn. */
  Closed: { readonly failures: number }
  /** Asked after all others until `until`, in epoch milliseconds; then one request probes it. */
  Open: { readonly until: number; readonly waitMs: number; readonly reason: OpenReason }
  /** A probe is under way; until `until`, when another may follow should this one never end, all others pass the upstream by. */
  Probing: { readonly until: number; readonly waitMs: number; readonly reason: OpenReason }
}>

export const Breaker = Data.taggedEnum<Breaker>()

export const closed: Breaker = Breaker.Closed({ failures: 0 })

/**
 * What an attempt says of its upstream's health: `well` when the answer is whole; `answering` when a stream has begun, which may yet
 * break off; `nothing` where it says neither good nor bad, as when the client left; for how many milliseconds the upstream asked to
 * be left alone.
 */
export type Sign =
  | "well"
  | "answering"
  | "failing"
  | "credentials_rejected"
  | "nothing"
  | { readonly limitedForMs: number }

/**
 * What a failure says of the upstream.
 *
 * @param ownKey whether the upstream has a key of its own: what it holds against a client's key says nothing of others
 */
export const signOf = (failure: AttemptFailure, ownKey: boolean): Sign => {
  if (failure._tag === "Refused") {
    const { retryAfterMs, status } = failure
    if (status === 401 || status === 403) return ownKey ? "credentials_rejected" : "nothing"
    if (status === 429) {
      if (!ownKey) return "nothing"
      return retryAfterMs === undefined ? "failing" : { limitedForMs: retryAfterMs }
    }
  }
  if (failure._tag === "TimedOut" && failure.phase === "deadline") return "nothing"
  return isTransient(failure) ? "failing" : "nothing"
}

/** Whether a request may ask the upstream in its turn: its breaker is closed, or it is time for a probe. */
export const admits = (breaker: Breaker, now: number): boolean =>
  breaker._tag === "Closed" || breaker.until <= now

/** An attempt begins: the one that a breaker admits for a probe is the only one. */
export const begun = (breaker: Breaker, now: number): Breaker =>
  breaker._tag !== "Closed" && breaker.until <= now
    ? Breaker.Probing({ until: now + breaker.waitMs, waitMs: breaker.waitMs, reason: breaker.reason })
    : breaker

const open = (reason: OpenReason, waitMs: number, now: number, { maxOpenMs }: BreakerPolicy): Breaker => {
  const bounded = Math.min(Math.max(1, waitMs), maxOpenMs)
  return Breaker.Open({ until: now + bounded, waitMs: bounded, reason })
}

const failedOnce = (breaker: Breaker, now: number, policy: BreakerPolicy): Breaker => {
  switch (breaker._tag) {
    case "Open":
      return breaker
    case "Probing":
      return open("failing", 2 * breaker.waitMs, now, policy)
    case "Closed": {
      const failures = breaker.failures + 1
      return failures < policy.failures
        ? Breaker.Closed({ failures })
        : open("failing", policy.openMs, now, policy)
    }
  }
}

/** Whether an attempt began before the upstream was set aside, or before the probe under way: such a one says nothing of it now. */
const isOutdated = (breaker: Breaker, beganAt: number): boolean =>
  breaker._tag !== "Closed" && beganAt < breaker.until - breaker.waitMs

/**
 * An attempt has ended, or its stream begun. One that began while the breaker was open, because all were, counts like the probe if it
 * went well; its failure only confirms what is known.
 *
 * @param beganAt when the attempt began; like `now`, in epoch milliseconds
 */
export const ended = (
  breaker: Breaker,
  sign: Sign,
  { beganAt, now }: { readonly beganAt: number; readonly now: number },
  policy: BreakerPolicy,
): Breaker => {
  if (policy.failures === 0) return closed
  if (typeof sign === "object") return open("rate_limited", sign.limitedForMs, now, policy)
  if (sign !== "credentials_rejected" && isOutdated(breaker, beganAt)) return breaker
  switch (sign) {
    case "well":
      return closed
    case "answering":
      // Good enough to be asked in its turn again, and one failure away from being set aside again.
      return breaker._tag === "Closed" ? breaker : Breaker.Closed({ failures: policy.failures - 1 })
    case "credentials_rejected":
      return open("credentials_rejected", policy.maxOpenMs, now, policy)
    case "nothing":
      return breaker._tag === "Probing"
        ? Breaker.Open({ until: now, waitMs: breaker.waitMs, reason: breaker.reason })
        : breaker
    case "failing":
      return failedOnce(breaker, now, policy)
  }
}
