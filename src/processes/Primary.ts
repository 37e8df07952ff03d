/**
 * The primary of several processes: starts the workers, starts again what dies, keeps the records they hand over, answers for all of them, and ends
 * when they have ended. It serves no request itself; Node's cluster module hands it the connections, which it gives to the workers in turn.
 */
import cluster, { type Worker } from "node:cluster"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { AuditIntake } from "../audit/Audit.ts"
import { hurried } from "../runtime/Signals.ts"
import type { Asked } from "./FleetQuestion.ts"
import type { LastingAnswers } from "./Inheritance.ts"
import type { AllSaid, WorkerMessage } from "./Messages.ts"
import { healthQuestion } from "./ProcessHealth.ts"
import { Questions } from "./Questions.ts"
import { shared } from "./Shared.ts"
import { type Death, died, tell, Workers } from "./Workers.ts"

/** A worker ended before it ever listened. */
export class WorkerFailed extends Data.TaggedError("WorkerFailed")<{
  readonly code: number
  /** What it said of that. */
  readonly problems: ReadonlyArray<string>
}> {}

export interface PrimaryOptions {
  readonly workers: number
  /** What workers may take to finish what is under way. */
  readonly shutdownGrace: Duration.Duration
  readonly shutdownDelay: Duration.Duration
  /** The questions whose answers outlive the workers that gave them. */
  readonly lasting: ReadonlyArray<LastingAnswers>
  /** Told how many requests are under way when the workers are told to end. */
  readonly onDrain: (underWay: number) => Effect.Effect<void>
}

/** What a worker may take beyond the grace period, to hand over its last records. */
const endingMs = 10_000

/** What they may take where the end is to be at once. */
const hurryMs = 1_000

const firstBackoffMs = 100
const longestBackoffMs = 5_000
/** A worker that lived so long did not die of its start. */
const settledMs = 30_000

/** Asks something of a worker once for all who want to know that at the same time; what is about something, for each of them. */
const makeAskAll = (workers: Workers) =>
  Effect.gen(function* () {
    const { said } = yield* Questions
    const runPromise = yield* FiberSet.makeRuntimePromise()
    const gathered = (asked: Asked) =>
      Effect.all(
        { primary: Effect.map(said(asked), Option.toArray), workers: workers.askAll(asked) },
        { concurrency: "unbounded" },
      )
    const runs = new Map<string, () => Promise<AllSaid>>()
    return (asked: Asked): Effect.Effect<AllSaid> => {
      if (asked.about !== undefined) return gathered(asked)
      const run = runs.get(asked.name) ?? shared(() => runPromise(gathered(asked)))
      runs.set(asked.name, run)
      return Effect.promise(run)
    }
  })

/** The workers, whose records are kept and whose questions are answered for as long as the scope is open. */
const makeWorkers = (
  lasting: PrimaryOptions["lasting"],
): Effect.Effect<Workers, never, AuditIntake | Questions | Scope.Scope> =>
  Effect.gen(function* () {
    const intake = yield* AuditIntake
    const startedAt = yield* Clock.currentTimeMillis
    const questions = yield* Questions
    yield* questions.answer(healthQuestion, () =>
      Effect.map(intake.status, (audit) => ({ startedAt, audit, health: undefined })),
    )
    const run = yield* FiberSet.makeRuntime()
    const hear = (worker: Worker, message: WorkerMessage): void => {
      switch (message.kind) {
        case "audit": {
          const { number, parcel } = message
          tell(worker, { kind: "audit", number, isTaken: intake.put(parcel) })
          return
        }
        case "all": {
          const { asked, number } = message
          run(Effect.map(askAll(asked), (said) => tell(worker, { kind: "all", number, said })))
          return
        }
        case "said":
        case "failed":
          return
      }
    }
    const workers = new Workers(hear, lasting)
    const askAll = yield* makeAskAll(workers)
    return workers
  })

/** The places of the workers: somebody serves in each until the end. */
class Places {
  readonly #workers: Workers
  readonly #failed: Deferred.Deferred<never, WorkerFailed>
  #isEnding = false

  constructor(workers: Workers, failed: Deferred.Deferred<never, WorkerFailed>) {
    this.#workers = workers
    this.#failed = failed
  }

  /** Keeps one place taken; `listening` is done when somebody serves in it for the first time. */
  keep(listening: Deferred.Deferred<number>): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      let backoffMs = firstBackoffMs
      for (let isFirst = true; !this.#isEnding; isFirst = false) {
        const startedAt = yield* Clock.currentTimeMillis
        const worker = this.#workers.start()
        worker.once("listening", ({ port }) => Deferred.unsafeDone(listening, Effect.succeed(port)))
        const death = yield* died(worker)
        if (this.#isEnding) return
        if (isFirst && !(yield* Deferred.isDone(listening))) return yield* this.#fail(death)
        const livedMs = (yield* Clock.currentTimeMillis) - startedAt
        if (livedMs >= settledMs) backoffMs = firstBackoffMs
        yield* Effect.logError("a worker died and is started again; what it was serving was cut off", {
          worker: worker.process.pid,
          ...death,
          in_ms: backoffMs,
        })
        yield* Effect.sleep(backoffMs)
        backoffMs = Math.min(longestBackoffMs, backoffMs * 2)
      }
    })
  }

  #fail({ code, problems, signal }: Death): Effect.Effect<void> {
    const unsaid = [`a worker ended before it served (${signal ?? `exit code ${code}`})`]
    return Effect.asVoid(
      Deferred.fail(this.#failed, new WorkerFailed({ code, problems: problems ?? unsaid })),
    )
  }

  /** Nobody is started any more, and who is there finishes what is under way. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    this.#isEnding = true
    return this.#workers.drain
  })
}

/** The end of all workers: in order, at once where somebody asks for that, and by force at last. */
const ending = (
  workers: Workers,
  places: Places,
  { onDrain, shutdownDelay, shutdownGrace }: PrimaryOptions,
): Effect.Effect<void> => {
  const told = Effect.flatMap(workers.askAll({ name: healthQuestion.name, about: undefined }), (said) =>
    onDrain(
      said
        .filter(healthQuestion.isAnswer)
        .reduce((sum, { health }) => sum + (health?.requests.in_flight ?? 0), 0),
    ),
  )
  const hurriedOn = hurried.pipe(
    Effect.zipRight(Effect.sync(() => workers.tellAll({ kind: "hurry" }))),
    Effect.zipRight(Effect.sleep(hurryMs)),
  )
  const longest = Duration.sum(Duration.sum(shutdownDelay, shutdownGrace), Duration.millis(endingMs))
  return Effect.raceFirst(Effect.zipRight(Effect.fork(told), places.end), hurriedOn).pipe(
    Effect.interruptible,
    Effect.timeoutOption(longest),
    Effect.zipRight(Effect.sync(() => workers.signal("SIGKILL"))),
  )
}

/** Runs the workers until the scope closes, which waits for their orderly end. Done when all listen; gives the port. */
export const startWorkers = (
  options: PrimaryOptions,
): Effect.Effect<number, WorkerFailed, AuditIntake | Questions | Scope.Scope> =>
  Effect.gen(function* () {
    const failed = yield* Deferred.make<never, WorkerFailed>()
    cluster.setupPrimary({ serialization: "advanced" })
    const workers = yield* makeWorkers(options.lasting)
    const places = new Places(workers, failed)
    const onHangUp = () => workers.signal("SIGHUP")
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("SIGHUP", onHangUp)),
      () => Effect.sync(() => process.off("SIGHUP", onHangUp)),
    )
    yield* Effect.addFinalizer(() => ending(workers, places, options))
    const taken = Array.from({ length: options.workers }, () => Deferred.unsafeMake<number>(FiberId.none))
    // No children of this fiber: they end when their workers have.
    for (const listening of taken) yield* Effect.forkDaemon(places.keep(listening))
    const ports = yield* Effect.raceFirst(
      Effect.all(taken.map((listening) => Deferred.await(listening))),
      Deferred.await(failed),
    )
    return ports[0] ?? 0
  })
