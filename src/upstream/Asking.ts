/**
 * Asks a target, and asks it again at once where it refuses what only this gateway had added: without that, which is remembered once it has helped. So
 * it does where the seal of earlier thoughts is refused, of which nothing is to be remembered.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { GatewayError } from "../errors/GatewayError.ts"
import { mayBeTakenBack, type Omissions, type TakenBack, takenBack } from "../operations/Additions.ts"
import type { Prepared } from "../operations/Operation.ts"
import type { Target } from "../routing/Upstream.ts"
import type { SentBytes } from "../wire/StoredBytes.ts"
import type { AttemptResult } from "./Answered.ts"
import type { Attempt } from "./Attempt.ts"
import type { AttemptAt, AttemptRequest } from "./AttemptRequest.ts"
import type { KnownDialects } from "./Dialects.ts"
import type { Learned } from "./Learned.ts"
import type { AttemptFailure } from "./policy/AttemptFailure.ts"

/** The body for a target, without what is to be omitted; as a rule at once, which an `Either` is. */
export type BodyFor = (
  target: Target,
  omissions: Omissions,
) => Effect.Effect<Prepared<SentBytes>, GatewayError>

/** What a target is first sent, and what it takes to send it less. */
export interface Question {
  readonly prepared: Prepared<SentBytes>
  readonly omissions: Omissions
}

const takenBackIn = (failure: AttemptFailure, { omissions, prepared }: Question): TakenBack | undefined => {
  if (failure._tag !== "Refused") return undefined
  const { body, inAnswer, status } = failure
  return takenBack({ body, status: inAnswer === undefined ? status : undefined }, prepared.added, omissions)
}

const causeOf = ({ members, thoughts }: TakenBack): string => {
  const refused = [
    ...(members.length === 0 ? [] : [`${members.join(" and ")}, which the gateway had added`]),
    ...(thoughts ? ["what was thought in earlier turns, as another's"] : []),
  ]
  return `refused ${refused.join(", and ")}; asked again without`
}

/** An attempt at a target that may be asked again at once. */
export type AskingAt = AttemptAt<
  AttemptRequest & {
    readonly bodyFor: BodyFor
    /** Told what of the request a target is not sent, since it could not take it. */
    readonly onDropped: (target: Target, members: ReadonlyArray<string>) => void
  }
>

export type Asking = (at: AskingAt, question: Question) => Effect.Effect<AttemptResult>

/** It would be asked in one dialect what is said in another, and its answer taken for one in the caller's. */
const untranslated = new Error(
  "a target was to be asked in another dialect with a body that was not translated",
)

export const makeAsking = (attempt: Attempt, learned: Learned, dialects: KnownDialects): Asking => {
  /** That an upstream lacks an endpoint which nobody said that it has is no fault of its. */
  const lackIn = ({ request: { operation }, target }: AskingAt, failure: AttemptFailure) => {
    if (failure._tag !== "Refused" || !dialects.isLack(target.upstream, operation, failure)) return undefined
    const lack =
      operation.mayLack === true
        ? "it has no such endpoint"
        : `it does not speak ${operation.dialect}, which was assumed, as its entry names no \`dialects\``
    return `answered ${failure.status}: ${lack}`
  }

  const asking: Asking = (at, question) => {
    const { added, body, translation } = question.prepared
    if ((at.target.dialect === undefined) !== (translation === undefined)) return Effect.die(untranslated)
    const excuse = (failure: AttemptFailure): string | undefined => {
      const back = takenBackIn(failure, question)
      return back === undefined ? lackIn(at, failure) : causeOf(back)
    }
    const asked = attempt(at, { body, excuse, translation })
    if (!mayBeTakenBack(added)) return asked
    return Effect.flatMap(asked, (result) => {
      const back = Either.isLeft(result) ? takenBackIn(result.left, question) : undefined
      return back === undefined ? Effect.succeed(result) : askedWithout(at, back, result)
    })
  }

  /** Asks again; where no body can be made, the answer stays what it was. */
  const askedWithout = (at: AskingAt, { lasting, omissions }: TakenBack, result: AttemptResult) =>
    Effect.matchEffect(at.request.bodyFor(at.target, omissions), {
      onFailure: () => Effect.succeed(result),
      onSuccess: (prepared) => {
        // What has begun was the refusal: another target may be asked beside it as if this were the first time.
        at.progress.hasBegun = false
        if (prepared.dropped !== undefined) at.request.onDropped(at.target, prepared.dropped)
        return Effect.tap(asking(at, { prepared, omissions }), (again) =>
          Effect.sync(() => {
            if (lasting && Either.isRight(again) && isGood(again.right.answered.status)) {
              learned.remember(at.target, joined(omissions, learned.of(at.target)))
            }
          }),
        )
      },
    })
  return asking
}

const isGood = (status: number): boolean => status < 300

/** What either leaves out: others may have learned something meanwhile, and what was asked without last knows the most. */
const joined = (one: Omissions, other: Omissions): Omissions => ({
  usage: one.usage || other.usage,
  caps: [...new Set([...other.caps, ...one.caps])],
  ...(one.marks === true || other.marks === true ? { marks: true } : {}),
  ...(one.reasoning === "always" || other.reasoning === "always" ? { reasoning: "always" } : {}),
})
