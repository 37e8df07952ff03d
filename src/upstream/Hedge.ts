/** Two tries at the same thing, the second only when the first is slow: the first success wins and the other try is cancelled. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** One try, and what is to be done when the other one won. */
export interface Contender<A, E, R> {
  readonly run: Effect.Effect<A, E, R>
  /** Told before `run` is interrupted. */
  readonly cancelled: () => void
  /** Gives back what `run` had come to all the same. */
  readonly discard: (value: A) => Effect.Effect<void>
}

export interface HedgeOptions<A, E, R> {
  readonly first: Contender<A, E, R>
  /** Milliseconds the first has for itself. */
  readonly delayMs: number
  /** Asked when they are over: whether the first still has nothing to show. */
  readonly isDue: () => boolean
  /** Asked only then; there may be none. */
  readonly second: Effect.Effect<Option.Option<Contender<A, E, R>>>
}

/**
 * The first success, or the failures of all that were tried, in their order ("The Tail at Scale", Dean and Barroso, 2013). Interrupting it
 * interrupts both.
 */
export const hedge = <A, E, R>({
  delayMs,
  first,
  isDue,
  second,
}: HedgeOptions<A, E, R>): Effect.Effect<Either.Either<A, ReadonlyArray<E>>, never, R> => {
  const fibers: Array<Fiber.RuntimeFiber<Either.Either<A, E>>> = []
  const start = (contender: Contender<A, E, R>) =>
    Effect.uninterruptible(
      Effect.map(Effect.fork(Effect.interruptible(Effect.either(contender.run))), (fiber) => {
        fibers.push(fiber)
        return { contender, fiber }
      }),
    )
  const alone = Either.mapLeft((failure: E): ReadonlyArray<E> => [failure])

  return Effect.gen(function* () {
    const one = yield* start(first)
    const early = yield* Effect.timeoutOption(Fiber.join(one.fiber), delayMs)
    if (Option.isSome(early)) return alone(early.value)
    const other = isDue() ? yield* second : Option.none()
    if (Option.isNone(other)) return alone(yield* Fiber.join(one.fiber))

    const two = yield* start(other.value)
    const { loser, result } = yield* Effect.raceFirst(
      Effect.map(Fiber.join(one.fiber), (result) => ({ loser: two, result })),
      Effect.map(Fiber.join(two.fiber), (result) => ({ loser: one, result })),
    )
    if (Either.isLeft(result)) {
      return Either.mapLeft(yield* Fiber.join(loser.fiber), (failure) => [result.left, failure])
    }
    loser.contender.cancelled()
    const exit = yield* Fiber.interrupt(loser.fiber)
    if (exit._tag === "Success" && Either.isRight(exit.value)) {
      yield* loser.contender.discard(exit.value.right)
    }
    return Either.right(result.right)
  }).pipe(Effect.onInterrupt(() => Fiber.interruptAll(fibers)))
}
