/** Which proxy calls go through. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { environmentProxy, parseProxy, proxyOf } from "../../src/routing/OutgoingProxy.ts"

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`

describe("parseProxy", () => {
  it.each([
    ["http://proxy.test:3128", "http://proxy.test:3128", "proxy.test", 3128, undefined],
    ["http://proxy.test", "http://proxy.test", "proxy.test", 80, undefined],
    ["https://proxy.test/", "https://proxy.test", "proxy.test", 443, undefined],
    ["proxy.test:3128", "http://proxy.test:3128", "proxy.test", 3128, undefined],
    ["HTTP://[::1]:3128", "http://[::1]:3128", "::1", 3128, undefined],
    ["http://user:pass@proxy.test:3128", "http://proxy.test:3128", "proxy.test", 3128, basic("user:pass")],
    ["user:p%40ss%C3%A9@proxy.test:1", "http://proxy.test:1", "proxy.test", 1, basic("user:p@ssé")],
    ["http://user@proxy.test", "http://proxy.test", "proxy.test", 80, basic("user:")],
    ["http://u:50%@proxy.test", "http://proxy.test", "proxy.test", 80, basic("u:50%")],
  ])("reads %s", (text, shown, hostname, port, authorization) => {
    const proxy = Either.getOrThrow(parseProxy(text))
    expect(proxy).toMatchObject({ shown, hostname, port })
    expect(proxy.authorization === undefined ? undefined : Redacted.value(proxy.authorization)).toBe(
      authorization,
    )
    expect(JSON.stringify(proxy)).not.toContain("pass")
  })

  it.each([
    "socks5://secret@proxy.test:1080",
    "ftp://secret",
    "http://",
    "http://se cret",
    "://secret",
    "socks://x",
  ])("refuses %s, and repeats nothing of it", (text) => {
    const problem = Either.getOrThrow(Either.flip(parseProxy(text)))
    expect(problem).not.toContain("secret")
    expect(problem.includes("SOCKS")).toBe(text.startsWith("socks"))
  })
})

describe("The proxy of the environment", () => {
  const shownFor = (url: string, environment: Readonly<Record<string, string>>) => {
    const found = environmentProxy(url, environment)
    return found === undefined
      ? undefined
      : Either.match(found.proxy, { onLeft: (problem) => problem, onRight: ({ shown }) => shown })
  }

  it("goes by the scheme, and by lower case first", () => {
    const both = { HTTP_PROXY: "http://h:1", HTTPS_PROXY: "http://s:2" }
    expect(shownFor("http://a.test/v1", both)).toBe("http://h:1")
    expect(shownFor("https://a.test/v1", both)).toBe("http://s:2")
    expect(shownFor("http://a.test/v1", { ...both, http_proxy: "http://l:3" })).toBe("http://l:3")
    expect(shownFor("http://a.test/v1", { ...both, http_proxy: "" })).toBeUndefined()
    expect(shownFor("https://a.test/v1", { HTTP_PROXY: "http://h:1" })).toBeUndefined()
  })

  it.each([
    ["localhost", true],
    ["LOCALHOST:11434", true],
    ["localhost.", true],
    ["models.localhost", true],
    ["127.0.0.1:8080", true],
    ["127.1", true],
    ["127.255.255.254", true],
    ["[::1]:8080", true],
    ["[0:0:0:0:0:0:0:1]", true],
    ["[::ffff:127.0.0.1]", true],
    ["localhost.test", false],
    ["notlocalhost", false],
    ["127.0.0.1.test", false],
    ["128.0.0.1", false],
    ["10.0.0.1", false],
    ["[::2]", false],
    ["host.docker.internal", false],
  ])("is for %s: it is this machine, %s", (host, isThisMachine) => {
    const both = { HTTP_PROXY: "http://h:1", HTTPS_PROXY: "http://h:1" }
    for (const scheme of ["http", "https"]) {
      const url = `${scheme}://${host}/v1`
      expect(shownFor(url, both)).toBe(isThisMachine ? undefined : "http://h:1")
      // The client's own word.
      expect(proxyOf("http://own:1", url, both)?.shown).toBe("http://own:1")
    }
  })

  it.each([
    ["*", "a.test", true],
    ["a.test", "a.test", true],
    ["a.test", "A.TEST", true],
    ["A.Test", "b.a.test", true],
    [".a.test", "b.a.test", true],
    [".a.test", "a.test", true],
    ["*.a.test", "b.a.test", true],
    ["a.test", "ba.test", false],
    ["a.test", "a.test.b", false],
    ["b.a.test", "a.test", false],
    ["a.test:8443", "a.test", false],
    ["a.test:443", "a.test", true],
    ["a.test:8443", "a.test:8443", true],
    ["x, y  a.test", "a.test", true],
    ["intern", "intern", true],
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1:443", "10.0.0.1", true],
    ["10.0.0.1", "10.0.0.10", false],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["fd00::1", "[fd00::1]", true],
    ["[fd00::1]", "[fd00::1]:8443", true],
    ["[fd00::1]:443", "[fd00::1]:8443", false],
    ["fd00::/8", "[fd12::1]", true],
    ["1.2.3.4", "a.1.2.3.4.test", false],
    [".", "a.test", false],
    ["", "a.test", false],
  ])("is passed by under NO_PROXY=%s for %s: %s", (none, host, passed) => {
    const environment = { HTTPS_PROXY: "http://p:1", NO_PROXY: none }
    expect(shownFor(`https://${host}/v1`, environment) === undefined).toBe(passed)
  })
})

describe("The proxy of an upstream", () => {
  const environment = { HTTPS_PROXY: "http://p:1", NO_PROXY: "*" }
  it("is its own, whatever the environment says, or none", () => {
    expect(proxyOf("http://own:2", "https://a.test", environment)?.shown).toBe("http://own:2")
    for (const none of ["", " ", false, "direct", "DIRECT"] as const) {
      expect(proxyOf(none, "https://a.test", { HTTPS_PROXY: "http://p:1" })).toBeUndefined()
    }
    expect(proxyOf(undefined, "https://a.test", { HTTPS_PROXY: "http://p:1" })?.shown).toBe("http://p:1")
    expect(proxyOf(undefined, "https://a.test", environment)).toBeUndefined()
  })
})
