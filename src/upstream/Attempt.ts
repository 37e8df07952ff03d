/** One attempt: one target asked once, from the wait for a slot until its answer has begun. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Aside } from "../aside/Aside.ts"
import type { AttemptResult } from "./Answered.ts"
import { type AttemptAt, cancelledCause, recordOf, type Sent } from "./AttemptRequest.ts"
import { Breakers } from "./Breakers.ts"
import { Upstreams } from "./calls/Upstreams.ts"
import { AttemptFailure, type ToldFailure, toldFailure } from "./policy/AttemptFailure.ts"
import { recordedAs } from "./policy/FailureWords.ts"
import { makeRunAside } from "./RunAside.ts"
import { type AttemptSurroundings, RunningAttempt } from "./RunningAttempt.ts"
import { type NoSlot, Slots } from "./Slots.ts"

export type Attempt = (at: AttemptAt, sent: Sent) => Effect.Effect<AttemptResult>

const nothingToLeave = (): void => {}

const noRoom = (reason: string): ToldFailure => toldFailure(AttemptFailure.NoRoom({ lacks: "place", reason }))

/** That no place became free in time, as a failure. */
export const busy = ({ max, reason, waitedMs }: NoSlot): ToldFailure =>
  noRoom(
    reason === "line_full"
      ? `is busy (${max} requests under way, and its line is full)`
      : `is busy (${max} requests under way, none ended in ${waitedMs} ms)`,
  )

/** Attempts of one layer. */
class Attempting {
  readonly #slots: Slots["Type"]
  readonly #surroundings: AttemptSurroundings

  constructor(slots: Slots["Type"], surroundings: AttemptSurroundings) {
    this.#slots = slots
    this.#surroundings = surroundings
  }

  attempt(at: AttemptAt, sent: Sent): Effect.Effect<AttemptResult> {
    return Effect.suspend(() => {
      const beganAt = this.#surroundings.now()
      at.progress.beganAt = beganAt
      at.progress.hasSlot = false
      at.progress.span = at.request.onAsking(at.progress)
      return at.target.upstream.concurrency === undefined
        ? this.#call(at, sent, beganAt, nothingToLeave)
        : this.#callFromSlot(at, sent, beganAt)
    })
  }

  #call(at: AttemptAt, { body, excuse, translation }: Sent, beganAt: number, leaveSlot: () => void) {
    return Effect.async<AttemptResult>((resume) => {
      at.progress.hasSlot = true
      const onResult = (result: AttemptResult): void => resume(Effect.succeed(result))
      const running = new RunningAttempt(
        at,
        { beganAt, leaveSlot, excuse, translation, onResult },
        this.#surroundings,
      )
      running.start(body)
      return Effect.sync(() => running.leave())
    })
  }

  #callFromSlot(at: AttemptAt, sent: Sent, beganAt: number): Effect.Effect<AttemptResult> {
    const { progress, request, target } = at
    const leftMs = Math.max(0, request.deadline.at - beganAt)
    return this.#slots.take(target.upstream, leftMs, request.whenOver).pipe(
      Effect.onInterrupt(() => Effect.sync(() => this.#left(at, beganAt, cancelledCause(progress)))),
      Effect.matchEffect({
        onFailure: (noSlot) => Effect.sync(() => this.#failed(at, beganAt, busy(noSlot))),
        onSuccess: (leave) => this.#call(at, sent, beganAt, leave),
      }),
    )
  }

  #failed(at: AttemptAt, beganAt: number, failure: ToldFailure): AttemptResult {
    at.onFailed(recordOf(at, recordedAs(failure), this.#surroundings.now() - beganAt), false)
    return Either.left(failure)
  }

  #left(at: AttemptAt, beganAt: number, cause: string): void {
    at.onFailed(recordOf(at, { status: undefined, cause }, this.#surroundings.now() - beganAt), true)
  }
}

export const makeAttempt: Effect.Effect<Attempt, never, Aside | Breakers | Scope.Scope | Slots | Upstreams> =
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const attempting = new Attempting(yield* Slots, {
      breakers: yield* Breakers,
      upstreams: yield* Upstreams,
      aside: yield* makeRunAside,
      now: () => clock.unsafeCurrentTimeMillis(),
    })
    return (at, sent) => attempting.attempt(at, sent)
  })
