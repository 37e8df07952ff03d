/**
 * The audit's tables as SQL text: one table a month, and the views over them. Nothing here touches a database.
 *
 * A month's table is `requests_2026_11`: the documented columns, `record_key` (unique) and `seq` (order of arrival within the table).
 *
 * While a finished month moves into its archive its rows stand in both files. Whoever reads both counts a row once by its
 * `record_key`: rows of the live table, and those of the archive whose key the live table has not.
 */
import { columnNames, columns } from "./Columns.ts"
import { tableOf } from "./Months.ts"
import { insertColumns } from "./Rows.ts"

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

const definitionsOf = (some: ReadonlyArray<{ readonly name: string; readonly type: string }>): string =>
  some.map(({ name, type }) => `${name} ${type}`).join(", ")

/** Creates a month's table, without its indexes; what is large stands last. `schema` is the attached file it stands in. */
export const createTable = (month: string, schema = "main"): string => {
  const small = definitionsOf(columns.filter(({ isLarge }) => !isLarge))
  const large = definitionsOf(columns.filter(({ isLarge }) => isLarge))
  const own = "record_key TEXT NOT NULL UNIQUE, seq INTEGER PRIMARY KEY"
  return `CREATE TABLE IF NOT EXISTS ${schema}.${tableOf(month)} (${small}, ${own}, ${large})`
}

/** The columns that a month's table of an older layout lacks, given those it has. */
export const lackingOf = (present: ReadonlySet<string>): ReadonlyArray<string> =>
  columnNames.filter((name) => !present.has(name))

/** Adds what a month's table lacks. The rows that are there are not touched: SQLite takes what they have not for NULL. */
export const addColumns = (
  month: string,
  present: ReadonlySet<string>,
  schema = "main",
): ReadonlyArray<string> =>
  columns
    .filter(({ name }) => !present.has(name))
    .map(({ name, type }) => `ALTER TABLE ${schema}.${tableOf(month)} ADD COLUMN ${name} ${type}`)

/**
 * A month's table as something to be read from, with every column of this layout: those it lacks are NULL.
 *
 * @param present the columns it has
 * @param hint `NOT INDEXED` and the like
 */
export const readFrom = (schema: string, month: string, present: ReadonlySet<string>, hint = ""): string => {
  const table = `${schema}.${tableOf(month)}${hint === "" ? "" : ` ${hint}`}`
  const lacking = lackingOf(present)
  return lacking.length === 0
    ? table
    : `(SELECT *, ${lacking.map((name) => `NULL AS ${name}`).join(", ")} FROM ${table})`
}

/**
 * The indexes of a month, by the ending of their names:
 *
 * - `id` finds the requests of one id;
 * - `time` lists by time, and holds all that filters and statistics read, so that neither touches the rows with their bodies, but
 *   for texts; months that an earlier release began have it without `conversation`, and are looked through more slowly for one.
 */
const indexes: ReadonlyArray<readonly [ending: string, on: string]> = [
  ["id", "id"],
  [
    "time",
    "started_at, model, upstream, status, outcome, client_ip, endpoint, key_fingerprint, prompt_tokens, completion_tokens, " +
      "total_tokens, cached_tokens, reasoning_tokens, latency_ms, ttft_ms, conversation",
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
  const requests = months.map((month) => `SELECT ${columnNames.join(", ")} FROM ${tableOf(month)}`)
  const records = [
    ...(gptApiNames === undefined ? [] : [inheritedSelection(gptApiNames)]),
    ...months.map(gptApiSelection),
  ]
  const union = (parts: ReadonlyArray<string>, names: ReadonlyArray<string>) =>
    parts.length === 0 ? emptySelection(names) : parts.join(" UNION ALL ")
  return [
    `DROP VIEW IF EXISTS ${schema}.requests`,
    `DROP VIEW IF EXISTS ${schema}.records`,
    `CREATE VIEW ${schema}.requests AS ${union(requests, columnNames)}`,
    `CREATE VIEW ${schema}.records AS ${union(records, gptApiColumns)}`,
  ]
}

/** Inserts `rows` rows into a month's table; those whose key is there already are left out (and nothing else is, as OR IGNORE would). */
export const insertRows = (month: string, rows: number): string => {
  const row = `(${insertColumns.map(() => "?").join(",")})`
  const values = Array.from({ length: rows }, () => row).join(",")
  return `INSERT INTO ${tableOf(month)} (${insertColumns.join(",")}) VALUES ${values} ON CONFLICT (record_key) DO NOTHING`
}
