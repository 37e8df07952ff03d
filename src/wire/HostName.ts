/** Names and addresses of hosts as URLs and `Host` headers have them, and who may have chosen them. */
import { isWithin, parseAddress, parseNetwork } from "./Address.ts"

const thisMachine = ["127.0.0.0/8", "::1/128"].flatMap((text) => parseNetwork(text) ?? [])

/** Whether a host is this machine, by its name or its address; IPv6 in brackets or not. */
export const isLoopback = (hostname: string): boolean => {
  const host = hostname.replace(/\.$/, "")
  if (host === "localhost" || host.endsWith(".localhost")) return true
  const address = parseAddress(host)
  return address !== undefined && thisMachine.some((network) => isWithin(address, network))
}

/** Endings of names that nobody can register in the public DNS. */
const privateEndings = [
  "corp",
  "home",
  "home.arpa",
  "internal",
  "intranet",
  "lan",
  "local",
  "localdomain",
  "svc",
  "test",
]

/**
 * Whether the host is an address or a name of a private network (`gateway`, `gateway.default.svc.cluster.local`). Any other may be a stranger's, who can
 * let it mean whatever address he likes.
 */
export const isPrivate = (hostname: string): boolean =>
  isLoopback(hostname) ||
  parseAddress(hostname) !== undefined ||
  /^[a-z\d_-]+$/.test(hostname) ||
  privateEndings.some((ending) => hostname.endsWith(`.${ending}`))

/** The host of a `Host` header in lower case, without its port; nothing where it is none. */
export const hostnameIn = (header: string): string | undefined =>
  /^(\[[\da-f:.]+\]|[a-z\d._-]+)(?::\d{1,5})?$/.exec(header.toLowerCase())?.[1]
