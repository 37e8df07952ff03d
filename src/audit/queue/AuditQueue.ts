/**
 * The audit's queue: records are put down at once and written in batches by a fiber, which tries again what was refused. Others
 * drain the spill, move finished months, and say in the log what was lost.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Audit, AuditIntake } from "../Audit.ts"
import { type AuditWriter, nothingWritten, type RotationReport, type WriteReport } from "../AuditWriter.ts"
import type { AuditPolicy } from "../record/AuditPolicy.ts"
import { monthOf, nextMonth } from "../sqlite/Months.ts"
import { Packer, type Parcel } from "./Parcel.ts"
import { queuedRecord, weightOf } from "./QueuedRecord.ts"

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

/** How long a lock may last before somebody is to look: another gateway that starts, or moves a month, has one for moments. */
const lockPatienceMs = 2_000

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

/** Everything of the `Audit` but the fingerprint. The scope's end waits until what was recorded is kept, if it can be. */
export const makeQueue = (
  options: QueueOptions,
): Effect.Effect<Omit<Audit["Type"], "fingerprint"> & AuditIntake["Type"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const { limits, policy, run, writer } = options
    const clock = yield* Effect.clock
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const packer = new Packer()
    /** Open while there are records to write. */
    const filled = yield* Effect.makeLatch(false)
    const trouble = yield* Effect.makeLatch(true)
    /** Open when nothing is to gather any more. */
    const enough = yield* Effect.makeLatch(false)
    const firstLook = yield* Effect.makeLatch(false)
    let hasEnded = false
    let numbered = 0
    let queued = 0
    let queuedBytes = 0
    let lost = 0
    let lostTold = 0
    let last = nothingWritten

    const nextKey = (): string => {
      numbered++
      return `${run}-${numbered.toString(16).padStart(8, "0")}`
    }

    const noteQueued = (records: number, bytes: number): void => {
      queued += records
      queuedBytes += bytes
      filled.unsafeOpen()
      if (queued >= busyRecords) enough.unsafeOpen()
    }

    const record: Audit["Type"]["record"] = (closed) => {
      try {
        const one = queuedRecord(closed, nextKey(), policy())
        const fits = queued < limits.records && queuedBytes + weightOf(one) <= limits.bytes
        if (fits && !hasEnded) noteQueued(1, packer.add(one))
        else lost++
      } catch (defect) {
        // A request never fails for its record, not even by a fault of ours.
        lost++
        runFork(Effect.logError("audit: a record could not be queued", defect))
      }
    }

    const put: AuditIntake["Type"]["put"] = (parcel) => {
      const { byteLength } = parcel.bytes
      const fits = queued + parcel.records <= limits.records && queuedBytes + byteLength <= limits.bytes
      if (!fits || hasEnded) return false
      packer.append(parcel)
      noteQueued(parcel.records, byteLength)
      return true
    }

    /** Since when rows do not get into the database, and whether that was told. */
    let troubleSince: number | undefined
    let isTroubleTold = false

    /** Says in the log when rows stop or begin to get into the database. */
    const tellTrouble = ({ fault, locked, spilled }: WriteReport): Effect.Effect<void> => {
      if (fault === undefined) {
        const wasTold = isTroubleTold
        troubleSince = undefined
        isTroubleTold = false
        return wasTold ? Effect.logInfo("audit: the database takes rows again") : Effect.void
      }
      const now = clock.unsafeCurrentTimeMillis()
      troubleSince ??= now
      if (isTroubleTold || (locked && now - troubleSince < lockPatienceMs)) return Effect.void
      isTroubleTold = true
      return Effect.annotateLogs(
        Effect.logError("audit: the database takes no rows; they wait beside it and in memory"),
        { reason: fault, spilled },
      )
    }

    /** Says in the log with whom the database is shared, and when it is not any more. */
    const tellSharing = (before: WriteReport, { owner, shared }: WriteReport): Effect.Effect<void> =>
      before.shared === shared
        ? Effect.void
        : shared
          ? Effect.logInfo("audit: another gateway writes to this database too, and archives its months")
          : owner
            ? Effect.logInfo("audit: the other gateway has ended; this one archives the months now")
            : Effect.void

    /** Takes a report in, and tells what is new in it. */
    const note = (report: WriteReport): Effect.Effect<void> =>
      Effect.suspend(() => {
        const before = last
        last = report
        lost += report.lost
        const calm = report.fault === undefined && report.spilled === 0
        return Effect.all(
          [tellTrouble(report), tellSharing(before, report), calm ? trouble.close : trouble.open],
          { discard: true },
        )
      })

    const keep = (parcel: Parcel): Effect.Effect<void> =>
      writer.write(parcel).pipe(
        Effect.tap(note),
        Effect.repeat({ while: ({ refused }) => refused, schedule: backoff }),
        Effect.zipRight(
          Effect.sync(() => {
            queued -= parcel.records
            queuedBytes -= parcel.bytes.byteLength
            packer.reuse(parcel)
          }),
        ),
      )

    const writing = Effect.gen(function* () {
      for (;;) {
        yield* filled.await
        yield* filled.close
        const began = yield* Clock.currentTimeMillis
        for (let parcel = packer.take(); parcel !== undefined; parcel = packer.take()) yield* keep(parcel)
        if (hasEnded) return
        yield* enough.close
        // While a batch was written others gathered already.
        const rest = limits.gatherMs - ((yield* Clock.currentTimeMillis) - began)
        if (rest > 0) yield* Effect.raceFirst(Effect.sleep(rest), enough.await)
      }
    })

    const draining = Effect.gen(function* () {
      for (;;) {
        yield* trouble.await
        yield* writer.drain.pipe(
          Effect.tap(note),
          Effect.tap(firstLook.open),
          Effect.repeat({ while: ({ fault }) => fault !== undefined, schedule: backoff }),
        )
        // What waits in memory goes first: it would be lost with the process, what is spilled would not.
        yield* Effect.yieldNow()
        while (queued > busyRecords) yield* Effect.sleep(lookMs)
      }
    })

    const tellLoss = Effect.suspend(() => {
      if (lost === lostTold) return Effect.void
      const fresh = lost - lostTold
      lostTold = lost
      return Effect.annotateLogs(Effect.logError("audit: records were lost"), { fresh, lost })
    })

    const tellRotation = ({ archived, deleted, fault }: RotationReport): Effect.Effect<void> =>
      Effect.all(
        [
          archived.length === 0
            ? Effect.void
            : Effect.annotateLogs(Effect.logInfo("audit: finished months were archived"), { archived }),
          deleted.length === 0
            ? Effect.void
            : Effect.annotateLogs(Effect.logInfo("audit: old archives were deleted"), { deleted }),
          fault === undefined
            ? Effect.void
            : Effect.annotateLogs(Effect.logWarning("audit: a finished month waits to be archived"), {
                reason: fault,
              }),
        ],
        { discard: true },
      )

    const rotating = Effect.gen(function* () {
      yield* firstLook.await
      let lookedAt = ""
      for (;;) {
        const now = (yield* Clock.currentTimeMillis) - turnDelayMs
        const month = monthOf(now)
        // The other gateway may have ended.
        if (last.shared) yield* Effect.flatMap(writer.drain, note)
        const due = lookedAt !== month || (last.oldestMonth !== undefined && last.oldestMonth < month)
        if (last.owner && due) {
          yield* tellRotation(yield* writer.rotate(now, policy().retentionMonths))
          // Shows the writer the tables that stand there now.
          yield* Effect.flatMap(writer.drain, note)
          lookedAt = month
        }
        yield* Effect.sleep(Math.min(rotationIntervalMs, nextMonth(now) - now))
      }
    })

    /** Waits while rows get from the spill into the database. */
    const drained: Effect.Effect<void> = Effect.suspend(() =>
      last.spilled === 0 || last.fault !== undefined
        ? Effect.void
        : Effect.delay(drained, Duration.millis(lookMs)),
    )

    yield* Effect.forkScoped(draining)
    yield* Effect.forkScoped(rotating)
    yield* Effect.forkScoped(Effect.repeat(tellLoss, Schedule.spaced(lossInterval)))
    const written = yield* Effect.forkDaemon(Effect.interruptible(writing))
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        hasEnded = true
        yield* filled.open
        yield* enough.open
        const rest = Effect.zipRight(Fiber.await(written), drained)
        // A finalizer is uninterruptible, and what is would not be given up.
        yield* Effect.timeoutOption(Effect.interruptible(rest), limits.closeMs)
        yield* Fiber.interrupt(written)
        lost += queued
        queued = 0
        yield* tellLoss
        if (last.spilled > 0) {
          yield* Effect.annotateLogs(
            Effect.logWarning("audit: rows wait in the spill file for the next start"),
            { spilled: last.spilled },
          )
        }
      }),
    )

    // A thread takes its time to start, and what is recorded meanwhile would be in memory only.
    yield* Effect.timeoutOption(firstLook.await, startTimeout)

    return { record, put, status: Effect.sync(() => ({ queued, spilled: last.spilled, lost })) }
  })
