/** A record as a row: its values in the order an INSERT names them. */
import type { AnswerIdentity } from "../../answer/AnswerIdentity.ts"
import { clip, type RecordFacts, type SqlValue } from "./ColumnKinds.ts"
import { type ColumnName, columnNames, columns } from "./Columns.ts"
import { monthOfStart } from "./Months.ts"

/** `record_key` is unique: writing a row twice keeps one, and two requests may share an `id`, which clients may choose. */
export type StoredName = ColumnName | "record_key"

/** What an INSERT names: the documented columns and the key; `seq` comes of itself. */
export const insertColumns: ReadonlyArray<StoredName> = [...columnNames, "record_key"]

/** The values of a row, in the order an INSERT names them. Read from JSON in 1.2 to 1.4 µs; as a record, to be made into a row, it took 6. */
export type RowValues = ReadonlyArray<SqlValue>

/** Where the value of a column stands among a row's. */
const placeOf = (name: StoredName): number => insertColumns.indexOf(name)

const places = {
  startedAt: placeOf("started_at"),
  endpoint: placeOf("endpoint"),
  request: placeOf("request"),
  response: placeOf("response"),
  serviceTier: placeOf("service_tier"),
  responseId: placeOf("response_id"),
}

/**
 * A record as a row, without its bodies.
 *
 * @param key tells this record from every other, ever
 */
export const valuesOf = (record: RecordFacts, key: string): RowValues => {
  const values: Array<SqlValue> = []
  for (const { of } of columns) values.push(of(record))
  values.push(key)
  return values
}

/** What is put into a row when it is written. `null` where a body is not kept; of an answer that came whole the rest is in the row already. */
export interface WrittenValues extends Partial<AnswerIdentity> {
  readonly request: string | null
  readonly response: string | null
}

/** The row with its bodies, and with what was read off an answer that was put together. */
export const completed = (
  values: RowValues,
  { request, response, responseId, serviceTier }: WrittenValues,
): RowValues => {
  const all = values.slice()
  all[places.request] = request
  all[places.response] = response
  if (serviceTier !== undefined) all[places.serviceTier] = clip(serviceTier)
  if (responseId !== undefined) all[places.responseId] = clip(responseId)
  return all
}

/** The name of the endpoint. */
export const endpointIn = (values: RowValues): string => String(values[places.endpoint])

/** The month it belongs to, `2026_11`. */
export const monthIn = (values: RowValues): string => monthOfStart(String(values[places.startedAt]))

/** The row by column, as people read it. */
export const byColumn = (values: RowValues): Readonly<Record<string, SqlValue>> =>
  Object.fromEntries(insertColumns.map((name, at) => [name, values[at] ?? null]))

/** The row that stands in an object by column; what it has no value of is unknown. */
export const fromColumns = (row: Readonly<Record<string, unknown>>): RowValues =>
  insertColumns.map((name) => {
    const value = row[name]
    return typeof value === "string" || typeof value === "number" ? value : null
  })
