/** The path in the target of a request, as it is compared: clients send whole URLs as their targets, double slashes, and escape letters. */
import { percentDecoded } from "./PercentEncoding.ts"

/** The scheme and authority of a target in absolute form (RFC 9112 §3.2.2). */
const authority = /^https?:\/\/[^/?#]*/i

/** RFC 3986 §2.3: characters that mean the same escaped and plain. A slash is none of them: escaped, it belongs to a name. */
const escapedUnreserved = /%(?:2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

export const withoutAuthority = (target: string): string => target.replace(authority, "")

/** A path with each slash once, and nothing escaped that need not be. */
export const tidied = (path: string): string =>
  path.replace(escapedUnreserved, percentDecoded).replace(/\/{2,}/g, "/")
