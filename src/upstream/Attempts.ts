/**
 * Walks a plan until a target gives the client's answer: fail over first, wait last. One attempt runs at a time, a second beside it only
 * where hedging is configured, and none after the client left: interrupting the walk ends the call under way and starts no other.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import {
  type AttemptFailure,
  delayBeforeRound,
  errorOf,
  type Failed,
  failuresOf,
  isTransient,
  isWorthAnotherRound,
} from "../domain/AttemptPolicy.ts"
import type { AttemptRecord } from "../domain/AuditRecord.ts"
import { DeadlineExceeded, type GatewayError, type InvalidRequest } from "../domain/GatewayError.ts"
import type { Target } from "../domain/Upstream.ts"
import { type Answered, type AttemptRequest, makeAttempt, newProgress, type Won } from "./Attempt.ts"
import { Breakers } from "./Breakers.ts"
import { type Contender, hedge } from "./Hedge.ts"
import type { Slots } from "./Slots.ts"
import type { Upstreams } from "./Upstreams.ts"

export interface AttemptsRequest extends AttemptRequest {
  /** In the order to be asked. */
  readonly targets: ReadonlyArray<Target>
  readonly bodyFor: (target: Target) => Either.Either<Uint8Array, InvalidRequest>
  /** Told of every attempt when it is over, or when its answer has begun; of the one that answered last. */
  readonly onAttempt: (attempt: AttemptRecord, failed: boolean) => Effect.Effect<void>
}

export class Attempts extends Context.Tag("sluice/Attempts")<
  Attempts,
  {
    /**
     * The first answer that is the client's. A stream's connection lives as long as the scope. Fails when every attempt of
     * every round failed.
     */
    readonly run: (request: AttemptsRequest) => Effect.Effect<Answered, GatewayError, Scope.Scope>
  }
>() {}

/** What asking a target, or two, came to: failures in their order. */
type Asked = Either.Either<Won, ReadonlyArray<Failed>>

export const layer: Layer.Layer<Attempts, never, Breakers | Slots | Upstreams> = Layer.effect(
  Attempts,
  Effect.gen(function* () {
    const attempt = yield* makeAttempt
    const breakers = yield* Breakers

    /** Takes out of `waiting` whom to ask next; its attempt has begun with that. */
    const takeNext = (waiting: Array<Target>): Option.Option<Target> =>
      Option.fromNullable(waiting.splice(breakers.begin(waiting), 1)[0])

    /** The attempt at a target; it loses only to another that answered first. */
    const contender = (
      request: AttemptsRequest,
      target: Target,
      body: Uint8Array,
      progress = newProgress(),
    ): Contender<Won, Failed, Scope.Scope> => ({
      run: Effect.mapError(
        attempt(request, target, body, progress, (record, cancelled) =>
          request.onAttempt(record, !cancelled),
        ),
        (failure: AttemptFailure): Failed => ({ target, failure }),
      ),
      cancelled: () => {
        progress.cancelledBecause = "cancelled, another upstream answered first"
      },
      discard: ({ discard }) => Effect.flatMap(discard, (record) => request.onAttempt(record, false)),
    })

    /** Asks the next target, and when it is slow and configured so, the one after that beside it. */
    const ask = (
      request: AttemptsRequest,
      target: Target,
      waiting: Array<Target>,
    ): Effect.Effect<Asked, GatewayError, Scope.Scope> =>
      Effect.gen(function* () {
        const body = yield* request.bodyFor(target)
        const { hedgeAfterMs } = target.upstream
        const progress = newProgress()
        const first = contender(request, target, body, progress)
        if (hedgeAfterMs === undefined || waiting.length === 0) {
          return Either.mapLeft(yield* Effect.either(first.run), (failed) => [failed])
        }
        return yield* hedge({
          first,
          delayMs: hedgeAfterMs,
          isDue: () => !progress.hasBegun,
          second: Effect.sync(() =>
            Option.flatMap(takeNext(waiting), (other) =>
              Either.match(request.bodyFor(other), {
                onRight: (otherBody) => Option.some(contender(request, other, otherBody)),
                onLeft: () => {
                  // The client is told of its mistake when it is this target's turn, should the first one fail.
                  waiting.unshift(other)
                  return Option.none()
                },
              }),
            ),
          ),
        })
      })

    const run = (request: AttemptsRequest): Effect.Effect<Answered, GatewayError, Scope.Scope> =>
      Effect.gen(function* () {
        const { deadline, retry } = request
        const failed: Array<Failed> = []
        let targets = request.targets
        for (let round = 1; ; round++) {
          const again: Array<Failed> = []
          const waiting = [...targets]
          while (waiting.length > 0) {
            if ((yield* Clock.currentTimeMillis) >= deadline.at)
              return yield* deadlineExceeded(request, failed)
            const target = takeNext(waiting)
            if (Option.isNone(target)) break
            const asked = yield* ask(request, target.value, waiting)
            if (Either.isRight(asked)) {
              yield* request.onAttempt(asked.right.record, false)
              return asked.right.answered
            }
            for (const one of asked.left) {
              failed.push(one)
              if (isWorthAnotherRound(one.failure)) again.push(one)
            }
          }
          const now = yield* Clock.currentTimeMillis
          if (now >= deadline.at) return yield* deadlineExceeded(request, failed)
          const transient = again.filter(({ failure }) => isTransient(failure))
          if (transient.length === 0 || round >= retry.rounds) return yield* errorOf(failed)
          const delayMs = delayBeforeRound(
            round + 1,
            transient.map(({ failure }) => failure),
            retry,
            yield* Random.next,
          )
          if (now + delayMs >= deadline.at) return yield* errorOf(failed)
          yield* Effect.sleep(delayMs)
          targets = again.map(({ target }) => target)
        }
      })

    return Attempts.of({ run })
  }),
)

const deadlineExceeded = (
  { deadline: { afterMs, setBy } }: AttemptsRequest,
  failed: ReadonlyArray<Failed>,
): DeadlineExceeded => new DeadlineExceeded({ afterMs, setBy, failures: failuresOf(failed) })
