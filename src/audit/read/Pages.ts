/**
 * Rows, page by page, in an order that no move of a month changes (`started_at`, then their key): the next page begins where the last one ended,
 * wherever its rows stand by then.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type ColumnName, columnNames } from "../sqlite/Columns.ts"
import type { DatabaseFault } from "../sqlite/DatabaseFault.ts"
import { type AuditFilter, admitsMonth } from "./AuditFilter.ts"
import { type AuditSource, askMonth, monthsOf } from "./AuditSource.ts"
import { briefColumns, type Found, foundOf, type Row, rowOf } from "./FoundRow.ts"
import { idQuery, idsLikeQuery, type Order, pageQuery, type RowPlace } from "./MonthQuery.ts"
import type { Shown } from "./ReadQuestion.ts"

/** Rows of a page without bodies, and with them: these may be some MB each. */
const briefPage = 512
const wholePage = 64

/** The rows of one month a filter admits, page by page. */
const monthRows = (
  source: AuditSource,
  month: string,
  filter: AuditFilter,
  names: ReadonlyArray<ColumnName>,
  order: Order,
  pageSize: number,
): Stream.Stream<Found, DatabaseFault> =>
  Stream.paginateChunkEffect(Option.none<RowPlace>(), (after) =>
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
  source: AuditSource,
  filter: AuditFilter,
  names: ReadonlyArray<ColumnName>,
  order: Order,
  pageSize: number,
): Stream.Stream<Found, DatabaseFault> =>
  monthsOf(source).pipe(
    Effect.map((months) => months.filter((month) => admitsMonth(filter, month))),
    Effect.map((months) => Stream.fromIterable(order === "newest" ? months.toReversed() : months)),
    Stream.unwrap,
    Stream.flatMap((month) => monthRows(source, month, filter, names, order, pageSize)),
  )

/** At most `limit` rows, the newest first, without what is large. */
export const list = (source: AuditSource, filter: AuditFilter, limit: number) =>
  Stream.take(rowsOf(source, filter, briefColumns, "newest", Math.max(1, Math.min(limit, briefPage))), limit)

/** All rows, the oldest first, whole. */
export const exported = (source: AuditSource, filter: AuditFilter) =>
  rowsOf(source, filter, columnNames, "oldest", wholePage)

/** All rows with an `id`, the newest first. */
export const show = (source: AuditSource, id: string) =>
  Effect.gen(function* () {
    const rows: Array<Row> = []
    for (const month of (yield* monthsOf(source)).toReversed()) {
      const found = yield* askMonth(
        source,
        month,
        (standing) => idQuery(standing, columnNames, id),
        (raw) => raw.map((one) => rowOf(columnNames, one)),
      )
      rows.push(...found)
    }
    return rows
  })

/** More candidates than these are not told. */
const mostIds = 5

/** Some ids that begin or end so: the first, and enough others to see that it is not the only one. */
const idsLike = (source: AuditSource, part: string) =>
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

/** Shorter ones fit too much. */
const shortestPart = 4

/** The requests of this id, else those of the one id that begins or ends so. */
export const called = (source: AuditSource, id: string): Effect.Effect<Shown, DatabaseFault> =>
  Effect.gen(function* () {
    const exact = yield* show(source, id)
    if (exact.length > 0 || id.length < shortestPart) return { rows: exact, similar: [] }
    const [only, ...others] = yield* idsLike(source, id)
    if (only === undefined) return { rows: [], similar: [] }
    return others.length > 0
      ? { rows: [], similar: [only, ...others] }
      : { rows: yield* show(source, only), similar: [] }
  })
