/**
 * The audit's tables as SQL text: one table a month, the views over them, and how a record becomes a row. Nothing here touches a
 * database.
 *
 * A month's table is `requests_2026_11`: the documented columns in their order, then `record_key` (unique: writing a row twice
 * keeps one, and two requests may share an `id`, which clients may choose) and `seq` (order of arrival within the table).
 *
 * While a finished month moves into its archive its rows stand in both files. Whoever reads both counts a row once by its
 * `record_key`: rows of the live table, and those of the archive whose key the live table has not.
 */
import type { AttemptRecord, AuditRecord } from "../record/AuditRecord.ts"

/** What SQLite stores here; unknown is NULL. */
export type SqlValue = string | number | null

/** Longest text kept of anything but a body: clients and upstreams decide how long a model's name or an error is. */
const longestText = 4096

const clip = (text: string): string =>
  text.length <= longestText ? text : `${text.slice(0, longestText)}…[cut]`

const text = (value: string | undefined): SqlValue => (value === undefined ? null : clip(value))

const number = (value: number | undefined): SqlValue => value ?? null

const flag = (value: boolean | undefined): SqlValue => (value === undefined ? null : value ? 1 : 0)

/** Milliseconds to the microsecond. */
const millis = (value: number | undefined): SqlValue =>
  value === undefined ? null : Math.round(value * 1000) / 1000

/** What is `undefined` is left out in JSON. An attempt without a status always has a cause. */
const attemptsText = (attempts: ReadonlyArray<AttemptRecord>): string =>
  JSON.stringify(
    attempts.map(({ cause, ms, resumed, status, upstream }) => ({
      upstream,
      resumed,
      status,
      cause: status !== undefined && cause === undefined ? undefined : text(cause),
      ms: millis(ms),
    })),
  )

/** Everything of a record but its bodies. */
export type RecordFacts = Omit<AuditRecord, "request" | "response">

interface Column {
  readonly name: string
  /** Type and constraint. */
  readonly type: string
}

/** The documented columns (docs/audit.md), in order. */
export const columns = [
  { name: "id", type: "TEXT NOT NULL" },
  { name: "started_at", type: "TEXT NOT NULL" },
  { name: "client_ip", type: "TEXT" },
  { name: "endpoint", type: "TEXT NOT NULL" },
  { name: "model", type: "TEXT" },
  { name: "upstream_model", type: "TEXT" },
  { name: "upstream", type: "TEXT" },
  { name: "attempts", type: "TEXT NOT NULL" },
  { name: "stream", type: "INTEGER" },
  { name: "status", type: "INTEGER" },
  { name: "outcome", type: "TEXT NOT NULL" },
  { name: "error", type: "TEXT" },
  { name: "prompt_tokens", type: "INTEGER" },
  { name: "completion_tokens", type: "INTEGER" },
  { name: "total_tokens", type: "INTEGER" },
  { name: "cached_tokens", type: "INTEGER" },
  { name: "reasoning_tokens", type: "INTEGER" },
  { name: "latency_ms", type: "REAL" },
  { name: "ttft_ms", type: "REAL" },
  { name: "finish_reason", type: "TEXT" },
  { name: "tools", type: "INTEGER" },
  { name: "tool_calls", type: "INTEGER" },
  { name: "multimodal", type: "INTEGER" },
  { name: "user_agent", type: "TEXT" },
  { name: "key_fingerprint", type: "TEXT" },
  { name: "headers", type: "TEXT" },
  { name: "request", type: "TEXT" },
  { name: "response", type: "TEXT" },
] as const satisfies ReadonlyArray<Column>

export type ColumnName = (typeof columns)[number]["name"] | "record_key"

/** What an INSERT names: the documented columns and the key; `seq` comes of itself. */
export const insertColumns: ReadonlyArray<ColumnName> = [...columns.map(({ name }) => name), "record_key"]

const documentedColumns = columns.map(({ name }) => name).join(", ")

/** GPT_API's columns, as its table `records` and our view of that name have them. */
export const gptApiColumns = [
  "id",
  "Time",
  "IP",
  "Model",
  "Type",
  "CompletionTokens",
  "PromptTokens",
  "TotalTokens",
  "Tool",
  "Multimodal",
  "Headers",
  "Request",
  "Response",
] as const

/** What a table `records` that GPT_API wrote is called once our view has its name. */
export const gptApiTable = "gpt_api_records"

/** The layout of the tables, kept in `PRAGMA user_version`; a file GPT_API wrote has 0. */
export const schemaVersion = 1

/** The month of an instant, UTC, as table names have it: `2026_11`. */
export const monthOf = (epochMs: number): string =>
  new Date(epochMs).toISOString().slice(0, 7).replace("-", "_")

/** The month a row belongs to, by its `started_at`. */
export const monthOfStart = (startedAt: string): string => startedAt.slice(0, 7).replace("-", "_")

/** Epoch milliseconds at which the month after that of `epochMs` begins, UTC. */
export const nextMonth = (epochMs: number): number => {
  const date = new Date(epochMs)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** `2026_11` less a number of months. */
export const monthsBefore = (month: string, months: number): string =>
  monthOf(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)) - 1 - months, 1))

/** `requests_2026_11`. */
export const tableOf = (month: string): string => `requests_${month}`

/** What a month's table is called that has moved into its archive and waits to be cleared. */
export const clearedTableOf = (month: string): string => `moved_${month}`

/** The month of a table's name; `undefined` where it is not a month's table. */
export const monthOfTable = (table: string): string | undefined => /^requests_(\d{4}_\d{2})$/.exec(table)?.[1]

/** The same of a table that waits to be cleared. */
export const monthOfClearedTable = (table: string): string | undefined =>
  /^moved_(\d{4}_\d{2})$/.exec(table)?.[1]

/** `record_202610.db`, the archive of a month beside the live `record.db`; another live file's name goes in front alike. */
export const archiveName = (liveName: string, month: string): string => {
  const dot = liveName.lastIndexOf(".")
  const stem = dot > 0 ? liveName.slice(0, dot) : liveName
  return `${stem}_${month.replace("_", "")}${dot > 0 ? liveName.slice(dot) : ""}`
}

/** The month of an archive's file name; `undefined` where it is not an archive of this live file. */
export const monthOfArchive = (liveName: string, name: string): string | undefined => {
  const digits = /_(\d{4})(\d{2})(?:\.[^.]*)?$/.exec(name)
  if (digits === null) return undefined
  const month = `${digits[1]}_${digits[2]}`
  return archiveName(liveName, month) === name ? month : undefined
}

/** Creates a month's table, without its indexes. `schema` is the attached file it stands in. */
export const createTable = (month: string, schema = "main"): string =>
  `CREATE TABLE IF NOT EXISTS ${schema}.${tableOf(month)} (${columns
    .map(({ name, type }) => `${name} ${type}`)
    .join(", ")}, record_key TEXT NOT NULL UNIQUE, seq INTEGER PRIMARY KEY)`

/**
 * The indexes of a month, by the ending of their names:
 *
 * - `id` finds the requests of one id;
 * - `time` lists by time, and holds all that filters and statistics read, so that neither touches the rows with their bodies.
 */
const indexes: ReadonlyArray<readonly [ending: string, on: string]> = [
  ["id", "id"],
  [
    "time",
    "started_at, model, upstream, status, outcome, client_ip, endpoint, key_fingerprint, prompt_tokens, completion_tokens, " +
      "total_tokens, cached_tokens, reasoning_tokens, latency_ms, ttft_ms",
  ],
]

/** Creates a month's indexes. */
export const createIndexes = (month: string, schema = "main"): ReadonlyArray<string> =>
  indexes.map(
    ([ending, on]) =>
      `CREATE INDEX IF NOT EXISTS ${schema}.${tableOf(month)}_${ending} ON ${tableOf(month)} (${on})`,
  )

const emptySelection = (names: ReadonlyArray<string>): string =>
  `SELECT ${names.map((name) => `NULL AS ${name}`).join(", ")} WHERE 0`

/**
 * GPT_API's `id` is a number that only ascends: here the month and the row's place in it, `202611000000042`, beyond all that GPT_API gave out.
 * It stays with the row in the month's archive. `Type` is GPT_API's for what is called `completions` here.
 */
const gptApiSelection = (month: string): string =>
  `SELECT ${month.replace("_", "")} * 1000000000 + seq AS id, ` +
  "strftime('%Y-%m-%d %H:%M:%f', started_at, 'localtime') || '000' AS Time, client_ip AS IP, model AS Model, " +
  "CASE endpoint WHEN 'completions' THEN 'text_completion' ELSE endpoint END AS Type, " +
  "completion_tokens AS CompletionTokens, prompt_tokens AS PromptTokens, total_tokens AS TotalTokens, " +
  "tools AS Tool, multimodal AS Multimodal, headers AS Headers, request AS Request, response AS Response " +
  `FROM ${tableOf(month)} WHERE endpoint <> 'models'`

const inheritedSelection = (names: ReadonlyArray<string>): string => {
  const present = new Set(names.map((name) => name.toLowerCase()))
  // Its first versions had no `id`; SQLite has, under another name.
  const otherwise = (name: string) => (name === "id" ? "rowid" : "NULL")
  const selected = gptApiColumns.map(
    (name) => `${present.has(name.toLowerCase()) ? name : otherwise(name)} AS ${name}`,
  )
  return `SELECT ${selected.join(", ")} FROM ${gptApiTable}`
}

/**
 * Renews the views of a file: `requests` over its months, and `records` with GPT_API's columns over the same requests (those to
 * `models`, which GPT_API did not record, left out) after the rows GPT_API itself wrote.
 *
 * @param months the months whose tables stand in the file, in order
 * @param gptApiNames the columns of `gpt_api_records`; `undefined` where the file holds no rows of GPT_API's. Older versions of it
 *   had fewer columns.
 */
export const createViews = (
  months: ReadonlyArray<string>,
  gptApiNames: ReadonlyArray<string> | undefined,
  schema = "main",
): ReadonlyArray<string> => {
  const requests = months.map((month) => `SELECT ${documentedColumns} FROM ${tableOf(month)}`)
  const records = [
    ...(gptApiNames === undefined ? [] : [inheritedSelection(gptApiNames)]),
    ...months.map(gptApiSelection),
  ]
  const union = (parts: ReadonlyArray<string>, names: ReadonlyArray<string>) =>
    parts.length === 0 ? emptySelection(names) : parts.join(" UNION ALL ")
  return [
    `DROP VIEW IF EXISTS ${schema}.requests`,
    `DROP VIEW IF EXISTS ${schema}.records`,
    `CREATE VIEW ${schema}.requests AS ${union(
      requests,
      columns.map(({ name }) => name),
    )}`,
    `CREATE VIEW ${schema}.records AS ${union(records, gptApiColumns)}`,
  ]
}

/** Inserts `rows` rows into a month's table; those whose key is there already are left out (and nothing else is, as OR IGNORE would). */
export const insertRows = (month: string, rows: number): string => {
  const row = `(${insertColumns.map(() => "?").join(",")})`
  const values = Array.from({ length: rows }, () => row).join(",")
  return `INSERT INTO ${tableOf(month)} (${insertColumns.join(",")}) VALUES ${values} ON CONFLICT (record_key) DO NOTHING`
}

/** The values of a row, in the order an INSERT names them. Read from JSON in 1.2 to 1.4 µs; as a record, to be made into a row, it took 6. */
export type RowValues = ReadonlyArray<SqlValue>

/** Where the value of a column stands among a row's. */
const placeOf = (name: ColumnName): number => insertColumns.indexOf(name)

const places = {
  startedAt: placeOf("started_at"),
  endpoint: placeOf("endpoint"),
  request: placeOf("request"),
  response: placeOf("response"),
}

/**
 * A record as a row, without its bodies.
 *
 * @param key tells this record from every other, ever
 */
export const valuesOf = (record: RecordFacts, key: string): RowValues => [
  clip(record.id),
  new Date(record.startedAt).toISOString(),
  text(record.clientIp),
  record.endpoint,
  text(record.model),
  text(record.upstreamModel),
  text(record.upstream),
  attemptsText(record.attempts),
  flag(record.stream),
  record.status,
  record.outcome,
  text(record.error),
  number(record.usage.inputTokens),
  number(record.usage.outputTokens),
  number(record.usage.totalTokens),
  number(record.usage.cachedTokens),
  number(record.usage.reasoningTokens),
  millis(record.latencyMs),
  millis(record.ttftMs),
  text(record.finishReason),
  flag(record.tools),
  flag(record.toolCalls),
  flag(record.multimodal),
  text(record.userAgent),
  text(record.keyFingerprint),
  JSON.stringify(record.headers),
  null,
  null,
  key,
]

/** The bodies of a record as text, `null` where none is kept. */
export interface BodyTexts {
  readonly request: string | null
  readonly response: string | null
}

/** The row with its bodies. */
export const withBodies = (values: RowValues, { request, response }: BodyTexts): RowValues => {
  const all = values.slice()
  all[places.request] = request
  all[places.response] = response
  return all
}

/** The name of the endpoint. */
export const endpointIn = (values: RowValues): string => String(values[places.endpoint])

/** The month it belongs to, `2026_11`. */
export const monthIn = (values: RowValues): string => monthOfStart(String(values[places.startedAt]))

/** The row by column, as people read it. */
export const byColumn = (values: RowValues): Readonly<Record<string, SqlValue>> =>
  Object.fromEntries(insertColumns.map((name, at) => [name, values[at] ?? null]))
