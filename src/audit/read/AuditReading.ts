/**
 * The audit of a running gateway, read in threads: one for pages and single requests, which are quick, and one for statistics, which may take seconds.
 * Each is started when it is first asked, answers one question after the other, and ends when nobody has asked for a while. Those who wait stand in a
 * line that is bounded.
 */
import { Worker } from "node:worker_threads"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { StatsReport } from "./AuditStats.ts"
import type { PageAsked, ReadQuestion, ReadSaid, ReportAsked, RowPage, Shown } from "./ReadQuestion.ts"

/** There is no answer, for this reason. */
export class NotRead extends Data.TaggedError("NotRead")<{
  readonly reason: "busy" | "unreadable"
  readonly message: string
}> {}

export interface ReadAudit<A> {
  readonly answer: A
  /** The archives it is without, each with why. */
  readonly leftOut: ReadonlyArray<string>
}

export class AuditReading extends Context.Tag("sluice/AuditReading")<
  AuditReading,
  {
    readonly page: (asked: PageAsked) => Effect.Effect<ReadAudit<RowPage>, NotRead>
    readonly show: (id: string) => Effect.Effect<ReadAudit<Shown>, NotRead>
    readonly report: (asked: ReportAsked) => Effect.Effect<ReadAudit<ReadonlyArray<StatsReport>>, NotRead>
  }
>() {}

/** More than these do not wait. */
const mostWaiting = 16

/** A thread that nobody asks for so long ends. */
const idleFor = "1 minute"

/** Longer than any question's budget: what takes so long is stuck. */
const answerWithin = "60 seconds"

/** A thread, while there is one. Mutable on purpose. */
class Lane {
  readonly #entry: URL
  readonly #database: string
  readonly #turn = Effect.unsafeMakeSemaphore(1)
  #waiting = 0
  #thread: Worker | undefined
  /** Counts questions, so that an old timer knows that it is. */
  #asked = 0

  readonly #scope: Scope.Scope

  constructor(entry: URL, database: string, scope: Scope.Scope) {
    this.#scope = scope
    this.#entry = entry
    this.#database = database
  }

  ask(question: ReadQuestion): Effect.Effect<ReadSaid, NotRead> {
    return Effect.suspend(() => {
      if (this.#waiting >= mostWaiting) {
        return Effect.fail(
          new NotRead({
            reason: "busy",
            message: "too many others are reading the audit; ask again in a moment",
          }),
        )
      }
      this.#waiting += 1
      return this.#turn
        .withPermits(1)(this.#answerTo(question))
        .pipe(
          Effect.ensuring(
            Effect.sync(() => {
              this.#waiting -= 1
            }),
          ),
          Effect.zipLeft(this.#endWhenIdle),
        )
    })
  }

  readonly end: Effect.Effect<void> = Effect.promise(async () => {
    const ended = this.#thread
    this.#thread = undefined
    await ended?.terminate()
  })

  readonly #endWhenIdle: Effect.Effect<void> = Effect.suspend(() => {
    const asked = this.#asked
    return Effect.asVoid(
      Effect.forkIn(
        Effect.delay(
          Effect.suspend(() => (this.#asked === asked && this.#waiting === 0 ? this.end : Effect.void)),
          idleFor,
        ),
        this.#scope,
      ),
    )
  })

  /** Whoever leaves takes the thread along: it would go on with what nobody waits for. */
  #answerTo(question: ReadQuestion): Effect.Effect<ReadSaid, NotRead> {
    return Effect.suspend(() => {
      this.#asked += 1
      this.#thread ??= this.#start()
      const thread = this.#thread
      const answer = Deferred.unsafeMake<ReadSaid, NotRead>(FiberId.none)
      const hear = (said: ReadSaid) => Deferred.unsafeDone(answer, Effect.succeed(said))
      const die = (cause: unknown) =>
        Deferred.unsafeDone(
          answer,
          Effect.fail(
            new NotRead({
              reason: "unreadable",
              message: `the thread that reads the audit ended: ${cause instanceof Error ? cause.message : String(cause)}`,
            }),
          ),
        )
      thread.once("message", hear)
      thread.once("error", die)
      thread.once("exit", die)
      thread.postMessage(question)
      return Deferred.await(answer).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            thread.off("message", hear)
            thread.off("error", die)
            thread.off("exit", die)
          }),
        ),
        Effect.timeoutFail({
          duration: answerWithin,
          onTimeout: () =>
            new NotRead({
              reason: "busy",
              message: "reading the audit took too long; ask for a shorter time",
            }),
        }),
        Effect.onExit((exit) => (exit._tag === "Success" ? Effect.void : this.end)),
      )
    })
  }

  #start(): Worker {
    const started = new Worker(this.#entry, { workerData: this.#database, name: "sluice-audit-read" })
    started.unref()
    return started
  }
}

const notRead = (said: ReadSaid): NotRead =>
  new NotRead({
    reason: "unreadable",
    message:
      said.kind === "unreadable" ? said.message : "the thread that reads the audit answered something else",
  })

/**
 * Reads the audit whose live database is at `database`.
 *
 * @param entry the bundled `ReadThread`, `read-thread.js` beside the program
 */
export const layer = (database: string, entry: URL): Layer.Layer<AuditReading> =>
  Layer.scoped(
    AuditReading,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const lane = Effect.acquireRelease(
        Effect.sync(() => new Lane(entry, database, scope)),
        ({ end }) => end,
      )
      const rows = yield* lane
      const numbers = yield* lane
      return AuditReading.of({
        page: (asked) =>
          Effect.flatMap(rows.ask({ kind: "page", asked }), (said) =>
            said.kind === "page" ? Effect.succeed(said) : notRead(said),
          ),
        show: (id) =>
          Effect.flatMap(rows.ask({ kind: "show", id }), (said) =>
            said.kind === "show" ? Effect.succeed(said) : notRead(said),
          ),
        report: (asked) =>
          Effect.flatMap(numbers.ask({ kind: "report", asked }), (said) =>
            said.kind === "report" ? Effect.succeed(said) : notRead(said),
          ),
      })
    }),
  )
