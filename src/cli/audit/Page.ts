/** One request for people: a line for each thing known of it, its attempts as a table, and below them what takes more than a line. */
import type { Row } from "../../audit/read/FoundRow.ts"
import { perTokenMs } from "../../audit/record/TokenPace.ts"
import type { SqlValue } from "../../audit/sqlite/ColumnKinds.ts"
import { type ColumnName, columns } from "../../audit/sqlite/Columns.ts"
import { printableLines } from "../../terminal/Printable.ts"
import { duration, instant, type Zone } from "../../terminal/Quantity.ts"
import { type Cell, layOut, type TableColumn, uncut } from "../../terminal/Table.ts"
import { indented } from "../../wire/JsonIndent.ts"
import { type Appearance, aligned, parsed, shadeOf, text, timed } from "./Rendering.ts"

const named = (admits: (column: (typeof columns)[number]) => boolean): ReadonlySet<ColumnName> =>
  new Set(columns.filter(admits).map(({ name }) => name))

const flags = named(({ kind }) => kind === "flag")
const durations = named(({ kind }) => kind === "millis")
/** They are set out over lines of their own. */
const long = named(({ isLarge }) => isLarge)
const bodies = named(({ kind }) => kind === "body")

/** What is told of it where bodies are not wanted. */
export const isBody = (name: ColumnName): boolean => bodies.has(name)

/** Milliseconds are in the value then. */
const nameOf = (name: ColumnName): string => (durations.has(name) ? name.replace(/_ms$/, "") : name)

const valueOf = (name: ColumnName, value: SqlValue, row: Row, zone: Zone): Cell => {
  if (flags.has(name)) return value === 1 ? "yes" : value === 0 ? "no" : String(value)
  if (durations.has(name)) return timed(value) ?? ""
  if (name === "started_at") {
    const date = new Date(String(value))
    return Number.isNaN(date.getTime()) ? String(value) : instant(date, zone)
  }
  const shown = String(value)
  return name === "status" || name === "outcome"
    ? { text: shown, shade: shadeOf(row.status, row.outcome) }
    : shown
}

const numberColumn: TableColumn = { title: "", align: "right", longest: 4 }
const upstreamColumn: TableColumn = { title: "UPSTREAM", align: "left", longest: 40 }
const dialectColumn: TableColumn = { title: "ASKED IN", align: "left", longest: 10 }
const resultColumns: ReadonlyArray<TableColumn> = [
  { title: "RESULT", align: "left", longest: 200 },
  { title: "TOOK", align: "right", longest: 10 },
]

const member = (of: unknown, name: string): unknown =>
  typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined

/** What an attempt came to: `503`, `could not connect`, `200, broke off`, `resumed, 200`. */
const resultOf = (attempt: unknown): string =>
  [
    member(attempt, "resumed") === true ? "resumed" : undefined,
    member(attempt, "status"),
    member(attempt, "cause"),
    member(attempt, "said"),
  ]
    .filter((part) => part !== undefined && part !== null)
    .map(String)
    .join(", ")

const dialectOf = (attempt: unknown): string | undefined => {
  const dialect = member(attempt, "dialect")
  return dialect === undefined ? undefined : String(dialect)
}

/** Which dialect each was asked in is told where one was asked in another than the caller's. */
const attemptsPage = ({ attempts: value, dialect: callers }: Row, look: Appearance): string => {
  const attempts = typeof value === "string" ? parsed(value) : undefined
  if (!Array.isArray(attempts) || attempts.length === 0) return ""
  const isTranslated = attempts.some((attempt) => dialectOf(attempt) !== undefined)
  const [, lines] = aligned(
    [numberColumn, upstreamColumn, ...(isTranslated ? [dialectColumn] : []), ...resultColumns],
    ([number, attempt]: readonly [number, unknown]) => {
      const ms = member(attempt, "ms")
      return [
        String(number),
        String(member(attempt, "upstream") ?? "-"),
        ...(isTranslated ? [dialectOf(attempt) ?? text(callers)] : []),
        {
          text: resultOf(attempt),
          shade: shadeOf(Number(member(attempt, "status") ?? 599), undefined),
        },
        typeof ms === "number" ? duration(ms) : undefined,
      ]
    },
    look,
  ).rows(
    undefined,
    attempts.map((attempt, at) => [at + 1, attempt] as const),
  )
  return `\nattempts:\n${lines}`
}

/** Those whose turn it was, and that were not asked, each with its cause. */
const notAskedPage = (value: SqlValue | undefined, { paint }: Appearance): string => {
  const passedBy = typeof value === "string" ? parsed(value) : undefined
  if (!Array.isArray(passedBy) || passedBy.length === 0) return ""
  const cells = passedBy.map((one) => [
    String(member(one, "upstream") ?? "-"),
    String(member(one, "cause") ?? "-"),
  ])
  const width = Math.max(...cells.map(([upstream = ""]) => upstream.length))
  const lines = layOut([uncut(""), uncut("")], [width, Number.POSITIVE_INFINITY], cells, paint)
  return `\nnot asked:\n${lines.map((line) => `${line}\n`).join("")}`
}

/** How much of a body is set out, in characters: more is nothing to be read on a terminal. */
const longestBody = 1_048_576

/** As it came, each member on its line. */
const body = (value: string): string => {
  const left = value.length - longestBody
  const shown = printableLines(indented(left > 0 ? value.slice(0, longestBody) : value))
  return left > 0 ? `${shown}\n(${left} characters more: --json has all of it)` : shown
}

const numberOf = (value: SqlValue | undefined): number | undefined =>
  typeof value === "number" ? value : undefined

/** What no column has, since it is worked out of others. */
const workedOut = ({ completion_tokens, latency_ms, ttft_ms }: Row): ReadonlyArray<ReadonlyArray<Cell>> => {
  const perToken = perTokenMs(numberOf(latency_ms) ?? 0, numberOf(ttft_ms), numberOf(completion_tokens))
  return perToken === undefined ? [] : [["per_token", duration(perToken)]]
}

/** What is unknown is left out. */
export const rowPage = (names: ReadonlyArray<ColumnName>, row: Row, look: Appearance): string => {
  const known = names.flatMap((name) => {
    const value = row[name]
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
  const width = Math.max(...names.map((name) => nameOf(name).length))
  const lines = layOut(
    [uncut(""), uncut("")],
    [width, Number.POSITIVE_INFINITY],
    [
      ...known
        .filter(([name]) => !long.has(name) && name !== "attempts" && name !== "not_asked")
        .map(([name, value]) => [nameOf(name), valueOf(name, value, row, look.zone)]),
      ...workedOut(row),
    ],
    look.paint,
  ).map((line) => `${line}\n`)
  const blocks = known
    .filter(([name]) => long.has(name))
    .map(([name, value]) => `\n${name}:\n${body(text(value) ?? "")}\n`)
  return [...lines, attemptsPage(row, look), notAskedPage(row.not_asked, look), ...blocks].join("")
}
