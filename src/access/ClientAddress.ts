/**
 * Whose address a request has, where proxies stand between: each adds the address it was called from behind those it was sent, so only what trusted
 * ones added can be believed, and that is read from the right. The rest is the client's to invent.
 */
import { type Address, isWithin, type Network, parseAddress } from "../wire/Address.ts"

/** Which proxies are believed: none, all that there are, the last so many, or those in these networks. */
export type ProxyTrust = boolean | number | ReadonlyArray<Network>

/** What proxies tell, by lower-case name. */
type ForwardingHeaders = Readonly<Record<string, string | undefined>>

/** Longer chains of proxies there are none. */
const mostHops = 64

/** An entry of `x-forwarded-for`: an address, some with a port behind it, some in quotes. What is none of these is `unknown`, a name or an invention. */
const addressOf = (entry: string): Address | undefined => {
  const text = entry.trim().replace(/^"(.*)"$/, "$1")
  const [, inBrackets] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? []
  return parseAddress(inBrackets ?? text.replace(/^([\d.]+):\d{1,5}$/, "$1"))
}

const isTrusted = (trust: ProxyTrust, hop: number, address: Address | undefined): boolean => {
  if (typeof trust === "boolean") return trust
  if (typeof trust === "number") return hop < trust
  return address !== undefined && trust.some((network) => isWithin(address, network))
}

/** An address of IPv4 as a socket of both has it: `::ffff:192.0.2.7`. */
const mappedPrefix = "::ffff:"

/** The other end of a connection, whose text is Node's own and needs no parsing: that is 5 of 300 µs of a plain request. */
const textOfPeer = (peer: string): string => {
  if (peer.startsWith(mappedPrefix) && peer.includes(".")) return peer.slice(mappedPrefix.length)
  // The interface that a neighbour is behind is this machine's name for it.
  const zone = peer.indexOf("%")
  return zone === -1 ? peer : peer.slice(0, zone)
}

/**
 * The address that is not a trusted proxy's, the nearest; of trusted ones alone, the farthest. An entry that is no address ends the chain: who put it
 * there did not say more.
 *
 * @param peer the other end of the connection
 */
export const clientAddress = (trust: ProxyTrust, peer: string, headers: ForwardingHeaders): string => {
  const own = textOfPeer(peer)
  if (trust === false || !isTrusted(trust, 0, parseAddress(own))) return own
  const forwarded = headers["x-forwarded-for"]?.trim() ?? ""
  const told = forwarded === "" ? [headers["x-real-ip"] ?? ""] : forwarded.split(",").slice(-mostHops)
  let nearest = own
  for (const [hop, entry] of told.reverse().entries()) {
    const address = addressOf(entry)
    if (address === undefined) break
    nearest = address.text
    if (!isTrusted(trust, hop + 1, address)) break
  }
  return nearest
}
