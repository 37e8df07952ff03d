/** The log in files of the day, beside standard output: all lines, and those of requests once more by how they were answered, as GPT_API kept them. */
import { readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { dailyFile } from "./DailyFile.ts"
import { isTooOld, type LogKind } from "./LogDays.ts"

/** Where the files are, and how many days of them are kept, today included. */
export interface LogFolder {
  readonly directory: string
  readonly days: number
}

export interface LogFiles {
  /** Writes a line; that of a request with its status. */
  readonly write: (line: string, status: number | undefined) => void
  /** How many lines could not be written. */
  readonly dropped: () => number
}

/** Ours by their names, and files: whatever else lies there stays. */
const removeOld = ({ days, directory }: LogFolder, today: number): Effect.Effect<void> =>
  Effect.ignore(
    Effect.tryPromise(async () => {
      for (const found of await readdir(directory, { withFileTypes: true })) {
        if (!found.isFile() || !isTooOld(found.name, today, days)) continue
        // Another process may have done it.
        await rm(join(directory, found.name), { force: true })
      }
    }),
  )

/** The lowest status of an answer that is none. */
const firstBad = 400

/**
 * Opens them when there is something to write.
 *
 * @param told says once that lines cannot be written, and why; and once, without a reason, that they can again
 */
export const logFiles = (
  folder: LogFolder,
  now: () => number,
  told: (reason: string | undefined) => void,
): Effect.Effect<LogFiles, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory } = folder
    const fails = new Set<LogKind>()
    const tellOf = (kind: LogKind) => (reason: string | undefined) => {
      const failed = fails.size > 0
      if (reason === undefined) fails.delete(kind)
      else fails.add(kind)
      if (failed !== fails.size > 0) told(reason)
    }
    const fileOf = (kind: LogKind, onDay: (day: number) => Effect.Effect<void>) =>
      dailyFile({ directory, kind, now, told: tellOf(kind), onDay })
    // All lines are in this one: where it has a day, the others need not look.
    const system = yield* fileOf("system", (day) => removeOld(folder, day))
    const info = yield* fileOf("info", () => Effect.void)
    const error = yield* fileOf("error", () => Effect.void)
    return {
      write: (line, status) => {
        system.write(line)
        if (status !== undefined) (status < firstBad ? info : error).write(line)
      },
      dropped: () => system.dropped() + info.dropped() + error.dropped(),
    }
  })
