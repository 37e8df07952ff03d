/** Statements on a file of the audit, and a connection to it: created for its owner alone. */
import { closeSync, openSync, statSync } from "node:fs"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { attempting, type DatabaseFault, faulting } from "./DatabaseFault.ts"
import { monthOfTable } from "./Months.ts"

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

/** The columns of a table; none where there is no such table. */
export const columnsIn = (sql: SqlClient, schema: string, table: string) =>
  Effect.map(
    query(sql, "SELECT name FROM pragma_table_info(?, ?)", [table, schema]),
    (rows): ReadonlySet<string> => new Set(rows.map(({ name }) => String(name))),
  )

/** The months whose tables stand in a file, in order. */
export const monthsIn = (sql: SqlClient, schema = "main") =>
  Effect.map(tablesIn(sql, schema), (tables) =>
    tables.flatMap((table) => monthOfTable(table) ?? []).toSorted(),
  )

/** The layout of a file. */
export const userVersion = (sql: SqlClient, schema = "main") =>
  Effect.map(query(sql, `PRAGMA ${schema}.user_version`), (rows) => Number(rows[0]?.["user_version"] ?? 0))

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
