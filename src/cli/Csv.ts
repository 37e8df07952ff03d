/**
 * Rows as CSV (RFC 4180): CRLF after each, quotes where they are needed and doubled within. NULL is an empty field, and empty text is `""`.
 *
 * Callers choose some of the text, and spreadsheets run text that begins like a formula; such a field gets an apostrophe in front, which
 * makes it text there. Whoever needs every byte as it was takes JSON.
 */
import type { SqlValue } from "../audit/AuditTable.ts"

/** What makes a spreadsheet take text for a formula (OWASP, CSV injection), full-width forms too. */
const formula = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/** Text as it stands in a CSV file once it is read back. */
export const guarded = (text: string): string => (formula.test(text) ? `'${text}` : text)

const field = (value: SqlValue): string => {
  if (value === null) return ""
  if (typeof value === "number") return String(value)
  const text = guarded(value)
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvLine = (values: ReadonlyArray<SqlValue>): string => `${values.map(field).join(",")}\r\n`
