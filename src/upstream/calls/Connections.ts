/**
 * How connections to the upstreams come to be: straight, or through a proxy. Calls by https go through a tunnel (RFC 9110 §9.3.6); by http they
 * are the proxy's own to make, in absolute form (RFC 9112 §3.2.2), since few proxies open tunnels to other ports than 443.
 */
import type { Socket } from "node:net"
import * as Redacted from "effect/Redacted"
import { Agent, buildConnector } from "undici"
import type { OutgoingProxy } from "../../routing/OutgoingProxy.ts"
import { endUnpaused } from "./PausedEnds.ts"
import type { StaleConnections } from "./StaleConnections.ts"

/** Why a proxy opened no way to the upstream. Holds none of its credentials. */
export class ProxyFault extends Error {
  constructor(proxy: OutgoingProxy, reason: string) {
    super(`the proxy ${proxy.shown} ${reason}`)
  }
}

/** As undici calls it. */
class ConnectTimeout extends Error {
  readonly code = "UND_ERR_CONNECT_TIMEOUT"
}

/** Why the proxy refuses to pass a call on, by the status it answers with. */
export const proxyRefusal = (proxy: OutgoingProxy, status: number): ProxyFault =>
  new ProxyFault(
    proxy,
    status === 407
      ? `answered 407: it ${proxy.authorization === undefined ? "asks for credentials" : "refuses the credentials of its URL"}`
      : `answered ${status}`,
  )

/** A proxy's answer to CONNECT has nothing to say beyond its head. */
const longestHead = 16_384

/** Asks the proxy at the other end for a tunnel; `done` is told once, with what went wrong. */
const openTunnel = (
  socket: Socket,
  proxy: OutgoingProxy,
  authority: string,
  done: (fault: ProxyFault | undefined) => void,
): void => {
  let head = ""
  const end = (fault: ProxyFault | undefined) => {
    socket.off("readable", onReadable)
    socket.off("close", onClose)
    done(fault)
  }
  const onReadable = () => {
    for (let bytes: Buffer | null = socket.read(); bytes !== null; bytes = socket.read()) {
      head += bytes.toString("latin1")
      const headEnd = head.indexOf("\r\n\r\n")
      if (headEnd === -1 && head.length < longestHead) continue
      const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(head)?.[1]
      if (status === undefined || headEnd === -1) end(new ProxyFault(proxy, "does not answer in HTTP"))
      else if (!status.startsWith("2")) end(proxyRefusal(proxy, Number(status)))
      else if (head.length > headEnd + 4) end(new ProxyFault(proxy, "sent more than its answer to CONNECT"))
      else end(undefined)
      return
    }
  }
  const onClose = () => end(new ProxyFault(proxy, "closed the connection instead of opening a tunnel"))
  socket.on("readable", onReadable)
  socket.once("close", onClose)
  const credentials =
    proxy.authorization === undefined ? "" : `proxy-authorization: ${Redacted.value(proxy.authorization)}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credentials}\r\n`)
}

/** A connector that reaches upstreams through the proxy, all of it within the time a connection may take. */
const throughProxy =
  (proxy: OutgoingProxy, connectMs: number, connector: buildConnector.connector): buildConnector.connector =>
  (options, callback) => {
    let current: Socket | undefined
    let isOver = false
    const settle = (...outcome: buildConnector.CallbackArgs) => {
      if (isOver) {
        outcome[1]?.destroy()
        return
      }
      isOver = true
      clearTimeout(timer)
      if (outcome[0] !== null) current?.destroy()
      callback(...outcome)
    }
    const timer = setTimeout(() => settle(new ConnectTimeout("the proxy took too long"), null), connectMs)
    const host = proxy.hostname.includes(":") ? `[${proxy.hostname}]` : proxy.hostname
    connector(
      { hostname: proxy.hostname, host, protocol: proxy.protocol, port: String(proxy.port) },
      (...[error, socket]) => {
        if (error !== null) {
          const code = "code" in error && typeof error.code === "string" ? error.code : error.message
          const isTimeout = code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT"
          settle(isTimeout ? error : new ProxyFault(proxy, `cannot be reached: ${code}`), null)
          return
        }
        current = socket
        if (options.protocol !== "https:") {
          settle(null, socket)
          return
        }
        if (isOver) {
          socket.destroy()
          return
        }
        const name = options.hostname.includes(":") ? `[${options.hostname}]` : options.hostname
        openTunnel(socket, proxy, `${name}:${options.port || "443"}`, (fault) => {
          if (fault === undefined) connector({ ...options, httpSocket: socket }, settle)
          else settle(fault, null)
        })
      },
    )
  }

/** An agent whose connections are watched for whether they were stale. */
export const makeAgent = (
  connectMs: number,
  idleMs: number,
  stale: StaleConnections,
  proxy: OutgoingProxy | undefined,
): Agent => {
  const straight = buildConnector({
    timeout: connectMs,
    autoSelectFamily: true,
    // Node 20 gives each address of a host 250 ms, too little for a far-away first one.
    autoSelectFamilyAttemptTimeout: Math.min(connectMs, 2_000),
  })
  const connector = proxy === undefined ? straight : throughProxy(proxy, connectMs, straight)
  return new Agent({
    connect: (options, callback) =>
      connector(options, (...outcome) => {
        const [error, socket] = outcome
        if (error === null) {
          stale.watch(socket)
          endUnpaused(socket)
        }
        callback(...outcome)
      }),
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: 10 * idleMs,
    // The wait for the head is timed by `send`, the gaps of the body by each call itself.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}
