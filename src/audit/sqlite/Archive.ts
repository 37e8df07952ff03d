/** Moves finished months out of the live database, step by step as `Rotation` says, and deletes archives that are too old. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { AuditFiles } from "../AuditUrl.ts"
import type { RotationReport } from "../AuditWriter.ts"
import { layout } from "./Columns.ts"
import { columnsIn, createPrivate, query, queryNumber, runAll, tablesIn, userVersion } from "./Database.ts"
import { attempting, type DatabaseFault, faulting } from "./DatabaseFault.ts"
import { connectLive } from "./LiveDatabase.ts"
import { bringUpToDate, newerLayout, renewViews } from "./Migration.ts"
import {
  archiveName,
  clearedTableOf,
  monthOf,
  monthOfArchive,
  monthOfClearedTable,
  monthOfTable,
  monthsBefore,
  tableOf,
} from "./Months.ts"
import { type MonthState, nextStep, type RotationStep } from "./Rotation.ts"
import { insertColumns } from "./Rows.ts"
import { createIndexes, createTable, lackingOf } from "./Tables.ts"

/** How much a step does, and what happens between two. */
export interface Pace {
  readonly rowsPerCopy: number
  readonly rowsPerClear: number
  /** Runs after every step: to let others at the lock, or to see what a crash there does. */
  readonly between: (month: string, step: RotationStep) => Effect.Effect<void, DatabaseFault>
}

/** Steps short enough that nobody waits long for a lock. */
const steadyPace: Pace = {
  rowsPerCopy: 2000,
  rowsPerClear: 500,
  between: () => Effect.sleep("10 millis"),
}

/** Nobody waits for this connection, so it may wait for others. */
const busyMs = 5000

const insertNames = insertColumns.join(", ")

const partialSuffix = ".partial"

/** The files SQLite may keep beside a database. */
const besides = ["", "-journal", "-wal", "-shm"]

const removeDatabase = (path: string) =>
  attempting(() => {
    for (const suffix of besides) rmSync(`${path}${suffix}`, { force: true })
  })

/** Makes what was done to a directory's names last. */
const syncDirectory = (path: string): void => {
  const descriptor = openSync(path, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Runs an effect with another file at hand as the schema `side`. */
const beside = <A, E, R>(sql: SqlClient, path: string, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    query(sql, "ATTACH DATABASE ? AS side", [path]),
    () => effect,
    () => Effect.ignore(faulting(query(sql, "DETACH DATABASE side"))),
  )

interface Month {
  readonly sql: SqlClient
  readonly files: AuditFiles
  readonly month: string
  readonly table: string
  readonly archive: string
  readonly partial: string
  readonly pace: Pace
}

const lastIn = (sql: SqlClient, schema: string, table: string) =>
  queryNumber(sql, `SELECT coalesce(max(seq), 0) AS n FROM ${schema}.${table}`)

const observePartial = ({ partial, sql, table }: Month) =>
  beside(
    sql,
    partial,
    Effect.gen(function* () {
      const present = yield* columnsIn(sql, "side", table)
      const version = yield* userVersion(sql, "side")
      // Killed before it had a table, it may become anything.
      if (present.size === 0) return { last: 0, sealed: false, fits: version <= layout }
      return {
        last: yield* lastIn(sql, "side", table),
        sealed: version === layout,
        fits: version <= layout && lackingOf(present).length === 0,
      }
    }),
  )

const observe = (it: Month, merged: number): Effect.Effect<MonthState, DatabaseFault> =>
  faulting(
    Effect.gen(function* () {
      const tables = yield* tablesIn(it.sql)
      return {
        live: tables.includes(it.table) ? yield* lastIn(it.sql, "main", it.table) : undefined,
        switchedOff: tables.includes(clearedTableOf(it.month)),
        partial: existsSync(it.partial) ? yield* observePartial(it) : undefined,
        archived: existsSync(it.archive),
        merged,
      }
    }),
  )

const discard = (it: Month) => removeDatabase(it.partial)

const copy = (it: Month) =>
  Effect.gen(function* () {
    const { month, pace, partial, sql, table } = it
    yield* attempting(() => createPrivate(partial))
    yield* beside(
      sql,
      partial,
      runAll(sql, [
        createTable(month, "side"),
        `INSERT INTO side.${table} (${insertNames}, seq) SELECT ${insertNames}, seq FROM main.${table}
         WHERE seq > (SELECT coalesce(max(seq), 0) FROM side.${table}) ORDER BY seq LIMIT ${pace.rowsPerCopy}`,
      ]),
    )
  })

/** Somebody may have deleted rows while they were copied, and `seq` is not given out anew: a count tells. */
const isWhole = ({ sql, table }: Month) =>
  Effect.map(
    queryNumber(
      sql,
      `SELECT (SELECT count(*) FROM side.${table}) = (SELECT count(*) FROM main.${table}) - (SELECT count(*) FROM main.${table}
       WHERE seq > (SELECT coalesce(max(seq), 0) FROM side.${table})) AS n`,
    ),
    (whole) => whole === 1,
  )

const seal = (it: Month) =>
  Effect.gen(function* () {
    const { month, partial, sql } = it
    const sealing = Effect.gen(function* () {
      yield* runAll(sql, createIndexes(month, "side"))
      if (!(yield* isWhole(it))) return false
      yield* sql.withTransaction(
        Effect.zipRight(renewViews(sql, "side"), query(sql, `PRAGMA side.user_version = ${layout}`)),
      )
      return true
    })
    if (!(yield* beside(sql, partial, sealing))) yield* discard(it)
  })

const publish = ({ archive, files, partial }: Month) =>
  attempting(() => {
    renameSync(partial, archive)
    syncDirectory(files.directory)
  })

/** An archive of an older layout, or one that GPT_API wrote, or that was emptied, gets what ours have; of a newer layout it stays as it is. */
const prepareArchive = ({ archive, month, sql, table }: Month) =>
  Effect.gen(function* () {
    const version = yield* userVersion(sql, "side")
    if (version > layout) return yield* newerLayout(basename(archive), version)
    const present = yield* columnsIn(sql, "side", table)
    if (version === layout && lackingOf(present).length === 0) return
    yield* runAll(sql, [createTable(month, "side")])
    yield* bringUpToDate(sql, "side")
    yield* runAll(sql, createIndexes(month, "side"))
  }).pipe(sql.withTransaction)

/** Answers with the last `seq` that is in the archive now. */
const merge = (it: Month, merged: number) =>
  Effect.gen(function* () {
    const { archive, pace, sql, table } = it
    const last = yield* queryNumber(
      sql,
      `SELECT max(seq) AS n FROM (SELECT seq FROM main.${table} WHERE seq > ? ORDER BY seq LIMIT ${pace.rowsPerCopy})`,
      [merged],
    )
    const merging = query(
      sql,
      `INSERT INTO side.${table} (${insertNames}) SELECT ${insertNames} FROM main.${table}
       WHERE seq > ? AND seq <= ? ORDER BY seq ON CONFLICT (record_key) DO NOTHING`,
      [merged, last],
    )
    yield* beside(sql, archive, Effect.zipRight(prepareArchive(it), merging))
    return last
  })

/** A row that came at the last moment is seen under the write lock, which the first statement takes; then nothing is switched. */
const switchOff = ({ month, sql, table }: Month, merged: number) =>
  sql.withTransaction(
    Effect.gen(function* () {
      yield* runAll(sql, ["DROP VIEW IF EXISTS main.requests", "DROP VIEW IF EXISTS main.records"])
      if ((yield* lastIn(sql, "main", table)) === merged) {
        yield* query(sql, `ALTER TABLE main.${table} RENAME TO ${clearedTableOf(month)}`)
      }
      yield* renewViews(sql)
    }),
  )

const clear = ({ month, pace, sql }: Month) =>
  Effect.gen(function* () {
    const table = clearedTableOf(month)
    const indexes = yield* query(
      sql,
      "SELECT name FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL LIMIT 1",
      [table],
    )
    const index = indexes[0]?.["name"]
    if (typeof index === "string") return yield* query(sql, `DROP INDEX main.${index}`)
    if ((yield* lastIn(sql, "main", table)) === 0) return yield* query(sql, `DROP TABLE main.${table}`)
    return yield* query(
      sql,
      `DELETE FROM main.${table} WHERE seq IN (SELECT seq FROM main.${table} ORDER BY seq LIMIT ${pace.rowsPerClear})`,
    )
  })

/** Takes a step; answers with the last `seq` known to be in the archive. */
const take = (it: Month, step: RotationStep, state: MonthState): Effect.Effect<number, DatabaseFault> => {
  switch (step) {
    case "copy":
      return faulting(Effect.as(copy(it), 0))
    case "seal":
      return faulting(Effect.as(seal(it), 0))
    case "publish":
      return faulting(Effect.as(publish(it), state.partial?.last ?? 0))
    case "merge":
      return faulting(merge(it, state.merged))
    case "switch":
      return faulting(Effect.as(switchOff(it, state.live ?? 0), state.merged))
    // What is found afterwards is another table, of which nothing is known.
    case "clear":
      return faulting(Effect.as(clear(it), 0))
    case "discard":
      return faulting(Effect.as(discard(it), state.merged))
  }
}

/** Moves one month. Answers with whether it got a new archive. */
const moveMonth = (it: Month): Effect.Effect<boolean, DatabaseFault> =>
  Effect.gen(function* () {
    let merged = 0
    let published = false
    for (;;) {
      const state = yield* observe(it, merged)
      const step = nextStep(state)
      if (step === undefined) return published
      merged = yield* take(it, step, state)
      published ||= step === "publish"
      yield* it.pace.between(it.month, step)
    }
  }).pipe(
    // A copy that fills the disk would keep rows out of the live table, and a broken one is of no use.
    Effect.tapError((fault) =>
      fault.kind === "full" || fault.kind === "corrupt" ? Effect.ignore(discard(it)) : Effect.void,
    ),
  )

/** The months before `current` that have something to be moved. */
const finishedMonths = (sql: SqlClient, files: AuditFiles, current: string) =>
  Effect.gen(function* () {
    const tables = yield* faulting(tablesIn(sql))
    const names = yield* attempting(() => readdirSync(files.directory))
    const partials = names.flatMap((name) =>
      name.endsWith(partialSuffix)
        ? (monthOfArchive(files.name, name.slice(0, -partialSuffix.length)) ?? [])
        : [],
    )
    const months = tables.flatMap((table) => monthOfTable(table) ?? monthOfClearedTable(table) ?? [])
    return [...new Set([...months, ...partials])].filter((month) => month < current).toSorted()
  })

/** The archives that are older than is kept. */
const oldArchives = (files: AuditFiles, current: string, retentionMonths: number) =>
  attempting(() => {
    if (retentionMonths <= 0) return []
    const oldest = monthsBefore(current, retentionMonths)
    return readdirSync(files.directory).filter((name) => {
      const month = monthOfArchive(files.name, name)
      return month !== undefined && month < oldest
    })
  })

const deleteOld = (files: AuditFiles, current: string, retentionMonths: number) =>
  Effect.tap(oldArchives(files, current, retentionMonths), (old) =>
    Effect.forEach(old, (name) => removeDatabase(join(files.directory, name))),
  )

/**
 * Whether `rotate` would find anything to do, in a few milliseconds; yes where that cannot be seen.
 *
 * @param now epoch milliseconds
 */
export const isRotationDue = (
  files: AuditFiles,
  now: number,
  retentionMonths: number,
): Effect.Effect<boolean> => {
  const current = monthOf(now)
  return Effect.gen(function* () {
    if ((yield* oldArchives(files, current, retentionMonths)).length > 0) return true
    // Asked in the writing thread, which waits for nobody's lock.
    const sql = yield* connectLive(files, 0)
    return (yield* finishedMonths(sql, files, current)).length > 0
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => true),
  )
}

/**
 * Moves all finished months, then deletes archives older than `retentionMonths` months before the current one (0 keeps all).
 *
 * @param now epoch milliseconds, which decide what the current month is
 */
export const rotate = (
  files: AuditFiles,
  now: number,
  retentionMonths: number,
  pace: Pace = steadyPace,
): Effect.Effect<RotationReport> => {
  const archived: Array<string> = []
  const deleted: Array<string> = []
  const current = monthOf(now)
  return Effect.gen(function* () {
    const sql = yield* connectLive(files, busyMs)
    for (const month of yield* finishedMonths(sql, files, current)) {
      const name = archiveName(files.name, month)
      const archive = join(files.directory, name)
      const it = {
        sql,
        files,
        month,
        table: tableOf(month),
        archive,
        partial: `${archive}${partialSuffix}`,
        pace,
      }
      if (yield* moveMonth(it)) archived.push(name)
    }
    deleted.push(...(yield* deleteOld(files, current, retentionMonths)))
  }).pipe(
    Effect.scoped,
    Effect.match({
      onSuccess: () => ({ archived, deleted, fault: undefined }),
      onFailure: (fault) => ({ archived, deleted, fault: fault.message }),
    }),
  )
}
