/**
 * Work on bodies that would hold the event loop too long, done aside: in one thread, which is started when it is first needed. Its jobs are pure functions
 * by their names (`aside/AsideJobs.ts`), the very ones that the event loop runs of small bodies.
 *
 * One job is under way at a time, so that what a body is parsed to is in memory once, however many come; the others wait in a line that is
 * bounded. A thread that dies fails the job it was at, and nobody else's.
 */
import { Worker } from "node:worker_threads"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AsideJobs, JobName } from "./AsideJobs.ts"

/** The work was not done: too much of it waits, or the thread died over it. */
export class AsideFailed extends Data.TaggedError("AsideFailed")<{
  readonly reason: "full" | "died"
  readonly detail: string
}> {
  override get message(): string {
    return `a body could not be read aside: ${this.detail}`
  }
}

export class Aside extends Context.Tag("sluice/Aside")<
  Aside,
  {
    /**
     * Does a job aside. Bytes in shared memory are not copied on their way, and neither are those among the members of what it gives. Interrupting it
     * takes the job out of the line; one under way ends, and nobody hears of it.
     */
    readonly run: <N extends JobName>(
      name: N,
      input: AsideJobs[N]["input"],
    ) => Effect.Effect<AsideJobs[N]["output"], AsideFailed>
    /** How many jobs are under way or wait. */
    readonly waiting: () => number
  }
>() {}

/** What the thread is asked. */
export interface JobAsked<N extends JobName = JobName> {
  readonly name: N
  readonly input: AsideJobs[N]["input"]
}

/** What it answers, to one question after the other. */
export type JobAnswered<N extends JobName = JobName> =
  | { readonly kind: "done"; readonly output: AsideJobs[N]["output"] }
  /** A fault of this program's. */
  | { readonly kind: "failed"; readonly detail: string }

/** Usual jobs take some ten milliseconds, the dearest a few hundred. What their bodies hold is counted, however many wait. */
const mostWaiting = 128

/**
 * Mebibytes of the thread's heap. What its jobs take is bounded by what they are given (`JsonCost`); a limit that is reached ends the process,
 * as V8 does where it is amid a parse, so this one is out of reach.
 */
const heapMb = 2_048

interface Job<N extends JobName = JobName> {
  readonly question: JobAsked<N>
  settle(answer: JobAnswered<N> | AsideFailed): void
}

/** The thread, started when it is needed, and the line of those who wait for it. */
class Thread {
  readonly #entry: URL
  readonly #line: Array<Job> = []
  #running: Worker | undefined
  #underWay: Job | undefined

  constructor(entry: URL) {
    this.#entry = entry
  }

  get waiting(): number {
    return this.#line.length + (this.#underWay === undefined ? 0 : 1)
  }

  readonly run: Aside["Type"]["run"] = (name, input) =>
    Effect.async((resume) => {
      if (this.#line.length >= mostWaiting) {
        resume(new AsideFailed({ reason: "full", detail: "too many others wait for that" }))
        return
      }
      const job: Job<typeof name> = {
        question: { name, input },
        settle: (answer) => {
          if (answer instanceof AsideFailed) resume(answer)
          else if (answer.kind === "failed") resume(Effect.die(new Error(answer.detail)))
          else resume(Effect.succeed(answer.output))
        },
      }
      this.#line.push(job)
      this.#next()
      return Effect.sync(() => {
        const at = this.#line.indexOf(job)
        if (at !== -1) this.#line.splice(at, 1)
      })
    })

  readonly end: Effect.Effect<void> = Effect.promise(async () => {
    const ended = this.#running
    this.#running = undefined
    await ended?.terminate()
  })

  #next(): void {
    if (this.#underWay !== undefined) return
    this.#underWay = this.#line.shift()
    if (this.#underWay === undefined) return
    try {
      this.#running ??= this.#start()
      this.#running.postMessage(this.#underWay.question)
    } catch (error) {
      // The thread could not be started, or told: whoever waits behind may have more luck.
      this.#settle(new AsideFailed({ reason: "died", detail: String(error) }))
    }
  }

  #settle(answer: JobAnswered | AsideFailed): void {
    const job = this.#underWay
    this.#underWay = undefined
    job?.settle(answer)
    this.#next()
  }

  #start(): Worker {
    const started = new Worker(this.#entry, {
      name: "sluice-aside",
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    })
    // It keeps nobody from leaving.
    started.unref()
    const die = (detail: string): void => {
      if (this.#running !== started) return
      this.#running = undefined
      void started.terminate()
      this.#settle(new AsideFailed({ reason: "died", detail }))
    }
    started.on("message", (answer: JobAnswered) => {
      if (this.#running === started) this.#settle(answer)
    })
    started.on("error", (error) => die(error instanceof Error ? error.message : String(error)))
    started.on("messageerror", (error) => die(error.message))
    started.on("exit", (code) => die(`its thread ended with exit code ${code}`))
    return started
  }
}

/**
 * @param entry the bundled `AsideThread`, `aside-thread.js` beside the program
 */
export const layer = (entry: URL): Layer.Layer<Aside> =>
  Layer.scoped(
    Aside,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Thread(entry)),
        ({ end }) => end,
      ),
      (thread) => Aside.of({ run: thread.run, waiting: () => thread.waiting }),
    ),
  )
