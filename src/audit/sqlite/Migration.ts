/** Brings a file to the layout of this release, from an older one or from GPT_API's, and makes its views. */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import { columnNames, layout } from "./Columns.ts"
import { columnsIn, monthsIn, query, runAll, tablesIn, userVersion } from "./Database.ts"
import { DatabaseFault } from "./DatabaseFault.ts"
import { tableOf } from "./Months.ts"
import { addColumns, createViews, gptApiColumns, gptApiTable, lackingOf } from "./Tables.ts"

/** Writes the views of a file anew over the months that stand in it. */
export const renewViews = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    const months = yield* monthsIn(sql, schema)
    const inherited = yield* query(sql, `SELECT name FROM pragma_table_info('${gptApiTable}', '${schema}')`)
    const names = inherited.map(({ name }) => String(name))
    yield* runAll(sql, createViews(months, names.length === 0 ? undefined : names, schema))
  })

/** GPT_API's table makes way for the view of its name. */
export const inherit = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    const tables = yield* tablesIn(sql, schema)
    if (tables.includes("records") && !tables.includes(gptApiTable)) {
      yield* query(sql, `ALTER TABLE ${schema}.records RENAME TO ${gptApiTable}`)
    }
  })

/** A file of a later release is neither read nor written: what its layout means is not known here. */
export const newerLayout = (name: string, version: number): DatabaseFault =>
  new DatabaseFault({
    kind: "newer",
    detail: `${name} has layout ${version}, written by a later release; this one knows ${layout}`,
  })

/** Adds to the months of a file what their tables lack of this layout. */
const completeMonths = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    for (const month of yield* monthsIn(sql, schema)) {
      yield* runAll(sql, addColumns(month, yield* columnsIn(sql, schema, tableOf(month)), schema))
    }
  })

/** Views are no part of the layout: those that an earlier release made, over other columns, are made anew. */
const hasOldViews = (sql: SqlClient, schema: string) =>
  Effect.all([columnsIn(sql, schema, "requests"), columnsIn(sql, schema, "records")]).pipe(
    Effect.map(
      ([requests, records]) => requests.size !== columnNames.length || records.size !== gptApiColumns.length,
    ),
    // A view over a table that somebody removed.
    Effect.orElseSucceed(() => true),
  )

/** Whether any month's table lacks a column, as one does that an older release made while this one ran. */
const isComplete = (sql: SqlClient) =>
  Effect.gen(function* () {
    for (const month of yield* monthsIn(sql)) {
      if (lackingOf(yield* columnsIn(sql, "main", tableOf(month))).length > 0) return false
    }
    return true
  })

/**
 * Brings a file to the layout of this release. To be run in a transaction: a kill leaves it as it was, and what has been done already is not done
 * again. Layouts only add columns, so whoever reads or writes the file meanwhile is not disturbed.
 */
export const bringUpToDate = (sql: SqlClient, schema = "main") =>
  Effect.gen(function* () {
    yield* inherit(sql, schema)
    yield* completeMonths(sql, schema)
    yield* renewViews(sql, schema)
    yield* query(sql, `PRAGMA ${schema}.user_version = ${layout}`)
  })

/** Brings the live database to the layout of this release, where it is not of it yet. */
export const migrate = (sql: SqlClient, name: string): Effect.Effect<void, SqlError | DatabaseFault> =>
  Effect.gen(function* () {
    const version = yield* userVersion(sql)
    if (version > layout) return yield* newerLayout(name, version)
    if (version === layout && (yield* isComplete(sql)) && !(yield* hasOldViews(sql, "main"))) return
    yield* sql.withTransaction(bringUpToDate(sql))
  })
