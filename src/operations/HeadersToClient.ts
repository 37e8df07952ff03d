/** Which of an upstream's headers go back to the client: those of an allow-list, without a secret in them. */
import type { Secrets } from "../secrets/Secrets.ts"
import { admit, joined, type ReceivedHeaders, type SentHeaders } from "../wire/Headers.ts"
import { sanitizeRequestId } from "../wire/RequestId.ts"

/** What goes back to the client of an upstream's headers. What a body is, is not theirs to say: it was read. */
const upstreamNames: ReadonlySet<string> = new Set(["retry-after", "retry-after-ms"])
const upstreamPrefixes = ["openai-", "x-ratelimit-"]

/**
 * The headers of an upstream's answer that the client gets, without a secret that one repeats. The upstream's `x-request-id` goes by another name, since
 * ours is the client's.
 */
export const toClient = (upstream: ReceivedHeaders, secrets: Secrets): SentHeaders => {
  const headers = admit(upstream, upstreamNames, upstreamPrefixes)
  for (const name in headers) headers[name] = secrets.without(headers[name] ?? "")
  const requestId = upstream["x-request-id"]
  const sane = requestId === undefined ? undefined : sanitizeRequestId(joined(requestId))
  if (sane !== undefined) headers["x-upstream-request-id"] = secrets.without(sane)
  return headers
}
