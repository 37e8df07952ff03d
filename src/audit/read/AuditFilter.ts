/** Which requests of the audit are asked for, and the SQL that says so: fixed text, every value a parameter. */
import * as Either from "effect/Either"
import type { Outcome } from "../../errors/Outcome.ts"
import { monthOf } from "../sqlite/Months.ts"

/** Statuses from `first` to `last`, both included. */
export interface StatusRange {
  readonly first: number
  readonly last: number
}

/** What a row must be; `undefined` admits all. */
export interface AuditFilter {
  /** Epoch milliseconds; the first that is admitted. */
  readonly since: number | undefined
  /** Epoch milliseconds; the first that is no longer admitted. */
  readonly until: number | undefined
  /** As asked. */
  readonly model: string | undefined
  readonly upstream: string | undefined
  readonly endpoint: string | undefined
  readonly status: StatusRange | undefined
  /** `failed` is all but `ok`. */
  readonly outcome: Outcome | "failed" | undefined
  readonly clientIp: string | undefined
  readonly keyFingerprint: string | undefined
  readonly conversation: string | undefined
  /** A part of the id, the model or the error, in any case. */
  readonly text: string | undefined
}

export const everything: AuditFilter = {
  since: undefined,
  until: undefined,
  model: undefined,
  upstream: undefined,
  endpoint: undefined,
  status: undefined,
  outcome: undefined,
  clientIp: undefined,
  keyFingerprint: undefined,
  conversation: undefined,
  text: undefined,
}

/** Whether it looks at anything but the time, so that rows may have to be passed over to find some. */
export const isSelective = ({ since: _, until: __, ...others }: AuditFilter): boolean =>
  Object.values(others).some((value) => value !== undefined)

/** All there are; docs/audit.md says what each means. */
export const outcomes = [
  "ok",
  "upstream_error",
  "client_closed",
  "rejected",
  "stream_broken",
] as const satisfies ReadonlyArray<Outcome>

/** SQL with its parameters. */
export interface Fragment {
  readonly text: string
  readonly values: ReadonlyArray<string | number>
}

/** Every part holds; nothing to hold is true. */
export const every = (parts: ReadonlyArray<Fragment>): Fragment => ({
  text: parts.length === 0 ? "1" : parts.map(({ text }) => text).join(" AND "),
  values: parts.flatMap(({ values }) => values),
})

/** The instant as `started_at` has it, so that text compares as time does. */
export const instantText = (epochMs: number): string => new Date(epochMs).toISOString()

const asked = (
  text: string,
  ...values: ReadonlyArray<string | number | undefined>
): ReadonlyArray<Fragment> => {
  const known = values.filter((value) => value !== undefined)
  return known.length < values.length ? [] : [{ text, values: known }]
}

const at = (epochMs: number | undefined): string | undefined =>
  epochMs === undefined ? undefined : instantText(epochMs)

/** The text as a pattern that finds it anywhere, its own wildcards taken as they are. */
const anywhere = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : `%${text.replace(/[\\%_]/g, "\\$&")}%`

const outcomeAsked = (outcome: AuditFilter["outcome"]): ReadonlyArray<Fragment> =>
  outcome === "failed" ? [{ text: "outcome <> 'ok'", values: [] }] : asked("outcome = ?", outcome)

const textAsked = (text: string | undefined): ReadonlyArray<Fragment> => {
  const pattern = anywhere(text)
  const like = (column: string) => `${column} LIKE ? ESCAPE '\\'`
  return asked(`(${["model", "id", "error"].map(like).join(" OR ")})`, pattern, pattern, pattern)
}

/** The filter as a condition on a month's table; the time comes first because the index does begin with it. */
export const conditionOf = (filter: AuditFilter): Fragment =>
  every([
    ...asked("started_at >= ?", at(filter.since)),
    ...asked("started_at < ?", at(filter.until)),
    ...asked("model = ?", filter.model),
    ...asked("upstream = ?", filter.upstream),
    ...asked("endpoint = ?", filter.endpoint),
    ...asked("status BETWEEN ? AND ?", filter.status?.first, filter.status?.last),
    ...outcomeAsked(filter.outcome),
    ...asked("client_ip = ?", filter.clientIp),
    ...asked("key_fingerprint = ?", filter.keyFingerprint),
    ...asked("conversation = ?", filter.conversation),
    ...textAsked(filter.text),
  ])

/** Whether a month (`2026_11`) can hold a row the filter admits. */
export const admitsMonth = ({ since, until }: AuditFilter, month: string): boolean =>
  (since === undefined || month >= monthOf(since)) && (until === undefined || month <= monthOf(until - 1))

const millisecondsOf = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** Beyond these `started_at` is not written with four digits of a year, and text would not compare as time does. */
const earliest = Date.UTC(1970, 0, 1)
const latest = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const isUnit = (unit: string): unit is keyof typeof millisecondsOf => Object.hasOwn(millisecondsOf, unit)

const instantPattern =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:\d{2})?$/i

const instant = (text: string, otherwise: "utc" | "local"): number | undefined => {
  const [, date = "", time = "00:00", seconds = "00", fraction = "", zone = otherwise === "utc" ? "Z" : ""] =
    instantPattern.exec(text) ?? []
  const local = `${date}T${time}:${seconds}.${fraction.padEnd(3, "0").slice(0, 3)}`
  const asUtc = Date.parse(`${local}Z`)
  // Date.parse takes 30 February for 1 March: what does not come back as it was is no date.
  if (Number.isNaN(asUtc) || instantText(asUtc) !== `${local}Z`) return undefined
  const parsed = Date.parse(`${local}${zone.toUpperCase()}`)
  return Number.isNaN(parsed) ? undefined : parsed
}

const age = (text: string, now: number): number | undefined => {
  const [, amount, unit = ""] = /^(\d{1,9})([a-z])$/i.exec(text) ?? []
  const lower = unit.toLowerCase()
  return amount === undefined || !isUnit(lower)
    ? undefined
    : Math.max(earliest, now - Number(amount) * millisecondsOf[lower])
}

/**
 * A point in time, as epoch milliseconds: a date (`2026-11-22`, its midnight), an instant (`2026-11-22T17:35`, with seconds,
 * fraction and zone if wished), or an age (`90s`, `30m`, `2h`, `7d`, `4w` before `now`). Left says what was expected.
 *
 * @param zone that of a date or an instant which names none
 */
export const parseTime = (
  text: string,
  now: number,
  zone: "utc" | "local",
): Either.Either<number, string> => {
  const trimmed = text.trim()
  const found = age(trimmed, now) ?? instant(trimmed, zone)
  return found === undefined || found < earliest || found > latest
    ? Either.left(
        `${JSON.stringify(text)}: expected a date (2026-11-22), an instant (2026-11-22T17:35:00Z) or an age (30m, 2h, 7d)`,
      )
    : Either.right(found)
}

/** `429`, or all of a class: `5xx`. Left says what was expected. */
export const parseStatus = (text: string): Either.Either<StatusRange, string> => {
  const [, digits] = /^([1-5](?:\d\d|xx))$/.exec(text.trim().toLowerCase()) ?? []
  if (digits === undefined) {
    return Either.left(`${JSON.stringify(text)}: expected a status (429) or a class of them (5xx)`)
  }
  return Either.right({ first: Number(digits.replace("xx", "00")), last: Number(digits.replace("xx", "99")) })
}
