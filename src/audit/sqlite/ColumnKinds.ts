/** The kinds of columns there are: each says what SQLite stores, and how a record's value becomes that. Unknown is NULL. */
import type { AuditRecord } from "../record/AuditRecord.ts"

/** What SQLite stores here; unknown is NULL. */
export type SqlValue = string | number | null

/** Everything of a record but its bodies. */
export type RecordFacts = Omit<AuditRecord, "request" | "response">

export type ColumnKind = "text" | "json" | "flag" | "whole" | "amount" | "millis" | "body"

const typeOf: Readonly<Record<ColumnKind, "TEXT" | "INTEGER" | "REAL">> = {
  text: "TEXT",
  json: "TEXT",
  flag: "INTEGER",
  whole: "INTEGER",
  amount: "REAL",
  millis: "REAL",
  body: "TEXT",
}

export interface Column<Name extends string = string> {
  readonly name: Name
  readonly kind: ColumnKind
  /** Type and constraint. */
  readonly type: string
  /** Its value in a record's row. */
  readonly of: (record: RecordFacts) => SqlValue
  /** Some KB and more: left out of lists, and behind all others within a row, for SQLite reads a row up to what it looks for. */
  readonly isLarge: boolean
}

/** Longest text kept of anything but a body: clients and upstreams decide how long a model's name or an error is. */
const longestText = 4096

export const clip = (text: string): string =>
  text.length <= longestText ? text : `${text.slice(0, longestText)}…[cut]`

/** To a thousandth. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000

const column = <const Name extends string>(name: Name, kind: ColumnKind, of: Column["of"]): Column<Name> => ({
  name,
  kind,
  type: typeOf[kind],
  of,
  isLarge: kind === "body",
})

/** Text that others may have chosen. */
export const text = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => string | undefined,
): Column<Name> =>
  column(name, "text", (record) => {
    const value = of(record)
    return value === undefined ? null : clip(value)
  })

/** JSON of ours. */
export const json = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => string | undefined,
): Column<Name> => column(name, "json", (record) => of(record) ?? null)

/** 0 or 1. */
export const flag = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => boolean | undefined,
): Column<Name> =>
  column(name, "flag", (record) => {
    const value = of(record)
    return value === undefined ? null : value ? 1 : 0
  })

/** A whole number. */
export const whole = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => number | undefined,
): Column<Name> => column(name, "whole", (record) => of(record) ?? null)

/** A number that need not be whole. */
export const amount = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => number | undefined,
): Column<Name> =>
  column(name, "amount", (record) => {
    const value = of(record)
    return value === undefined ? null : rounded(value)
  })

/** A duration in milliseconds. */
export const millis = <const Name extends string>(
  name: Name,
  of: (record: RecordFacts) => number | undefined,
): Column<Name> =>
  column(name, "millis", (record) => {
    const value = of(record)
    return value === undefined ? null : rounded(value)
  })

/** A body, which is put in when the row is written. */
export const body = <const Name extends string>(name: Name): Column<Name> => column(name, "body", () => null)

/** No row is without it. Only for layout 1: a column that comes later is NULL in the rows that are there. */
export const required = <const Name extends string>(given: Column<Name>): Column<Name> => ({
  ...given,
  type: `${given.type} NOT NULL`,
})

export const large = <const Name extends string>(given: Column<Name>): Column<Name> => ({
  ...given,
  isLarge: true,
})
