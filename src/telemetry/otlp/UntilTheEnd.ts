/** Work that is done again and again while a process lives, and a last time before it goes. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

/** What the last time may take, with what is under way by then: the process is about to go, and others wait for it. */
export const lastMs = 2_000

export interface RepeatedWork {
  /** Done when there is work to do. */
  readonly pause: Effect.Effect<void>
  readonly once: Effect.Effect<void>
  /** What follows the last time, be it over or cut off. */
  readonly ended: (isCut: boolean) => Effect.Effect<void>
}

/** For as long as the scope is open. What is under way when it closes is waited for, since it may have half arrived. */
export const untilTheEnd = ({ ended, once, pause }: RepeatedWork): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const end = yield* Deferred.make<void>()
    const isLast = Effect.raceFirst(Effect.as(Deferred.await(end), true), Effect.as(pause, false))
    const work = Effect.repeat(Effect.zipLeft(isLast, once), { until: (last) => last })
    const fiber = yield* Effect.forkDaemon(work)
    yield* Effect.addFinalizer(() =>
      Deferred.succeed(end, undefined).pipe(
        Effect.zipRight(Effect.timeoutOption(Effect.interruptible(Fiber.join(fiber)), lastMs)),
        Effect.tap(() => Fiber.interrupt(fiber)),
        Effect.flatMap((inTime) => ended(Option.isNone(inTime))),
      ),
    )
  })
