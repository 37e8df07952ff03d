/** The workers that live: how they are started, what the primary says to them and hears of them, and how they end. */
import cluster, { type Worker } from "node:cluster"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Asked } from "./FleetQuestion.ts"
import type { LastingAnswers } from "./Inheritance.ts"
import type { PrimaryMessage, WorkerMessage } from "./Messages.ts"

/** How long the workers may take to answer a question. */
const answerTimeoutMs = 1_000

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

/** Who waits for what a worker says. */
interface Waiting {
  readonly worker: Worker
  readonly answered: (said: unknown) => void
}

export class Workers {
  readonly #living = new Set<Worker>()
  readonly #serving = new Set<Worker>()
  readonly #hear: (worker: Worker, message: WorkerMessage) => void
  readonly #lasting: ReadonlyMap<string, LastingAnswers>
  #asked = 0
  /** Who waits for which answer. */
  readonly #waiting = new Map<number, Waiting>()

  /** @param lasting the questions whose answers outlive who gave them */
  constructor(
    hear: (worker: Worker, message: WorkerMessage) => void,
    lasting: ReadonlyArray<LastingAnswers>,
  ) {
    this.#hear = hear
    this.#lasting = new Map(lasting.map((answers) => [answers.name, answers]))
  }

  start(): Worker {
    const worker = cluster.fork()
    this.#living.add(worker)
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "said") this.#waiting.get(message.question)?.answered(message.said)
      else this.#hear(worker, message)
    })
    // What cannot be sent to it any more, a connection of the cluster module's own too: it is dead, and its end is heard of next.
    worker.on("error", () => {})
    worker.once("listening", () => this.#serving.add(worker))
    worker.once("exit", () => {
      this.#living.delete(worker)
      this.#serving.delete(worker)
      for (const inheritance of this.#lasting.values()) inheritance.died(worker)
      for (const waiting of this.#waiting.values()) if (waiting.worker === worker) waiting.answered(undefined)
    })
    return worker
  }

  /** What each says that serves; those that take too long are left out, unless the question is a lasting one. */
  askAll(asked: Asked): Effect.Effect<ReadonlyArray<unknown>> {
    return Effect.suspend(() => {
      const inheritance = this.#lasting.get(asked.name)
      const answers = Effect.forEach([...this.#serving], (worker) => this.#ask(worker, asked), {
        concurrency: "unbounded",
      })
      return Effect.map(answers, (said) => inheritance?.answers() ?? said.flatMap(Option.toArray))
    })
  }

  /** What one says, unless that takes too long or it dies of something else. */
  #ask(worker: Worker, asked: Asked): Effect.Effect<Option.Option<unknown>> {
    return Effect.async<Option.Option<unknown>>((resume) => {
      const question = ++this.#asked
      const answered = (said: unknown): void => {
        this.#waiting.delete(question)
        // What one says that has died was its own once; now it is among what is left.
        if (this.#living.has(worker)) this.#lasting.get(asked.name)?.said(worker, said)
        resume(Effect.succeed(Option.fromNullable(said)))
      }
      this.#waiting.set(question, { worker, answered })
      tell(worker, { kind: "you", question, asked })
      return Effect.sync(() => this.#waiting.delete(question))
    }).pipe(
      Effect.timeoutTo({ duration: answerTimeoutMs, onTimeout: Option.none, onSuccess: (said) => said }),
    )
  }

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
