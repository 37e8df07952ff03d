/**
 * The proxy that calls to an upstream go through: its own, else the environment's, as curl reads it: `HTTPS_PROXY` for https, `HTTP_PROXY` for http,
 * `NO_PROXY` for what is reached without, each in lower case first. This machine is reached without in any case, as Go's programs reach it: to a proxy
 * `localhost` is itself.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { isWithin, parseAddress, parseNetwork } from "../wire/Address.ts"
import { isLoopback } from "../wire/HostName.ts"
import { parsedUrl } from "../wire/ParsedUrl.ts"
import { percentDecoded } from "../wire/PercentEncoding.ts"

export interface OutgoingProxy {
  /** Its address without credentials, for people. */
  readonly shown: string
  readonly protocol: "http:" | "https:"
  /** An IPv6 address without brackets. */
  readonly hostname: string
  readonly port: number
  /** The value of `proxy-authorization`. */
  readonly authorization: Redacted.Redacted<string> | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

/** What may be wrong with the URL of a proxy. */
export const proxyMistakes = {
  socks: "SOCKS proxies are not spoken to; name one by http:// or https://",
  scheme: "expected the URL of a proxy that begins with http:// or https://",
  url: "expected the URL of a proxy such as http://proxy.example:3128",
} as const

/** Words that repeat nothing of the URL. */
export type ProxyMistake = (typeof proxyMistakes)[keyof typeof proxyMistakes]

/** A proxy from its URL, whose scheme may be left out; or what is wrong with it. */
export const parseProxy = (given: string): Either.Either<OutgoingProxy, ProxyMistake> => {
  const text = given.trim()
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme?.startsWith("socks") === true) {
    return Either.left(proxyMistakes.socks)
  }
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    return Either.left(proxyMistakes.scheme)
  }
  const whole = scheme === undefined ? `http://${text}` : text
  const url = /[\s\p{Cc}]/u.test(text) ? undefined : parsedUrl(whole)
  if (url === undefined) return Either.left(proxyMistakes.url)
  const { hostname, password, port, protocol, username, host } = url
  const secure = protocol === "https:"
  return Either.right({
    shown: `${protocol}//${host}`,
    protocol: secure ? "https:" : "http:",
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    authorization:
      username === "" && password === ""
        ? undefined
        : Redacted.make(`Basic ${base64(`${percentDecoded(username)}:${percentDecoded(password)}`)}`),
  })
}

const defaultPort = (protocol: string): string => (protocol === "https:" ? "443" : "80")

/** Whether an entry of `NO_PROXY` means a host: all, a domain with what is below it, an address, or a network; with a port, at that port only. */
const excludes = (entry: string, hostname: string, port: string): boolean => {
  if (entry === "*") return true
  const [, bare = entry, ofPort] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(entry) ?? []
  if (ofPort !== undefined && ofPort !== port) return false
  const address = parseAddress(hostname)
  const network = parseNetwork(bare)
  if (address !== undefined || network !== undefined) {
    return address !== undefined && network !== undefined && isWithin(address, network)
  }
  const domain = bare.replace(/^\*?\./, "").replace(/\.$/, "")
  const host = hostname.replace(/\.$/, "")
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`))
}

const first = (environment: Environment, name: string): string | undefined =>
  environment[name.toLowerCase()] ?? environment[name]

/** Which variable of the environment says how calls to this URL go out, and what it says; nothing where they go straight. */
export const environmentProxy = (
  url: string,
  environment: Environment,
):
  | {
      readonly variable: "HTTPS_PROXY" | "HTTP_PROXY"
      readonly proxy: Either.Either<OutgoingProxy, ProxyMistake>
    }
  | undefined => {
  const parsed = parsedUrl(url)
  if (parsed === undefined) return undefined
  const { hostname, port, protocol } = parsed
  if (isLoopback(hostname)) return undefined
  const variable = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"
  const text = first(environment, variable)?.trim() ?? ""
  if (text === "") return undefined
  const entries = (first(environment, "NO_PROXY") ?? "").toLowerCase().split(/[,\s]+/)
  return entries.some((entry) => entry !== "" && excludes(entry, hostname, port || defaultPort(protocol)))
    ? undefined
    : { variable, proxy: parseProxy(text) }
}

/** What `proxy_url` says for calls that go straight, whatever the environment says. */
export const isDirect = (proxyUrl: string | false): boolean =>
  proxyUrl === false || proxyUrl.trim() === "" || proxyUrl.trim().toLowerCase() === "direct"

/** The proxy of an upstream. What names none that can be used never got this far. */
export const proxyOf = (
  proxyUrl: string | false | undefined,
  baseUrl: string,
  environment: Environment,
): OutgoingProxy | undefined => {
  if (proxyUrl === undefined) {
    const found = environmentProxy(baseUrl, environment)
    return found === undefined ? undefined : Either.getOrUndefined(found.proxy)
  }
  return proxyUrl === false || isDirect(proxyUrl) ? undefined : Either.getOrUndefined(parseProxy(proxyUrl))
}
