/**
 * What web pages may do: which of their requests are served, and whose pages may read the answers. Keys travel in headers that a page must hold
 * itself, never in cookies, so that where keys are asked for any page may try.
 */
import type { Socket } from "node:net"
import { keyCount } from "../access/AccessKey.ts"
import { allowedOrigin, mayBeRebound, type PageFault, pageFault } from "../access/WebPage.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { PageRefused, UnsupportedMediaType } from "../errors/AccessErrors.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { pathOf } from "../operations/paths/RequestTarget.ts"
import { takesForms } from "../operations/paths/ServedPaths.ts"
import { passedBy } from "../routing/Passthrough.ts"
import type { SentHeaders } from "../wire/Headers.ts"
import { isLoopback } from "../wire/HostName.ts"
import { isFormType } from "../wire/Multipart.ts"
import { isVerbose } from "./Health.ts"

type Headers = ClientCall["headers"]

/**
 * What browsers let a page read of an answer, beside the headers they always do: all of it, as rate limits have many names. Those that do not know `*`
 * let it read those that are named.
 */
const exposed = [
  "x-request-id",
  "request-id",
  "x-upstream-request-id",
  "x-sluice-upstream",
  "x-sluice-dialect",
  "x-sluice-attempts",
  "x-sluice-dropped",
  "x-should-retry",
  "retry-after",
  "*",
].join(", ")

/** What is on every answer, whoever may read it. */
const headersOnAny = (requestId: string, allowed: string | undefined): Record<string, string> =>
  allowed === undefined
    ? { vary: "origin", "x-content-type-options": "nosniff", "x-request-id": requestId }
    : allowed === "*"
      ? {
          "access-control-allow-origin": "*",
          "access-control-expose-headers": exposed,
          "x-content-type-options": "nosniff",
          "x-request-id": requestId,
        }
      : {
          "access-control-allow-origin": allowed,
          "access-control-expose-headers": exposed,
          vary: "origin",
          "x-content-type-options": "nosniff",
          "x-request-id": requestId,
        }

/** On every answer: the request's id, as its family calls it too, that nothing but its type says what it is, and who may read it. */
export const headersOnEvery = (
  { face, headers: { origin }, id }: Pick<ClientCall, "face" | "headers" | "id">,
  { server: { origins } }: Snapshot,
): SentHeaders => {
  const headers = headersOnAny(id, allowedOrigin(origins, origin))
  if (face === "anthropic") headers["request-id"] = id
  return headers
}

/** On every answer that is not for web pages of other sites. */
export const headersForOperators = ({ id }: Pick<ClientCall, "id">): SentHeaders => ({
  "x-content-type-options": "nosniff",
  "x-request-id": id,
})

const errorOf = (fault: PageFault, headers: Headers): GatewayError => {
  switch (fault) {
    case "origin":
      return new PageRefused({ reason: "origin", told: headers["origin"] })
    case "host":
      return new PageRefused({ reason: "host", told: headers["host"] })
    case "media_type":
      return new UnsupportedMediaType({ contentType: headers["content-type"] })
  }
}

/** Probes ask under any name, and are told nothing of what the gateway has. */
const probed: ReadonlySet<string> = new Set(["/health", "/livez", "/readyz"])

/** Addresses of this machine as sockets have them. */
const isLocal = (address: string | undefined): boolean => isLoopback(address?.replace(/^::ffff:/, "") ?? "")

/**
 * Whether a page of somebody else may read the answer as its own. A program's request looks the same, so this is asked only where a page would read
 * most, or where it reached what no other can reach: this machine alone.
 */
const isRebound = ({ server }: Snapshot, target: string, headers: Headers, socket: Socket): boolean => {
  if (!mayBeRebound(server.origins, headers["host"])) return false
  if (probed.has(pathOf(target))) return isVerbose(target)
  // A proxy on this machine passes the names on that it is asked under.
  return (server.trustProxy === false || server.trustProxy === 0) && isLocal(socket.localAddress)
}

/** Whether what is asked takes bodies of this type, beside JSON: forms, and whatever is handed on. */
const isTaken = ({ passthrough }: Snapshot, target: string, type: string | undefined): boolean =>
  (isFormType(type) && takesForms(pathOf(target))) || passedBy(passthrough, target) !== undefined

/** Why the request is not served, where it is a web page's that may not make it. */
export const pageRefusal = (
  snapshot: Snapshot,
  method: string,
  target: string,
  { headers }: ClientCall,
  socket: Socket,
): GatewayError | undefined => {
  const { origin } = headers
  const site = headers["sec-fetch-site"]
  const asksKeys = keyCount(snapshot.server.accessKeys) > 0
  if (origin !== undefined || site !== undefined) {
    const fault = pageFault(snapshot.server.origins, asksKeys, {
      method,
      host: headers["host"],
      origin,
      site,
      mode: headers["sec-fetch-mode"],
      destination: headers["sec-fetch-dest"],
      contentType: headers["content-type"],
      isTaken: isTaken(snapshot, target, headers["content-type"]),
    })
    if (fault !== undefined) return errorOf(fault, headers)
  }
  return !asksKeys && (method === "GET" || method === "HEAD") && isRebound(snapshot, target, headers, socket)
    ? errorOf("host", headers)
    : undefined
}

const maxAgeSeconds = 86_400

/** Names of headers that a page asks for; SDKs send some 20. */
const longestAskedHeaders = 2_048

/**
 * The answer to a preflight (https://fetch.spec.whatwg.org/#http-cors-protocol): all headers a page asks for are allowed, by name, since
 * `*` would not cover `authorization`. Pages of the internet are let into a private network (https://wicg.github.io/private-network-access/) only where
 * the configuration names them.
 */
export const preflight = ({ server: { origins } }: Snapshot, headers: Headers): ClientAnswer => {
  const asked = headers["access-control-request-headers"] ?? "*"
  const intoPrivate = headers["access-control-request-private-network"] === "true"
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": asked.length > longestAskedHeaders ? "*" : asked,
      "access-control-max-age": String(maxAgeSeconds),
      ...(intoPrivate && origins.named.has(headers["origin"] ?? "")
        ? { "access-control-allow-private-network": "true" }
        : {}),
      vary: "access-control-request-headers",
    },
    body: new Uint8Array(),
  }
}
