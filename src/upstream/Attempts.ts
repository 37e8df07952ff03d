/**
 * Walks a plan until a target gives the client's answer: fail over first, wait last. One attempt runs at a time, a second beside it only
 * where hedging is configured, and none after the client left: interrupting the walk ends the call under way and starts no other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { Aside } from "../aside/Aside.ts"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { DeadlineExceeded } from "../errors/UpstreamErrors.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Answered, Won } from "./Answered.ts"
import { type BodyFor, makeAsking, type Question } from "./Asking.ts"
import { type AttemptRequest, makeAttempt, newProgress } from "./Attempt.ts"
import { Breakers } from "./Breakers.ts"
import type { Upstreams } from "./calls/Upstreams.ts"
import { type Contender, hedge } from "./Hedge.ts"
import { Learned } from "./Learned.ts"
import { isTransient } from "./policy/AttemptFailure.ts"
import { errorOfAll, type Failed, failuresOf } from "./policy/LastError.ts"
import { delayBeforeRound, isWorthAnotherRound } from "./policy/Retry.ts"
import type { Slots } from "./Slots.ts"

export interface AttemptsRequest extends AttemptRequest {
  /** In the order to be asked. */
  readonly targets: ReadonlyArray<Target>
  readonly bodyFor: BodyFor
  /** Told of every attempt when it is over, or when its answer has begun; of the one that answered last. */
  readonly onAttempt: (attempt: AttemptRecord, failed: boolean) => void
}

export class Attempts extends Context.Tag("sluice/Attempts")<
  Attempts,
  {
    /**
     * The first answer that is the client's. A stream's connection lives until its end or that of the request. Fails when every attempt of every
     * round failed.
     */
    readonly run: (request: AttemptsRequest) => Effect.Effect<Answered, GatewayError>
  }
>() {}

/** What asking a target, or two, came to: failures in their order. */
type Asked = Either.Either<Won, ReadonlyArray<Failed>>

export const layer: Layer.Layer<Attempts, never, Aside | Breakers | Slots | Upstreams> = Layer.effect(
  Attempts,
  Effect.gen(function* () {
    const learned = new Learned()
    const asking = makeAsking(yield* makeAttempt, learned)
    const breakers = yield* Breakers

    const clock = yield* Effect.clock

    const questionFor = (
      { bodyFor }: AttemptsRequest,
      target: Target,
    ): Effect.Effect<Question, GatewayError> => {
      const omissions = learned.of(target)
      return Effect.map(bodyFor(target, omissions), (prepared) => ({ prepared, omissions }))
    }

    /** Takes out of `waiting` whom to ask next; its attempt has begun with that. */
    const takeNext = (next: Array<Target>, { caller }: AttemptsRequest): Target | undefined =>
      next.splice(breakers.begin(next, caller), 1)[0]

    /** The attempt at a target; in a race it loses only to another that answered first. */
    const contender = (
      request: AttemptsRequest,
      target: Target,
      question: Question,
      progress = newProgress(),
    ): Contender<Won, Failed, never> => ({
      run: asking(request, target, question, progress, (record, cancelled) =>
        request.onAttempt(record, !cancelled),
      ).pipe(
        Effect.flatten,
        Effect.mapError((failure): Failed => ({ target, failure })),
      ),
      cancelled: () => {
        progress.cancelledBecause = "cancelled, another upstream answered first"
      },
      discard: ({ discard }) => Effect.sync(() => request.onAttempt(discard(), false)),
    })

    /** Asks a target, and when it is late the next one beside it. */
    const askHedged = (
      request: AttemptsRequest,
      target: Target,
      question: Question,
      waiting: Array<Target>,
      delayMs: number,
    ): Effect.Effect<Asked> => {
      const progress = newProgress()
      return hedge({
        first: contender(request, target, question, progress),
        delayMs,
        isDue: () => !progress.hasBegun,
        second: Effect.suspend(() => {
          const other = takeNext(waiting, request)
          if (other === undefined) return Effect.succeedNone
          return Effect.match(questionFor(request, other), {
            onSuccess: (itsQuestion) => Option.some(contender(request, other, itsQuestion)),
            onFailure: () => {
              // The client is told of its mistake when it is this target's turn, should the first one fail.
              waiting.unshift(other)
              return Option.none()
            },
          })
        }),
      })
    }

    const ask = (
      request: AttemptsRequest,
      target: Target,
      waiting: Array<Target>,
    ): Effect.Effect<Asked, GatewayError> =>
      Effect.flatMap(questionFor(request, target), (question) => {
        const { hedgeAfterMs } = target.upstream
        if (hedgeAfterMs !== undefined && waiting.length > 0) {
          return askHedged(request, target, question, waiting, hedgeAfterMs)
        }
        const onFailed = (record: AttemptRecord, cancelled: boolean) => request.onAttempt(record, !cancelled)
        return Effect.map(
          asking(request, target, question, newProgress(), onFailed),
          Either.mapLeft((failure) => [{ target, failure }]),
        )
      })

    const run = (request: AttemptsRequest): Effect.Effect<Answered, GatewayError> => {
      const { deadline, retry } = request
      const failed: Array<Failed> = []
      let waiting = [...request.targets]
      let again: Array<Failed> = []
      let round = 1

      const walk: Effect.Effect<Answered, GatewayError> = Effect.suspend(() => {
        if (clock.unsafeCurrentTimeMillis() >= deadline.at) return deadlineExceeded(request, failed)
        const target = waiting.length === 0 ? undefined : takeNext(waiting, request)
        if (target === undefined) return nextRound
        return Effect.flatMap(ask(request, target, waiting), (asked): typeof walk => {
          if (Either.isRight(asked)) {
            request.onAttempt(asked.right.record, false)
            return Effect.succeed(asked.right.answered)
          }
          for (const one of asked.left) {
            failed.push(one)
            if (isWorthAnotherRound(one.failure)) again.push(one)
          }
          return walk
        })
      })

      /** After all were asked: waits and walks again those for whom that may help. */
      const nextRound: Effect.Effect<Answered, GatewayError> = Effect.gen(function* () {
        const transient = again.filter(({ failure }) => isTransient(failure))
        if (transient.length === 0 || round >= retry.rounds) return yield* errorOfAll(failed)
        round += 1
        const delayMs = delayBeforeRound(
          round,
          transient.map(({ failure }) => failure),
          retry,
          yield* Random.next,
        )
        if (clock.unsafeCurrentTimeMillis() + delayMs >= deadline.at) return yield* errorOfAll(failed)
        yield* Effect.sleep(delayMs)
        waiting = again.map(({ target }) => target)
        again = []
        return yield* walk
      })
      return walk
    }

    return Attempts.of({ run })
  }),
)

const deadlineExceeded = (
  { deadline: { afterMs, setBy } }: AttemptsRequest,
  failed: ReadonlyArray<Failed>,
): DeadlineExceeded => new DeadlineExceeded({ afterMs, setBy, failures: failuresOf(failed) })
