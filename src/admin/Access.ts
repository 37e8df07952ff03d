/** Who may see what only operators see, and which web pages may ask for it. */
import type { KeyRing } from "../access/AccessKey.ts"
import { keyCount } from "../access/AccessKey.ts"
import { acceptedKey, clientKeys } from "../access/Credential.ts"
import { mayBeRebound, type Origins } from "../access/WebPage.ts"
import type { ReceivedHeaders } from "../wire/Headers.ts"
import { holdsSession, sessionIn } from "./Session.ts"

/** What decides on it. */
export interface Doors {
  readonly accessKeys: KeyRing
  readonly adminKeys: KeyRing
  readonly origins: Origins
  /** It was asked on a port that is the operators' own. */
  readonly isOwnPort: boolean
}

/**
 * - `operator`: sees everything;
 * - `unknown`, `impostor`: sent no key, or one that is none of theirs;
 * - `shut`: nobody may, for nothing says who operators are, and callers are asked for keys.
 */
export type Visitor = "operator" | "unknown" | "impostor" | "shut"

/** Whether it is asked who somebody is. */
export const asksKeys = ({ adminKeys }: Pick<Doors, "adminKeys">): boolean => keyCount(adminKeys) > 0

/** Who asks. A key counts before a session. */
export const visitorOf = (doors: Doors, headers: ReceivedHeaders, now: number): Visitor => {
  const { accessKeys, adminKeys, isOwnPort } = doors
  if (!asksKeys(doors)) return isOwnPort || keyCount(accessKeys) === 0 ? "operator" : "shut"
  const sent = clientKeys(headers, "openai")
  if (sent.length > 0) return acceptedKey(adminKeys, sent) === undefined ? "impostor" : "operator"
  const session = sessionIn(typeof headers["cookie"] === "string" ? headers["cookie"] : undefined)
  return session !== undefined && holdsSession(adminKeys, session, now) ? "operator" : "unknown"
}

/** Whether a browser says that the page which asks is the gateway's own, or that no page does. Programs say nothing. */
const isOwnPage = ({ origins }: Doors, headers: ReceivedHeaders): boolean => {
  const site = headers["sec-fetch-site"]
  const origin = headers["origin"]
  if (typeof origin === "string" && origins.named.has(origin)) return true
  if (site !== undefined) return site === "same-origin" || site === "none"
  if (origin === undefined) return true
  const host = String(headers["host"] ?? "").toLowerCase()
  return origin === `http://${host}` || origin === `https://${host}`
}

/**
 * Why what a page asks for is not given: it is another's (CSRF), or, where no key is asked for, the gateway was found under a name that may be a stranger's
 * (DNS rebinding). `isVisit`: somebody opens a page, which no other page reads.
 */
export const pageFaultOf = (
  doors: Doors,
  headers: ReceivedHeaders,
  isVisit: boolean,
): "origin" | "host" | undefined => {
  if (!isVisit && !isOwnPage(doors, headers)) return "origin"
  const host = headers["host"]
  return !asksKeys(doors) && mayBeRebound(doors.origins, typeof host === "string" ? host : undefined)
    ? "host"
    : undefined
}
