/** Asks the targets of a plan that are left to resume a stream that broke off. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { nothingOmitted } from "../operations/Additions.ts"
import type { Broken } from "../resume/Resume.ts"
import type { Target } from "../routing/Upstream.ts"
import type { AnsweredStream } from "../upstream/Answered.ts"
import type { BodyFor } from "../upstream/Asking.ts"
import type { Attempts } from "../upstream/Attempts.ts"
import type { WalkRequest } from "../upstream/Walk.ts"
import type { BodyToResume } from "./LongBodies.ts"

/** Asks for another upstream to resume a stream that broke off, of those that were not tried. */
export type AskToResume = (
  broken: Broken,
  hasTried: (target: Target) => boolean,
) => Effect.Effect<Option.Option<AnsweredStream>>

/** Whether a target may be asked to resume an answer that another began. */
const mayResume = ({ upstream }: Target): boolean => upstream.resume !== undefined

/**
 * The first of the request's targets that resumes the answer: each that may is asked once, in their order, and whatever is no stream of events
 * leads to the next one, since the client's answer has begun.
 */
const askToResume = (
  run: Attempts["Type"]["run"],
  request: WalkRequest,
  bodyToResume: BodyToResume,
  broken: Broken,
): Effect.Effect<Option.Option<AnsweredStream>> => {
  const bodyFor: BodyFor = (target, omissions) => bodyToResume(target, omissions, broken.text)
  const hasBody = (target: Target): Effect.Effect<boolean> =>
    mayResume(target) ? Effect.isSuccess(bodyFor(target, nothingOmitted)) : Effect.succeed(false)
  return Effect.filter(request.targets, hasBody).pipe(
    Effect.flatMap((targets) =>
      targets.length === 0
        ? Effect.succeedNone
        : Effect.map(
            run({
              ...request,
              targets,
              bodyFor,
              retry: { ...request.retry, rounds: 1, retryOn: () => true },
            }),
            (answered) => (answered.kind === "stream" ? Option.some(answered) : Option.none()),
          ),
    ),
    Effect.orElseSucceed(() => Option.none()),
  )
}

/** How others are asked to resume an answer, should it break off; nothing where none of them may be. */
export const askOthers = (
  run: Attempts["Type"]["run"],
  asking: WalkRequest,
  answered: AnsweredStream,
  bodyToResume: BodyToResume,
): AskToResume | undefined => {
  const { onAttempt, targets } = asking
  if (!targets.some((target) => target !== answered.target && mayResume(target))) return undefined
  return (broken, hasTried) =>
    askToResume(
      run,
      {
        ...asking,
        targets: targets.filter((target) => !hasTried(target)),
        onAttempt: (attempt, failed) => onAttempt({ ...attempt, resumed: true }, failed),
      },
      bodyToResume,
      broken,
    )
}
