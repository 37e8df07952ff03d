/** A worker's side of the talk with its primary: an audit that hands records over, a fleet it asks about, and the word to end. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { Audit } from "../audit/Audit.ts"
import { auditWith } from "../audit/AuditLayer.ts"
import { relayedLimits } from "../audit/AuditQueue.ts"
import { type AuditWriter, nothingRotated, nothingWritten } from "../audit/AuditWriter.ts"
import { together } from "../domain/ProcessHealth.ts"
import type { AuditPolicy } from "../domain/Snapshot.ts"
import { hurry } from "../Hurry.ts"
import { Fleet, makeOwnHealth } from "../http/Fleet.ts"
import type { FleetHealth, PrimaryMessage, WorkerMessage } from "./Messages.ts"

const say = (message: WorkerMessage): void => {
  process.send?.(message)
}

let asked = 0

/** Asks the primary; done when it answers. Never done where it does not live any more: this process does not either then. */
const ask = <A>(
  message: (number: number) => WorkerMessage,
  read: (answer: PrimaryMessage, number: number) => A | undefined,
): Effect.Effect<A> =>
  Effect.async((resume) => {
    const number = ++asked
    const hear = (answer: PrimaryMessage) => {
      const found = read(answer, number)
      if (found === undefined) return
      process.off("message", hear)
      resume(Effect.succeed(found))
    }
    process.on("message", hear)
    say(message(number))
    return Effect.sync(() => process.off("message", hear))
  })

/** Hands batches to the primary, which owns the database: spilling, draining and moving months are its own. */
const handingOver: AuditWriter = {
  write: (parcel) =>
    Effect.map(
      ask(
        (number) => ({ kind: "audit", number, parcel }),
        (answer, number) => (answer.kind === "audit" && answer.number === number ? answer : undefined),
      ),
      ({ isTaken }) => ({ ...nothingWritten, refused: !isTaken }),
    ),
  drain: Effect.succeed(nothingWritten),
  rotate: () => Effect.succeed(nothingRotated),
}

/** The audit of a worker. */
export const auditLayer = (url: string, policy: () => AuditPolicy) =>
  auditWith({ url, policy, limits: relayedLimits }, () => Effect.succeed(handingOver))

const askFleet: Effect.Effect<FleetHealth> = ask(
  (number) => ({ kind: "fleet", number }),
  (answer, number) => (answer.kind === "fleet" && answer.number === number ? answer.fleet : undefined),
)

/** The fleet as the primary knows it; this process answers for itself too, should the primary ask. */
export const fleetLayer = Layer.scoped(
  Fleet,
  Effect.gen(function* () {
    const { own: health } = yield* makeOwnHealth
    const audit = yield* Audit
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const answer = Effect.map(Effect.all({ health, audit: audit.status }), (own) =>
      say({ kind: "health", ...own }),
    )
    const hear = (message: PrimaryMessage) => {
      if (message.kind === "health") runFork(answer)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("message", hear)),
      () => Effect.sync(() => process.off("message", hear)),
    )
    return {
      status: Effect.flatMap(askFleet, ({ audit, processes: [first, ...others], startedAt }) =>
        Effect.map(health, (own) => ({
          health: first === undefined ? own : together(first, ...others),
          audit,
          startedAt,
          workers: Math.max(1, others.length + 1),
        })),
      ),
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
