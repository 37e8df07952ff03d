/** Which of an upstream's headers go back to the client: those of an allow-list, without a secret in them. */
import type { RelayedForm } from "../answer/RelayedAnswer.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { admit, joined, type ReceivedHeaders, type SentHeaders } from "../wire/Headers.ts"
import { sanitizeRequestId } from "../wire/RequestId.ts"

/** What goes back to the client of an upstream's headers. What a body is, is not theirs to say: it was read. */
const upstreamNames: ReadonlySet<string> = new Set(["retry-after", "retry-after-ms"])
const upstreamPrefixes = ["openai-", "anthropic-", "x-ratelimit-"]

/** Where upstreams say what they call a request: Anthropic, before whom a proxy may say what it calls it, OpenAI and most others, Azure, and AWS. */
const requestIdNames = ["request-id", "x-request-id", "apim-request-id", "x-amzn-requestid"]

/** What an upstream calls a request: its support asks for it. Bounded, of plain characters, and without a secret. */
export const upstreamRequestId = (upstream: ReceivedHeaders, secrets: Secrets): string | undefined => {
  const name = requestIdNames.find((one) => upstream[one] !== undefined)
  const sane = name === undefined ? undefined : sanitizeRequestId(joined(upstream[name] ?? ""))
  return sane === undefined ? undefined : secrets.without(sane)
}

/**
 * The headers of an upstream's answer that the client gets, without a secret that one repeats. The upstream's request id goes by another name, since
 * ours is the client's.
 */
export const toClient = (upstream: ReceivedHeaders, secrets: Secrets): SentHeaders => {
  const headers = admit(upstream, upstreamNames, upstreamPrefixes)
  for (const name in headers) headers[name] = secrets.without(headers[name] ?? "")
  const requestId = upstreamRequestId(upstream, secrets)
  if (requestId !== undefined) headers["x-upstream-request-id"] = requestId
  return headers
}

/** What says of a body what it is, and how it is called. */
const bodyNames: ReadonlySet<string> = new Set(["content-disposition", "content-type"])

/** The same of one that is bytes: vLLM says there where in them each vector stands, and what was used. */
const bytesNames: ReadonlySet<string> = new Set([...bodyNames, "metadata"])

/** The same of one that nobody here looks into. */
const passedNames: ReadonlySet<string> = new Set([
  ...bodyNames,
  "accept-ranges",
  "content-encoding",
  "content-language",
  "content-range",
  "etag",
  "last-modified",
])

const usualTypes: { readonly [Form in RelayedForm]: string } = {
  object: "application/json",
  text: "text/plain; charset=utf-8",
  sound: "application/octet-stream",
  bytes: "application/octet-stream",
}

/** A body that is handed on may be anything that an upstream makes, and is no page of this gateway's whatever it is called. */
const aboutBody = (
  upstream: ReceivedHeaders,
  names: ReadonlySet<string>,
  secrets: Secrets,
): Record<string, string> => {
  const headers = admit(upstream, names, [])
  for (const name in headers) headers[name] = secrets.without(headers[name] ?? "")
  const length = joined(upstream["content-length"] ?? "")
  if (/^\d{1,15}$/.test(length)) headers["content-length"] = length
  headers["content-security-policy"] = "sandbox; default-src 'none'"
  headers["cache-control"] = "no-store"
  headers["x-accel-buffering"] = "no"
  return headers
}

/**
 * About a body that is handed on as its bytes come.
 *
 * @param form what its bytes have shown
 */
export const bodyToClient = (
  form: RelayedForm,
  upstream: ReceivedHeaders,
  secrets: Secrets,
): Record<string, string> => {
  const headers = aboutBody(upstream, form === "bytes" ? bytesNames : bodyNames, secrets)
  if (form === "object" || headers["content-type"] === undefined) headers["content-type"] = usualTypes[form]
  // Of a body that came packed it is that of the packed one.
  if (upstream["content-encoding"] !== undefined) delete headers["content-length"]
  return headers
}

/** About a body of which nothing was read, packed or not. */
export const passedToClient = (upstream: ReceivedHeaders, secrets: Secrets): Record<string, string> =>
  aboutBody(upstream, passedNames, secrets)
