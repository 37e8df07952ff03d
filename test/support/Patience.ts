/** How long a test waits for an event before it calls it missing. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** Far longer than anything takes, on a busy machine too, and shorter than a test may take. */
export const patienceMs = 20_000

/** The event did not come. */
export class NeverHappened extends Data.TaggedError("NeverHappened")<{ readonly message: string }> {}

/** The effect's result, or a failure that names what was waited for. Only a hang fails. */
export const within = <A, E, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  milliseconds = patienceMs,
): Effect.Effect<A, E | NeverHappened, R> =>
  Effect.timeoutFail(effect, {
    duration: milliseconds,
    onTimeout: () => new NeverHappened({ message: `${what}: not within ${milliseconds} ms` }),
  })

/** Looks again and again until the answer satisfies: for what announces itself in no other way. */
export const eventually = <A, E, R>(
  what: string,
  look: Effect.Effect<A, E, R>,
  satisfies: (answer: A) => boolean,
  milliseconds = patienceMs,
): Effect.Effect<A, E | NeverHappened, R> =>
  within(what, look.pipe(Effect.delay(10), Effect.repeat({ until: satisfies })), milliseconds)
