/** Long answers read aside, asked for in the middle of a socket's event. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { Aside, type AsideFailed } from "../aside/Aside.ts"
import type { AsideJobs, JobName } from "../aside/AsideJobs.ts"

/** Has a job done aside, and tells what it came to; nothing where it was not done. Gives the way to do without it. */
export type RunAside = <N extends JobName>(
  name: N,
  input: AsideJobs[N]["input"],
  done: (output: AsideJobs[N]["output"] | undefined) => void,
) => () => void

const isFull = (cause: Cause.Cause<AsideFailed>): boolean =>
  Option.exists(Cause.failureOption(cause), ({ reason }) => reason === "full")

/** That many wait is no fault, and would fill the log when it is least wanted. */
const logUnread = (cause: Cause.Cause<AsideFailed>): Effect.Effect<void> =>
  isFull(cause) ? Effect.void : Effect.logWarning("a long answer could not be read aside", cause)

export const makeRunAside: Effect.Effect<RunAside, never, Aside | Scope.Scope> = Effect.gen(function* () {
  const aside = yield* Aside
  const fork = yield* FiberSet.makeRuntime<never>()
  return (name, input, done) => {
    const fiber = fork(
      Effect.matchCauseEffect(aside.run(name, input), {
        onSuccess: (output) => Effect.sync(() => done(output)),
        onFailure: (cause) =>
          Effect.zipRight(
            logUnread(cause),
            Effect.sync(() => done(undefined)),
          ),
      }),
    )
    return () => fiber.unsafeInterruptAsFork(FiberId.none)
  }
})
