/**
 * Rows as CSV (RFC 4180): CRLF after each, every text in quotes, doubled within; numbers stand bare, and so does NULL, an empty field, while empty text is `""`.
 *
 * Callers choose some of the text, and spreadsheets run a cell that begins like a formula. Many of them part cells by semicolons, tabs or blanks, whatever the file
 * means, and then the quotes hold nothing together: so a sign that begins a formula gets an apostrophe before it wherever a cell may begin. Whoever needs every
 * byte as it was takes JSON.
 */
import { printableLines } from "./Printable.ts"

/** What makes a spreadsheet take text for a formula (OWASP, CSV injection), full-width forms too, at the begin and behind what may part cells or open quotes. */
const formula = /(?<=^|[\s;,|"'\u200b\ufeff])[=+\-@\uff1d\uff0b\uff0d\uff20]/g

/** White space that some strip, and then find the sign. */
const ledIn = /^[\t\r]/

/** `null` is an empty field. */
export type CsvValue = string | number | null

/** Text as it stands in a CSV file once it is read back. */
export const guarded = (text: string): string => {
  const apart = text.replace(formula, "'$&")
  return ledIn.test(apart) ? `'${apart}` : apart
}

const field = (value: CsvValue, onTerminal: boolean): string => {
  if (value === null) return ""
  if (typeof value === "number") return String(value)
  const text = guarded(value)
  return `"${(onTerminal ? printableLines(text) : text).replaceAll('"', '""')}"`
}

/**
 * One line.
 *
 * @param onTerminal whether it goes to a terminal, where nothing may move the cursor; a file keeps what was there
 */
export const csvLine = (values: ReadonlyArray<CsvValue>, onTerminal: boolean): string =>
  `${values.map((value) => field(value, onTerminal)).join(",")}\r\n`
