/** A connection to a file of the audit, made ready: created 0600, taken over from GPT_API or an older release, views in place. */
import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { AuditFiles } from "../AuditUrl.ts"
import type { SqlValue } from "./ColumnKinds.ts"
import { layout } from "./Columns.ts"
import { attempting, DatabaseFault, faulting } from "./DatabaseFault.ts"
import { monthOf, monthOfTable } from "./Months.ts"
import { monthIn, type RowValues } from "./Rows.ts"
import { createIndexes, createTable, createViews, gptApiColumns, gptApiTable, insertRows } from "./Tables.ts"

/** An inode, by which a file is known again. */
export const identityOf = (path: string): string | undefined =>
  Option.getOrUndefined(
    Option.liftThrowable(() => statSync(path))().pipe(Option.map(({ dev, ino }) => `${dev}:${ino}`)),
  )

/**
 * Creates a file that only its owner may read, unless it is there: SQLite would create it for everybody. One that is there is not
 * even opened, for closing it again would drop the locks this process has on it.
 */
export const createPrivate = (path: string): void => {
  if (identityOf(path) === undefined) closeSync(openSync(path, "ax", 0o600))
}

/** All of a query's rows; the text is ours, so nothing in it needs quoting. */
export const query = (
  sql: SqlClient,
  text: string,
  values: ReadonlyArray<unknown> = [],
): Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, SqlError> =>
  sql.unsafe<Readonly<Record<string, unknown>>>(text, values)

/** The number in the first row's `n`; 0 where there is none. */
export const queryNumber = (sql: SqlClient, text: string, values: ReadonlyArray<unknown> = []) =>
  Effect.map(query(sql, text, values), (rows) => {
    const value = rows[0]?.["n"]
    return typeof value === "number" ? value : 0
  })

export const runAll = (sql: SqlClient, texts: ReadonlyArray<string>) =>
  Effect.forEach(texts, (text) => query(sql, text), { discard: true })

const namesIn = (sql: SqlClient, schema: string, type: string) =>
  Effect.map(query(sql, `SELECT name FROM ${schema}.sqlite_master WHERE type = ?`, [type]), (rows) =>
    rows.flatMap(({ name }) => (typeof name === "string" ? [name] : [])),
  )

export const tablesIn = (sql: SqlClient, schema = "main") => namesIn(sql, schema, "table")

/** The months whose tables stand in a file, in order. */
export const monthsIn = (sql: SqlClient, schema = "main") =>
  Effect.map(tablesIn(sql, schema), (tables) =>
    tables.flatMap((table) => monthOfTable(table) ?? []).toSorted(),
  )

/** Writes the views of a file anew over the months that stand in it. */
export const renewViews = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    const months = yield* monthsIn(sql, schema)
    const inherited = yield* query(sql, `SELECT name FROM pragma_table_info('${gptApiTable}', '${schema}')`)
    const names = inherited.map(({ name }) => String(name))
    yield* runAll(sql, createViews(months, names.length === 0 ? undefined : names, schema))
  })

/** GPT_API's table makes way for the view of its name. */
export const takeOver = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    const tables = yield* tablesIn(sql, schema)
    if (tables.includes("records") && !tables.includes(gptApiTable)) {
      yield* query(sql, `ALTER TABLE ${schema}.records RENAME TO ${gptApiTable}`)
    }
  })

/** The layout of a file. */
export const userVersion = (sql: SqlClient, schema = "main") =>
  Effect.map(query(sql, `PRAGMA ${schema}.user_version`), (rows) => Number(rows[0]?.["user_version"] ?? 0))

/** What leads from each layout to the next: the first entry from 0 (an empty file, or GPT_API's) to 1. */
const migrations: ReadonlyArray<(sql: SqlClient) => Effect.Effect<void, SqlError>> = [
  (sql) => Effect.zipRight(takeOver(sql), renewViews(sql)),
]

/** Views are no part of the layout, for every release can read them: those that an earlier one made are made anew. */
const hasOldViews = (sql: SqlClient) =>
  query(sql, "SELECT name FROM pragma_table_info('records', 'main')").pipe(
    Effect.map((columns) => columns.length !== gptApiColumns.length),
    // A view over a table that somebody removed.
    Effect.orElseSucceed(() => true),
  )

/** Brings a file to the layout of this release, in one transaction. */
const migrate = (sql: SqlClient): Effect.Effect<void, SqlError | DatabaseFault> =>
  Effect.gen(function* () {
    const version = yield* userVersion(sql)
    if (version > layout) {
      const detail = `the file has layout ${version}, written by a later release; this one knows ${layout}`
      return yield* new DatabaseFault({ kind: "newer", detail })
    }
    if (version === layout) {
      if (yield* hasOldViews(sql)) yield* sql.withTransaction(renewViews(sql))
      return
    }
    yield* sql.withTransaction(
      Effect.gen(function* () {
        for (const step of migrations.slice(version)) yield* step(sql)
        yield* query(sql, `PRAGMA user_version = ${layout}`)
      }),
    )
  })

/** A bare connection. It is closed with the scope. */
export const connect = (path: string, busyMs: number): Effect.Effect<SqlClient, DatabaseFault, Scope.Scope> =>
  faulting(
    Effect.gen(function* () {
      yield* attempting(() => createPrivate(path))
      // WAL is switched on afterwards: the client would wait for a lock for seconds.
      const sql = yield* SqliteClient.make({ filename: path, disableWAL: true })
      yield* query(sql, `PRAGMA busy_timeout = ${busyMs}`)
      return sql
    }).pipe(Effect.provide(Reactivity.layer)),
  )

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
      yield* migrate(sql)
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
