/**
 * The walk of one request along its plan, until a target gives the client's answer: fail over first, wait last. One attempt runs at a time, a second
 * beside it only where hedging is configured, and none after the client left: interrupting the walk ends the call under way and starts no other.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type InvalidRequest, type NotAsked, unsaidToAll } from "../errors/RequestErrors.ts"
import { DeadlineExceeded } from "../errors/UpstreamErrors.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { conversations, translatedFrom } from "../operations/translation/Conversations.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Answered, Won } from "./Answered.ts"
import type { Asking, AskingAt, BodyFor, Question } from "./Asking.ts"
import { type AttemptProgress, type AttemptRequest, newProgress } from "./AttemptRequest.ts"
import type { Breakers } from "./Breakers.ts"
import { askedIn, type KnownDialects, taughtBy } from "./Dialects.ts"
import { type Contender, hedge } from "./Hedge.ts"
import type { Learned } from "./Learned.ts"
import { isTransient } from "./policy/AttemptFailure.ts"
import { errorOfAll, type Failed, failuresOf } from "./policy/LastError.ts"
import { delayBeforeRound, isWorthAnotherRound } from "./policy/Retry.ts"
import { nothing } from "./policy/Signs.ts"

export interface WalkRequest extends AttemptRequest {
  /** In the order to be asked. */
  readonly targets: ReadonlyArray<Target>
  readonly bodyFor: BodyFor
  /** The error where all that were asked lack what is asked: the dialect, or the endpoint. */
  readonly lacked: (lacking: ReadonlyArray<Failed>) => GatewayError
  readonly onDropped: AskingAt["request"]["onDropped"]
  /** Told of a target that is passed by, since the request cannot be said to it, and why. */
  readonly onPassedBy: (target: Target, reason: string) => void
  /** Told of every attempt when it is over, or when its answer has begun; of the one that answered last. */
  readonly onAttempt: (attempt: AttemptRecord, failed: boolean) => void
}

/** What asking a target, or two, came to: failures in their order. */
type Asked = Either.Either<Won, ReadonlyArray<Failed>>

/** What walks need of the layer they are made in. */
export interface WalkSurroundings {
  readonly asking: Asking
  readonly learned: Learned
  readonly dialects: KnownDialects
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
  /** Those that failed for want of the dialect or the endpoint alone. */
  readonly #lacking: Array<Failed> = []
  /** Why targets could not be asked in their dialects. */
  readonly #unsaid: Array<InvalidRequest> = []

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
        this.#heard(asked.right.answered)
        return Effect.succeed(asked.right.answered)
      }
      const lacking = asked.left.filter((one) => this.#isLack(one))
      for (const one of asked.left) {
        if (lacking.includes(one)) continue
        this.#failed.push(one)
        if (isWorthAnotherRound(one.failure)) this.#again.push(one)
      }
      return lacking.length === 0
        ? this.#walk()
        : Effect.flatMap(
            Effect.forEach(lacking, (one) => this.#learn(one)),
            () => this.#walk(),
          )
    })
  }

  #heard({ status, target }: Answered): void {
    if (status < 300) this.#surroundings.dialects.heard(target.upstream, taughtBy(this.#operationAt(target)))
  }

  /** Whether a target failed for want of the dialect or the endpoint alone. */
  #isLack({ failure, target }: Failed): boolean {
    return this.#surroundings.dialects.isLack(target.upstream, this.#operationAt(target), failure)
  }

  /** Such a target is not asked again, and what is learned is told once. */
  #learn(lacking: Failed): Effect.Effect<void> {
    const { failure, target } = lacking
    const { upstream } = target
    const dialect = taughtBy(this.#operationAt(target))
    this.#lacking.push(lacking)
    if (dialect === undefined || failure._tag !== "Refused") return Effect.void
    const isNews = this.#surroundings.dialects.lacks(upstream, dialect, failure)
    this.#askInAnother(target)
    if (!isNews) return Effect.void
    return Effect.logInfo(
      `the client ${upstream.name} answered ${failure.status} as if it did not speak ${dialect}; it is not asked in it where others can be. Name what it speaks in its dialects`,
    )
  }

  /** A target that lacks a dialect is asked at once in one that it has, where the request can be translated. */
  #askInAnother({ upstream, upstreamModel }: Target): void {
    const { dialects } = this.#surroundings
    const from = translatedFrom(this.#request.operation)
    if (from !== undefined && dialects.spokenBy(upstream).length > 0) {
      this.#waiting.unshift(askedIn(from, { upstream, upstreamModel }, dialects))
    }
  }

  /** The error of all failures, those not counted that were for want of what is asked, unless there is nothing else. */
  #failedAltogether(): GatewayError {
    if (this.#failed.length > 0) return errorOfAll(this.#failed, this.#unasked())
    const [unsaid] = this.#unsaid
    if (unsaid !== undefined) return this.#unsaidToAll(unsaid)
    return this.#lacking.length === 0 ? errorOfAll(this.#failed) : this.#request.lacked(this.#lacking)
  }

  /** Those whose dialects cannot say the request. What is wrong with the request itself is told of it, and of no target. */
  #unasked(): ReadonlyArray<NotAsked> {
    return this.#unsaid.flatMap(({ unsaid }) => unsaid ?? [])
  }

  #unsaidToAll(first: InvalidRequest): InvalidRequest {
    const mistake = this.#unsaid.find(({ unsaid }) => unsaid === undefined)
    return mistake ?? unsaidToAll(this.#unasked(), first.param)
  }

  /** After all were asked: waits and walks again those for whom that may help. */
  #nextRound(): Effect.Effect<Answered, GatewayError> {
    const { retry } = this.#request
    const transient = this.#again.map(({ failure }) => failure).filter(isTransient)
    if (transient.length === 0 || this.#round >= retry.rounds) return this.#failedAltogether()
    this.#round += 1
    return Effect.flatMap(Random.next, (draw) => {
      const delayMs = delayBeforeRound(this.#round, transient, retry, draw)
      if (this.#isOverIn(delayMs)) return this.#failedAltogether()
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
    return new DeadlineExceeded({ afterMs, setBy, failures: failuresOf(this.#failed, this.#unasked()) })
  }

  /** Takes out of those who wait whom to ask next; its attempt has begun with that. */
  #takeNext(): Target | undefined {
    if (this.#waiting.length === 0) return undefined
    const at = this.#surroundings.breakers.begin(this.#waiting, this.#request.caller)
    return this.#waiting.splice(at, 1)[0]
  }

  #ask(target: Target): Effect.Effect<Asked, GatewayError> {
    const asked = Effect.flatMap(this.#questionFor(target), (question) => {
      const { hedgeAfterMs } = target.upstream
      return hedgeAfterMs !== undefined && this.#waiting.length > 0
        ? this.#askHedged(target, question, hedgeAfterMs)
        : Effect.map(
            this.#attempt(target, question),
            Either.mapLeft((failure) => [{ target, failure }]),
          )
    })
    return target.dialect === undefined
      ? asked
      : Effect.catchTag(asked, "InvalidRequest", (unsaid) => {
          this.#passBy(target, unsaid)
          return Effect.succeed(Either.left([]))
        })
  }

  /** What cannot be said in a target's dialect may well be in another's. */
  #passBy(target: Target, unsaid: InvalidRequest): void {
    this.#unsaid.push(unsaid)
    this.#request.onPassedBy(target, unsaid.unsaid?.reason ?? unsaid.message)
    this.#notAsked(target)
  }

  /** Its attempt had begun, and says nothing of it: another may be the probe. */
  #notAsked(target: Target): void {
    const { breakers, clock } = this.#surroundings
    const { breaker, caller } = this.#request
    breakers.end(target, nothing, clock.unsafeCurrentTimeMillis(), breaker, caller)
  }

  /** What a target is asked at. */
  #operationAt({ dialect }: Target): ServedOperation {
    return dialect === undefined ? this.#request.operation : conversations[dialect]
  }

  #questionFor(target: Target): Effect.Effect<Question, GatewayError> {
    const omissions = this.#surroundings.learned.of(target)
    return Effect.map(this.#request.bodyFor(target, omissions), (prepared) => {
      if (prepared.dropped !== undefined) this.#request.onDropped(target, prepared.dropped)
      return { prepared, omissions }
    })
  }

  #attempt(target: Target, question: Question, progress = newProgress(target)) {
    const request =
      target.dialect === undefined
        ? this.#request
        : { ...this.#request, operation: this.#operationAt(target), asked: {} }
    const onFailed = (record: AttemptRecord, cancelled: boolean) => request.onAttempt(record, !cancelled)
    return this.#surroundings.asking({ request, target, progress, onFailed }, question)
  }

  /** Asks a target, and when it is late the next one beside it. */
  #askHedged(target: Target, question: Question, delayMs: number): Effect.Effect<Asked> {
    const progress = newProgress(target)
    return hedge({
      first: this.#contender(target, question, progress),
      delayMs,
      isDue: () => !progress.hasBegun,
      second: Effect.suspend(() => this.#second()),
    })
  }

  /** The next target that can be asked beside one that is late. */
  #second(): Effect.Effect<Option.Option<Contender<Won, Failed, never>>> {
    const other = this.#takeNext()
    if (other === undefined) return Effect.succeedNone
    return Effect.matchEffect(this.#questionFor(other), {
      onSuccess: (question) => Effect.succeedSome(this.#contender(other, question, newProgress(other, true))),
      onFailure: (error) => {
        if (other.dialect !== undefined && error._tag === "InvalidRequest") {
          this.#passBy(other, error)
          return this.#second()
        }
        // The client is told of its mistake when it is this target's turn, should the first one fail.
        this.#notAsked(other)
        this.#waiting.unshift(other)
        return Effect.succeedNone
      },
    })
  }

  /** The attempt at a target; in a race it loses only to another that answered first. */
  #contender(target: Target, question: Question, progress: AttemptProgress): Contender<Won, Failed, never> {
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
