/** The target of a request as clients write it: its path and its query. */
import { tidied, withoutAuthority } from "../../wire/TargetPath.ts"

/** A target with nothing to tidy, as nearly all are. */
const tidyTarget = /^(?:\/[\w.~-]+)+$/

/** The path of a target as it was written: without scheme, authority and query. */
export const writtenPath = (target: string): string => withoutAuthority(target).replace(/[?#].*$/s, "")

/** The path of a request's target: each slash once, none at the end, nothing escaped that need not be, no query. */
export const pathOf = (target: string): string => {
  if (tidyTarget.test(target)) return target
  const path = tidied(writtenPath(target))
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path === "" ? "/" : path
}

/** The query of a target as it came, with its `?`; nothing where there is none. */
export const askedQuery = (target: string): string => /^[^?#]*(\?[^#]*)/s.exec(target)?.[1] ?? ""

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
