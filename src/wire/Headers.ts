/** Headers as they are received and sent (RFC 9110, 9112): what one may hold, and which cross a gateway at all. */

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

/** Whether a header can be sent as it is. */
export const isSendable = (name: string, value: string): boolean =>
  value.length <= longestValue && token.test(name) && fieldValue.test(value) && !connectionNames.has(name)

/** All values of a name as one. */
export const joined = (value: string | ReadonlyArray<string>): string =>
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
export const admit = (
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

/** The value of a name, of several the first; `""` where there is none. */
export const firstOf = (value: string | ReadonlyArray<string> | undefined): string =>
  (typeof value === "string" ? value : value?.[0]) ?? ""

const jsonMediaType = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i

/** Whether a body is called JSON. */
export const isJsonType = (contentType: string | undefined): boolean => jsonMediaType.test(contentType ?? "")
