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

/**
 * @param entry the bundled `AsideWorker`, `aside-worker.js` beside the program
 */
export const layer = (entry: URL): Layer.Layer<Aside> =>
  Layer.scoped(
    Aside,
    Effect.gen(function* () {
      let worker: Worker | undefined
      const line: Array<Job> = []
      let underWay: Job | undefined

      const settle = (answer: JobAnswered | AsideFailed): void => {
        const job = underWay
        underWay = undefined
        job?.settle(answer)
        next()
      }

      const start = (): Worker => {
        const started = new Worker(entry, {
          name: "sluice-aside",
          resourceLimits: { maxOldGenerationSizeMb: heapMb },
        })
        // It keeps nobody from leaving.
        started.unref()
        const die = (detail: string): void => {
          if (worker !== started) return
          worker = undefined
          void started.terminate()
          settle(new AsideFailed({ reason: "died", detail }))
        }
        started.on("message", (answer: JobAnswered) => {
          if (worker === started) settle(answer)
        })
        started.on("error", (error) => die(error instanceof Error ? error.message : String(error)))
        started.on("messageerror", (error) => die(error.message))
        started.on("exit", (code) => die(`its thread ended with exit code ${code}`))
        return started
      }

      const next = (): void => {
        if (underWay !== undefined) return
        underWay = line.shift()
        if (underWay === undefined) return
        try {
          worker ??= start()
          worker.postMessage(underWay.question)
        } catch (error) {
          // The thread could not be started, or told: whoever waits behind may have more luck.
          settle(new AsideFailed({ reason: "died", detail: String(error) }))
        }
      }

      yield* Effect.addFinalizer(() =>
        Effect.promise(async () => {
          const ended = worker
          worker = undefined
          await ended?.terminate()
        }),
      )

      const run: Aside["Type"]["run"] = (name, input) =>
        Effect.async((resume) => {
          if (line.length >= mostWaiting) {
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
          line.push(job)
          next()
          return Effect.sync(() => {
            const at = line.indexOf(job)
            if (at !== -1) line.splice(at, 1)
          })
        })

      return Aside.of({ run, waiting: () => line.length + (underWay === undefined ? 0 : 1) })
    }),
  )
