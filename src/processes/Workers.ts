/** The workers that live: how they are started, what the primary says to them and hears of them, and how they end. */
import cluster, { type Worker } from "node:cluster"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AuditStatus } from "../audit/Audit.ts"
import type { PrimaryMessage, WorkerMessage } from "./Messages.ts"
import type { ProcessHealth } from "./ProcessHealth.ts"

/** How long the workers may take to say how they are. */
const healthTimeoutMs = 500

/** What a worker says of itself. */
export interface Said {
  readonly health: ProcessHealth
  readonly audit: AuditStatus
}

/** How a worker ended. */
export interface Death {
  readonly code: number
  readonly signal: string | null
  /** Why it could not start, if it said so. */
  readonly problems: ReadonlyArray<string> | undefined
}

/** Says something to a worker, if it still listens. */
export const tell = (worker: Worker, message: PrimaryMessage): void => {
  if (worker.isConnected()) worker.send(message)
}

/** Done when the worker has ended and its last word is heard, whichever comes later. */
export const died = (worker: Worker): Effect.Effect<Death> =>
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

/** What a worker says of itself, unless that takes too long. */
const asked = (worker: Worker): Effect.Effect<Option.Option<Said>> =>
  Effect.async<Said>((resume) => {
    const hear = (message: WorkerMessage) => {
      if (message.kind !== "health") return
      worker.off("message", hear)
      resume(Effect.succeed(message))
    }
    worker.on("message", hear)
    tell(worker, { kind: "health" })
    return Effect.sync(() => worker.off("message", hear))
  }).pipe(Effect.timeoutOption(healthTimeoutMs))

export class Workers {
  readonly #living = new Set<Worker>()
  readonly #serving = new Set<Worker>()
  readonly #hear: (worker: Worker, message: WorkerMessage) => void

  constructor(hear: (worker: Worker, message: WorkerMessage) => void) {
    this.#hear = hear
  }

  start(): Worker {
    const worker = cluster.fork()
    this.#living.add(worker)
    worker.on("message", (message: WorkerMessage) => this.#hear(worker, message))
    // What cannot be sent to it any more, a connection of the cluster module's own too: it is dead, and its end is heard of next.
    worker.on("error", () => {})
    worker.once("listening", () => this.#serving.add(worker))
    worker.once("exit", () => {
      this.#living.delete(worker)
      this.#serving.delete(worker)
    })
    return worker
  }

  /** What each says of itself; those that take too long are left out. */
  readonly askAll: Effect.Effect<ReadonlyArray<Said>> = Effect.suspend(() =>
    Effect.map(Effect.forEach([...this.#living], asked, { concurrency: "unbounded" }), (said) =>
      said.flatMap(Option.toArray),
    ),
  )

  tellAll(message: PrimaryMessage): void {
    for (const worker of this.#living) tell(worker, message)
  }

  signal(name: "SIGHUP" | "SIGKILL"): void {
    for (const worker of this.#living) worker.process.kill(name)
  }

  /** Tells all to finish what is under way; done when they have ended. */
  readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    const all = [...this.#living]
    for (const worker of all) {
      // One that is still starting may not hear it yet, and has nothing to finish.
      if (this.#serving.has(worker)) tell(worker, { kind: "drain" })
      else worker.process.kill("SIGKILL")
    }
    return Effect.forEach(all, (worker) => (worker.isDead() ? Effect.void : died(worker)), {
      concurrency: "unbounded",
      discard: true,
    })
  })
}
