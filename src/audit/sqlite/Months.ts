/** What months are called: in rows, in the names of their tables, and in those of their archives. All of them are those of UTC. */

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
