/** The list of requests as it is kept in the page: the newest first, none twice, and no more than can be looked at. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"

/** Rows in the page at most. */
export const mostRows = 1_000

/** Callers choose ids, so an id alone may stand for several. */
export const keyOf = ({ id, started_at }: Pick<RequestRow, "id" | "started_at">): string =>
  `${started_at} ${id}`

/** Both lists as one, the newest first. Where both have a request, that of `more` counts. */
const merged = (
  rows: ReadonlyArray<RequestRow>,
  more: ReadonlyArray<RequestRow>,
): ReadonlyArray<RequestRow> => {
  const known = new Map([...rows, ...more].map((row) => [keyOf(row), row]))
  return [...known.values()].sort((one, other) => (keyOf(one) < keyOf(other) ? 1 : -1))
}

/** With requests that have just finished. The oldest give way. */
export const withNewer = (rows: ReadonlyArray<RequestRow>, newer: ReadonlyArray<RequestRow>) =>
  merged(rows, newer).slice(0, mostRows)

/** With a page of older requests. The newest give way. */
export const withOlder = (rows: ReadonlyArray<RequestRow>, older: ReadonlyArray<RequestRow>) =>
  merged(rows, older).slice(-mostRows)

/** Those that a list does not have. */
export const unknownTo = (rows: ReadonlyArray<RequestRow>, more: ReadonlyArray<RequestRow>) => {
  const known = new Set(rows.map(keyOf))
  return more.filter((row) => !known.has(keyOf(row)))
}
