/** Quantities as people read them: `12.1s`, `1.2M`, `20:29:52`. Machines get numbers. */

/** Milliseconds: `0.4ms`, `412ms`, `12.1s`, `3m05s`, `2h10m`. */
export const duration = (ms: number): string => {
  if (ms < 9.95) return `${Math.round(ms * 10) / 10}ms`
  if (Math.round(ms) < 1000) return `${Math.round(ms)}ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  const two = (number: number) => String(number).padStart(2, "0")
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`
}

const steps = [
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
] as const

/** A count in six characters at most, exact up to 999,999; whoever counts beyond 999T gets `>999T`. */
export const count = (number: number): string => {
  if (number < 999_999.5) return String(Math.round(number))
  for (const [unit, size] of steps) {
    const scaled = number / size
    if (scaled < 999.95) return `${scaled.toFixed(1)}${unit}`
  }
  return ">999T"
}

/** Which clock times are shown by. */
export type Zone = "local" | "utc"

const two = (number: number): string => String(number).padStart(2, "0")

/** An instant of the calendar as the zone has it. */
const partsOf = (date: Date, zone: Zone) =>
  zone === "utc"
    ? ([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ] as const)
    : ([
        date.getFullYear(),
        date.getMonth() + 1,
        date.getDate(),
        date.getHours(),
        date.getMinutes(),
        date.getSeconds(),
      ] as const)

/** `20:29:52.479`, what a line of the log begins with. */
export const timeOfDay = (date: Date, zone: Zone): string => {
  const [, , , hours, minutes, seconds] = partsOf(date, zone)
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`
}

/** `11-27 20:29:52`, for a column. */
export const dayAndTime = (date: Date, zone: Zone): string => {
  const [, month, day, hours, minutes, seconds] = partsOf(date, zone)
  return `${two(month)}-${two(day)} ${two(hours)}:${two(minutes)}:${two(seconds)}`
}

/** How far the zone is from UTC at an instant: `Z`, `+01:00`. */
export const offset = (date: Date, zone: Zone): string => {
  const minutes = zone === "utc" ? 0 : -date.getTimezoneOffset()
  if (minutes === 0) return "Z"
  const size = Math.abs(minutes)
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** The whole of it: `2026-11-27 20:29:52.479 +01:00`. */
export const instant = (date: Date, zone: Zone): string => {
  const [year, month, day] = partsOf(date, zone)
  return `${year}-${two(month)}-${two(day)} ${timeOfDay(date, zone)} ${offset(date, zone)}`
}
