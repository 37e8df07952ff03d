/** IP addresses and networks of them: read from text, and compared. IPv4 is looked at as the part of IPv6 that it is mapped to (RFC 4291 §2.5.5.2). */

export interface Address {
  /** As it is shown: IPv4 in four parts, also where it came mapped; IPv6 in lower case, without a zone. */
  readonly text: string
  /** Eight groups of 16 bits. Numbers rather than one `bigint`, which took four times as long: one is read with each request. */
  readonly groups: ReadonlyArray<number>
}

export interface Network {
  readonly groups: ReadonlyArray<number>
  /** How many bits at the beginning are fixed. */
  readonly length: number
}

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
const ipv4Bits = 32

/** Before the last two groups of IPv4. */
const mapped = [0, 0, 0, 0, 0, 0xffff]
const mappedText = "::ffff:"

const groupsOfIpv4 = (text: string): ReadonlyArray<number> => {
  const [first = 0, second = 0, third = 0, fourth = 0] = text.split(".").map(Number)
  return [(first << 8) | second, (third << 8) | fourth]
}

const ofIpv4 = (text: string): Address => ({ text, groups: [...mapped, ...groupsOfIpv4(text)] })

/** Groups of IPv6 between two `::`, the last four parts of IPv4 as two of them. */
const groupsOf = (text: string): ReadonlyArray<number> | undefined => {
  if (text === "") return []
  const groups: Array<number> = []
  const parts = text.split(":")
  for (const [index, part] of parts.entries()) {
    if (/^[\da-f]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else if (index === parts.length - 1 && ipv4.test(part)) groups.push(...groupsOfIpv4(part))
    else return undefined
  }
  return groups
}

const longestAddress = 60

const groupsOfIpv6 = (text: string): ReadonlyArray<number> | undefined => {
  const [before = "", after, ...more] = text.split("::")
  const head = groupsOf(before)
  const tail = after === undefined ? [] : groupsOf(after)
  if (head === undefined || tail === undefined || more.length > 0) return undefined
  const missing = 8 - head.length - tail.length
  if (after === undefined ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const textOfIpv4 = (groups: ReadonlyArray<number>): string =>
  groups.flatMap((group) => [group >> 8, group & 0xff]).join(".")

/** An IP address, in brackets or not. */
export const parseAddress = (given: string): Address | undefined => {
  if (given.length > longestAddress) return undefined
  if (ipv4.test(given)) return ofIpv4(given)
  // What Node says of clients by IPv4, where it listens for both.
  const inMapped = given.startsWith(mappedText) ? given.slice(mappedText.length) : ""
  if (ipv4.test(inMapped)) return ofIpv4(inMapped)
  const text = given
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/%.*$/, "")
    .toLowerCase()
  if (!text.includes(":")) return undefined
  const groups = groupsOfIpv6(text)
  if (groups === undefined) return undefined
  const isIpv4 = mapped.every((group, at) => group === groups[at])
  return { text: isIpv4 ? textOfIpv4(groups.slice(mapped.length)) : text, groups }
}

/** A network such as `10.0.0.0/8` or `fd00::/8`; an address alone is one of its own. */
export const parseNetwork = (text: string): Network | undefined => {
  const [, base = "", length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(base)
  if (address === undefined) return undefined
  const most = base.includes(":") ? 128 : ipv4Bits
  const fixed = length === undefined ? most : Number(length)
  return fixed > most ? undefined : { groups: address.groups, length: 128 - most + fixed }
}

/** Whether the address lies in the network. */
export const isWithin = ({ groups }: Address, network: Network): boolean =>
  network.groups.every((group, at) => {
    const free = Math.min(16, Math.max(0, 16 * (at + 1) - network.length))
    return group >> free === (groups[at] ?? 0) >> free
  })

/** IPv6 is given out by such networks: who has one of its addresses has all. */
const groupsOfNetwork = 4

/** Who is at an address, for counting: an address of IPv4, the /64 of one of IPv6; what is no address as it is. */
export const networkOf = (text: string): string => {
  if (!text.includes(":")) return text
  const address = parseAddress(text)
  if (address === undefined || !address.text.includes(":")) return address?.text ?? text
  const groups = address.groups.slice(0, groupsOfNetwork).map((group) => group.toString(16))
  return `${groups.join(":")}::/64`
}
