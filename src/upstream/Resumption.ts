/** Asks the targets of a plan that are left to go on with a stream that broke off. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { InvalidRequest } from "../domain/GatewayError.ts"
import type { Target } from "../domain/Upstream.ts"
import type { Broken } from "../stream/Resume.ts"
import type { Answered } from "./Attempt.ts"
import type { Attempts, AttemptsRequest } from "./Attempts.ts"

export type AnsweredStream = Extract<Answered, { readonly kind: "stream" }>

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
  const bodies = new Map<Target, Uint8Array>()
  for (const target of request.targets) {
    const { resume } = target.upstream
    if (resume === undefined) continue
    const body = Either.flatMap(
      request.bodyFor(target),
      (prepared): Either.Either<Uint8Array, unknown> => broken.bodyFor(prepared, resume),
    )
    if (Either.isRight(body)) bodies.set(target, body.right)
  }
  if (bodies.size === 0) return Effect.succeedNone
  return run({
    ...request,
    targets: [...bodies.keys()],
    bodyFor: (target) => Either.fromNullable(bodies.get(target), () => noBody),
    retry: { ...request.retry, rounds: 1, retryOn: () => true },
  }).pipe(
    Effect.map((answered) => (answered.kind === "stream" ? Option.some(answered) : Option.none())),
    Effect.orElseSucceed(() => Option.none()),
  )
}
