/** The target of a request as clients write it, its path and its query: they double slashes, send whole URLs, and escape letters. */

/** A target with nothing to tidy, as nearly all are. */
const tidyTarget = /^(?:\/[\w.~-]+)+$/

/** The scheme and authority of a target in absolute form (RFC 9112 §3.2.2). */
const authority = /^https?:\/\/[^/?#]*/i

/** RFC 3986 §2.3: characters that mean the same escaped and plain. A slash is none of them: escaped, it belongs to a name. */
const escapedUnreserved = /%(?:2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

const characterOf = (escape: string): string => String.fromCharCode(Number.parseInt(escape.slice(1), 16))

/** The path of a target as it was written: without scheme, authority and query. */
export const writtenPath = (target: string): string => target.replace(authority, "").replace(/[?#].*$/s, "")

/** The path of a request's target: each slash once, none at the end, nothing escaped that need not be, no query. */
export const pathOf = (target: string): string => {
  if (tidyTarget.test(target)) return target
  const path = writtenPath(target)
    .replace(escapedUnreserved, characterOf)
    .replace(/\/{2,}/g, "/")
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path === "" ? "/" : path
}

const longestQuery = 2_048

/** RFC 3986 §3.4. */
const query = /^[\w.~%!$&'()*+,;=:@/?-]+$/

/** The query of a request's target, without its `?`, where there is one that can be sent on. */
export const queryOf = (target: string): string | undefined => {
  const from = target.indexOf("?")
  if (from === -1 || target.length - from > longestQuery) return undefined
  const written = target.slice(from + 1).replace(/#.*$/s, "")
  return query.test(written) ? written : undefined
}

const azureVersion = /^api-version(?:=|$)/i

/** What of a query upstreams are told: all but the version of Azure's addresses, which says how this one is read. Theirs stands in their base URLs. */
export const passedQuery = (target: string): string | undefined => {
  const written = queryOf(target)
  return written
    ?.split("&")
    .filter((parameter) => !azureVersion.test(parameter))
    .join("&")
}
