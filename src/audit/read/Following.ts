/** Rows as they arrive: in the order they are written down, also while their month moves into its archive. */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { query, queryNumber, tablesIn } from "../sqlite/Database.ts"
import { type DatabaseFault, faulting } from "../sqlite/DatabaseFault.ts"
import { monthOfTable } from "../sqlite/Months.ts"
import type { AuditFilter } from "./AuditFilter.ts"
import { type AuditSource, atOneMoment, attachArchive, liveTable, openSource } from "./AuditSource.ts"
import { type AuditUnreadable, unreadable } from "./AuditUnreadable.ts"
import { briefColumns, type Found, foundOf, numberOf, type RawRow, type Row } from "./FoundRow.ts"
import { arrivalsQuery, lastQuery, type MonthTable, seqQuery, stepQuery } from "./MonthQuery.ts"
import { list } from "./Pages.ts"

/** New rows looked at in one go. */
const arrivalsPage = 1000

const followInterval = "1 second"

/** The last row of a table that was seen. */
interface Seen {
  readonly seq: number
  readonly key: string
}

/** By month, in the live tables; a month nothing was seen of is not in it. */
type Positions = ReadonlyMap<string, Seen>

const seenOf = (rows: ReadonlyArray<RawRow>): Seen | undefined => {
  const seq = numberOf(rows[0]?.["seq"])
  return seq === undefined ? undefined : { seq, key: String(rows[0]?.["record_key"]) }
}

const liveMonths = (sql: SqlClient) =>
  Effect.map(tablesIn(sql), (tables) => tables.flatMap((table) => monthOfTable(table) ?? []).toSorted())

/** Where the tables end now. */
const positionsNow = (source: AuditSource): Effect.Effect<Positions, DatabaseFault> =>
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

const arrivalsIn = (source: AuditSource, table: MonthTable, filter: AuditFilter, after: number) =>
  Effect.gen(function* () {
    const step = stepQuery(table, after, arrivalsPage)
    const last = seenOf(yield* query(source.sql, step.text, step.values))
    if (last === undefined) return { found: [], last }
    const { text, values } = arrivalsQuery(table, filter, briefColumns, after, last.seq)
    return { found: (yield* query(source.sql, text, values)).map(foundOf(briefColumns)), last }
  })

const seqOf = (sql: SqlClient, table: MonthTable, key: string) => queryNumber(sql, seqQuery(table), [key])

/**
 * What arrived in a month since `seen`. Rows stand in an archive in the order they arrived in, so where the last one seen has moved
 * there, the next ones are behind it; once there is none, `seen` is forgotten and all that a new live table holds is new.
 */
const arrivalsOf = (source: AuditSource, month: string, filter: AuditFilter, seen: Seen | undefined) =>
  Effect.gen(function* () {
    const { sql } = source
    const live = yield* liveTable(source, month)
    const inLive = (after: number) =>
      live === undefined
        ? Effect.succeed<Arrivals>({ found: [], last: undefined })
        : arrivalsIn(source, live, filter, after)
    if (seen === undefined) return { ...(yield* inLive(0)), before: undefined }
    if (live !== undefined && (yield* seqOf(sql, live, seen.key)) === seen.seq) {
      return { ...(yield* inLive(seen.seq)), before: seen }
    }
    const archived = yield* attachArchive(source, month)
    const moved = archived === undefined ? 0 : yield* seqOf(sql, archived, seen.key)
    if (archived !== undefined && moved > 0) {
      const behind = yield* arrivalsIn(source, archived, filter, moved)
      return behind.last === undefined
        ? { ...(yield* inLive(0)), before: undefined }
        : { ...behind, before: seen }
    }
    // Somebody deleted that row, or put another database in the place of this.
    const end = live === undefined ? undefined : seenOf(yield* query(sql, lastQuery(month)))
    const goesOn = end !== undefined && end.seq >= seen.seq
    return { ...(yield* inLive(goesOn ? seen.seq : 0)), before: goesOn ? seen : undefined }
  })

/** What arrived in all months since the positions, some of it at least, and where it ends. */
const arrivals = (source: AuditSource, filter: AuditFilter, positions: Positions) =>
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
  question: (source: AuditSource) => Effect.Effect<A, DatabaseFault>,
): Effect.Effect<A, AuditUnreadable> =>
  openSource(path).pipe(
    Effect.flatMap((source) => Effect.mapError(question(source), unreadable(path))),
    Effect.scoped,
  )

/** The last `count` rows, the oldest first, then every other as it is written down. */
export const follow = (
  path: string,
  filter: AuditFilter,
  count: number,
): Stream.Stream<Row, AuditUnreadable> => {
  const beginning = opening(path, (source) =>
    Effect.gen(function* () {
      const positions = yield* positionsNow(source)
      const newest = yield* Stream.runCollect(list(source, filter, count))
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
