/**
 * Reads the audit, the live database and all archives as one, while the gateway writes and moves months. It changes nothing.
 *
 * Every page is a transaction of its own, so that a long export holds up neither the gateway's checkpoints nor its moving of months.
 * **A row is seen exactly once**, for three reasons. Rows are read in an order that no move changes (`Pages`). What is missing in the live database is in
 * the archive, which is looked for afterwards (`AuditSource`). And where a month stands in both files its rows are told apart by their keys (`MonthQuery`).
 *
 * Files may have an older layout than this release: what their rows lack is NULL.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type DatabaseFault, faulting } from "../sqlite/DatabaseFault.ts"
import type { AuditFilter } from "./AuditFilter.ts"
import { inherited, openSource } from "./AuditSource.ts"
import { type Grouping, reportOf, type StatsReport, type Tallies } from "./AuditStats.ts"
import { type AuditUnreadable, unreadable } from "./AuditUnreadable.ts"
import { stats } from "./Counting.ts"
import { follow } from "./Following.ts"
import type { Found, Row } from "./FoundRow.ts"
import { called, exported, list, show } from "./Pages.ts"
import { page } from "./Paging.ts"
import type { PageAsked, RowPage, Shown } from "./ReadQuestion.ts"

export interface Reader {
  /** The archives that the answers so far are without, as they cannot be read. */
  readonly leftOut: () => ReadonlyArray<AuditUnreadable>
  /** At most `limit` rows, the newest first, without headers and bodies. */
  readonly list: (filter: AuditFilter, limit: number) => Stream.Stream<Row, AuditUnreadable>
  /** Some rows, from a place on, in bounded time. */
  readonly page: (asked: PageAsked) => Effect.Effect<RowPage, AuditUnreadable>
  /** All rows with an `id`, the newest first; more than one where clients chose the same. */
  readonly show: (id: string) => Effect.Effect<ReadonlyArray<Row>, AuditUnreadable>
  /** The requests of this id, else those of the one id that begins or ends so. */
  readonly called: (id: string) => Effect.Effect<Shown, AuditUnreadable>
  /** About how many rows GPT_API wrote, which only the view `records` has. */
  readonly inherited: Effect.Effect<number, AuditUnreadable>
  readonly stats: (filter: AuditFilter, by: Grouping) => Effect.Effect<Tallies, AuditUnreadable>
  /** The same as numbers to be shown. Where the time for it is over, what was counted until then. */
  readonly report: (
    filter: AuditFilter,
    by: Grouping,
    budgetMs: number,
  ) => Effect.Effect<StatsReport, AuditUnreadable>
  /** All rows, the oldest first, whole. Memory is bounded by a page of them. */
  readonly export: (filter: AuditFilter) => Stream.Stream<Row, AuditUnreadable>
  /**
   * The last `count` rows, the oldest first, and then every other in the order they are written down, a chunk whenever there are
   * some. Goes on until it is interrupted, also when the database is away for a while.
   */
  readonly follow: (filter: AuditFilter, count: number) => Stream.Stream<Row, AuditUnreadable>
}

/** A month of no more rows than this is counted by one query. */
const talliedAtOnce = 100_000

/**
 * Opens the audit whose live database (or whose single archive) is the file at `path`. It is closed with the scope.
 *
 * @param rowsAtOnce rows of a month above which statistics take it a day at a time
 */
export const openReader = (
  path: string,
  rowsAtOnce: number = talliedAtOnce,
): Effect.Effect<Reader, AuditUnreadable, Scope.Scope> =>
  Effect.map(openSource(path), (source) => {
    const explained = unreadable(path)
    const rows = (stream: Stream.Stream<Found, DatabaseFault>) =>
      stream.pipe(
        Stream.map(({ row }) => row),
        Stream.mapError(explained),
      )
    const counted = (filter: AuditFilter, by: Grouping, budgetMs: number) =>
      Effect.mapError(stats(source, filter, by, { rowsAtOnce, budgetMs }), explained)
    return {
      leftOut: () => [...source.leftOut.values()],
      list: (filter, limit) => rows(list(source, filter, limit)),
      show: (id) => Effect.mapError(show(source, id), explained),
      called: (id) => Effect.mapError(called(source, id), explained),
      inherited: Effect.mapError(faulting(inherited(source)), explained),
      stats: (filter, by) =>
        Effect.map(counted(filter, by, Number.POSITIVE_INFINITY), ({ tallies }) => tallies),
      report: (filter, by, budgetMs) =>
        Effect.map(counted(filter, by, budgetMs), ({ isComplete, tallies }) =>
          reportOf(tallies, by, isComplete),
        ),
      page: (asked) => Effect.mapError(page(source, asked), explained),
      export: (filter) => rows(exported(source, filter)),
      follow: (filter, count) => follow(path, filter, count),
    }
  })
