/** How rows and statistics look, as a table, as JSON and as CSV: text in, text out. */
import * as Either from "effect/Either"
import type { Grouping, GroupStats } from "../../audit/AuditStats.ts"
import type { SqlValue } from "../../audit/AuditTable.ts"
import type { Column, Row } from "../../audit/Reader.ts"
import { printable, printableJson, printableLines } from "../../terminal/Printable.ts"
import { layOut, type TableColumn, titlesOf } from "../../terminal/Table.ts"
import { csvLine } from "../Csv.ts"

export type Format = "table" | "json" | "csv"

/** Writes rows a few at a time. */
export interface Rendering<A> {
  /** What stands before the first row, also where there is none. */
  readonly heading: string
  /** The next rows, and the widths of the columns so far: none before the first. */
  readonly rows: (
    widths: ReadonlyArray<number>,
    rows: ReadonlyArray<A>,
  ) => readonly [widths: ReadonlyArray<number>, text: string]
}

const byLine = <A>(heading: string, line: (row: A) => string): Rendering<A> => ({
  heading,
  rows: (widths, rows) => [widths, rows.map(line).join("")],
})

/** The titles come with the first rows, so that both are aligned. */
const aligned = <A>(
  columns: ReadonlyArray<TableColumn>,
  cells: (row: A) => ReadonlyArray<string | undefined>,
): Rendering<A> => ({
  heading: "",
  rows: (widths, rows) => {
    const titles = widths.length === 0 ? [titlesOf(columns)] : []
    const [lines, next] = layOut(columns, widths, [...titles, ...rows.map(cells)])
    return [next, lines.map((line) => `${line}\n`).join("")]
  },
})

const text = (value: SqlValue | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value)

const whole = (value: SqlValue | undefined): string | undefined =>
  typeof value === "number" ? Math.round(value).toString() : text(value)

/** What some text says in JSON, else the text. */
const parsed = (json: string): unknown =>
  Either.getOrElse(
    Either.try((): unknown => JSON.parse(json)),
    () => json,
  )

const countOf = (json: SqlValue | undefined): string | undefined => {
  const list = typeof json === "string" ? parsed(json) : undefined
  return Array.isArray(list) ? String(list.length) : undefined
}

const left = (title: string, longest = 40): TableColumn => ({ title, align: "left", longest })
const right = (title: string): TableColumn => ({ title, align: "right", longest: 40 })

const listColumns = [
  left("STARTED"),
  right("STATUS"),
  left("OUTCOME"),
  left("MODEL"),
  left("UPSTREAM"),
  right("ATTEMPTS"),
  right("IN"),
  right("OUT"),
  right("TTFT"),
  right("LATENCY"),
  left("IP"),
  // Whole, for it is what `show` is asked with.
  left("ID", 4096),
]

const listCells = (row: Row): ReadonlyArray<string | undefined> => [
  text(row.started_at),
  text(row.status),
  text(row.outcome),
  text(row.model),
  text(row.upstream),
  countOf(row.attempts),
  text(row.prompt_tokens),
  text(row.completion_tokens),
  whole(row.ttft_ms),
  whole(row.latency_ms),
  text(row.client_ip),
  text(row.id),
]

/** Columns that hold JSON of ours; bodies are what callers and upstreams sent, cut perhaps, and stay text. */
const ours: ReadonlySet<Column> = new Set<Column>(["attempts", "headers"])

const rowJson = (names: ReadonlyArray<Column>, row: Row): string => {
  const entries = names.map((name) => {
    const value = row[name] ?? null
    return [name, ours.has(name) && typeof value === "string" ? parsed(value) : value]
  })
  return printableJson(JSON.stringify(Object.fromEntries(entries)))
}

/** Rows of the audit, with these columns where they are for machines. */
export const rowsRendering = (format: Format, names: ReadonlyArray<Column>): Rendering<Row> => {
  switch (format) {
    case "table":
      return aligned(listColumns, listCells)
    case "json":
      return byLine("", (row) => `${rowJson(names, row)}\n`)
    case "csv":
      return byLine(csvLine(names), (row) => csvLine(names.map((name) => row[name] ?? null)))
  }
}

const bodies: ReadonlySet<Column> = new Set<Column>(["headers", "request", "response"])

const body = (value: string): string => {
  const content = parsed(value)
  return printableLines(typeof content === "string" ? value : JSON.stringify(content, undefined, 2))
}

/** One row for people: a line a column, what is unknown left out, and below them what takes more than a line. */
export const rowPage = (names: ReadonlyArray<Column>, row: Row): string => {
  const known = names.flatMap((name) => {
    const value = text(row[name])
    return value === undefined ? [] : [[name, value] as const]
  })
  const width = Math.max(...names.map(({ length }) => length))
  const lines = known
    .filter(([name]) => !bodies.has(name))
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}\n`)
  const blocks = known
    .filter(([name]) => bodies.has(name))
    .map(([name, value]) => `\n${name}:\n${body(value)}\n`)
  return [...lines, ...blocks].join("")
}

/** The statistics of a group as they go to machines. */
const statsFields = (by: Grouping, stats: GroupStats): ReadonlyArray<readonly [string, SqlValue]> => [
  [by, stats.group ?? null],
  ["requests", stats.requests],
  ["errors", stats.errors],
  ["error_rate", Math.round(stats.errorRate * 1e6) / 1e6],
  ["prompt_tokens", stats.promptTokens ?? null],
  ["completion_tokens", stats.completionTokens ?? null],
  ["cached_tokens", stats.cachedTokens ?? null],
  ["latency_p50_ms", stats.latencyP50 ?? null],
  ["latency_p95_ms", stats.latencyP95 ?? null],
  ["ttft_p50_ms", stats.ttftP50 ?? null],
  ["ttft_p95_ms", stats.ttftP95 ?? null],
]

const statsColumns = (by: Grouping): ReadonlyArray<TableColumn> => [
  left(by.toUpperCase()),
  ...["REQUESTS", "ERRORS", "RATE", "IN", "OUT", "CACHED", "P50", "P95", "TTFT P50", "TTFT P95"].map(right),
]

const statsCells = (stats: GroupStats): ReadonlyArray<string | undefined> => [
  stats.group,
  String(stats.requests),
  String(stats.errors),
  `${(stats.errorRate * 100).toFixed(1)}%`,
  text(stats.promptTokens),
  text(stats.completionTokens),
  text(stats.cachedTokens),
  text(stats.latencyP50),
  text(stats.latencyP95),
  text(stats.ttftP50),
  text(stats.ttftP95),
]

/** Statistics by group; a table ends with those of all requests together. */
export const statsPage = (
  format: Format,
  by: Grouping,
  groups: ReadonlyArray<GroupStats>,
  all: GroupStats,
): string => {
  switch (format) {
    case "table": {
      const [, text] = aligned(statsColumns(by), statsCells).rows([], [...groups, { ...all, group: "(all)" }])
      return text
    }
    case "json":
      return groups
        .map((group) => `${printableJson(JSON.stringify(Object.fromEntries(statsFields(by, group))))}\n`)
        .join("")
    case "csv": {
      const lines = groups.map((group) => csvLine(statsFields(by, group).map(([, value]) => value)))
      return [csvLine(statsFields(by, all).map(([name]) => name)), ...lines].join("")
    }
  }
}
