/**
 * A page of rows that somebody waits for. What a filter passes over may be long: it is looked through in stretches, and where the time for that is over
 * the page says how far it came, so that the next one goes on from there.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type ColumnName, columnNames } from "../sqlite/Columns.ts"
import type { DatabaseFault } from "../sqlite/DatabaseFault.ts"
import { monthOfStart } from "../sqlite/Months.ts"
import { type AuditFilter, admitsMonth, isSelective } from "./AuditFilter.ts"
import { type AuditSource, askMonth, monthsOf } from "./AuditSource.ts"
import { briefColumns, type Found, foundOf } from "./FoundRow.ts"
import { type Order, pageQuery, type RowPlace, stretchQuery } from "./MonthQuery.ts"
import type { PageAsked, RowPage } from "./ReadQuestion.ts"

/** Rows of the first stretch, of the longest, and of the shortest. */
const firstStretch = 4_000
const longestStretch = 64_000
const shortestStretch = 500

/** How many rows are looked through next, after so many took so long: twice as many, as far as the time that is left is likely to do. */
export const nextStretch = (rows: number, tookMs: number, leftMs: number): number =>
  Math.max(
    shortestStretch,
    Math.min(longestStretch, rows * 2, Math.floor((rows * leftMs) / Math.max(1, tookMs))),
  )

/** What is beyond all rows of an instant. */
const pastAll = (startedAt: string, order: Order): RowPlace => ({
  startedAt,
  key: order === "newest" ? "" : "\u{10ffff}",
})

/** The filter, up to the end of a stretch, which belongs to it. */
const withinStretch = (filter: AuditFilter, end: string | undefined, order: Order): AuditFilter => {
  if (end === undefined) return filter
  const at = Date.parse(end)
  return order === "newest" ? { ...filter, since: at } : { ...filter, until: at + 1 }
}

/** Mutable on purpose: one page, as it fills. */
class FillingPage {
  readonly #source: AuditSource
  readonly #asked: PageAsked
  readonly #names: ReadonlyArray<ColumnName>
  readonly #endsAt: number
  readonly #found: Array<Found> = []
  #after: RowPlace | undefined
  #stretch = firstStretch

  constructor(source: AuditSource, asked: PageAsked, endsAt: number) {
    this.#source = source
    this.#asked = asked
    this.#names = asked.whole ? columnNames : briefColumns
    this.#endsAt = endsAt
    this.#after = asked.after
  }

  /** All months from the place on, until the page is full or the time is over. */
  fill(): Effect.Effect<RowPage, DatabaseFault> {
    return Effect.gen(this, function* () {
      const { after, filter, order } = this.#asked
      const from = after === undefined ? undefined : monthOfStart(after.startedAt)
      const months = (yield* monthsOf(this.#source)).filter(
        (month) =>
          admitsMonth(filter, month) &&
          (from === undefined || (order === "newest" ? month <= from : month >= from)),
      )
      for (const month of order === "newest" ? months.toReversed() : months) {
        if (!(yield* this.#fillFrom(month))) return this.#page(this.#after?.startedAt)
        if (this.#isFull) break
      }
      return this.#page(undefined)
    })
  }

  get #isFull(): boolean {
    return this.#found.length >= this.#asked.limit
  }

  #page(searchedTo: string | undefined): RowPage {
    const last = this.#found.at(-1)?.place
    return {
      rows: this.#found.map(({ row }) => row),
      next: this.#isFull ? last : searchedTo === undefined ? undefined : this.#after,
      searchedTo: this.#isFull ? undefined : searchedTo,
    }
  }

  /** What one month adds; false where the time was over before its end. */
  #fillFrom(month: string): Effect.Effect<boolean, DatabaseFault> {
    return Effect.gen(this, function* () {
      for (;;) {
        const began = yield* Clock.currentTimeMillis
        const end = yield* this.#endOfStretch(month)
        yield* this.#read(month, end)
        if (this.#isFull || end === undefined) return true
        this.#after = pastAll(end, this.#asked.order)
        const now = yield* Clock.currentTimeMillis
        if (now >= this.#endsAt) return false
        this.#stretch = nextStretch(this.#stretch, now - began, this.#endsAt - now)
        yield* Effect.yieldNow()
      }
    })
  }

  /** Nothing where the rest of the month is one stretch, as it is where every row is wanted. */
  #endOfStretch(month: string): Effect.Effect<string | undefined, DatabaseFault> {
    const { filter, order } = this.#asked
    if (!isSelective(filter)) return Effect.succeed(undefined)
    return askMonth(
      this.#source,
      month,
      (standing) => stretchQuery(standing, filter, order, this.#after, this.#stretch),
      ([row]) => (row === undefined ? undefined : String(row["started_at"])),
    )
  }

  #read(month: string, end: string | undefined): Effect.Effect<void, DatabaseFault> {
    const { filter, limit, order } = this.#asked
    const stretch = withinStretch(filter, end, order)
    return askMonth(
      this.#source,
      month,
      (standing) => pageQuery(standing, stretch, this.#names, order, this.#after, limit - this.#found.length),
      (rows) => void this.#found.push(...rows.map(foundOf(this.#names))),
    )
  }
}

/** A page of rows, in some order. */
export const page = (source: AuditSource, asked: PageAsked): Effect.Effect<RowPage, DatabaseFault> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    new FillingPage(source, asked, now + asked.budgetMs).fill(),
  )
