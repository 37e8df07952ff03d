/** What an attempt is asked with: what all attempts of a request have in common, and what is this one's own. */
import type { Deadline } from "../access/Deadline.ts"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { AttemptOutcome, AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { AttemptSpan } from "../audit/record/RequestTrace.ts"
import type { AskedUpstream } from "../audit/record/SoFar.ts"
import type { AskedTarget } from "../operations/Operation.ts"
import type { Translation } from "../operations/translation/Translation.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { SentBytes } from "../wire/StoredBytes.ts"
import type { AttemptFailure } from "./policy/AttemptFailure.ts"
import type { BreakerPolicy } from "./policy/Breaker.ts"
import type { RetryPolicy } from "./policy/Retry.ts"
import type { AskedForm } from "./Reading.ts"

/** What all attempts of a request have in common. */
export interface AttemptRequest extends Omit<AskedForm, "aside" | "beganAt" | "choices" | "translation"> {
  /** How many choices a target's answer is to have. */
  readonly choicesFor: (target: Target) => number
  /** What is to be done to the texts of a target's answer. */
  readonly transformFor: (target: Target) => ChoiceTransform
  /** What the request's own target says of where to ask. */
  readonly asked: Pick<AskedTarget, "id" | "query">
  readonly retry: RetryPolicy
  readonly breaker: BreakerPolicy
  readonly deadline: Deadline
  /** @param span of the attempt, where traces are on: the upstream is told of it */
  readonly headersFor: (target: Target, span: AttemptSpan | undefined) => Readonly<Record<string, string>>
  /** Told when a target is asked, before the wait for a slot; that it is over is told once for each (`onFailed`, or of its answer). */
  readonly onAsking: (asked: AskedUpstream) => AttemptSpan | undefined
  /** Whose request it is: what fails may be its doing alone. */
  readonly caller?: string
  /** What no target may say of what it was sent. */
  readonly secrets: Secrets
  /** Told of each event of an upstream that was no JSON object. */
  readonly onPassedOver: (upstream: string) => void
  /** Notes what is to be given back when the request is over, should it not have been by then. */
  readonly whenOver: (release: () => void) => void
}

/** How far an attempt has come, for who watches it from outside; and why it was cancelled, for its record. */
export interface AttemptProgress extends AskedUpstream {
  /** The first byte is here. */
  hasBegun: boolean
  cancelledBecause: string | undefined
  /** Of the attempt that was begun last, where traces are on. */
  span: AttemptSpan | undefined
  beganAt: number
  hasSlot: boolean
}

export const newProgress = ({ upstream }: Target, isHedge = false): AttemptProgress => ({
  upstream,
  beganAt: 0,
  hasSlot: false,
  hasBegun: false,
  cancelledBecause: undefined,
  span: undefined,
  isHedge,
})

/** What the record of every attempt says. */
export const recordOf = (
  { progress, target }: AttemptAt,
  outcome: AttemptOutcome,
  ms: number,
): AttemptRecord => {
  const { dialect, upstream, upstreamModel } = target
  const { isHedge, span } = progress
  const record = { upstream: upstream.name, upstreamModel, dialect, ...outcome, ms }
  const told: AttemptRecord = isHedge ? { ...record, hedged: true } : record
  return span === undefined ? told : { ...told, span }
}

/** What a target is sent. */
export interface Sent {
  readonly body: SentBytes
  /** How the answer is given out, where it is in another dialect than the caller's. */
  readonly translation: Translation | undefined
  /** Why a failure is this gateway's doing, which is no reason to blame the upstream; `undefined` where it is not. */
  readonly excuse: (failure: AttemptFailure) => string | undefined
}

/** An attempt at a target, and who watches it. */
export interface AttemptAt<R extends AttemptRequest = AttemptRequest> {
  readonly request: R
  readonly target: Target
  readonly progress: AttemptProgress
  /** Told the record of an attempt that gave no answer; `cancelled` where it did not fail, but was left. */
  readonly onFailed: (record: AttemptRecord, cancelled: boolean) => void
}

export const cancelledCause = ({ cancelledBecause }: AttemptProgress): string =>
  cancelledBecause ?? "the caller left"
