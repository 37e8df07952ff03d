/** Rows of the audit as the API tells them, and back again: flags, attempts, headers and lists as JSON has them. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Row } from "../audit/read/FoundRow.ts"
import type { SqlValue } from "../audit/sqlite/ColumnKinds.ts"
import { type ColumnName, columns } from "../audit/sqlite/Columns.ts"
import { AttemptTold, NotAskedTold, RequestRow, RequestStory } from "./api/RequestRow.ts"

const parsed = (text: unknown): unknown =>
  typeof text === "string" ? Either.getOrUndefined(Either.try((): unknown => JSON.parse(text))) : undefined

const isAttempts = Schema.is(Schema.Array(AttemptTold))
const isNotAsked = Schema.is(Schema.Array(NotAskedTold))
const isHeaders = Schema.is(Schema.Record({ key: Schema.String, value: Schema.String }))

/** What somebody else wrote into the file may be no attempts. */
const attemptsIn = (text: unknown): ReadonlyArray<AttemptTold> => {
  const attempts = parsed(text)
  return isAttempts(attempts) ? attempts : []
}

const notAskedIn = (text: unknown): ReadonlyArray<NotAskedTold> => {
  const upstreams = parsed(text)
  return isNotAsked(upstreams) ? upstreams : []
}

const headersIn = (text: unknown): Readonly<Record<string, string>> | null => {
  const headers = parsed(text)
  return isHeaders(headers) ? headers : null
}

const listIn = (text: unknown): ReadonlyArray<string> =>
  typeof text === "string" && text !== "" ? text.split(",") : []

const flagOf = (value: unknown): boolean | null => (value === 1 ? true : value === 0 ? false : null)

const textOf = (value: SqlValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value)

/** A number that is none is unknown. */
const numberOf = (value: SqlValue | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null

const told = (
  name: ColumnName,
  kind: (typeof columns)[number]["kind"],
  value: SqlValue | undefined,
): unknown => {
  if (name === "attempts") return attemptsIn(value)
  if (name === "headers") return headersIn(value)
  if (name === "not_asked") return notAskedIn(value)
  if (name === "dropped") return listIn(value)
  switch (kind) {
    case "flag":
      return flagOf(value)
    case "whole":
    case "millis":
    case "amount":
      return numberOf(value)
    default:
      return textOf(value)
  }
}

const toldOf = (row: Row): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    columns.flatMap(({ kind, name }) => (name in row ? [[name, told(name, kind, row[name])] as const] : [])),
  )

const decodeRow = Schema.decodeUnknownSync(RequestRow)
const decodeStory = Schema.decodeUnknownSync(RequestStory)

/** A row without headers and bodies. */
export const rowTold = (row: Row): RequestRow => decodeRow(toldOf(row))

/** A whole row. */
export const storyTold = (row: Row): RequestStory => decodeStory(toldOf(row))

/** The row of the audit that was told so: what `sluice audit` shows of a running gateway. */
export const rowFrom = (row: RequestRow | RequestStory): Row => {
  const { attempts, dropped, not_asked, ...others } = row
  const kept: Record<string, SqlValue> = {
    attempts: JSON.stringify(attempts),
    dropped: dropped.length === 0 ? null : dropped.join(","),
    not_asked: not_asked.length === 0 ? null : JSON.stringify(not_asked),
  }
  for (const [name, value] of Object.entries(others)) {
    kept[name] =
      typeof value === "boolean"
        ? Number(value)
        : typeof value === "object" && value !== null
          ? JSON.stringify(value)
          : (value ?? null)
  }
  return kept
}
