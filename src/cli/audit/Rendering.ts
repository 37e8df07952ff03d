/** How rows look as a table, as JSON and as CSV: text in, text out. Tables are for people; the others hold every value as it is, in UTC. */
import * as Either from "effect/Either"
import type { Row } from "../../audit/read/FoundRow.ts"
import type { SqlValue } from "../../audit/sqlite/ColumnKinds.ts"
import { type ColumnName, columns } from "../../audit/sqlite/Columns.ts"
import type { Paint, Shade } from "../../terminal/Colour.ts"
import { csvLine } from "../../terminal/Csv.ts"
import { printableJson } from "../../terminal/Printable.ts"
import { count, dayAndTime, duration, instant, type Zone } from "../../terminal/Quantity.ts"
import { type Cell, layOut, roomy, type TableColumn, titlesOf, widthsFor } from "../../terminal/Table.ts"

export type Format = "table" | "json" | "csv"

/** Writes rows a few at a time. */
export interface Rendering<A> {
  /** What stands before the first row, also where there is none. */
  readonly heading: string
  /** The next rows, and the widths of the columns, which the first rows decide. */
  readonly rows: (
    widths: ReadonlyArray<number> | undefined,
    rows: ReadonlyArray<A>,
  ) => readonly [widths: ReadonlyArray<number> | undefined, text: string]
}

/** What a table may look like. */
export interface Appearance {
  readonly zone: Zone
  /** All columns, nothing cut. */
  readonly wide: boolean
  readonly paint: Paint
  readonly room: number
  /** Whether it goes to a terminal. */
  readonly isTerminal: boolean
}

const byLine = <A>(heading: string, line: (row: A) => string): Rendering<A> => ({
  heading,
  rows: (widths, rows) => [widths, rows.map(line).join("")],
})

/** The titles come with the first rows, so that both are aligned. */
export const aligned = <A>(
  columns: ReadonlyArray<TableColumn>,
  cells: (row: A) => ReadonlyArray<Cell>,
  { paint, room }: Pick<Appearance, "paint" | "room">,
): Rendering<A> => ({
  heading: "",
  rows: (known, rows) => {
    const body = rows.map(cells)
    const widths = known ?? widthsFor(columns, body, room)
    const lines = [
      ...(known === undefined ? layOut(columns, widths, [titlesOf(columns)], paint) : []),
      ...layOut(columns, widths, body, paint),
    ]
    return [widths, lines.map((line) => `${line.trimEnd()}\n`).join("")]
  },
})

/** The same, whole where that is wished, or nobody's terminal has to hold it. */
export const fitting = <A>(
  columns: ReadonlyArray<TableColumn>,
  cells: (row: A) => ReadonlyArray<Cell>,
  { isTerminal, paint, room, wide }: Pick<Appearance, "isTerminal" | "paint" | "room" | "wide">,
): Rendering<A> =>
  wide || !isTerminal
    ? aligned(roomy(columns), cells, { paint, room: Number.POSITIVE_INFINITY })
    : aligned(columns, cells, { paint, room })

export const text = (value: SqlValue | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value)

/** What some text says in JSON, else the text. */
export const parsed = (json: string): unknown =>
  Either.getOrElse(
    Either.try((): unknown => JSON.parse(json)),
    () => json,
  )

const isJson = (text: string): boolean => Either.isRight(Either.try((): unknown => JSON.parse(text)))

const triesOf = (json: SqlValue | undefined): number => {
  const list = typeof json === "string" ? parsed(json) : undefined
  return Array.isArray(list) ? list.length : 0
}

const counted = (value: SqlValue | undefined) => (typeof value === "number" ? count(value) : text(value))
export const timed = (value: SqlValue | undefined) =>
  typeof value === "number" ? duration(value) : text(value)

/** The outcome in a word, where the status does not say it. */
const brief: Readonly<Record<string, string>> = {
  ok: "",
  upstream_error: "upstream",
  client_closed: "left",
  rejected: "rejected",
  stream_broken: "broken",
}

export const shadeOf = (status: SqlValue | undefined, outcome: SqlValue | undefined): Shade =>
  outcome === "client_closed"
    ? "dim"
    : Number(status) >= 500 || outcome === "stream_broken"
      ? "red"
      : Number(status) >= 400
        ? "yellow"
        : "green"

const statusCell = ({ outcome, status }: Row): Cell => {
  const known = text(outcome) ?? ""
  const word = brief[known] ?? known
  return {
    text: [text(status) ?? "", word].filter((part) => part !== "").join(" "),
    shade: shadeOf(status, outcome),
  }
}

/** Who answered, or was asked last, and by which try. */
const upstreamCell = ({ attempts, upstream }: Row): Cell => {
  const name = text(upstream)
  const tries = triesOf(attempts)
  return name === undefined || tries < 2 ? name : `${name} (${tries})`
}

/** How many of an id's last characters tell it from others; the first ones of a UUIDv7 are the time. */
const shortId = (id: string): string => [...id].slice(-8).join("")

const shortened = (value: SqlValue | undefined, shorten: (text: string) => string): Cell => {
  const known = text(value)
  return known === undefined ? undefined : shorten(known)
}

const dateOf = (value: SqlValue | undefined): Date => new Date(String(value))

/** An instant of ours as the zone has it; what is none stays as it is. */
const timeCell =
  (show: (date: Date, zone: Zone) => string, zone: Zone) =>
  ({ started_at }: Row): Cell => {
    const date = dateOf(started_at)
    return Number.isNaN(date.getTime()) ? text(started_at) : show(date, zone)
  }

/** Most requests are chats: two words for one would take the room of others. */
const endpointCell = ({ endpoint }: Row): Cell => text(endpoint)?.replace("chat.completions", "chat")

type ListColumn = readonly [TableColumn, (row: Row) => Cell]

const left = (title: string, longest = 40, least?: number): TableColumn => ({
  title,
  align: "left",
  longest,
  ...(least === undefined ? {} : { least }),
})
const right = (title: string, longest = 40, least?: number): TableColumn => ({
  ...left(title, longest, least),
  align: "right",
})

/** Whole, whatever it is: columns of `--wide`. */
const unbounded = Number.POSITIVE_INFINITY

const listColumns = (zone: Zone): ReadonlyArray<ListColumn> => [
  [left(zone === "utc" ? "TIME (UTC)" : "TIME", 14), timeCell(dayAndTime, zone)],
  [left("STATUS", 12, 12), statusCell],
  [left("ENDPOINT", 40, 8), endpointCell],
  [left("MODEL", 40, 10), ({ model }) => text(model)],
  [left("UPSTREAM", 40, 8), upstreamCell],
  [right("TOK IN", 6, 6), ({ prompt_tokens }) => counted(prompt_tokens)],
  [right("OUT", 6, 5), ({ completion_tokens }) => counted(completion_tokens)],
  [right("TOOK", 6, 6), ({ latency_ms }) => timed(latency_ms)],
  [left("KEY", 4), ({ key_fingerprint }) => shortened(key_fingerprint, (key) => key.slice(0, 4))],
  [left("ID", 8), ({ id }) => shortened(id, shortId)],
]

const wideColumns = (zone: Zone): ReadonlyArray<ListColumn> => [
  [left("TIME"), timeCell(instant, zone)],
  [
    right("STATUS"),
    ({ outcome, status }) => ({ text: text(status) ?? "-", shade: shadeOf(status, outcome) }),
  ],
  [left("OUTCOME"), ({ outcome }) => text(outcome)],
  [left("ENDPOINT"), ({ endpoint }) => text(endpoint)],
  [left("DIALECT"), ({ dialect }) => text(dialect)],
  [left("MODEL", unbounded), ({ model }) => text(model)],
  [left("UPSTREAM", unbounded), ({ upstream }) => text(upstream)],
  [right("TRIES"), ({ attempts }) => String(triesOf(attempts))],
  [right("TOK IN"), ({ prompt_tokens }) => text(prompt_tokens)],
  [right("OUT"), ({ completion_tokens }) => text(completion_tokens)],
  [right("TTFT"), ({ ttft_ms }) => timed(ttft_ms)],
  [right("TOOK"), ({ latency_ms }) => timed(latency_ms)],
  [right("OVERHEAD"), ({ overhead_ms }) => timed(overhead_ms)],
  [left("TIER", unbounded), ({ service_tier }) => text(service_tier)],
  [left("DROPPED", unbounded), ({ dropped }) => text(dropped)],
  [left("KEY"), ({ key_fingerprint }) => text(key_fingerprint)],
  [left("IP", unbounded), ({ client_ip }) => text(client_ip)],
  [left("CONVERSATION"), ({ conversation }) => text(conversation)],
  [left("CONFIG"), ({ config_hash }) => text(config_hash)],
  [left("UPSTREAM ID", unbounded), ({ upstream_request_id }) => text(upstream_request_id)],
  [left("RESPONSE ID", unbounded), ({ response_id }) => text(response_id)],
  [left("ID", unbounded), ({ id }) => text(id)],
]

const table = (look: Appearance): Rendering<Row> => {
  const columns = look.wide ? wideColumns(look.zone) : listColumns(look.zone)
  return fitting(
    columns.map(([column]) => column),
    (row) => columns.map(([, cell]) => cell(row)),
    look,
  )
}

/** Columns that hold JSON of ours; bodies are what callers and upstreams sent, cut perhaps, and stay text. */
const ours: ReadonlySet<ColumnName> = new Set(
  columns.filter(({ kind }) => kind === "json").map(({ name }) => name),
)

/** JSON of ours as it stands, so that neither its digits nor its depth matter; what is none, or would not stay on its line, as text. */
const memberJson = (name: ColumnName, value: SqlValue): string =>
  ours.has(name) && typeof value === "string" && !/[\r\n]/.test(value) && isJson(value)
    ? value
    : JSON.stringify(value)

const rowJson = (names: ReadonlyArray<ColumnName>, row: Row): string =>
  printableJson(`{${names.map((name) => `"${name}":${memberJson(name, row[name] ?? null)}`).join(",")}}`)

/** Rows of the audit, with these columns where they are for machines. */
export const rowsRendering = (
  format: Format,
  names: ReadonlyArray<ColumnName>,
  look: Appearance,
): Rendering<Row> => {
  switch (format) {
    case "table":
      return table(look)
    case "json":
      return byLine("", (row) => `${rowJson(names, row)}\n`)
    case "csv":
      return byLine(csvLine(names, look.isTerminal), (row) =>
        csvLine(
          names.map((name) => row[name] ?? null),
          look.isTerminal,
        ),
      )
  }
}
