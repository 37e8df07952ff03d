/**
 * How often a request has gone through Sluice, told upstream in `cdn-loop` (RFC 8586): a gateway that asks itself, and two that ask each other, would never
 * end otherwise. A gateway behind a gateway is fine.
 */
import { joined, type ReceivedHeaders } from "../wire/Headers.ts"

export const hopsName = "cdn-loop"

/** Who has gone through so many gateways goes in circles. */
export const mostHops = 8

const own = "sluice"

/** What is told upstream by how often it was told before: once more. */
const told: ReadonlyArray<string> = Array.from({ length: mostHops }, (_, hops) =>
  Array.from({ length: hops + 1 }, () => own).join(", "),
)

/** Whether one of the entries, which may have parameters, is of a gateway like this. */
const isOwn = (entry: string): boolean => (entry.split(";", 1)[0] ?? "").trim().toLowerCase() === own

/** How many gateways a request has gone through. Other proxies tell of themselves in the same header. */
export const hopsOf = (headers: ReceivedHeaders): number => {
  const value = headers[hopsName]
  return value === undefined ? 0 : joined(value).split(",").filter(isOwn).length
}

/** The same, with this gateway, as it is told upstream. */
export const hopsTold = (headers: ReceivedHeaders): string =>
  told[Math.min(hopsOf(headers), mostHops - 1)] ?? own
