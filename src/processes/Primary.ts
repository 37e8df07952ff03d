/**
 * The primary of several processes: starts the workers, starts again what dies, keeps the records they hand over, answers for all of them, and ends
 * when they have ended. It serves no request itself; Node's cluster module hands it the connections, which it gives to the workers in turn.
 */
import cluster, { type Worker } from "node:cluster"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { AuditIntake, type AuditStatus } from "../audit/Audit.ts"
import { hurried } from "../runtime/Hurry.ts"
import type { FleetHealth, PrimaryMessage, WorkerMessage } from "./Messages.ts"
import type { ProcessHealth } from "./ProcessHealth.ts"
import { shared } from "./Shared.ts"

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
  /** Told how many requests are under way when the workers are told to end. */
  readonly onDrain: (underWay: number) => Effect.Effect<void>
}

/** How long the workers may take to say how they are. */
const healthTimeoutMs = 500

/** What a worker may take beyond the grace period, to hand over its last records. */
const endingMs = 10_000

/** What they may take where the end is to be at once. */
const hurryMs = 1_000

const firstBackoffMs = 100
const longestBackoffMs = 5_000
/** A worker that lived so long did not die of its start. */
const settledMs = 30_000

interface Said {
  readonly health: ProcessHealth
  readonly audit: AuditStatus
}

const tell = (worker: Worker, message: PrimaryMessage): void => {
  if (worker.isConnected()) worker.send(message)
}

interface Death {
  readonly code: number
  readonly signal: string | null
  /** Why it could not start, if it said so. */
  readonly problems: ReadonlyArray<string> | undefined
}

/** Done when the worker has ended and its last word is heard, whichever comes later. */
const died = (worker: Worker): Effect.Effect<Death> =>
  Effect.async((resume) => {
    let problems: Death["problems"]
    let exit: Omit<Death, "problems"> | undefined
    const look = () => {
      if (exit !== undefined && !worker.isConnected()) resume(Effect.succeed({ ...exit, problems }))
    }
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "failed") problems = message.problems
    })
    worker.once("disconnect", look)
    worker.once("exit", (code: number, signal: string | null) => {
      exit = { code, signal }
      look()
    })
  })

/** Runs the workers until the scope closes, which waits for their orderly end. Done when all listen; gives the port. */
export const startWorkers = (
  options: PrimaryOptions,
): Effect.Effect<number, WorkerFailed, AuditIntake | Scope.Scope> =>
  Effect.gen(function* () {
    const intake = yield* AuditIntake
    const clock = yield* Effect.clock
    const runtime = yield* Effect.runtime<never>()
    const failed = yield* Deferred.make<never, WorkerFailed>()
    cluster.setupPrimary({ serialization: "advanced" })

    const startedAt = clock.unsafeCurrentTimeMillis()
    const living = new Set<Worker>()
    /** Those that serve. */
    const listeners = new Set<Worker>()
    let isEnding = false

    /** What each worker says of itself; those that take too long are left out. */
    const askAll = (): Promise<ReadonlyArray<Said>> =>
      Promise.all(
        [...living].map(
          (worker) =>
            new Promise<Said | undefined>((resolve) => {
              const hear = (message: WorkerMessage) => {
                if (message.kind !== "health") return
                stop()
                resolve(message)
              }
              const stop = () => {
                clearTimeout(late)
                worker.off("message", hear)
              }
              const late = setTimeout(() => {
                stop()
                resolve(undefined)
              }, healthTimeoutMs)
              worker.on("message", hear)
              tell(worker, { kind: "health" })
            }),
        ),
      ).then((said) => said.filter((one) => one !== undefined))

    /** Asked of a worker once for all who want to know at that time: each question is a listener of its own. */
    const fleet = shared(async (): Promise<FleetHealth> => {
      const own = await Runtime.runPromise(runtime)(intake.status)
      const said = await askAll()
      return {
        startedAt,
        audit: said.reduce(
          (sum, { audit }) => ({
            queued: sum.queued + audit.queued,
            spilled: sum.spilled + audit.spilled,
            lost: sum.lost + audit.lost,
          }),
          own,
        ),
        processes: said.map(({ health }) => health),
      }
    })

    const hear = (worker: Worker) => (message: WorkerMessage) => {
      switch (message.kind) {
        case "audit": {
          const { number, parcel } = message
          tell(worker, { kind: "audit", number, isTaken: intake.put(parcel) })
          return
        }
        case "fleet": {
          const { number } = message
          void fleet().then((all) => tell(worker, { kind: "fleet", number, fleet: all }))
          return
        }
        case "health":
        case "failed":
          return
      }
    }

    const start = (): Worker => {
      const worker = cluster.fork()
      living.add(worker)
      worker.on("message", hear(worker))
      // What cannot be sent to it any more, a connection of the cluster module's own too: it is dead, and its end is heard of next.
      worker.on("error", () => {})
      worker.once("listening", () => listeners.add(worker))
      worker.once("exit", () => {
        living.delete(worker)
        listeners.delete(worker)
      })
      return worker
    }

    /** One place among the workers: somebody serves in it until the end. */
    const slot = (listening: Deferred.Deferred<number>): Effect.Effect<void> =>
      Effect.gen(function* () {
        let backoffMs = firstBackoffMs
        for (let isFirst = true; !isEnding; isFirst = false) {
          const startedAt = clock.unsafeCurrentTimeMillis()
          const worker = start()
          worker.once("listening", ({ port }) => Deferred.unsafeDone(listening, Effect.succeed(port)))
          const { code, problems, signal } = yield* died(worker)
          if (isEnding) return
          if (isFirst && !(yield* Deferred.isDone(listening))) {
            const unsaid = [`a worker ended before it served (${signal ?? `exit code ${code}`})`]
            yield* Deferred.fail(failed, new WorkerFailed({ code, problems: problems ?? unsaid }))
            return
          }
          const livedMs = clock.unsafeCurrentTimeMillis() - startedAt
          if (livedMs >= settledMs) backoffMs = firstBackoffMs
          yield* Effect.logError("a worker died and is started again; what it was serving was cut off", {
            worker: worker.process.pid,
            code,
            signal,
            problems,
            in_ms: backoffMs,
          })
          yield* Effect.sleep(backoffMs)
          backoffMs = Math.min(longestBackoffMs, backoffMs * 2)
        }
      })

    const onHangUp = () => {
      for (const worker of living) worker.process.kill("SIGHUP")
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("SIGHUP", onHangUp)),
      () => Effect.sync(() => process.off("SIGHUP", onHangUp)),
    )

    const ended = Effect.suspend(() => {
      isEnding = true
      const all = [...living]
      for (const worker of all) {
        // One that is still starting may not hear it yet, and has nothing to finish.
        if (listeners.has(worker)) tell(worker, { kind: "drain" })
        else worker.process.kill("SIGKILL")
      }
      return Effect.all(
        all.map((worker) => (worker.isDead() ? Effect.void : died(worker))),
        { concurrency: "unbounded", discard: true },
      )
    })
    const told = Effect.flatMap(Effect.promise(askAll), (said) =>
      options.onDrain(said.reduce((sum, { health }) => sum + health.requests.in_flight, 0)),
    )
    const hurriedOn = Effect.zipRight(
      hurried,
      Effect.sync(() => {
        for (const worker of living) tell(worker, { kind: "hurry" })
      }),
    ).pipe(Effect.zipRight(Effect.sleep(hurryMs)))
    yield* Effect.addFinalizer(() =>
      Effect.raceFirst(Effect.zipRight(Effect.fork(told), ended), hurriedOn).pipe(
        Effect.interruptible,
        Effect.timeoutOption(
          Duration.sum(Duration.sum(options.shutdownDelay, options.shutdownGrace), Duration.millis(endingMs)),
        ),
        Effect.zipRight(
          Effect.sync(() => {
            for (const worker of living) worker.process.kill("SIGKILL")
          }),
        ),
      ),
    )

    const places = Array.from({ length: options.workers }, () => Deferred.unsafeMake<number>(FiberId.none))
    // No children of this fiber: they end when their workers have.
    for (const listening of places) yield* Effect.forkDaemon(slot(listening))
    const ports = yield* Effect.raceFirst(
      Effect.all(places.map((listening) => Deferred.await(listening))),
      Deferred.await(failed),
    )
    return ports[0] ?? 0
  })
