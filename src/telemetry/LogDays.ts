/** What the files of the log are called, and which of them are too old. Their days are UTC's, as GPT_API's were: none has 23 hours or 25. */

/** What a file holds: requests that were answered well, those that were not, or all lines of the log. */
export type LogKind = "info" | "error" | "system"

const dayMs = 86_400_000

/** Days since the epoch. */
export const dayOf = (ms: number): number => Math.floor(ms / dayMs)

/** `system.2026-11-28.log` */
export const fileNameOf = (kind: LogKind, day: number): string =>
  `${kind}.${new Date(day * dayMs).toISOString().slice(0, 10)}.log`

const ours = /^(?:info|error|system)\.(\d{4}-\d{2}-\d{2})\.log$/

/** The day of a file of the log; `undefined` of any other. */
const dayOfFile = (name: string): number | undefined => {
  const ms = Date.parse(`${ours.exec(name)?.[1] ?? ""}T00:00:00Z`)
  return Number.isNaN(ms) ? undefined : dayOf(ms)
}

/**
 * Whether a file is one of the log, and too old.
 *
 * @param days how many are kept, today included
 */
export const isTooOld = (name: string, today: number, days: number): boolean => {
  const day = dayOfFile(name)
  return day !== undefined && day <= today - days
}
