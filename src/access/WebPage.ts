/**
 * Requests that web pages make. A browser sends them for whatever page its user has open, from wherever the user's machine reaches: where no access
 * key is asked for, nothing but these rules stands between a stranger's page and the keys of the configuration.
 *
 * Browsers say who asks, and pages cannot change that: `origin` with every POST and with what another origin is to read, `sec-fetch-site` with all to
 * https and this machine (https://fetch.spec.whatwg.org/#origin-header, https://w3c.github.io/webappsec-fetch-metadata/). Others send neither.
 */
import { parseAddress } from "../wire/Address.ts"
import { isJsonType } from "../wire/Headers.ts"
import { hostnameIn, isLoopback, isPrivate } from "../wire/HostName.ts"
import { parsedUrl } from "../wire/ParsedUrl.ts"

/** Whose pages may read answers (`server.cors`). */
export interface Origins {
  readonly all: boolean
  /** As browsers write them. */
  readonly named: ReadonlySet<string>
}

/** An origin as it is written in configurations, as browsers write it; nothing where it is none. */
export const originFrom = (text: string): string | undefined => {
  const url = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i.test(text) ? parsedUrl(text) : undefined
  return url === undefined || url.host === "" ? undefined : `${url.protocol}//${url.host}`
}

/** The value of `access-control-allow-origin` for a page of this origin; nothing where it may read nothing. */
export const allowedOrigin = ({ all, named }: Origins, origin: string | undefined): string | undefined => {
  if (all) return "*"
  return origin !== undefined && named.has(origin) ? origin : undefined
}

/** What is looked at of a request. */
export interface AskedByBrowser {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `sec-fetch-site`. */
  readonly site: string | undefined
  /** `sec-fetch-mode` and `sec-fetch-dest`. */
  readonly mode: string | undefined
  readonly destination: string | undefined
  readonly contentType: string | undefined
  /** What is asked takes a body of this type, though it is no JSON. */
  readonly isTaken?: boolean
}

/** Why a page is refused: whose it is, under which name it found the gateway, or because its body could be sent without asking. */
export type PageFault = "origin" | "host" | "media_type"

const isRead = (method: string): boolean => method === "GET" || method === "HEAD"

/** Somebody typed the address, or followed a link to it: no page reads the answer. */
const isVisit = ({ destination, method, mode, origin, site }: AskedByBrowser): boolean =>
  isRead(method) &&
  origin === undefined &&
  (site === "none" || (mode === "navigate" && destination === "document"))

/** Schemes of pages that come from somewhere else than an installed application. `null` has none. */
const webSchemes = /^(?:https?|wss?|ftp|data|blob|about|javascript|filesystem|[a-z-]*extension):/i

/** Of this machine (`http://localhost:3000`), or of an application on it (`app://obsidian.md`, `vscode-webview://…`). */
const isLocalOrigin = (origin: string): boolean => {
  const [, hostname] = /^https?:\/\/(\[[\da-f:.]+\]|[a-z\d._-]+)(?::\d{1,5})?$/.exec(origin) ?? []
  if (hostname !== undefined) return isLoopback(hostname)
  return /^[a-z][a-z\d+.-]*:\/\/[^\s,]*$/i.test(origin) && !webSchemes.test(origin)
}

const namesHost = ({ named }: Origins, host: string): boolean =>
  named.has(`http://${host}`) || named.has(`https://${host}`)

/** Whether a page can have this host only where it is the gateway's own: an address, this machine, or a name that the configuration has. */
const isOwnHost = (origins: Origins, host: string): boolean => {
  const hostname = hostnameIn(host)
  return (
    hostname !== undefined &&
    (isLoopback(hostname) || parseAddress(hostname) !== undefined || namesHost(origins, host.toLowerCase()))
  )
}

/** Whether pages of this origin are let in whatever they call the gateway. */
const isTrusted = ({ all, named }: Origins, origin: string | undefined): boolean =>
  origin !== undefined && (named.has(origin) || (all && isLocalOrigin(origin)))

/** A page of the gateway's own origin, by the name it was asked under. */
const isOwnOrigin = (origin: string, host: string): boolean =>
  origin === `http://${host}` || origin === `https://${host}`

/**
 * Whether a name is one that a stranger can have registered, and let mean this gateway's address once his page is open ("DNS rebinding"). Told by the name
 * alone, for a page reads its own origin as a program does: without `origin`, and over http without `sec-fetch-site`.
 */
export const mayBeRebound = (origins: Origins, host: string | undefined): boolean => {
  const hostname = host === undefined ? undefined : hostnameIn(host)
  return (
    host === undefined ||
    hostname === undefined ||
    !(isPrivate(hostname) || namesHost(origins, host.toLowerCase()))
  )
}

/**
 * What is wrong with a request that a page made; nothing with those of programs.
 *
 * @param asksKeys a key is asked for, which a stranger's page does not have
 */
export const pageFault = (
  origins: Origins,
  asksKeys: boolean,
  asking: AskedByBrowser,
): PageFault | undefined => {
  const { contentType, host = "", isTaken = false, method, origin, site } = asking
  if ((origin === undefined && site === undefined) || method === "OPTIONS" || isVisit(asking))
    return undefined
  if (!asksKeys && !isTrusted(origins, origin)) {
    const isOwn = origin === undefined ? site === "same-origin" : isOwnOrigin(origin, host.toLowerCase())
    if (!isOwn) return "origin"
    if (!isOwnHost(origins, host)) return "host"
  }
  // Of any other type a body comes without a preflight, as uploads have to. Whose page it is, is known by now.
  return method !== "POST" || isTaken || isJsonType(contentType) ? undefined : "media_type"
}
