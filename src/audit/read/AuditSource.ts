/**
 * The files of an audit, open for reading: the live database, and beside it the archive of the month that is asked.
 *
 * A question first fixes what the live database holds and only then looks for the archive: the gateway publishes an archive before it takes the month
 * out of the live database, so what is missing in one is in the other.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { auditFiles } from "../AuditUrl.ts"
import { layout } from "../sqlite/Columns.ts"
import { columnsIn, query, queryNumber, tablesIn, userVersion } from "../sqlite/Database.ts"
import { attempting, type DatabaseFault, faulting } from "../sqlite/DatabaseFault.ts"
import { newerLayout } from "../sqlite/Migration.ts"
import { archiveName, monthOfArchive, monthOfTable, tableOf } from "../sqlite/Months.ts"
import { gptApiTable } from "../sqlite/Tables.ts"
import type { Fragment } from "./AuditFilter.ts"
import { AuditUnreadable, unreadable } from "./AuditUnreadable.ts"
import type { RawRow } from "./FoundRow.ts"
import { archiveSchema, liveSchema, type MonthTable, type Standing } from "./MonthQuery.ts"

/** A lock is waited for this long within SQLite, where it keeps everything else from running, and so often besides. */
const busyMs = 20
const retries = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(40))

const codeOf = (cause: unknown): unknown =>
  typeof cause === "object" && cause !== null ? Reflect.get(cause, "code") : undefined

/** Whether the file may be read, and if not, whether it is missing or others keep it to themselves. */
const whyNot = (path: string): "absent" | "forbidden" | undefined => {
  try {
    accessSync(path, constants.R_OK)
    return undefined
  } catch (cause) {
    return codeOf(cause) === "EACCES" || codeOf(cause) === "EPERM" ? "forbidden" : "absent"
  }
}

/** What there is to do about a file that GPT_API wrote. Its archives stay as they are; what it wrote last is taken over. */
const ofGptApi = (path: string): string =>
  /_\d{6}(?:_\d+)?\.[^.]*$/.test(basename(path))
    ? "GPT_API wrote it, and it stays as it is: read its table `records` with sqlite3"
    : "GPT_API wrote it; the gateway takes it over when it starts with AUDIT_URL naming it"

/** A connection that can change nothing, to a database whose layout is known. */
const connect = (path: string): Effect.Effect<SqlClient, AuditUnreadable, Scope.Scope> =>
  Effect.gen(function* () {
    const reason = whyNot(path)
    if (reason !== undefined) return yield* new AuditUnreadable({ path, reason, detail: undefined })
    const sql = yield* SqliteClient.make({ filename: path, readonly: true, disableWAL: true }).pipe(
      Effect.provide(Reactivity.layer),
      faulting,
    )
    yield* faulting(query(sql, `PRAGMA busy_timeout = ${busyMs}`))
    const version = yield* faulting(userVersion(sql))
    if (version > layout) return yield* newerLayout(basename(path), version)
    if (version === 0) {
      const detail = (yield* faulting(tablesIn(sql))).includes("records") ? ofGptApi(path) : undefined
      return yield* new AuditUnreadable({ path, reason: "foreign", detail })
    }
    return sql
  }).pipe(
    Effect.retry({
      schedule: retries,
      while: (error) => error._tag === "DatabaseFault" && error.kind === "locked",
    }),
    Effect.catchTag("DatabaseFault", (fault) => Effect.fail(unreadable(path)(fault))),
  )

export interface AuditSource {
  readonly sql: SqlClient
  readonly directory: string
  readonly name: string
  /** The archives that could not be read, by their path, each found when its month was asked; grows. */
  readonly leftOut: Map<string, AuditUnreadable>
}

const archivePath = ({ directory, name }: AuditSource, month: string) =>
  join(directory, archiveName(name, month))

/** A month's table in one of the files, if it stands there. */
const tableIn = (sql: SqlClient, schema: string, month: string) =>
  Effect.map(columnsIn(sql, schema, tableOf(month)), (present): MonthTable | undefined =>
    present.size === 0 ? undefined : { schema, month, present },
  )

export const liveTable = ({ sql }: AuditSource, month: string) => tableIn(sql, liveSchema, month)

/** Attaches an archive whose layout is known. Retention may delete it at any time. */
const attach = (sql: SqlClient, path: string): Effect.Effect<boolean, DatabaseFault> =>
  Effect.gen(function* () {
    yield* query(sql, `ATTACH DATABASE ? AS ${archiveSchema}`, [path])
    const version = yield* userVersion(sql, archiveSchema)
    return version > layout ? yield* newerLayout(basename(path), version) : true
  }).pipe(
    faulting,
    Effect.catchAll((fault) => (existsSync(path) ? Effect.fail(fault) : Effect.succeed(false))),
  )

/** Attaches a month's archive, if there is one with rows of ours in it. One that cannot be read is left out, for the other months can. */
export const attachArchive = (source: AuditSource, month: string) =>
  Effect.gen(function* () {
    const path = archivePath(source, month)
    const reason = whyNot(path)
    if (reason === "absent") return undefined
    if (reason !== undefined) return yield* new AuditUnreadable({ path, reason, detail: undefined })
    const isAttached = yield* attach(source.sql, path).pipe(
      Effect.catchIf(
        ({ kind }) => kind !== "locked",
        (fault) => Effect.fail(unreadable(path)(fault)),
      ),
    )
    return isAttached ? yield* tableIn(source.sql, archiveSchema, month) : undefined
  }).pipe(
    Effect.catchTag("AuditUnreadable", (why) => Effect.sync(() => void source.leftOut.set(why.path, why))),
    Effect.map((table): MonthTable | undefined => table ?? undefined),
  )

/** Runs a query on what the files hold at one moment; where a file is locked, again. */
export const atOneMoment = <A, E>(
  source: AuditSource,
  effect: Effect.Effect<A, E>,
): Effect.Effect<A, DatabaseFault> =>
  source.sql
    .withTransaction(effect)
    .pipe(
      Effect.ensuring(Effect.ignore(faulting(query(source.sql, `DETACH DATABASE ${archiveSchema}`)))),
      faulting,
      Effect.retry({ schedule: retries, while: ({ kind }) => kind === "locked" }),
    )

/** Asks one month, wherever it stands. The live database is looked at first: see above. */
export const askMonth = <A>(
  source: AuditSource,
  month: string,
  question: (standing: Standing) => Fragment,
  answer: (rows: ReadonlyArray<RawRow>) => A,
) =>
  atOneMoment(
    source,
    Effect.gen(function* () {
      const live = yield* liveTable(source, month)
      const archived = yield* attachArchive(source, month)
      if (live === undefined && archived === undefined) return answer([])
      const { text, values } = question({ live, archived })
      return answer(yield* query(source.sql, text, values))
    }),
  )

/** All months there are, in order; the live database first here too. */
export const monthsOf = ({
  directory,
  name,
  sql,
}: AuditSource): Effect.Effect<ReadonlyArray<string>, DatabaseFault> =>
  Effect.gen(function* () {
    const live = (yield* faulting(tablesIn(sql))).flatMap((table) => monthOfTable(table) ?? [])
    const files = yield* attempting(() => readdirSync(directory))
    const archived = files.flatMap((file) => monthOfArchive(name, file) ?? [])
    return [...new Set([...live, ...archived])].toSorted()
  })

/** `max(rowid)`, for rows of GPT_API's are never deleted one by one, and counting would read them all. */
export const inherited = ({ sql }: AuditSource) =>
  Effect.flatMap(tablesIn(sql), (tables) =>
    tables.includes(gptApiTable)
      ? queryNumber(sql, `SELECT max(rowid) AS n FROM main.${gptApiTable}`)
      : Effect.succeed(0),
  )

/** Opens the audit at a path. It is closed with the scope. */
export const openSource = (path: string): Effect.Effect<AuditSource, AuditUnreadable, Scope.Scope> =>
  Effect.map(connect(path), (sql) => {
    const { directory, name } = auditFiles(path)
    return { sql, directory, name, leftOut: new Map() }
  })
