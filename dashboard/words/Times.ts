/** Instants as people read them: how long ago, with the instant itself in a title. */

const steps: ReadonlyArray<readonly [number, string]> = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
]

/** A length of time in its greatest unit: `12 s`, `3 h`. */
export const about = (ms: number): string => {
  const step = steps.find(([size]) => ms >= size)
  return step === undefined ? "0 s" : `${Math.floor(ms / step[0])} ${step[1]}`
}

/** `12 s ago`, `in 40 s`, `now`. A clock that differs a little from the gateway's says `now`. */
export const relative = (instant: string, now: number): string => {
  const ms = now - Date.parse(instant)
  if (Number.isNaN(ms)) return instant
  if (Math.abs(ms) < 1_000) return "now"
  return ms > 0 ? `${about(ms)} ago` : `in ${about(-ms + 999)}`
}

const localTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" })

/** The instant in the reader's time and in UTC. */
export const absolute = (instant: string): string => {
  const at = new Date(instant)
  return Number.isNaN(at.getTime()) ? instant : `${localTime.format(at)} (${at.toISOString()})`
}

const dayTime = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const
const utcTime = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...dayTime })
const longDay = new Intl.DateTimeFormat("en-GB", dayTime)

/** `27 Nov, 14:00`, in UTC. */
export const inUtc = (instant: string): string => utcTime.format(new Date(instant))

/** The day and the time of day, to the minute: `12 Nov, 14:05`. */
export const dayAndTime = (instant: string): string => {
  const at = new Date(instant)
  return Number.isNaN(at.getTime()) ? instant : longDay.format(at)
}

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" })
const shortDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })

/** The time of day, with the date where it was not today. */
export const timeOfDay = (instant: string, now: number): string => {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return instant
  const isToday = at.toDateString() === new Date(now).toDateString()
  return isToday ? clock.format(at) : `${shortDate.format(at)} ${clock.format(at)}`
}
