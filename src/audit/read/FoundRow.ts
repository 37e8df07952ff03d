/** Rows as they are read: of a query's result, what each column held, whoever wrote it. */
import type { SqlValue } from "../sqlite/ColumnKinds.ts"
import { type ColumnName, columns } from "../sqlite/Columns.ts"
import type { Durations, Tallies, Tally } from "./AuditStats.ts"
import type { RowPlace } from "./MonthQuery.ts"

/** What was read of a row; a column that was not asked for is not there. */
export type Row = Readonly<Partial<Record<ColumnName, SqlValue>>>

/** All but what may be large. */
export const briefColumns: ReadonlyArray<ColumnName> = columns
  .filter(({ isLarge }) => !isLarge)
  .map(({ name }) => name)

/** A row of a query's result, by column. */
export type RawRow = Readonly<Record<string, unknown>>

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

/** A row, and where it stands among the others. */
export interface Found {
  readonly row: Row
  readonly place: RowPlace
}

export const rowOf = (names: ReadonlyArray<ColumnName>, raw: RawRow): Row => {
  const row: Partial<Record<ColumnName, SqlValue>> = {}
  for (const name of names) row[name] = valueOf(raw[name])
  return row
}

export const foundOf =
  (names: ReadonlyArray<ColumnName>) =>
  (raw: RawRow): Found => ({
    row: rowOf(names, raw),
    place: { startedAt: String(raw["started_at"]), key: String(raw["record_key"]) },
  })

export const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined

const durationsOf = (json: unknown): Durations => {
  const durations = new Map<number, number>()
  const list: unknown = typeof json === "string" ? JSON.parse(json) : []
  for (const ms of Array.isArray(list) ? list : []) {
    if (typeof ms === "number") durations.set(ms, (durations.get(ms) ?? 0) + 1)
  }
  return durations
}

const tallyOf = (raw: RawRow): Tally => ({
  requests: numberOf(raw["requests"]) ?? 0,
  errors: numberOf(raw["errors"]) ?? 0,
  rejected: numberOf(raw["rejected"]) ?? 0,
  promptTokens: numberOf(raw["prompt_tokens"]),
  completionTokens: numberOf(raw["completion_tokens"]),
  cachedTokens: numberOf(raw["cached_tokens"]),
  reasoningTokens: numberOf(raw["reasoning_tokens"]),
  latencies: durationsOf(raw["latencies"]),
  ttfts: durationsOf(raw["ttfts"]),
})

export const talliesOf = (rows: ReadonlyArray<RawRow>): Tallies =>
  new Map(rows.map((raw) => [raw["grouped"] === null ? undefined : String(raw["grouped"]), tallyOf(raw)]))
