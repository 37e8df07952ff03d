/** IP addresses and networks of them: read from text, and compared. IPv4 is looked at as the part of IPv6 that it is mapped to (RFC 4291 §2.5.5.2). */

export interface Address {
  /** As it is shown: IPv4 in four parts, also where it came mapped; IPv6 in lower case, without a zone. */
  readonly text: string
  /** 128 bits. */
  readonly bits: bigint
}

export interface Network {
  readonly bits: bigint
  /** How many bits at the end are any. */
  readonly free: bigint
}

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
const mapped = 0xffffn << 32n
const ipv4Bits = 32n

const bitsOfIpv4 = (text: string): bigint =>
  text.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n)

/** Groups of IPv6 between two `::`, the last four parts of IPv4 as two of them. */
const groupsOf = (text: string): ReadonlyArray<bigint> | undefined => {
  if (text === "") return []
  const groups: Array<bigint> = []
  const parts = text.split(":")
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
    else if (index === parts.length - 1 && ipv4.test(part)) {
      const bits = bitsOfIpv4(part)
      groups.push(bits >> 16n, bits & 0xffffn)
    } else return undefined
  }
  return groups
}

const longestAddress = 60

const bitsOfIpv6 = (text: string): bigint | undefined => {
  const [before = "", after, ...more] = text.split("::")
  const head = groupsOf(before)
  const tail = after === undefined ? [] : groupsOf(after)
  if (head === undefined || tail === undefined || more.length > 0) return undefined
  const missing = 8 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail]
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n)
}

const textOfIpv4 = (bits: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join(".")

/** An IP address, in brackets or not. */
export const parseAddress = (given: string): Address | undefined => {
  if (given.length > longestAddress) return undefined
  if (ipv4.test(given)) return { text: given, bits: mapped | bitsOfIpv4(given) }
  const text = given
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/%.*$/, "")
    .toLowerCase()
  if (!text.includes(":")) return undefined
  const bits = bitsOfIpv6(text)
  if (bits === undefined) return undefined
  return bits >> ipv4Bits === 0xffffn ? { text: textOfIpv4(bits & 0xffffffffn), bits } : { text, bits }
}

/** A network such as `10.0.0.0/8` or `fd00::/8`; an address alone is one of its own. */
export const parseNetwork = (text: string): Network | undefined => {
  const [, base = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(base)
  if (address === undefined) return undefined
  const most = base.includes(":") ? 128 : 32
  const kept = length === undefined ? most : Number(length)
  return kept > most ? undefined : { bits: address.bits, free: BigInt(most - kept) }
}

/** Whether the address lies in the network. */
export const isWithin = ({ bits }: Address, network: Network): boolean =>
  bits >> network.free === network.bits >> network.free
