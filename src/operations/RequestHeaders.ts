/** Which headers cross the gateway: to an upstream by an allow-list, back to the client by another, and what is read from the client's. */
import * as Redacted from "effect/Redacted"
import type { Upstream } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"

/** Headers as they came from a client or an upstream; of a name that came several times, all values. */
export type ReceivedHeaders = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** Headers to send, by lower-case name. */
export type SentHeaders = Readonly<Record<string, string>>

/**
 * Headers and others behind them, names and values in turn, as Node and undici take them. Not a copy with members more: V8 makes a hidden class for each
 * object that is copied and then added to, among the old objects, where they fill the memory until a full collection (docs/performance.md).
 */
export const fieldsOf = (headers: SentHeaders, others: SentHeaders): Array<string> => {
  const fields: Array<string> = []
  for (const name in headers) fields.push(name, headers[name] ?? "")
  for (const name in others) fields.push(name, others[name] ?? "")
  return fields
}

/** Where clients say which of their conversations a request belongs to, the plainest word first. */
const sessionNames = ["x-session-affinity", "x-session-id", "session-id", "session_id", "thread-id"]

/** What goes upstream of a client's headers; never credentials, cookies, or who forwarded for whom. */
const clientNames: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-type",
  "idempotency-key",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-client-request-id",
  ...sessionNames,
])
const clientPrefixes = ["openai-", "x-stainless-"]

/** Who is charged, and for what no more than once: said of the key that it goes with, so never beside another's. */
const keyOwnersNames = ["idempotency-key", "openai-organization", "openai-project"]

/** What goes back to the client of an upstream's headers. What a body is, is not theirs to say: it was read. */
const upstreamNames: ReadonlySet<string> = new Set(["retry-after", "retry-after-ms"])
const upstreamPrefixes = ["openai-", "x-ratelimit-"]

/**
 * Headers about one connection and its framing (RFC 9110 §7.6.1, RFC 9112 §6), and `accept-encoding`, since answers are read. They are
 * each connection's own, so configuration cannot set them either.
 */
export const connectionNames: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
])

const mostHeaders = 64
const longestValue = 8_192

/** RFC 9110 §5.6.2 and §5.5: a value of visible characters, spaces and tabs, so that it cannot begin another header. */
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

const isSendable = (name: string, value: string): boolean =>
  value.length <= longestValue && token.test(name) && fieldValue.test(value) && !connectionNames.has(name)

const joined = (value: string | ReadonlyArray<string>): string =>
  typeof value === "string" ? value : value.join(", ")

const none: ReadonlySet<string> = new Set()

/** The names a `connection` header declares to be about this connection only (RFC 9110 §7.6.1). */
const nominated = ({ connection }: ReceivedHeaders): ReadonlySet<string> =>
  // What nearly all say; neither is a header that would cross.
  connection === undefined || connection === "keep-alive" || connection === "close"
    ? none
    : new Set(
        joined(connection)
          .split(",")
          .map((name) => name.trim().toLowerCase()),
      )

/** The headers that an allow-list admits, at most `mostHeaders`. */
const admit = (
  headers: ReceivedHeaders,
  names: ReadonlySet<string>,
  prefixes: ReadonlyArray<string>,
): Record<string, string> => {
  const ofThisConnection = nominated(headers)
  const admitted: Record<string, string> = {}
  let left = mostHeaders
  for (const given in headers) {
    const values = headers[given]
    if (values === undefined) continue
    const name = given.toLowerCase()
    if (!names.has(name) && !prefixes.some((prefix) => name.startsWith(prefix))) continue
    const value = joined(values)
    if (ofThisConnection.has(name) || !isSendable(name, value)) continue
    if (left-- === 0) break
    admitted[name] = value
  }
  return admitted
}

const jsonMediaType = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i

/** Whether a body is called JSON. */
export const isJsonType = (contentType: string | undefined): boolean => jsonMediaType.test(contentType ?? "")

/**
 * The headers of a call to an upstream. Configured headers win over the client's and over `key`, which is the one decided for
 * this attempt. A body is JSON by the time it is sent, whatever the client called it (`curl -d` calls it a form).
 */
export const toUpstream = (
  client: ReceivedHeaders,
  upstream: Pick<Upstream, "headers"> & Partial<Pick<Upstream, "apiKey" | "keyHeader">>,
  key: Redacted.Redacted<string> | undefined,
  body: "json" | "none",
): SentHeaders => {
  const headers = admit(client, clientNames, clientPrefixes)
  // The key is the gateway's, or there is none.
  if (key === undefined || key === upstream.apiKey) for (const name of keyOwnersNames) delete headers[name]
  if (body === "none") delete headers["content-type"]
  else if (!isJsonType(headers["content-type"])) headers["content-type"] = "application/json"
  if (key !== undefined) {
    const name = upstream.keyHeader ?? "authorization"
    const value = upstream.keyHeader === undefined ? `Bearer ${Redacted.value(key)}` : Redacted.value(key)
    if (isSendable(name, value)) headers[name] = value
  }
  for (const [given, value] of Object.entries(upstream.headers)) {
    const name = given.toLowerCase()
    if (isSendable(name, value)) headers[name] = value
  }
  return headers
}

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

const first = (value: string | ReadonlyArray<string> | undefined): string =>
  (typeof value === "string" ? value : value?.[0]) ?? ""

/** Where clients send a bare key: Anthropic's, and Azure's. */
const keyNames = ["x-api-key", "api-key"]

/** The key the client sent: of `authorization: Bearer …` (RFC 9110 §11.1: the scheme in any case), else of `x-api-key`, else of `api-key`. */
export const clientKey = (headers: ReceivedHeaders): Redacted.Redacted<string> | undefined => {
  const bearer = /^bearer +(.*)$/is.exec(first(headers["authorization"]).trim())?.[1]?.trim() ?? ""
  const sent = [bearer, ...keyNames.map((name) => first(headers[name]).trim())]
  const key = sent.find((one) => one !== "")
  return key === undefined ? undefined : Redacted.make(key)
}

/** An id is shorter; what is not is cut before it is hashed. */
const longestSession = 256

/** The conversation a client says that its request belongs to. */
export const sessionOf = (headers: ReceivedHeaders): string | undefined => {
  for (const name of sessionNames) {
    const session = first(headers[name]).trim()
    if (session !== "") return session.slice(0, longestSession)
  }
  return undefined
}

const requestId = /^[A-Za-z0-9._:-]{1,128}$/

/** A client's request id, if it is one that can stand in headers, logs and rows: 1 to 128 letters, digits, `.`, `_`, `:`, `-`. */
export const sanitizeRequestId = (value: string | undefined): string | undefined =>
  value !== undefined && requestId.test(value) ? value : undefined
