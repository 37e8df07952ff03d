/** Which headers a record keeps: the names of all, and the values of those that are known to hold no secret. All others are redacted. */
import { hasKeyForm } from "../../secrets/KeyForm.ts"
import { clipped } from "../../wire/Clipped.ts"

/** Headers whose values a record keeps. Of any other it has the name alone: what it is for, and whether it lets somebody in, only its owner knows. */
export const keptNames: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "forwarded",
  "host",
  "http-referer",
  "keep-alive",
  "openai-beta",
  "openai-organization",
  "openai-project",
  "origin",
  "pragma",
  "priority",
  "referer",
  "te",
  "traceparent",
  "transfer-encoding",
  "user-agent",
  "via",
  "x-client-request-id",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
  "x-request-timeout-ms",
  "x-title",
])

const isKept = (name: string): boolean =>
  name.startsWith("x-stainless-") ||
  keptNames.has(name) ||
  name.startsWith("sec-fetch-") ||
  name.startsWith("sec-ch-")

/** Who asked, in URLs: without a user, and without a query or fragment, which hold codes and tokens. */
const pageOf = (url: string): string => url.replace(/[?#].*$/s, "").replace(/^([^/]*\/\/)[^/]*@/, "$1")

/** What a record keeps of a header, in characters, and of how many: clients may send 16 KiB of them, which is four rows otherwise. */
const longestHeader = 256
const longestName = 64
const mostHeaders = 64

/** A header as a record keeps it. */
export const keptHeader = (value: string): string => clipped(value, longestHeader)

/** A name that somebody made up, who may have put the value there. */
const strangeName = (name: string): string => (hasKeyForm(name) ? "[redacted]" : clipped(name, longestName))

/** The headers by their names, with the values of those that hold no secret; long ones cut, and the last of very many left out. */
export const redactHeaders = (
  headers: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> => {
  const redacted: Record<string, string> = {}
  let left = mostHeaders
  for (const given in headers) {
    const value = headers[given]
    if (value === undefined) continue
    if (left-- === 0) {
      redacted["\u2026"] = "[more headers, left out]"
      break
    }
    const name = given.toLowerCase()
    if (!isKept(name)) redacted[strangeName(given)] = "[redacted]"
    else redacted[given] = keptHeader(name === "referer" || name === "http-referer" ? pageOf(value) : value)
  }
  return redacted
}
