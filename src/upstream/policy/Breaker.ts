/**
 * The circuit breaker of one upstream, or of one model at it, as a pure state machine: what its attempts came to decides whether the next
 * requests ask it in its turn, or only after all others (Nygard, "Release It!", 2007). It never takes an upstream out of a plan.
 */
import * as Data from "effect/Data"
import type { Sign } from "./Signs.ts"

/** When an upstream that fails is set aside; see `Breaker`. */
export interface BreakerPolicy {
  /** How many transient failures in a row open the breaker; 0 leaves all breakers closed. */
  readonly failures: number
  /** Milliseconds until an upstream set aside is probed; doubled each time the probe fails. */
  readonly openMs: number
  /** The longest such wait, also for what `Retry-After` asks. */
  readonly maxOpenMs: number
}

/** Why a breaker opened. */
export type OpenReason =
  | "failing"
  | "rate_limited"
  | "credentials_rejected"
  | "out_of_credit"
  | "model_missing"

/**
 * The one caller whose requests alone failed, until another's fail too: what such a request provokes may be its own doing, so the upstream is set aside
 * for this caller alone. `undefined` where many failed, or whose request it was says nothing.
 */
type Culprit = string | undefined

export type Breaker = Data.TaggedEnum<{
  /** Asked in its turn. */
  Closed: { readonly failures: number; readonly by?: Culprit }
  /** Asked after all others until `until`, in epoch milliseconds; then one request probes it. */
  Open: {
    readonly until: number
    readonly waitMs: number
    readonly reason: OpenReason
    readonly by?: Culprit
  }
  /** A probe is under way; until `until`, when another may follow should this one never end, all others pass the upstream by. */
  Probing: {
    readonly until: number
    readonly waitMs: number
    readonly reason: OpenReason
    readonly by?: Culprit
  }
}>

export const Breaker = Data.taggedEnum<Breaker>()

export const closed: Breaker = Breaker.Closed({ failures: 0 })

/** Whether a request may ask the upstream in its turn: its breaker is closed, or open for another caller alone, or it is time for a probe. */
export const admits = (breaker: Breaker, now: number, caller?: string): boolean =>
  breaker._tag === "Closed" ||
  breaker.until <= now ||
  (breaker.by !== undefined && caller !== undefined && breaker.by !== caller)

/** An attempt begins: the one that a breaker admits for a probe is the only one. */
export const begun = (breaker: Breaker, now: number): Breaker =>
  breaker._tag !== "Closed" && breaker.until <= now
    ? Breaker.Probing({ ...breaker, until: now + breaker.waitMs })
    : breaker

const open = (
  reason: OpenReason,
  waitMs: number,
  now: number,
  { maxOpenMs }: BreakerPolicy,
  by?: string,
): Breaker => {
  const bounded = Math.min(Math.max(1, waitMs), maxOpenMs)
  const opened = { until: now + bounded, waitMs: bounded, reason }
  return Breaker.Open(by === undefined ? opened : { ...opened, by })
}

/** Open for as long as is configured, twice as long as before where a probe failed; one that is open stays so. */
const opened = (
  reason: OpenReason,
  breaker: Breaker,
  now: number,
  policy: BreakerPolicy,
  by?: string,
): Breaker => {
  switch (breaker._tag) {
    case "Open":
      // What was open for one caller has failed another.
      return breaker.by === undefined || breaker.by === by
        ? breaker
        : open(reason, policy.openMs, now, policy)
    case "Probing":
      return open(reason, 2 * breaker.waitMs, now, policy, by)
    case "Closed":
      return open(reason, policy.openMs, now, policy, by)
  }
}

const failedOnce = (breaker: Breaker, now: number, policy: BreakerPolicy, caller?: string): Breaker => {
  if (breaker._tag !== "Closed") return opened("failing", breaker, now, policy, caller)
  const failures = breaker.failures + 1
  const by = breaker.failures === 0 || breaker.by === caller ? caller : undefined
  if (failures >= policy.failures) return opened("failing", breaker, now, policy, by)
  return Breaker.Closed(by === undefined ? { failures } : { failures, by })
}

/** Whether an attempt began before the upstream was set aside, or before the probe under way: such a one says nothing of it now. */
const isOutdated = (breaker: Breaker, beganAt: number): boolean =>
  breaker._tag !== "Closed" && beganAt < breaker.until - breaker.waitMs

/**
 * An attempt has ended, or its stream begun. One that began while the breaker was open, because all were, counts like the probe if it
 * went well; its failure only confirms what is known.
 *
 * @param beganAt when the attempt began; like `now`, in epoch milliseconds. `caller`: whose request may have caused its failure
 */
export const ended = (
  breaker: Breaker,
  sign: Sign,
  { beganAt, caller, now }: { readonly beganAt: number; readonly now: number; readonly caller?: string },
  policy: BreakerPolicy,
): Breaker => {
  if (policy.failures === 0) return closed
  if (typeof sign === "object") return open("rate_limited", sign.limitedForMs, now, policy)
  if (sign === "credentials_rejected" || sign === "out_of_credit") {
    return open(sign, policy.maxOpenMs, now, policy)
  }
  if (isOutdated(breaker, beganAt)) return breaker
  switch (sign) {
    case "well":
      return closed
    case "answering":
      // Good enough to be asked in its turn again, and one failure away from being set aside again.
      return breaker._tag === "Closed" ? breaker : Breaker.Closed({ failures: policy.failures - 1 })
    case "model_missing":
      return opened(sign, breaker, now, policy)
    case "nothing":
      return breaker._tag === "Probing"
        ? Breaker.Open({ until: now, waitMs: breaker.waitMs, reason: breaker.reason })
        : breaker
    case "failing":
      return failedOnce(breaker, now, policy, caller)
  }
}
