/** Whose address a request has behind proxies. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientAddress, type ProxyTrust } from "../../src/access/ClientAddress.ts"
import { isWithin, type Network, parseAddress, parseNetwork } from "../../src/wire/Address.ts"

const networks = (...texts: ReadonlyArray<string>): ReadonlyArray<Network> =>
  texts.flatMap((text) => parseNetwork(text) ?? [])

describe("parseAddress", () => {
  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:102:304", "1.2.3.4"],
    ["[2001:DB8::1]", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::", "::"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["::1.2.3.4", "::1.2.3.4"],
  ])("reads %s as %s", (given, text) => {
    expect(parseAddress(given)?.text).toBe(text)
  })

  it.each([
    "",
    "unknown",
    "_hidden",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4.5",
    "1:2:3",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8:9",
    "12345::",
    "::1.2.3.4:5",
    "gateway.test",
    "1".repeat(100),
  ])("finds none in %j", (given) => {
    expect(parseAddress(given)).toBeUndefined()
  })
})

describe("Networks", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.0.0.1", true],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "fe80::1", false],
    ["::/0", "1.2.3.4", true],
  ])("%s and %s: %s", (network, address, within) => {
    const [one] = networks(network)
    const other = parseAddress(address)
    expect(one !== undefined && other !== undefined && isWithin(other, one)).toBe(within)
  })

  it.each(["10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/x", "10.0.0/8", "", "private", "1.2.3.4/8/8"])(
    "%j is none",
    (text) => {
      expect(parseNetwork(text)).toBeUndefined()
    },
  )
})

describe("clientAddress", () => {
  const cluster = networks("10.0.0.0/8", "fd00::/8")
  const table: ReadonlyArray<readonly [ProxyTrust, string, string | undefined, string]> = [
    [false, "10.0.0.1", "8.8.8.8", "10.0.0.1"],
    [0, "10.0.0.1", "8.8.8.8", "10.0.0.1"],
    // A proxy that appends: what the caller invented stands to the left.
    [1, "10.0.0.1", "8.8.8.8, 203.0.113.9", "203.0.113.9"],
    [2, "10.0.0.1", "8.8.8.8, 203.0.113.9, 10.0.0.2", "203.0.113.9"],
    [5, "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"],
    [true, "10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"],
    [cluster, "10.0.0.1", "8.8.8.8, 203.0.113.9, 10.0.0.2", "203.0.113.9"],
    [cluster, "::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"],
    [cluster, "198.51.100.7", "203.0.113.9", "198.51.100.7"],
    [cluster, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    [cluster, "fd00::1", "2001:DB8::9, fd00::2", "2001:db8::9"],
    // Ports, brackets, quotes, mapped addresses, zones.
    [1, "10.0.0.1", "203.0.113.9:5555", "203.0.113.9"],
    [1, "10.0.0.1", "[2001:db8::9]:5555", "2001:db8::9"],
    [1, "10.0.0.1", '"[2001:db8::9]"', "2001:db8::9"],
    [1, "10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"],
    [1, "10.0.0.1", "fe80::1%eth0", "fe80::1"],
    // What is no address ends the chain.
    [1, "10.0.0.1", "8.8.8.8, unknown", "10.0.0.1"],
    [true, "10.0.0.1", "8.8.8.8, _hidden, 203.0.113.9", "203.0.113.9"],
    [1, "10.0.0.1", "8.8.8.8,", "10.0.0.1"],
    [1, "10.0.0.1", undefined, "10.0.0.1"],
    [1, "::ffff:10.0.0.1", undefined, "10.0.0.1"],
  ]
  it("is the nearest that no trusted proxy has", () => {
    for (const [trust, peer, forwarded, expected] of table) {
      const found = clientAddress(trust, peer, { "x-forwarded-for": forwarded })
      expect([peer, forwarded, found]).toEqual([peer, forwarded, expected])
    }
  })

  it("reads x-real-ip where a trusted proxy says nothing else", () => {
    const headers = { "x-real-ip": "203.0.113.9" }
    expect(clientAddress(true, "10.0.0.1", headers)).toBe("203.0.113.9")
    expect(clientAddress(1, "10.0.0.1", { ...headers, "x-forwarded-for": " " })).toBe("203.0.113.9")
    expect(clientAddress(1, "10.0.0.1", { ...headers, "x-forwarded-for": "192.0.2.1" })).toBe("192.0.2.1")
    expect(clientAddress(false, "10.0.0.1", headers)).toBe("10.0.0.1")
    expect(clientAddress(cluster, "198.51.100.7", headers)).toBe("198.51.100.7")
    expect(clientAddress(true, "10.0.0.1", { "x-real-ip": "garbage" })).toBe("10.0.0.1")
  })

  it("is never what a caller put to the left of what trusted proxies added", () => {
    const invented = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 20 })), { maxLength: 5 })
    fc.assert(
      fc.property(invented, fc.ipV4(), fc.integer({ min: 1, max: 4 }), (left, real, hops) => {
        const proxies = Array.from({ length: hops - 1 }, (_, hop) => `10.0.0.${hop + 2}`)
        const header = [...left, real, ...proxies].join(", ")
        expect(clientAddress(hops, "10.0.0.1", { "x-forwarded-for": header })).toBe(real)
      }),
    )
  })
})
