/**
 * The walk of one request along its plan, until a target gives the client's answer: fail over first, wait last. One attempt runs at a time, a second
 * beside it only where hedging is configured, and none after the client left: interrupting the walk ends the call under way and starts no other.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { DeadlineExceeded } from "../errors/UpstreamErrors.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Answered, Won } from "./Answered.ts"
import type { Asking, BodyFor, Question } from "./Asking.ts"
import { type AttemptRequest, newProgress } from "./AttemptRequest.ts"
import type { Breakers } from "./Breakers.ts"
import { type Contender, hedge } from "./Hedge.ts"
import type { Learned } from "./Learned.ts"
import { isTransient } from "./policy/AttemptFailure.ts"
import { errorOfAll, type Failed, failuresOf } from "./policy/LastError.ts"
import { delayBeforeRound, isWorthAnotherRound } from "./policy/Retry.ts"

export interface WalkRequest extends AttemptRequest {
  /** In the order to be asked. */
  readonly targets: ReadonlyArray<Target>
  readonly bodyFor: BodyFor
  /** Told of every attempt when it is over, or when its answer has begun; of the one that answered last. */
  readonly onAttempt: (attempt: AttemptRecord, failed: boolean) => void
}

/** What asking a target, or two, came to: failures in their order. */
type Asked = Either.Either<Won, ReadonlyArray<Failed>>

/** What walks need of the layer they are made in. */
export interface WalkSurroundings {
  readonly asking: Asking
  readonly learned: Learned
  readonly breakers: Breakers["Type"]
  readonly clock: Clock.Clock
}

/** Mutable on purpose: one request. */
export class Walk {
  readonly #request: WalkRequest
  readonly #surroundings: WalkSurroundings
  /** All failures, in their order. */
  readonly #failed: Array<Failed> = []
  /** Who is still to be asked in this round, and who failed so that another round may help. */
  #waiting: Array<Target>
  #again: Array<Failed> = []
  #round = 1

  constructor(request: WalkRequest, surroundings: WalkSurroundings) {
    this.#request = request
    this.#surroundings = surroundings
    this.#waiting = [...request.targets]
  }

  /** The first answer that is the client's; fails when every attempt of every round failed. */
  run(): Effect.Effect<Answered, GatewayError> {
    return Effect.suspend(() => this.#walk())
  }

  #walk(): Effect.Effect<Answered, GatewayError> {
    if (this.#isOverIn(0)) return this.#deadlineExceeded()
    const target = this.#takeNext()
    if (target === undefined) return this.#nextRound()
    return Effect.flatMap(this.#ask(target), (asked) => {
      if (Either.isRight(asked)) {
        this.#request.onAttempt(asked.right.record, false)
        return Effect.succeed(asked.right.answered)
      }
      for (const one of asked.left) {
        this.#failed.push(one)
        if (isWorthAnotherRound(one.failure)) this.#again.push(one)
      }
      return this.#walk()
    })
  }

  /** After all were asked: waits and walks again those for whom that may help. */
  #nextRound(): Effect.Effect<Answered, GatewayError> {
    const { retry } = this.#request
    const transient = this.#again.map(({ failure }) => failure).filter(isTransient)
    if (transient.length === 0 || this.#round >= retry.rounds) return errorOfAll(this.#failed)
    this.#round += 1
    return Effect.flatMap(Random.next, (draw) => {
      const delayMs = delayBeforeRound(this.#round, transient, retry, draw)
      if (this.#isOverIn(delayMs)) return errorOfAll(this.#failed)
      return Effect.flatMap(Effect.sleep(delayMs), () => this.#walkAgain())
    })
  }

  #walkAgain(): Effect.Effect<Answered, GatewayError> {
    this.#waiting = this.#again.map(({ target }) => target)
    this.#again = []
    return this.#walk()
  }

  #isOverIn(ms: number): boolean {
    return this.#surroundings.clock.unsafeCurrentTimeMillis() + ms >= this.#request.deadline.at
  }

  #deadlineExceeded(): DeadlineExceeded {
    const { afterMs, setBy } = this.#request.deadline
    return new DeadlineExceeded({ afterMs, setBy, failures: failuresOf(this.#failed) })
  }

  /** Takes out of those who wait whom to ask next; its attempt has begun with that. */
  #takeNext(): Target | undefined {
    if (this.#waiting.length === 0) return undefined
    const at = this.#surroundings.breakers.begin(this.#waiting, this.#request.caller)
    return this.#waiting.splice(at, 1)[0]
  }

  #ask(target: Target): Effect.Effect<Asked, GatewayError> {
    return Effect.flatMap(this.#questionFor(target), (question) => {
      const { hedgeAfterMs } = target.upstream
      return hedgeAfterMs !== undefined && this.#waiting.length > 0
        ? this.#askHedged(target, question, hedgeAfterMs)
        : Effect.map(
            this.#attempt(target, question),
            Either.mapLeft((failure) => [{ target, failure }]),
          )
    })
  }

  #questionFor(target: Target): Effect.Effect<Question, GatewayError> {
    const omissions = this.#surroundings.learned.of(target)
    return Effect.map(this.#request.bodyFor(target, omissions), (prepared) => ({ prepared, omissions }))
  }

  #attempt(target: Target, question: Question, progress = newProgress()) {
    const request = this.#request
    const onFailed = (record: AttemptRecord, cancelled: boolean) => request.onAttempt(record, !cancelled)
    return this.#surroundings.asking({ request, target, progress, onFailed }, question)
  }

  /** Asks a target, and when it is late the next one beside it. */
  #askHedged(target: Target, question: Question, delayMs: number): Effect.Effect<Asked> {
    const progress = newProgress()
    return hedge({
      first: this.#contender(target, question, progress),
      delayMs,
      isDue: () => !progress.hasBegun,
      second: Effect.suspend(() => {
        const other = this.#takeNext()
        if (other === undefined) return Effect.succeedNone
        return Effect.match(this.#questionFor(other), {
          onSuccess: (itsQuestion) => Option.some(this.#contender(other, itsQuestion)),
          onFailure: () => {
            // The client is told of its mistake when it is this target's turn, should the first one fail.
            this.#waiting.unshift(other)
            return Option.none()
          },
        })
      }),
    })
  }

  /** The attempt at a target; in a race it loses only to another that answered first. */
  #contender(target: Target, question: Question, progress = newProgress()): Contender<Won, Failed, never> {
    return {
      run: this.#attempt(target, question, progress).pipe(
        Effect.flatten,
        Effect.mapError((failure): Failed => ({ target, failure })),
      ),
      cancelled: () => {
        progress.cancelledBecause = "cancelled, another upstream answered first"
      },
      discard: ({ discard }) => Effect.sync(() => this.#request.onAttempt(discard(), false)),
    }
  }
}
