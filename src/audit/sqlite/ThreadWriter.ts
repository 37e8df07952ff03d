/** The audit's writer in threads of its own: the main thread only hands bytes over. A thread that dies is started again. */
import { Worker } from "node:worker_threads"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import {
  type AuditWriter,
  nothingRotated,
  nothingWritten,
  type RotationReport,
  type WriteReport,
} from "../AuditWriter.ts"
import type { Parcel } from "../queue/Parcel.ts"
import type { ThreadAnswer, ThreadQuestion, ThreadTask } from "./ThreadProgram.ts"

/** A thread ended before it answered. */
class ThreadDied extends Data.TaggedError("ThreadDied")<{ readonly detail: string }> {
  override get message(): string {
    return `the audit's thread died: ${this.detail}`
  }
}

interface Thread {
  /** The next answer, to the question if there is one. */
  readonly answer: (question: ThreadQuestion | undefined) => Effect.Effect<ThreadAnswer, ThreadDied>
  readonly hasDied: () => boolean
  readonly end: Effect.Effect<void>
}

/** Starts the program at `entry`. It is told its task at once, and answers in the order it is asked. */
const startThread = (entry: URL, task: ThreadTask): Thread => {
  const started = new Worker(entry, { workerData: task, name: `sluice-audit-${task.kind}` })
  const waiting: Array<Deferred.Deferred<ThreadAnswer, ThreadDied>> = []
  let died: ThreadDied | undefined
  const die = (detail: string): void => {
    const death = died ?? new ThreadDied({ detail })
    died = death
    for (const deferred of waiting.splice(0)) Deferred.unsafeDone(deferred, Effect.fail(death))
  }
  started.on("message", (answer: ThreadAnswer) => {
    const deferred = waiting.shift()
    if (deferred !== undefined) Deferred.unsafeDone(deferred, Effect.succeed(answer))
  })
  started.on("error", (error) => die(error instanceof Error ? error.message : String(error)))
  started.on("messageerror", (error) => {
    die(error.message)
    // It would go on reading what is given to its successor.
    void started.terminate()
  })
  started.on("exit", (code) => die(`exit code ${code}`))
  return {
    answer: (question) =>
      Effect.suspend(() => {
        if (died !== undefined) return Effect.fail(died)
        const deferred = Deferred.unsafeMake<ThreadAnswer, ThreadDied>(FiberId.none)
        waiting.push(deferred)
        if (question !== undefined) started.postMessage(question)
        return Deferred.await(deferred)
      }),
    hasDied: () => died !== undefined,
    end: Effect.promise(() => started.terminate()),
  }
}

/** How long the writing thread may take to close the database. */
const closeTimeout = "5 seconds"

/** Mutable on purpose: one thread at a time. */
class ThreadWriter implements AuditWriter {
  readonly #entry: URL
  readonly #database: string
  #thread: Thread | undefined
  #known = nothingWritten
  readonly drain: Effect.Effect<WriteReport>

  constructor(entry: URL, database: string) {
    this.#entry = entry
    this.#database = database
    this.drain = this.#report({ kind: "drain" })
  }

  write(parcel: Parcel): Effect.Effect<WriteReport> {
    return this.#report({ kind: "write", parcel })
  }

  rotate(now: number, retentionMonths: number): Effect.Effect<RotationReport> {
    return Effect.suspend(() => this.#current().answer({ kind: "look", now, retentionMonths })).pipe(
      // As a rule there is nothing to move, and a thread takes longer to start than the gateway has for its own start.
      Effect.flatMap((answer) =>
        answer.kind === "looked" && !answer.isRotationDue
          ? Effect.succeed(nothingRotated)
          : this.#move(now, retentionMonths),
      ),
      Effect.catchTag("ThreadDied", ({ message }) => Effect.succeed({ ...nothingRotated, fault: message })),
    )
  }

  close(): Effect.Effect<void> {
    const thread = this.#thread
    if (thread === undefined) return Effect.void
    const closed = Effect.timeout(Effect.interruptible(thread.answer({ kind: "close" })), closeTimeout)
    return Effect.zipRight(Effect.ignore(closed), thread.end)
  }

  #current(): Thread {
    if (this.#thread === undefined || this.#thread.hasDied()) {
      this.#thread = startThread(this.#entry, { kind: "write", database: this.#database })
    }
    return this.#thread
  }

  #report(question: ThreadQuestion): Effect.Effect<WriteReport> {
    return Effect.suspend(() => this.#current().answer(question)).pipe(
      Effect.map((answer) => {
        if (answer.kind === "report") this.#known = answer.report
        return this.#known
      }),
      Effect.catchTag("ThreadDied", ({ message }) =>
        Effect.succeed({ ...this.#known, refused: true, lost: 0, fault: message, locked: false }),
      ),
    )
  }

  /** Moves what there is to be moved, in a thread for that. */
  #move(now: number, retentionMonths: number): Effect.Effect<RotationReport, ThreadDied> {
    const database = this.#database
    return Effect.acquireUseRelease(
      Effect.sync(() => startThread(this.#entry, { kind: "rotate", database, now, retentionMonths })),
      (mover) => mover.answer(undefined),
      (mover) => mover.end,
    ).pipe(
      Effect.map((answer) =>
        answer.kind === "rotated" ? answer.report : { ...nothingRotated, fault: "no answer" },
      ),
    )
  }
}

/**
 * A writer whose threads run the program at `entry` (`ThreadProgram`, bundled). While a thread cannot be kept alive every batch is
 * refused, and asking again starts another.
 */
export const makeThreadWriter = (
  entry: URL,
  database: string,
): Effect.Effect<AuditWriter, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new ThreadWriter(entry, database)),
    (writer) => writer.close(),
  )
