/** Statistics by group; a table ends with those of all requests together. */
import type { Grouping, GroupStats } from "../../audit/read/AuditStats.ts"
import type { SqlValue } from "../../audit/sqlite/ColumnKinds.ts"
import { csvLine } from "../../terminal/Csv.ts"
import { printableJson } from "../../terminal/Printable.ts"
import { count, duration } from "../../terminal/Quantity.ts"
import type { Cell, TableColumn } from "../../terminal/Table.ts"
import { type Appearance, type Format, fitting } from "./Rendering.ts"

/** As they go to machines. */
const fieldsOf = (by: Grouping, stats: GroupStats): ReadonlyArray<readonly [string, SqlValue]> => [
  [by, stats.group ?? null],
  ["requests", stats.requests],
  ["errors", stats.errors],
  ["error_rate", Math.round(stats.errorRate * 1e6) / 1e6],
  ["rejected", stats.rejected],
  ["prompt_tokens", stats.promptTokens ?? null],
  ["completion_tokens", stats.completionTokens ?? null],
  ["cached_tokens", stats.cachedTokens ?? null],
  ["latency_p50_ms", stats.latencyP50 ?? null],
  ["latency_p95_ms", stats.latencyP95 ?? null],
  ["ttft_p50_ms", stats.ttftP50 ?? null],
  ["ttft_p95_ms", stats.ttftP95 ?? null],
]

const right = (title: string): TableColumn => ({ title, align: "right", longest: 12 })

/** Days and hours are UTC: a database holds them in order by that. */
const titleOf = (by: Grouping): string =>
  by === "day" || by === "hour" ? `${by.toUpperCase()} (UTC)` : by.toUpperCase()

const columnsOf = (by: Grouping): ReadonlyArray<TableColumn> => [
  { title: titleOf(by), align: "left", longest: 40, least: 12 },
  ...[
    "REQUESTS",
    "ERRORS",
    "ERR %",
    "REJECTED",
    "TOK IN",
    "OUT",
    "CACHED",
    "P50",
    "P95",
    "TTFT P50",
    "P95",
  ].map(right),
]

const counted = (number: number | undefined) => (number === undefined ? undefined : count(number))
const timed = (ms: number | undefined) => (ms === undefined ? undefined : duration(ms))

const cellsOf = (stats: GroupStats): ReadonlyArray<Cell> => [
  stats.group,
  String(stats.requests),
  stats.errors === 0 ? "0" : { text: String(stats.errors), shade: "red" },
  `${(stats.errorRate * 100).toFixed(1)}%`,
  String(stats.rejected),
  counted(stats.promptTokens),
  counted(stats.completionTokens),
  counted(stats.cachedTokens),
  timed(stats.latencyP50),
  timed(stats.latencyP95),
  timed(stats.ttftP50),
  timed(stats.ttftP95),
]

export const statsPage = (
  format: Format,
  by: Grouping,
  groups: ReadonlyArray<GroupStats>,
  all: GroupStats,
  look: Pick<Appearance, "isTerminal" | "paint" | "room" | "wide">,
): string => {
  switch (format) {
    case "table": {
      const rows = [...groups, { ...all, group: "(all)" }]
      const [, text] = fitting(columnsOf(by), cellsOf, look).rows(undefined, rows)
      return text
    }
    case "json":
      return groups
        .map((group) => `${printableJson(JSON.stringify(Object.fromEntries(fieldsOf(by, group))))}\n`)
        .join("")
    case "csv": {
      const lines = groups.map((group) =>
        csvLine(
          fieldsOf(by, group).map(([, value]) => value),
          look.isTerminal,
        ),
      )
      return [
        csvLine(
          fieldsOf(by, all).map(([name]) => name),
          look.isTerminal,
        ),
        ...lines,
      ].join("")
    }
  }
}
