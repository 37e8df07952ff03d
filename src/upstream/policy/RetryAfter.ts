/** How long an upstream asks to be left alone, by the headers in which it says so. */

/**
 * Milliseconds of a `retry-after-ms` or `retry-after` header (RFC 9110 §10.2.3: seconds or a date); `undefined` where there is
 * none that can be read.
 *
 * @param now epoch milliseconds
 */
export const retryAfterMs = (headers: Readonly<Record<string, string>>, now: number): number | undefined => {
  const milliseconds = Number.parseFloat(headers["retry-after-ms"] ?? "")
  if (milliseconds >= 0) return milliseconds
  const value = headers["retry-after"]?.trim()
  if (value === undefined || value === "") return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number.parseFloat(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
