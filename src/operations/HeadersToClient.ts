/** Which of an upstream's headers go back to the client: those of an allow-list, without a secret in them. */
import type { Secrets } from "../secrets/Secrets.ts"
import { admit, joined, type ReceivedHeaders, type SentHeaders } from "../wire/Headers.ts"
import { sanitizeRequestId } from "../wire/RequestId.ts"

/** What goes back to the client of an upstream's headers. What a body is, is not theirs to say: it was read. */
const upstreamNames: ReadonlySet<string> = new Set(["retry-after", "retry-after-ms"])
const upstreamPrefixes = ["openai-", "anthropic-", "x-ratelimit-"]

/** Where upstreams say what they call a request: OpenAI and most others, Anthropic, Azure, and AWS. */
const requestIdNames = ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid"]

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
