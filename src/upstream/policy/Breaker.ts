/**
 * The circuit breaker of one upstream, or of one model at it, as a pure state machine: what its attempts came to decides whether the next
 * requests ask it in its turn, or only after all others (Nygard, "Release It!", 2007). It never takes an upstream out of a plan.
 */
import * as Data from "effect/Data"
import type { Outcome } from "../../errors/Outcome.ts"
import { type AttemptFailure, isTransient } from "./AttemptPolicy.ts"

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
  | "out_of_credit"
  | "model_missing"
  | "nothing"
  | { readonly limitedForMs: number }

/** What an attempt says of its upstream as a whole, and of the model it asked there. */
export interface Signs {
  readonly upstream: Sign
  readonly model: Sign
}

const ofUpstream = (upstream: Sign): Signs => ({ upstream, model: "nothing" })
const ofModel = (model: Sign): Signs => ({ upstream: "nothing", model })
const ofBoth = (sign: Sign): Signs => ({ upstream: sign, model: sign })

export const well: Signs = ofBoth("well")
export const answering: Signs = ofBoth("answering")
export const failing: Signs = ofUpstream("failing")
export const nothing: Signs = ofBoth("nothing")

/**
 * What a failure says: as far as the fault of whoever caused it reaches.
 *
 * @param ownKey whether the upstream has a key of its own: what it holds against a client's key says nothing of others
 */
export const signsOf = (failure: AttemptFailure, ownKey: boolean): Signs => {
  if (failure._tag === "TimedOut" && failure.phase === "deadline") return nothing
  if (failure._tag !== "Refused") return isTransient(failure) ? failing : nothing
  switch (failure.kind) {
    case "credentials":
      return ownKey ? ofUpstream("credentials_rejected") : nothing
    case "billing":
      return ownKey ? ofUpstream("out_of_credit") : nothing
    case "limit":
      if (!ownKey) return nothing
      return ofModel(failure.retryAfterMs === undefined ? "failing" : { limitedForMs: failure.retryAfterMs })
    case "missing_model":
      return ownKey ? ofModel("model_missing") : nothing
    case "not_found":
      return ownKey ? ofModel("failing") : nothing
    case "provider":
      return failing
    // It knows what is wrong with a request.
    case "request":
      return failure.status === 403 ? nothing : well
    case "moderation":
    case "firewall":
    case "redirect":
      return nothing
  }
}

/** What a stream's end says of its upstream, which is not to blame for a client that left or gave it too little time. */
export const signsOfEnd = (outcome: Outcome, isTimeOver: boolean): Signs =>
  outcome === "ok" ? well : outcome === "stream_broken" && !isTimeOver ? failing : nothing

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
