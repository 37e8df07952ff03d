/** Writes rows to whatever live database is at the path, which is opened when it is needed: it may be moved, replaced or locked at any time. */
import * as Effect from "effect/Effect"
import type { AuditFiles } from "../AuditUrl.ts"
import type { DatabaseFault } from "./DatabaseFault.ts"
import { type LiveDatabase, openLive } from "./LiveDatabase.ts"
import type { RowValues } from "./Rows.ts"
import { namingUnwritable } from "./Unwritable.ts"

const isRefused = ({ kind }: DatabaseFault): boolean => kind === "refused"

/** Mutable on purpose: one thread, one batch at a time. */
export class LiveRows {
  readonly #files: AuditFiles
  #database: LiveDatabase | undefined

  constructor(files: AuditFiles) {
    this.#files = files
  }

  /** The first month that stands in it, as far as is known. */
  get oldestMonth(): string | undefined {
    return this.#database?.oldestMonth()
  }

  /**
   * Writes what can be written. A refusal may be due to what another process did to the tables, so it is tried again on a new
   * connection, and then row by row; rows that are still refused are lost. Answers with their number.
   */
  write(rows: ReadonlyArray<RowValues>): Effect.Effect<number, DatabaseFault> {
    const whole = Effect.suspend(() => Effect.as(this.#writeOnce(rows), 0))
    return whole.pipe(
      Effect.catchIf(isRefused, () => whole),
      Effect.catchIf(isRefused, () => this.#writeSingly(rows)),
      namingUnwritable(this.#files),
    )
  }

  /** Opens the file that is at the path now. */
  reopen(): Effect.Effect<void, DatabaseFault> {
    return this.close().pipe(
      Effect.zipRight(Effect.suspend(() => this.#opened())),
      Effect.asVoid,
      namingUnwritable(this.#files),
    )
  }

  close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const closing = this.#database?.close ?? Effect.void
      this.#database = undefined
      return closing
    })
  }

  #opened(): Effect.Effect<LiveDatabase, DatabaseFault> {
    if (this.#database !== undefined) return Effect.succeed(this.#database)
    return Effect.tap(openLive(this.#files), (database) =>
      Effect.sync(() => {
        this.#database = database
      }),
    )
  }

  /** Writes to the file that is at the path, before and afterwards: what went into one that was moved away goes in again. */
  #writeOnce(rows: ReadonlyArray<RowValues>): Effect.Effect<void, DatabaseFault> {
    return Effect.gen(this, function* () {
      if (this.#database?.isInPlace() === false) yield* this.close()
      const database = yield* this.#opened()
      yield* database.write(rows)
      if (database.isInPlace()) return
      yield* this.close()
      yield* (yield* this.#opened()).write(rows)
    }).pipe(Effect.tapError(() => this.close()))
  }

  #writeSingly(rows: ReadonlyArray<RowValues>): Effect.Effect<number, DatabaseFault> {
    return Effect.gen(this, function* () {
      let refused: DatabaseFault | undefined
      let count = 0
      for (const row of rows) {
        yield* Effect.catchIf(this.#writeOnce([row]), isRefused, (fault) => {
          refused = fault
          count++
          return Effect.void
        })
      }
      // Nothing at all gets in: it is the database then, and not the rows.
      if (refused !== undefined && count === rows.length) return yield* refused
      return count
    })
  }
}
