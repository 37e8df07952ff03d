/** A worker's side of the talk with its primary: an audit that hands records over, a fleet it asks about, and the word to end. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { auditWith } from "../audit/AuditLayer.ts"
import { type AuditWriter, nothingRotated, nothingWritten } from "../audit/AuditWriter.ts"
import { relayedLimits } from "../audit/queue/AuditQueue.ts"
import type { AuditPolicy } from "../audit/record/AuditPolicy.ts"
import { hurry } from "../runtime/Signals.ts"
import { Fleet } from "./Fleet.ts"
import type { Asked } from "./FleetQuestion.ts"
import type { AllSaid, PrimaryAnswer, PrimaryMessage, WorkerMessage } from "./Messages.ts"
import { Questions } from "./Questions.ts"

const say = (message: WorkerMessage): void => {
  process.send?.(message)
}

let asked = 0

/** Who waits for which answer. There is one listener for all of them: there may be thousands. */
const waiting = new Map<number, (answer: PrimaryAnswer) => void>()

const hearAnswer = (message: PrimaryMessage): void => {
  if ("number" in message) waiting.get(message.number)?.(message)
}

const stopWaiting = (number: number): void => {
  waiting.delete(number)
  if (waiting.size === 0) process.off("message", hearAnswer)
}

/** Asks the primary; done when it answers. Never done where it does not live any more: this process does not either then. */
const ask = <A>(
  message: (number: number) => WorkerMessage,
  read: (answer: PrimaryAnswer) => A | undefined,
): Effect.Effect<A> =>
  Effect.async((resume) => {
    const number = ++asked
    if (waiting.size === 0) process.on("message", hearAnswer)
    waiting.set(number, (answer) => {
      const found = read(answer)
      if (found === undefined) return
      stopWaiting(number)
      resume(Effect.succeed(found))
    })
    say(message(number))
    return Effect.sync(() => stopWaiting(number))
  })

/** Hands batches to the primary, which owns the database: spilling, draining and moving months are its own. */
const handingOver: AuditWriter = {
  write: (parcel) =>
    Effect.map(
      ask(
        (number) => ({ kind: "audit", number, parcel }),
        (answer) => (answer.kind === "audit" ? answer : undefined),
      ),
      ({ isTaken }) => ({ ...nothingWritten, refused: !isTaken }),
    ),
  drain: Effect.succeed(nothingWritten),
  rotate: () => Effect.succeed(nothingRotated),
}

/** The audit of a worker. */
export const auditLayer = (url: string, policy: () => AuditPolicy) =>
  auditWith({ url, policy, limits: relayedLimits }, () => Effect.succeed(handingOver))

const askAll = (asked: Asked): Effect.Effect<AllSaid> =>
  ask(
    (number) => ({ kind: "all", number, asked }),
    (answer) => (answer.kind === "all" ? answer.said : undefined),
  )

const heard = (hear: (message: PrimaryMessage) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void process.on("message", hear)),
    () => Effect.sync(() => process.off("message", hear)),
  )

/** The fleet, which is asked through the primary; this process answers what it asks of it. */
export const fleetLayer: Layer.Layer<Fleet, never, Questions> = Layer.scoped(
  Fleet,
  Effect.gen(function* () {
    const questions = yield* Questions
    const run = yield* FiberSet.makeRuntime()
    yield* heard((message) => {
      if (message.kind !== "you") return
      const { asked, question } = message
      run(
        Effect.map(questions.said(asked), (said) =>
          say({ kind: "said", question, said: Option.getOrUndefined(said) }),
        ),
      )
    })
    return {
      ask: ({ isAnswer, name }, about) =>
        Effect.gen(function* () {
          const { primary, workers } = yield* askAll({ name, about })
          // All of us may be too busy to answer in time: this one is there, since it asks.
          const theirs = workers.length > 0 ? workers : Option.toArray(yield* questions.said({ name, about }))
          return [...primary, ...theirs].filter(isAnswer)
        }),
    }
  }),
)

/** Done when the primary says that it is time to end. */
export const told: Effect.Effect<void> = Effect.async((resume) => {
  const hear = (message: PrimaryMessage) => {
    if (message.kind === "drain") resume(Effect.void)
  }
  process.on("message", (message: PrimaryMessage) => {
    if (message.kind === "hurry") hurry()
  })
  process.on("message", hear)
  return Effect.sync(() => process.off("message", hear))
})

/** Tells the primary why this process cannot start. */
export const failed = (problems: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.async((resume) => {
    const message: WorkerMessage = { kind: "failed", problems }
    if (process.send === undefined) return resume(Effect.void)
    // The process must not end before the message is on its way.
    process.send(message, () => resume(Effect.void))
  })

/** Ends the talk, which would keep the process alive. */
export const leave: Effect.Effect<void> = Effect.sync(() => process.disconnect?.())
