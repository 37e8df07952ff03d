/** The SQL that reads one month, wherever its rows stand: in the live database, in its archive, or, while it moves, in both. */
import * as Predicate from "effect/Predicate"
import { tableOf } from "../sqlite/Months.ts"
import { readFrom } from "../sqlite/Tables.ts"
import { type AuditFilter, conditionOf, every, everything, type Fragment } from "./AuditFilter.ts"
import type { Grouping } from "./AuditStats.ts"

/** The schema of the live database, and the one an archive is attached as. */
export const liveSchema = "main"
export const archiveSchema = "archive"

/** A month's table in one of the files, with the columns it has: those of an older layout have fewer. */
export interface MonthTable {
  readonly schema: string
  readonly month: string
  readonly present: ReadonlySet<string>
}

/** Where a month's rows stand. */
export interface Standing {
  readonly live: MonthTable | undefined
  readonly archived: MonthTable | undefined
}

/** `newest` first or `oldest` first; requests of the same millisecond in the order of their keys. */
export type Order = "newest" | "oldest"

/** A row's place in an order. */
export interface RowPlace {
  readonly startedAt: string
  readonly key: string
}

const nameOf = ({ month, schema }: MonthTable): string => `${schema}.${tableOf(month)}`

/** The table as if it were of this layout. */
const whole = ({ month, present, schema }: MonthTable, hint?: string): string =>
  readFrom(schema, month, present, hint)

/**
 * The rows of a month that a condition admits, each once: a row that stands in both files is taken from the live one. Which of the
 * two is asked about the other's keys does not matter to the answer; the live table always has the index on them.
 */
const selectionOf = ({ archived, live }: Standing, names: string, condition: Fragment): Fragment => {
  const from = (table: MonthTable) => `SELECT ${names} FROM ${whole(table)} AS kept WHERE ${condition.text}`
  const parts = [
    ...(live === undefined ? [] : [from(live)]),
    ...(archived === undefined
      ? []
      : live === undefined
        ? [from(archived)]
        : [
            `${from(archived)} AND NOT EXISTS (SELECT 1 FROM ${nameOf(live)} AS live WHERE live.record_key = kept.record_key)`,
          ]),
  ]
  return { text: parts.join(" UNION ALL "), values: parts.flatMap(() => condition.values) }
}

/** What lies beyond a place. It takes the filter's bound on that side along, for SQLite would use only one of two. */
const beyond = (filter: AuditFilter, order: Order, place: RowPlace | undefined): Fragment => {
  if (place === undefined) return conditionOf(filter)
  const { key, startedAt } = place
  const sign = order === "newest" ? "<" : ">"
  return every([
    {
      text: `started_at ${sign}= ? AND (started_at ${sign} ? OR record_key ${sign} ?)`,
      values: [startedAt, startedAt, key],
    },
    conditionOf(order === "newest" ? { ...filter, until: undefined } : { ...filter, since: undefined }),
  ])
}

/** A page of a month, from a place on. Columns beside `names`: `record_key`. */
export const pageQuery = (
  standing: Standing,
  filter: AuditFilter,
  names: ReadonlyArray<string>,
  order: Order,
  after: RowPlace | undefined,
  limit: number,
): Fragment => {
  const selection = selectionOf(standing, [...names, "record_key"].join(", "), beyond(filter, order, after))
  const direction = order === "newest" ? "DESC" : "ASC"
  return {
    text: `${selection.text} ORDER BY started_at ${direction}, record_key ${direction} LIMIT ?`,
    values: [...selection.values, limit],
  }
}

/**
 * How far a stretch of so many rows reaches from a place on, whatever the filter makes of them, as `started_at`; no row where the month ends before.
 * The index has it.
 */
export const stretchQuery = (
  standing: Standing,
  { since, until }: AuditFilter,
  order: Order,
  after: RowPlace | undefined,
  rows: number,
): Fragment => {
  const time = { ...everything, since, until }
  const { text, values } = selectionOf(standing, "started_at", beyond(time, order, after))
  const direction = order === "newest" ? "DESC" : "ASC"
  return {
    text: `SELECT started_at FROM (${text}) ORDER BY started_at ${direction} LIMIT 1 OFFSET ?`,
    values: [...values, rows],
  }
}

/** The rows of one `id`, which callers may choose and so use twice. */
export const idQuery = (standing: Standing, names: ReadonlyArray<string>, id: string): Fragment => {
  const selection = selectionOf(standing, names.join(", "), { text: "id = ?", values: [id] })
  return { ...selection, text: `${selection.text} ORDER BY started_at DESC` }
}

/** At most `limit` of the ids that begin or end with `part`; an index holds them all. */
export const idsLikeQuery = (standing: Standing, part: string, limit: number): Fragment => {
  const like = {
    text: "(substr(id, 1, length(?)) = ? OR substr(id, -length(?)) = ?)",
    values: [part, part, part, part],
  }
  const { text, values } = selectionOf(standing, "id", like)
  return { text: `SELECT DISTINCT id FROM (${text}) LIMIT ?`, values: [...values, limit] }
}

const groupOf: Readonly<Record<Grouping, string>> = {
  model: "model",
  upstream: "upstream",
  key: "key_fingerprint",
  ip: "client_ip",
  endpoint: "endpoint",
  status: "status",
  outcome: "outcome",
  day: "substr(started_at, 1, 10)",
  hour: "substr(started_at, 1, 13)",
}

const counted = [
  "started_at",
  "model",
  "upstream",
  "status",
  "outcome",
  "client_ip",
  "endpoint",
  "key_fingerprint",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "latency_ms",
  "ttft_ms",
].join(", ")

/**
 * Whole milliseconds, rounded as `Math.round` does. As JSON: sorting rows for a histogram in SQL takes twice as long. What was refused at
 * once and lists of models would make the rest look fast.
 */
const durations = (column: string) =>
  `json_group_array(CAST(${column} + 0.5 AS INTEGER))
    FILTER (WHERE ${column} IS NOT NULL AND outcome <> 'rejected' AND endpoint <> 'models')`

/** Token counts come from upstreams, and a sum of integers that overflows would fail. */
const sum = (column: string) => `sum(${column} + 0.0)`

/** The tallies of what a filter admits, a row a group. A client that left is nobody's error, and what was refused is its sender's. */
export const tallyQuery = (standing: Standing, filter: AuditFilter, by: Grouping): Fragment => {
  const { text, values } = selectionOf(standing, counted, conditionOf(filter))
  return {
    text: `SELECT ${groupOf[by]} AS grouped, count(*) AS requests,
      sum(outcome NOT IN ('ok', 'client_closed', 'rejected')) AS errors, sum(outcome = 'rejected') AS rejected,
      ${sum("prompt_tokens")} AS prompt_tokens, ${sum("completion_tokens")} AS completion_tokens,
      ${sum("cached_tokens")} AS cached_tokens, ${sum("reasoning_tokens")} AS reasoning_tokens,
      ${durations("latency_ms")} AS latencies, ${durations("ttft_ms")} AS ttfts
      FROM (${text}) GROUP BY 1`,
    values,
  }
}

/** About how many rows a month has, as `n`, and no less: rows that were deleted count, and those in both files twice. */
export const sizeQuery = (standing: Standing): Fragment => {
  const last = (table: string) => `coalesce((SELECT max(seq) FROM ${table}), 0)`
  const tables = [standing.live, standing.archived].filter(Predicate.isNotUndefined)
  return { text: `SELECT ${tables.map(nameOf).map(last).join(" + ")} AS n`, values: [] }
}

const dayMs = 86_400_000

/** What a filter admits of a month, cut at midnights. */
export const daysOf = (filter: AuditFilter, month: string): ReadonlyArray<AuditFilter> => {
  const year = Number(month.slice(0, 4))
  const index = Number(month.slice(5, 7)) - 1
  const first = Math.max(Date.UTC(year, index, 1), filter.since ?? 0)
  const end = Math.min(Date.UTC(year, index + 1, 1), filter.until ?? Number.POSITIVE_INFINITY)
  const days: Array<AuditFilter> = []
  for (let since = first; since < end; ) {
    const until = Math.min(end, (Math.floor(since / dayMs) + 1) * dayMs)
    days.push({ ...filter, since, until })
    since = until
  }
  return days
}

/** The `seq` of the row with a key, as `n`. */
export const seqQuery = (table: MonthTable): string =>
  `SELECT seq AS n FROM ${nameOf(table)} WHERE record_key = ?`

/** The last row of a table, as `seq` and `record_key`. */
export const lastQuery = (month: string): string =>
  `SELECT seq, record_key FROM main.${tableOf(month)} ORDER BY seq DESC LIMIT 1`

/** The last of the next so many rows after a `seq`, as `seq` and `record_key`. */
export const stepQuery = (table: MonthTable, after: number, rows: number): Fragment => ({
  text: `SELECT seq, record_key FROM (SELECT seq, record_key FROM ${nameOf(table)} WHERE seq > ? ORDER BY seq LIMIT ?)
    ORDER BY seq DESC LIMIT 1`,
  values: [after, rows],
})

/** What arrived in a table after a `seq`, up to another, in the order it arrived. Columns beside `names`: `record_key`. */
export const arrivalsQuery = (
  table: MonthTable,
  filter: AuditFilter,
  names: ReadonlyArray<string>,
  after: number,
  upTo: number,
): Fragment => {
  const { text, values } = conditionOf(filter)
  // Few rows are new, and `seq` finds them: NOT INDEXED leaves only that way.
  const rows = whole(table, "NOT INDEXED")
  return {
    text: `SELECT ${names.join(", ")}, record_key FROM ${rows} WHERE seq > ? AND seq <= ? AND ${text} ORDER BY seq`,
    values: [after, upTo, ...values],
  }
}
