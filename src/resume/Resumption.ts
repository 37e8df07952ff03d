/** Asks the targets of a plan that are left to go on with a stream that broke off. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { nothingOmitted } from "../operations/Additions.ts"
import type { Target } from "../routing/Upstream.ts"
import type { AnsweredStream } from "../upstream/Answered.ts"
import type { BodyFor } from "../upstream/Asking.ts"
import type { Attempts, AttemptsRequest } from "../upstream/Attempts.ts"
import type { Broken } from "./Resume.ts"

/** Whether a target may be asked to go on with an answer that another began. */
export const mayGoOn = ({ upstream }: Target): boolean => upstream.resume !== undefined

/**
 * The first of the request's targets that goes on: each that may is asked once, in their order, and whatever is no stream of events
 * leads to the next one, since the client's answer has begun.
 */
export const askToGoOn = (
  run: Attempts["Type"]["run"],
  request: AttemptsRequest,
  broken: Broken,
): Effect.Effect<Option.Option<AnsweredStream>> => {
  const bodyFor: BodyFor = (target, omissions) => request.bodyFor(target, omissions, broken.text)
  const hasBody = (target: Target): Effect.Effect<boolean> =>
    mayGoOn(target) ? Effect.isSuccess(bodyFor(target, nothingOmitted)) : Effect.succeed(false)
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
