/**
 * Reads the audit, the live database and all archives as one, while the gateway writes and moves months. It changes nothing.
 *
 * Every page is a transaction of its own, so that a long export holds up neither the gateway's checkpoints nor its moving of months.
 * **A row is seen exactly once**, for three reasons. Rows are read in an order that no move changes (`started_at`, then their key), so the
 * next page begins where the last one ended, wherever its rows stand by then. A page first fixes what the live database holds and
 * only then looks for the archive: the gateway publishes an archive before it takes the month out of the live database, so what is
 * missing in one is in the other. And where a month stands in both files its rows are told apart by their keys.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { auditFiles } from "../AuditUrl.ts"
import type { SqlValue } from "../sqlite/ColumnKinds.ts"
import { columns, layout } from "../sqlite/Columns.ts"
import { query, queryNumber, tablesIn, userVersion } from "../sqlite/Database.ts"
import { attempting, DatabaseFault, faulting } from "../sqlite/DatabaseFault.ts"
import { archiveName, monthOfArchive, monthOfTable, tableOf } from "../sqlite/Months.ts"
import { gptApiTable } from "../sqlite/Tables.ts"
import { type AuditFilter, admitsMonth, type Fragment } from "./AuditFilter.ts"
import { combineAll, type Durations, type Grouping, type Tallies, type Tally } from "./AuditStats.ts"
import { AuditUnreadable, unreadable } from "./AuditUnreadable.ts"
import {
  archiveSchema,
  arrivalsQuery,
  daysOf,
  idQuery,
  idsLikeQuery,
  lastQuery,
  type Order,
  type Place,
  pageQuery,
  type Standing,
  seqQuery,
  sizeQuery,
  stepQuery,
  tallyQuery,
} from "./MonthQuery.ts"

export { AuditUnreadable } from "./AuditUnreadable.ts"

/** A column of docs/audit.md. */
export type Column = (typeof columns)[number]["name"]

/** What was read of a row; a column that was not asked for is not there. */
export type Row = Readonly<Partial<Record<Column, SqlValue>>>

export const allColumns: ReadonlyArray<Column> = columns.map(({ name }) => name)

/** All but what may be large. */
export const briefColumns: ReadonlyArray<Column> = allColumns.filter(
  (name) => name !== "headers" && name !== "request" && name !== "response",
)

export interface Reader {
  /** At most `limit` rows, the newest first, without headers and bodies. */
  readonly list: (filter: AuditFilter, limit: number) => Stream.Stream<Row, AuditUnreadable>
  /** All rows with an `id`, the newest first; more than one where clients chose the same. */
  readonly show: (id: string) => Effect.Effect<ReadonlyArray<Row>, AuditUnreadable>
  /** Some ids that begin or end so: the first, and enough others to see that it is not the only one. */
  readonly idsLike: (part: string) => Effect.Effect<ReadonlyArray<string>, AuditUnreadable>
  /** About how many rows GPT_API wrote, which only the view `records` has. */
  readonly inherited: Effect.Effect<number, AuditUnreadable>
  readonly stats: (filter: AuditFilter, by: Grouping) => Effect.Effect<Tallies, AuditUnreadable>
  /** All rows, the oldest first, whole. Memory is bounded by a page of them. */
  readonly export: (filter: AuditFilter) => Stream.Stream<Row, AuditUnreadable>
  /**
   * The last `count` rows, the oldest first, and then every other in the order they are written down, a chunk whenever there are
   * some. Goes on until it is interrupted, also when the database is away for a while.
   */
  readonly follow: (filter: AuditFilter, count: number) => Stream.Stream<Row, AuditUnreadable>
}

/** Rows of a page without bodies, and with them: these may be some MB each. */
const briefPage = 512
const wholePage = 64

/** A month of no more rows than this is counted by one query. */
const talliedAtOnce = 100_000

/** New rows looked at in one go. */
const arrivalsPage = 1000

const followInterval = "1 second"

/** A lock is waited for this long within SQLite, where it keeps everything else from running, and so often besides. */
const busyMs = 20
const retries = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(40))

const decoder = new TextDecoder()

/** A value of ours as it is, and whatever else somebody put there as text. */
const valueOf = (value: unknown): SqlValue =>
  typeof value === "string" || typeof value === "number"
    ? value
    : value instanceof Uint8Array
      ? decoder.decode(value)
      : value === null || value === undefined
        ? null
        : String(value)

interface Found {
  readonly row: Row
  readonly place: Place
}

const rowOf = (names: ReadonlyArray<Column>, raw: Readonly<Record<string, unknown>>): Row => {
  const row: Partial<Record<Column, SqlValue>> = {}
  for (const name of names) row[name] = valueOf(raw[name])
  return row
}

const foundOf =
  (names: ReadonlyArray<Column>) =>
  (raw: Readonly<Record<string, unknown>>): Found => ({
    row: rowOf(names, raw),
    place: { startedAt: String(raw["started_at"]), key: String(raw["record_key"]) },
  })

const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

const durationsOf = (json: unknown): Durations => {
  const durations = new Map<number, number>()
  const list: unknown = typeof json === "string" ? JSON.parse(json) : []
  for (const ms of Array.isArray(list) ? list : []) {
    if (typeof ms === "number") durations.set(ms, (durations.get(ms) ?? 0) + 1)
  }
  return durations
}

const tallyOf = (raw: Readonly<Record<string, unknown>>): Tally => ({
  requests: numberOf(raw["requests"]) ?? 0,
  errors: numberOf(raw["errors"]) ?? 0,
  rejected: numberOf(raw["rejected"]) ?? 0,
  promptTokens: numberOf(raw["prompt_tokens"]),
  completionTokens: numberOf(raw["completion_tokens"]),
  cachedTokens: numberOf(raw["cached_tokens"]),
  latencies: durationsOf(raw["latencies"]),
  ttfts: durationsOf(raw["ttfts"]),
})

const tooNew = (version: number) =>
  new DatabaseFault({
    kind: "newer",
    detail: `its layout is ${version}, and this release knows ${layout}`,
  })

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
    if (version > layout) return yield* tooNew(version)
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

interface Source {
  readonly sql: SqlClient
  readonly directory: string
  readonly name: string
}

const archivePath = ({ directory, name }: Source, month: string) => join(directory, archiveName(name, month))

/** Attaches a month's archive, if there is one with rows of ours in it. Retention may delete it at any time. */
const attachArchive = (source: Source, month: string) =>
  Effect.gen(function* () {
    const { sql } = source
    const path = archivePath(source, month)
    if (!existsSync(path)) return false
    const attached = yield* query(sql, `ATTACH DATABASE ? AS ${archiveSchema}`, [path]).pipe(
      Effect.as(true),
      Effect.catchAll((error) => (existsSync(path) ? Effect.fail(error) : Effect.succeed(false))),
    )
    if (!attached) return false
    const version = yield* userVersion(sql, archiveSchema)
    if (version > layout) return yield* tooNew(version)
    return (yield* tablesIn(sql, archiveSchema)).includes(tableOf(month))
  })

/** Runs a query on what the files hold at one moment; where a file is locked, again. */
const atOneMoment = <A, E>(source: Source, effect: Effect.Effect<A, E>): Effect.Effect<A, DatabaseFault> =>
  source.sql
    .withTransaction(effect)
    .pipe(
      Effect.ensuring(Effect.ignore(faulting(query(source.sql, `DETACH DATABASE ${archiveSchema}`)))),
      faulting,
      Effect.retry({ schedule: retries, while: ({ kind }) => kind === "locked" }),
    )

/** Asks one month, wherever it stands. The live database is looked at first: see above. */
const askMonth = <A>(
  source: Source,
  month: string,
  question: (standing: Standing) => Fragment,
  answer: (rows: ReadonlyArray<Readonly<Record<string, unknown>>>) => A,
) =>
  atOneMoment(
    source,
    Effect.gen(function* () {
      const live = (yield* tablesIn(source.sql)).includes(tableOf(month))
      const archived = yield* attachArchive(source, month)
      if (!live && !archived) return answer([])
      const { text, values } = question({ month, live, archived })
      return answer(yield* query(source.sql, text, values))
    }),
  )

/** All months there are, in order; the live database first here too. */
const monthsOf = ({ directory, name, sql }: Source): Effect.Effect<ReadonlyArray<string>, DatabaseFault> =>
  Effect.gen(function* () {
    const live = (yield* faulting(tablesIn(sql))).flatMap((table) => monthOfTable(table) ?? [])
    const files = yield* attempting(() => readdirSync(directory))
    const archived = files.flatMap((file) => monthOfArchive(name, file) ?? [])
    return [...new Set([...live, ...archived])].toSorted()
  })

/** The rows of one month a filter admits, page by page. */
const monthRows = (
  source: Source,
  month: string,
  filter: AuditFilter,
  names: ReadonlyArray<Column>,
  order: Order,
  pageSize: number,
): Stream.Stream<Found, DatabaseFault> =>
  Stream.paginateChunkEffect(Option.none<Place>(), (after) =>
    askMonth(
      source,
      month,
      (standing) => pageQuery(standing, filter, names, order, Option.getOrUndefined(after), pageSize),
      (rows) => {
        const page = Chunk.fromIterable(rows.map(foundOf(names)))
        const last = rows.length < pageSize ? Option.none() : Chunk.last(page)
        return [page, Option.map(last, ({ place }) => Option.some(place))] as const
      },
    ),
  )

const rowsOf = (
  source: Source,
  filter: AuditFilter,
  names: ReadonlyArray<Column>,
  order: Order,
  pageSize: number,
): Stream.Stream<Found, DatabaseFault> =>
  monthsOf(source).pipe(
    Effect.map((months) => months.filter((month) => admitsMonth(filter, month))),
    Effect.map((months) => Stream.fromIterable(order === "newest" ? months.toReversed() : months)),
    Stream.unwrap,
    Stream.flatMap((month) => monthRows(source, month, filter, names, order, pageSize)),
  )

const list = (source: Source, filter: AuditFilter, limit: number) =>
  Stream.take(rowsOf(source, filter, briefColumns, "newest", Math.min(limit, briefPage)), limit)

const show = (source: Source, id: string) =>
  Effect.gen(function* () {
    const rows: Array<Row> = []
    for (const month of (yield* monthsOf(source)).toReversed()) {
      const found = yield* askMonth(
        source,
        month,
        (standing) => idQuery(standing, allColumns, id),
        (raw) => raw.map((one) => rowOf(allColumns, one)),
      )
      rows.push(...found)
    }
    return rows
  })

/** More candidates than these are not told. */
const mostIds = 5

const idsLike = (source: Source, part: string) =>
  Effect.gen(function* () {
    const ids = new Set<string>()
    for (const month of (yield* monthsOf(source)).toReversed()) {
      const found = yield* askMonth(
        source,
        month,
        (standing) => idsLikeQuery(standing, part, mostIds),
        (raw) => raw.map(({ id }) => String(id)),
      )
      for (const id of found) ids.add(id)
      if (ids.size >= mostIds) break
    }
    return [...ids].slice(0, mostIds)
  })

/** `max(rowid)`, for rows of GPT_API's are never deleted one by one, and counting would read them all. */
const inherited = ({ sql }: Source) =>
  Effect.flatMap(tablesIn(sql), (tables) =>
    tables.includes(gptApiTable)
      ? queryNumber(sql, `SELECT max(rowid) AS n FROM main.${gptApiTable}`)
      : Effect.succeed(0),
  )

const talliesOf = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>): Tallies =>
  new Map(rows.map((raw) => [raw["grouped"] === null ? undefined : String(raw["grouped"]), tallyOf(raw)]))

/** A month of many rows is counted day by day, so that no query takes long or holds much. */
const stats = (source: Source, filter: AuditFilter, by: Grouping, rowsAtOnce: number) =>
  Effect.gen(function* () {
    let tallies: Tallies = new Map()
    const months = (yield* monthsOf(source)).filter((month) => admitsMonth(filter, month))
    for (const month of months) {
      const size = yield* askMonth(source, month, sizeQuery, (rows) => numberOf(rows[0]?.["n"]) ?? 0)
      for (const slice of size <= rowsAtOnce ? [filter] : daysOf(filter, month)) {
        const question = (standing: Standing) => tallyQuery(standing, slice, by)
        tallies = combineAll(tallies, yield* askMonth(source, month, question, talliesOf))
        // The queries never wait, so nothing else would run before the last.
        yield* Effect.yieldNow()
      }
    }
    return tallies
  })

/** The last row of a table that was seen. */
interface Seen {
  readonly seq: number
  readonly key: string
}

/** By month, in the live tables; a month nothing was seen of is not in it. */
type Positions = ReadonlyMap<string, Seen>

const seenOf = (rows: ReadonlyArray<Readonly<Record<string, unknown>>>): Seen | undefined => {
  const seq = numberOf(rows[0]?.["seq"])
  return seq === undefined ? undefined : { seq, key: String(rows[0]?.["record_key"]) }
}

const liveMonths = (sql: SqlClient) =>
  Effect.map(tablesIn(sql), (tables) => tables.flatMap((table) => monthOfTable(table) ?? []).toSorted())

/** Where the tables end now. */
const positionsNow = (source: Source): Effect.Effect<Positions, DatabaseFault> =>
  atOneMoment(
    source,
    Effect.gen(function* () {
      const positions = new Map<string, Seen>()
      for (const month of yield* liveMonths(source.sql)) {
        const last = seenOf(yield* query(source.sql, lastQuery(month)))
        if (last !== undefined) positions.set(month, last)
      }
      return positions
    }),
  )

interface Arrivals {
  readonly found: ReadonlyArray<Found>
  /** `undefined` where there was nothing new. */
  readonly last: Seen | undefined
}

const arrivalsIn = (source: Source, schema: string, month: string, filter: AuditFilter, after: number) =>
  Effect.gen(function* () {
    const step = stepQuery(schema, month, after, arrivalsPage)
    const last = seenOf(yield* query(source.sql, step.text, step.values))
    if (last === undefined) return { found: [], last }
    const { text, values } = arrivalsQuery(schema, month, filter, briefColumns, after, last.seq)
    return { found: (yield* query(source.sql, text, values)).map(foundOf(briefColumns)), last }
  })

const seqOf = (sql: SqlClient, schema: string, month: string, key: string) =>
  queryNumber(sql, seqQuery(schema, month), [key])

/**
 * What arrived in a month since `seen`. Rows stand in an archive in the order they arrived in, so where the last one seen has moved
 * there, the next ones are behind it; once there is none, `seen` is forgotten and all that a new live table holds is new.
 */
const arrivalsOf = (source: Source, month: string, filter: AuditFilter, seen: Seen | undefined) =>
  Effect.gen(function* () {
    const { sql } = source
    const live = (yield* tablesIn(sql)).includes(tableOf(month))
    const inLive = (after: number) =>
      live
        ? arrivalsIn(source, "main", month, filter, after)
        : Effect.succeed<Arrivals>({ found: [], last: undefined })
    if (seen === undefined) return { ...(yield* inLive(0)), before: undefined }
    if (live && (yield* seqOf(sql, "main", month, seen.key)) === seen.seq) {
      return { ...(yield* inLive(seen.seq)), before: seen }
    }
    const moved = (yield* attachArchive(source, month))
      ? yield* seqOf(sql, archiveSchema, month, seen.key)
      : 0
    if (moved > 0) {
      const behind = yield* arrivalsIn(source, archiveSchema, month, filter, moved)
      return behind.last === undefined
        ? { ...(yield* inLive(0)), before: undefined }
        : { ...behind, before: seen }
    }
    // Somebody deleted that row, or put another database in the place of this.
    const end = live ? seenOf(yield* query(sql, lastQuery(month))) : undefined
    const goesOn = end !== undefined && end.seq >= seen.seq
    return { ...(yield* inLive(goesOn ? seen.seq : 0)), before: goesOn ? seen : undefined }
  })

/** What arrived in all months since the positions, some of it at least, and where it ends. */
const arrivals = (source: Source, filter: AuditFilter, positions: Positions) =>
  Effect.gen(function* () {
    const months = new Set([...positions.keys(), ...(yield* faulting(liveMonths(source.sql)))])
    const found: Array<Found> = []
    const next = new Map<string, Seen>()
    let more = false
    for (const month of [...months].toSorted()) {
      const {
        before,
        found: some,
        last,
      } = yield* atOneMoment(source, arrivalsOf(source, month, filter, positions.get(month)))
      found.push(...some)
      const end = last ?? before
      if (end !== undefined) next.set(month, end)
      more ||= last !== undefined
    }
    return { found, positions: next, more }
  })

interface Following {
  readonly positions: Positions
  /** Rows that were given out before `positions` was taken. */
  readonly known: ReadonlySet<string>
  /** There may be more to be had at once. */
  readonly more: boolean
}

/** Opens the audit for one question; its file may be another by the next. */
const opening = <A>(
  path: string,
  question: (source: Source) => Effect.Effect<A, DatabaseFault>,
): Effect.Effect<A, AuditUnreadable> =>
  connect(path).pipe(
    Effect.flatMap((sql) => Effect.mapError(question(sourceOf(path, sql)), unreadable(path))),
    Effect.scoped,
  )

const follow = (path: string, filter: AuditFilter, count: number): Stream.Stream<Row, AuditUnreadable> => {
  const beginning = opening(path, (source) =>
    Effect.gen(function* () {
      const positions = yield* positionsNow(source)
      const newest = yield* Stream.runCollect(
        rowsOf(source, filter, briefColumns, "newest", Math.max(1, Math.min(count, briefPage))).pipe(
          Stream.take(count),
        ),
      )
      const known = new Set(Chunk.map(newest, ({ place }) => place.key))
      return [Chunk.reverse(newest), { positions, known, more: false } satisfies Following] as const
    }),
  )
  const poll = (following: Following) =>
    Effect.zipRight(
      following.more ? Effect.yieldNow() : Effect.sleep(followInterval),
      opening(path, (source) => arrivals(source, filter, following.positions)),
    ).pipe(
      Effect.map(({ found, more, positions }) => {
        const fresh = found.filter(({ place }) => !following.known.has(place.key))
        const known: ReadonlySet<string> = more ? following.known : new Set()
        return [Chunk.fromIterable(fresh), Option.some({ positions, known, more })] as const
      }),
      // It is being replaced, or held: it may be back the next time.
      Effect.catchIf(
        ({ reason }) => reason === "absent" || reason === "busy" || reason === "unfinished",
        () => Effect.succeed([Chunk.empty<Found>(), Option.some({ ...following, more: false })] as const),
      ),
    )
  return Stream.unwrap(
    Effect.map(beginning, ([newest, following]) =>
      Stream.concat(Stream.fromChunk(newest), Stream.paginateChunkEffect(following, poll)),
    ),
  ).pipe(Stream.map(({ row }) => row))
}

const sourceOf = (path: string, sql: SqlClient): Source => {
  const { directory, name } = auditFiles(path)
  return { sql, directory, name }
}

/**
 * Opens the audit whose live database (or whose single archive) is the file at `path`. It is closed with the scope.
 *
 * @param rowsAtOnce rows of a month above which statistics take it a day at a time
 */
export const openReader = (
  path: string,
  rowsAtOnce: number = talliedAtOnce,
): Effect.Effect<Reader, AuditUnreadable, Scope.Scope> =>
  Effect.map(connect(path), (sql) => {
    const source = sourceOf(path, sql)
    const explained = unreadable(path)
    const rows = (stream: Stream.Stream<Found, DatabaseFault>) =>
      stream.pipe(
        Stream.map(({ row }) => row),
        Stream.mapError(explained),
      )
    return {
      list: (filter, limit) => rows(list(source, filter, limit)),
      show: (id) => Effect.mapError(show(source, id), explained),
      idsLike: (part) => Effect.mapError(idsLike(source, part), explained),
      inherited: Effect.mapError(faulting(inherited(source)), explained),
      stats: (filter, by) => Effect.mapError(stats(source, filter, by, rowsAtOnce), explained),
      export: (filter) => rows(rowsOf(source, filter, allColumns, "oldest", wholePage)),
      follow: (filter, count) => follow(path, filter, count),
    }
  })
