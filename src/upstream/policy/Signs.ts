/** What an attempt says for or against its upstream, and for or against the model there: as far as the fault of whoever caused a failure reaches. */
import type { Outcome } from "../../errors/Outcome.ts"
import { type AttemptFailure, isTransient } from "./AttemptFailure.ts"

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
    case "loop":
      return failing
    // It knows what is wrong with a request.
    case "request":
      return failure.status === 403 ? nothing : well
    // What it lacks altogether says nothing of the rest.
    case "missing_endpoint":
    case "moderation":
    case "firewall":
    case "redirect":
      return nothing
  }
}

/** Whose request may have caused a failure: that there is no connection is no request's doing. */
export const culpritOf = (failure: AttemptFailure, caller: string | undefined): string | undefined =>
  failure._tag === "ConnectFailed" ? undefined : caller

/** What a stream's end says of its upstream, which is not to blame for a client that left or gave it too little time. */
export const signsOfEnd = (outcome: Outcome, isTimeOver: boolean): Signs =>
  outcome === "ok" ? well : outcome === "stream_broken" && !isTimeOver ? failing : nothing
