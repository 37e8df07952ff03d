/**
 * The audit's queue: records are put down at once and written in batches by a fiber, which tries again what was refused. Others
 * drain the spill and move finished months; what they have to tell is in QueueNews.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Audit, AuditIntake, AuditStatus } from "../Audit.ts"
import { type AuditWriter, nothingWritten, type WriteReport } from "../AuditWriter.ts"
import type { AuditPolicy } from "../record/AuditPolicy.ts"
import { monthOf, nextMonth } from "../sqlite/Months.ts"
import { Packer, type Parcel } from "./Parcel.ts"
import { queuedRecord, weightOf } from "./QueuedRecord.ts"
import { QueueNews } from "./QueueNews.ts"

export interface QueueLimits {
  /** Milliseconds from batch to batch, in which records gather, unless there are enough before. */
  readonly gatherMs: number
  /** Records that may wait in memory. */
  readonly records: number
  /** Bytes they may hold. */
  readonly bytes: number
  /** Milliseconds the end waits for what could not be written yet. */
  readonly closeMs: number
}

/** At 40 ms: 25 commits a second, and two fifths of what may be lost with the process. */
export const defaultLimits: QueueLimits = {
  gatherMs: 40,
  records: 50_000,
  bytes: 256 * 1024 * 1024,
  closeMs: 10_000,
}

/** Where records wait in two queues, one after the other. */
export const relayedLimits: QueueLimits = { ...defaultLimits, gatherMs: 20 }

export interface QueueOptions {
  readonly writer: AuditWriter
  /** The policy in force. */
  readonly policy: () => AuditPolicy
  readonly limits: QueueLimits
  /** Begins every record's key. No two processes have the same. */
  readonly run: string
}

const backoff = Schedule.exponential("50 millis").pipe(Schedule.union(Schedule.spaced("2 seconds")))

/** How long the start waits for the writer to be ready. */
const startTimeout = "5 seconds"

const lossInterval = "5 seconds"

/** How often it is seen whether what is waited for has come about. */
const lookMs = 20

/** How often it is seen whether a finished month has rows in the live database: those of requests that outlasted it. */
const rotationIntervalMs = 60_000

/** A month is taken to end this much later, so that the requests that end with it go with its table. */
const turnDelayMs = 1_000

/**
 * With so many records waiting in memory, they gather no longer, and the spill waits for its turn. Batches of twice as many saved the audit's thread nothing, and
 * the main thread took a tenth longer for a request.
 */
const busyRecords = 100

/** Mutable on purpose: what waits is counted at each record. */
class Queue {
  readonly #options: QueueOptions
  readonly #onDefect: (defect: unknown) => void
  readonly #packer = new Packer()
  readonly #news = new QueueNews()
  /** Open while there are records to write. */
  readonly #filled = Effect.unsafeMakeLatch(false)
  readonly #trouble = Effect.unsafeMakeLatch(true)
  /** Open when nothing is to gather any more. */
  readonly #enough = Effect.unsafeMakeLatch(false)
  readonly #firstLook = Effect.unsafeMakeLatch(false)
  #hasEnded = false
  #numbered = 0
  #queued = 0
  #queuedBytes = 0
  #lost = 0
  #kept = 0
  #last = nothingWritten

  /** @param onDefect told of a fault of ours that cost a record */
  constructor(options: QueueOptions, onDefect: (defect: unknown) => void) {
    this.#options = options
    this.#onDefect = onDefect
  }

  get status(): AuditStatus {
    return { kept: this.#kept, queued: this.#queued, spilled: this.#last.spilled, lost: this.#lost }
  }

  /** Waits until the writer has looked at what there is. */
  get ready(): Effect.Effect<void> {
    return this.#firstLook.await
  }

  readonly record: Audit["Type"]["record"] = (closed) => {
    try {
      const one = queuedRecord(closed, this.#nextKey(), this.#options.policy())
      if (this.#takes(1, weightOf(one))) this.#noteQueued(1, this.#packer.add(one))
      else this.#lost++
    } catch (defect) {
      // A request never fails for its record, not even by a fault of ours.
      this.#lost++
      this.#onDefect(defect)
    }
  }

  readonly put: AuditIntake["Type"]["put"] = (parcel) => {
    const { byteLength } = parcel.bytes
    if (!this.#takes(parcel.records, byteLength)) return false
    this.#packer.append(parcel)
    this.#noteQueued(parcel.records, byteLength)
    return true
  }

  /** Writes what was put down, until the end. */
  readonly writing: Effect.Effect<void> = Effect.gen(this, function* () {
    const packer = this.#packer
    for (;;) {
      yield* this.#filled.await
      yield* this.#filled.close
      const began = yield* Clock.currentTimeMillis
      for (let parcel = packer.take(); parcel !== undefined; parcel = packer.take()) yield* this.#keep(parcel)
      if (this.#hasEnded) return
      yield* this.#enough.close
      // While a batch was written others gathered already.
      const rest = this.#options.limits.gatherMs - ((yield* Clock.currentTimeMillis) - began)
      if (rest > 0) yield* Effect.raceFirst(Effect.sleep(rest), this.#enough.await)
    }
  })

  /** Brings rows from the spill into the database, whenever there are any. */
  readonly draining: Effect.Effect<never> = Effect.gen(this, function* () {
    for (;;) {
      yield* this.#trouble.await
      yield* this.#drain.pipe(
        Effect.tap(this.#firstLook.open),
        Effect.repeat({ while: ({ fault }) => fault !== undefined, schedule: backoff }),
      )
      // What waits in memory goes first: it would be lost with the process, what is spilled would not.
      yield* Effect.yieldNow()
      while (this.#queued > busyRecords) yield* Effect.sleep(lookMs)
    }
  })

  /** Moves months that have ended. */
  readonly rotating: Effect.Effect<never> = Effect.gen(this, function* () {
    yield* this.#firstLook.await
    let lookedAt = ""
    for (;;) {
      const now = (yield* Clock.currentTimeMillis) - turnDelayMs
      const month = monthOf(now)
      // The other gateway may have ended.
      if (this.#last.shared) yield* this.#drain
      const { oldestMonth, owner } = this.#last
      if (owner && (lookedAt !== month || (oldestMonth !== undefined && oldestMonth < month))) {
        yield* this.#rotate(now)
        lookedAt = month
      }
      yield* Effect.sleep(Math.min(rotationIntervalMs, nextMonth(now) - now))
    }
  })

  readonly tellLoss: Effect.Effect<void> = Effect.suspend(() => this.#news.lost(this.#lost))

  /** Waits for what was put down, as long as it may, and counts what is lost with the process. */
  end(written: Fiber.Fiber<void>): Effect.Effect<void> {
    return Effect.gen(this, function* () {
      this.#hasEnded = true
      yield* this.#filled.open
      yield* this.#enough.open
      const rest = Effect.zipRight(Fiber.await(written), this.#drained)
      // A finalizer is uninterruptible, and what is would not be given up.
      yield* Effect.timeoutOption(Effect.interruptible(rest), this.#options.limits.closeMs)
      yield* Fiber.interrupt(written)
      this.#lost += this.#queued
      this.#queued = 0
      yield* this.tellLoss
      yield* this.#news.left(this.#last.spilled)
    })
  }

  #nextKey(): string {
    this.#numbered++
    return `${this.#options.run}-${this.#numbered.toString(16).padStart(8, "0")}`
  }

  #takes(records: number, bytes: number): boolean {
    const { limits } = this.#options
    return (
      !this.#hasEnded && this.#queued + records <= limits.records && this.#queuedBytes + bytes <= limits.bytes
    )
  }

  #noteQueued(records: number, bytes: number): void {
    this.#queued += records
    this.#queuedBytes += bytes
    this.#filled.unsafeOpen()
    if (this.#queued >= busyRecords) this.#enough.unsafeOpen()
  }

  /** Takes a report in, and tells what is new in it. */
  #note(report: WriteReport): Effect.Effect<void> {
    const before = this.#last
    this.#last = report
    this.#lost += report.lost
    const isCalm = report.fault === undefined && report.spilled === 0
    return Effect.zipRight(
      this.#news.wrote(before, report),
      isCalm ? this.#trouble.close : this.#trouble.open,
    )
  }

  #keep(parcel: Parcel): Effect.Effect<void> {
    return this.#options.writer.write(parcel).pipe(
      Effect.tap((report) => this.#note(report)),
      Effect.tap(({ lost, refused }) => {
        if (!refused) this.#kept += parcel.records - lost
      }),
      Effect.repeat({ while: ({ refused }) => refused, schedule: backoff }),
      Effect.zipRight(
        Effect.sync(() => {
          this.#queued -= parcel.records
          this.#queuedBytes -= parcel.bytes.byteLength
          this.#packer.reuse(parcel)
        }),
      ),
    )
  }

  readonly #drain: Effect.Effect<WriteReport> = Effect.suspend(() =>
    Effect.tap(this.#options.writer.drain, (report) => this.#note(report)),
  )

  #rotate(now: number): Effect.Effect<void> {
    const { policy, writer } = this.#options
    return writer.rotate(now, policy().retentionMonths).pipe(
      Effect.flatMap((report) => this.#news.rotated(report)),
      // Shows the writer the tables that stand there now.
      Effect.zipRight(this.#drain),
    )
  }

  /** Waits while rows get from the spill into the database. */
  readonly #drained: Effect.Effect<void> = Effect.suspend(() =>
    this.#last.spilled === 0 || this.#last.fault !== undefined
      ? Effect.void
      : Effect.delay(this.#drained, Duration.millis(lookMs)),
  )
}

/** Everything of the `Audit` but the fingerprint. The scope's end waits until what was recorded is kept, if it can be. */
export const makeQueue = (
  options: QueueOptions,
): Effect.Effect<Omit<Audit["Type"], "fingerprint"> & AuditIntake["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const runFork = yield* FiberSet.makeRuntime<never>()
    const queue = new Queue(options, (defect) =>
      runFork(Effect.logError("audit: a record could not be queued", defect)),
    )
    yield* Effect.forkScoped(queue.draining)
    yield* Effect.forkScoped(queue.rotating)
    yield* Effect.forkScoped(Effect.repeat(queue.tellLoss, Schedule.spaced(lossInterval)))
    const written = yield* Effect.forkDaemon(Effect.interruptible(queue.writing))
    yield* Effect.addFinalizer(() => queue.end(written))
    // A thread takes its time to start, and what is recorded meanwhile would be in memory only.
    yield* Effect.timeoutOption(queue.ready, startTimeout)
    return { record: queue.record, put: queue.put, status: Effect.sync(() => queue.status) }
  })
