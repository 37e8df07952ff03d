/** Numbers as people read them at a glance; the exact one stands in a title. */

const exactly = new Intl.NumberFormat("en")

const units: ReadonlyArray<readonly [number, string]> = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
]

/** `12,345`. */
export const exact = (value: number): string => exactly.format(value)

/** `12.3k`: three digits that count. Below ten thousand, all of them. */
export const short = (value: number): string => {
  if (Math.abs(value) < 10_000) return exact(Math.round(value * 100) / 100)
  const unit = units.find(([size]) => Math.abs(value) >= size * 0.9995)
  if (unit === undefined) return exact(value)
  const [size, name] = unit
  const scaled = value / size
  return `${scaled.toFixed(Math.abs(scaled) < 9.995 ? 2 : Math.abs(scaled) < 99.95 ? 1 : 0)}${name}`
}

/** A duration: `830 ms`, `4.21 s`, `1 m 12 s`. */
export const duration = (ms: number): string => {
  if (ms < 999.5) return `${ms < 9.95 && !Number.isInteger(ms) ? ms.toFixed(1) : Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} m`
}

/** Bytes: `12.3 kB`. */
export const bytes = (value: number): string =>
  value < 1000
    ? `${value} B`
    : `${short(value < 10_000 ? value / 1000 : value).replace(/([kMBT])$/, " $1")}${value < 10_000 ? " k" : ""}B`

/** A part of a whole: `0.4%`, `12%`. */
export const percent = (part: number, whole: number): string => {
  if (whole === 0) return "0%"
  const share = (100 * part) / whole
  return `${share > 0 && share < 9.95 ? share.toFixed(1) : Math.round(share)}%`
}

/** What became more or less: `+12%`, `×40`; nothing where there was nothing before. */
export const change = (now: number, before: number): string | undefined => {
  if (before === 0) return undefined
  if (now >= 10 * before) return `×${short(Math.round(now / before))}`
  const percents = Math.round((100 * (now - before)) / before)
  return percents === 0 ? "±0%" : `${percents > 0 ? "+" : "−"}${exact(Math.abs(percents))}%`
}

/** `1 request`, `2 requests`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${exact(count)} ${count === 1 ? one : many}`
