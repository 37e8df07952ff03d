/** Asks the targets of a plan that are left to go on with a stream that broke off. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { nothingOmitted, type Omissions } from "../domain/Additions.ts"
import { InvalidRequest } from "../domain/GatewayError.ts"
import type { Prepared } from "../domain/Prepare.ts"
import type { Target } from "../domain/Upstream.ts"
import type { Broken } from "../stream/Resume.ts"
import type { AnsweredStream } from "./Answered.ts"
import type { Attempts, AttemptsRequest } from "./Attempts.ts"

/** Whether a target may be asked to go on with an answer that another began. */
export const mayGoOn = ({ upstream }: Target): boolean => upstream.resume !== undefined

/** Never shown: only targets that have a body are asked. */
const noBody = new InvalidRequest({ message: "This target cannot go on with the answer.", param: null })

/**
 * The first of the request's targets that goes on: each that may is asked once, in their order, and whatever is no stream of events
 * leads to the next one, since the client's answer has begun.
 */
export const askToGoOn = (
  run: Attempts["Type"]["run"],
  request: AttemptsRequest,
  broken: Broken,
): Effect.Effect<Option.Option<AnsweredStream>> => {
  const bodyFor = (target: Target, omissions: Omissions): Either.Either<Prepared, InvalidRequest> => {
    const { resume } = target.upstream
    if (resume === undefined) return Either.left(noBody)
    return Either.flatMap(request.bodyFor(target, omissions), (prepared) =>
      Either.mapBoth(broken.bodyFor(prepared.body, resume), {
        onLeft: () => noBody,
        onRight: (body) => ({ ...prepared, body, asItCame: false }),
      }),
    )
  }
  const targets = request.targets.filter((target) => Either.isRight(bodyFor(target, nothingOmitted)))
  if (targets.length === 0) return Effect.succeedNone
  return run({
    ...request,
    targets,
    bodyFor,
    retry: { ...request.retry, rounds: 1, retryOn: () => true },
  }).pipe(
    Effect.map((answered) => (answered.kind === "stream" ? Option.some(answered) : Option.none())),
    Effect.orElseSucceed(() => Option.none()),
  )
}
