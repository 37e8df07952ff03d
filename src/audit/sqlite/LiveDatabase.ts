/** The live database: opened with its layout and views in place, and written to. */
import { mkdirSync, rmSync } from "node:fs"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { AuditFiles } from "../AuditUrl.ts"
import type { SqlValue } from "./ColumnKinds.ts"
import { connect, identityOf, monthsIn, query, runAll } from "./Database.ts"
import { attempting, type DatabaseFault, faulting } from "./DatabaseFault.ts"
import { migrate, renewViews } from "./Migration.ts"
import { monthOf } from "./Months.ts"
import { monthIn, type RowValues } from "./Rows.ts"
import { createIndexes, createTable, insertRows } from "./Tables.ts"

/** A connection to the live database, layout and views in place. It is closed with the scope. */
export const connectLive = (
  files: AuditFiles,
  busyMs: number,
): Effect.Effect<SqlClient, DatabaseFault, Scope.Scope> =>
  faulting(
    Effect.gen(function* () {
      yield* attempting(() => mkdirSync(files.directory, { recursive: true, mode: 0o700 }))
      const sql = yield* connect(files.database, busyMs)
      yield* runAll(sql, [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        // Pages of the indexes are written again and again; four times SQLite's own distance saves a tenth of the time per row.
        "PRAGMA wal_autocheckpoint = 4000",
        // Keeps a log that once grew (a reader held it) from staying large.
        `PRAGMA journal_size_limit = ${64 * 1024 * 1024}`,
      ])
      yield* migrate(sql, files.name)
      return sql
    }),
  )

/** The live database, open for writing. */
export interface LiveDatabase {
  /** Writes rows in one transaction, each into its month; those that are there already stay as they are. */
  readonly write: (rows: ReadonlyArray<RowValues>) => Effect.Effect<void, DatabaseFault>
  /** The first month that stood in it when it was opened, or was written since. */
  readonly oldestMonth: () => string | undefined
  /** Whether the file that is open is still the one at the path. */
  readonly isInPlace: () => boolean
  readonly close: Effect.Effect<void>
}

/** Largest number of rows in one statement; fewer go in powers of two, so that few different statements are prepared. */
const maxRowsPerStatement = 32

const statementSizes = (rows: number): ReadonlyArray<number> => {
  const sizes: Array<number> = []
  let left = rows
  for (let size = maxRowsPerStatement; size >= 1; size /= 2) {
    while (left >= size) {
      sizes.push(size)
      left -= size
    }
  }
  return sizes
}

const noValues: ReadonlyArray<SqlValue> = []

/** Few, of some thousand characters each: one text is found among them sooner than it is made. */
const insertTexts = new Map<string, string>()

const insertText = (month: string, rows: number): string => {
  const name = `${month} ${rows}`
  const known = insertTexts.get(name)
  if (known !== undefined) return known
  const made = insertRows(month, rows)
  insertTexts.set(name, made)
  return made
}

interface Statement {
  readonly text: string
  readonly values: ReadonlyArray<SqlValue>
}

const insertsOf = (month: string, rows: ReadonlyArray<RowValues>): ReadonlyArray<Statement> => {
  let at = 0
  return statementSizes(rows.length).map((size) => {
    const some = rows.slice(at, at + size)
    at += size
    // `concat` copies whole arrays, where `flat` goes from value to value.
    return { text: insertText(month, size), values: noValues.concat(...some) }
  })
}

/**
 * Runs statements in one transaction, on the client's connection as it is: its `withTransaction` and its statements make spans and contexts. Without them, and
 * without a look at the tables each time, a batch of two rows takes 720 in place of 845 µs, of which SQLite has 360.
 */
const transact = (sql: SqlClient, statements: ReadonlyArray<Statement>): Effect.Effect<void, SqlError> =>
  Effect.scoped(
    Effect.flatMap(sql.reserve, (connection) => {
      const run = (text: string, values = noValues) => connection.executeRaw(text, values)
      const all = Effect.forEach(statements, ({ text, values }) => run(text, values), { discard: true })
      const committed = Effect.zipRight(all, run("COMMIT")).pipe(
        Effect.tapErrorCause(() => Effect.ignore(run("ROLLBACK"))),
      )
      return Effect.asVoid(Effect.zipRight(run("BEGIN"), committed))
    }),
  ).pipe(Effect.uninterruptible)

/** Makes tables for the months that have none, and shows them in the views. */
const createMonths = (sql: SqlClient, months: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const there = yield* monthsIn(sql)
    const missing = months.filter((month) => !there.includes(month))
    if (missing.length === 0) return
    for (const month of missing) yield* runAll(sql, [createTable(month), ...createIndexes(month)])
    yield* renewViews(sql)
  })

/** How long a lock is waited for before the rows go elsewhere: well below the 100 ms after which a finished request is safe. */
const busyMs = 40

/** Opens the live database for writing. */
export const openLive = (files: AuditFiles): Effect.Effect<LiveDatabase, DatabaseFault> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const sql = yield* Effect.onError(Scope.extend(connectLive(files, busyMs), scope), () =>
      Scope.close(scope, Exit.void),
    )
    const identity = identityOf(files.database)
    const log = `${files.database}-wal`
    const logIdentity = identityOf(log)
    // The first rows are not to wait for their table.
    const current = monthOf(yield* Clock.currentTimeMillis)
    yield* faulting(sql.withTransaction(createMonths(sql, [current])))
    let known: ReadonlySet<string> = new Set(yield* faulting(monthsIn(sql)))

    const isInPlace = () => identity !== undefined && identityOf(files.database) === identity

    const write: LiveDatabase["write"] = (rows) => {
      const byMonth = new Map<string, Array<RowValues>>()
      for (const row of rows) {
        const month = monthIn(row)
        const others = byMonth.get(month)
        if (others === undefined) byMonth.set(month, [row])
        else others.push(row)
      }
      const fresh = [...byMonth.keys()].filter((month) => !known.has(month))
      const inserts = transact(
        sql,
        [...byMonth].flatMap(([month, some]) => insertsOf(month, some)),
      )
      if (fresh.length === 0) return faulting(inserts)
      const created = Effect.map(sql.withTransaction(createMonths(sql, fresh)), () => {
        known = new Set([...known, ...fresh])
      })
      return faulting(Effect.zipRight(created, inserts))
    }

    /**
     * A database that was moved away still gets what stands in its log; the log itself, which bears the path's name and not the
     * file's, must not be taken for that of whatever takes the place.
     */
    const close = Effect.suspend(() => {
      const closing = Scope.close(scope, Exit.void)
      if (isInPlace()) return closing
      return Effect.ignore(faulting(query(sql, "PRAGMA wal_checkpoint(TRUNCATE)"))).pipe(
        Effect.zipRight(closing),
        Effect.zipRight(
          Effect.sync(() => {
            if (logIdentity === undefined || identityOf(log) !== logIdentity) return
            for (const left of [log, `${files.database}-shm`]) rmSync(left, { force: true })
          }),
        ),
      )
    }).pipe(Effect.catchAllCause(() => Effect.void))

    return { write, oldestMonth: () => [...known].toSorted()[0], isInPlace, close }
  }).pipe(faulting)
