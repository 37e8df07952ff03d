/** What the log is told of the audit's queue: each trouble when it begins and when it ends, each loss once. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RotationReport, WriteReport } from "../AuditWriter.ts"

/** How long a lock may last before somebody is to look: another gateway that starts, or moves a month, has one for moments. */
const lockPatienceMs = 2_000

const told = (line: Effect.Effect<void>, facts: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.annotateLogs(line, facts)

/** Mutable on purpose: it knows what was told. */
export class QueueNews {
  /** Since when rows do not get into the database, and whether that was told. */
  #troubleSince: number | undefined
  #isTroubleTold = false
  #lostTold = 0

  /** What is new in a report. */
  wrote(before: WriteReport, report: WriteReport): Effect.Effect<void> {
    return Effect.zipRight(this.#trouble(report), this.#sharing(before, report))
  }

  /** @param lost how many records were, since the start */
  lost(lost: number): Effect.Effect<void> {
    const fresh = lost - this.#lostTold
    this.#lostTold = lost
    return fresh === 0 ? Effect.void : told(Effect.logError("audit: records were lost"), { fresh, lost })
  }

  rotated({ archived, deleted, fault }: RotationReport): Effect.Effect<void> {
    const lines: Array<Effect.Effect<void>> = []
    if (archived.length > 0) {
      lines.push(told(Effect.logInfo("audit: finished months were archived"), { archived }))
    }
    if (deleted.length > 0) lines.push(told(Effect.logInfo("audit: old archives were deleted"), { deleted }))
    if (fault !== undefined) {
      lines.push(told(Effect.logWarning("audit: a finished month waits to be archived"), { reason: fault }))
    }
    return Effect.all(lines, { discard: true })
  }

  /** What the next start will find. */
  left(spilled: number): Effect.Effect<void> {
    return spilled === 0
      ? Effect.void
      : told(Effect.logWarning("audit: rows wait in the spill file for the next start"), { spilled })
  }

  /** Rows stop or begin to get into the database. */
  #trouble({ fault, locked, spilled }: WriteReport): Effect.Effect<void> {
    if (fault === undefined) {
      const wasTold = this.#isTroubleTold
      this.#troubleSince = undefined
      this.#isTroubleTold = false
      return wasTold ? Effect.logInfo("audit: the database takes rows again") : Effect.void
    }
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      this.#troubleSince ??= now
      if (this.#isTroubleTold || (locked && now - this.#troubleSince < lockPatienceMs)) return Effect.void
      this.#isTroubleTold = true
      return told(Effect.logError("audit: the database takes no rows; they wait beside it and in memory"), {
        reason: fault,
        spilled,
      })
    })
  }

  /** With whom the database is shared, and when it is not any more. */
  #sharing(before: WriteReport, { owner, shared }: WriteReport): Effect.Effect<void> {
    if (before.shared === shared) return Effect.void
    if (shared) {
      return Effect.logInfo("audit: another gateway writes to this database too, and archives its months")
    }
    return owner
      ? Effect.logInfo("audit: the other gateway has ended; this one archives the months now")
      : Effect.void
  }
}
