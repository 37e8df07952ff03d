/** Whose pages are let in: by example, and for whatever a hostile page may send. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type AskedByBrowser,
  allowedOrigin,
  mayBeRebound,
  type Origins,
  originFrom,
  pageFault,
} from "../../src/access/WebPage.ts"

const origins = (...listed: ReadonlyArray<string>): Origins => ({
  all: listed.includes("*"),
  named: new Set(listed.filter((one) => one !== "*")),
})
const byDefault = origins("*")

const post = (given: Partial<AskedByBrowser>): AskedByBrowser => ({
  method: "POST",
  host: "localhost:8000",
  origin: undefined,
  site: undefined,
  mode: undefined,
  destination: undefined,
  contentType: "application/json",
  ...given,
})
const get = (given: Partial<AskedByBrowser>): AskedByBrowser =>
  post({ method: "GET", contentType: undefined, ...given })

describe("pageFault where no key is asked for", () => {
  it.each<readonly [what: string, asking: AskedByBrowser, fault: string | undefined]>([
    ["a program's", post({}), undefined],
    ["a program's, under whatever name", post({ host: "sluice.example.com" }), undefined],
    ["a program's form of curl -d", post({ contentType: "application/x-www-form-urlencoded" }), undefined],
    ["Node's own fetch", post({ mode: "cors" }), undefined],
    ["a page of the internet", post({ origin: "https://evil.example", site: "cross-site" }), "origin"],
    ["the same without sec-fetch-site", post({ origin: "https://evil.example" }), "origin"],
    ["a page that reads", get({ origin: "https://evil.example" }), "origin"],
    ["an image of a page", get({ site: "cross-site", mode: "no-cors" }), "origin"],
    ["a page of the same site", get({ site: "same-site", mode: "no-cors" }), "origin"],
    ["a sandboxed frame", post({ origin: "null" }), "origin"],
    ["an empty origin", post({ origin: "" }), "origin"],
    ["a word of its own for the site", post({ site: "whatever" }), "origin"],
    ["a post that says it was typed", post({ site: "none" }), "origin"],
    ["a page of this machine", post({ origin: "http://localhost:3000", site: "same-site" }), undefined],
    ["by address", post({ origin: "http://127.0.0.1:5173", site: "cross-site" }), undefined],
    ["by IPv6", post({ origin: "http://[::1]:5173" }), undefined],
    ["Tauri on Windows", post({ origin: "https://tauri.localhost" }), undefined],
    ["a name that begins like this machine's", post({ origin: "http://localhost.evil.example" }), "origin"],
    ["an address that goes on", post({ origin: "http://127.0.0.1.evil.example" }), "origin"],
    ["a user called localhost", post({ origin: "http://localhost@evil.example" }), "origin"],
    ["a page of the network", post({ origin: "http://192.168.1.7:3000" }), "origin"],
    ["Obsidian", post({ origin: "app://obsidian.md" }), undefined],
    ["Tauri", post({ origin: "tauri://localhost" }), undefined],
    ["VS Code", post({ origin: "vscode-webview://1a2b" }), undefined],
    ["Electron's files", post({ origin: "file://" }), undefined],
    ["two origins in one", post({ origin: "app://obsidian.md, https://evil.example" }), "origin"],
    [
      "two, the first of this machine",
      post({ origin: "http://localhost:3000, https://evil.example" }),
      "origin",
    ],
    ["an extension of a browser", post({ origin: "chrome-extension://abcdef" }), "origin"],
    ["another", post({ origin: "moz-extension://abcdef" }), "origin"],
    ["Safari's", post({ origin: "safari-web-extension://abcdef" }), "origin"],
    ["another spelling of a web scheme", post({ origin: "HTTPS://evil.example" }), "origin"],
    ["a scheme of the web", post({ origin: "ftp://evil.example" }), "origin"],
    [
      "own, by this machine's name",
      post({ origin: "http://localhost:8000", site: "same-origin" }),
      undefined,
    ],
    [
      "own, by address",
      post({ host: "192.168.1.5:8000", origin: "http://192.168.1.5:8000", site: "same-origin" }),
      undefined,
    ],
    [
      "rebound",
      post({ host: "evil.example:8000", origin: "http://evil.example:8000", site: "same-origin" }),
      "host",
    ],
    ["rebound, in other letters", post({ host: "EVIL.example", origin: "http://evil.example" }), "host"],
    ["rebound, reading", get({ host: "evil.example:8000", site: "same-origin" }), "host"],
    ["rebound to a name of one word", post({ host: "evil", origin: "http://evil" }), "host"],
    ["an own host that is none", post({ host: "127.0.0.1/@x", origin: "http://127.0.0.1/@x" }), "host"],
    ["without a host", post({ host: undefined, origin: "http://" }), "host"],
    ["a typed address", get({ host: "gateway.example", site: "none", mode: "navigate" }), undefined],
    ["a followed link", get({ site: "cross-site", mode: "navigate", destination: "document" }), undefined],
    ["a frame", get({ site: "cross-site", mode: "navigate", destination: "iframe" }), "origin"],
    [
      "a form that posts itself",
      post({ origin: "null", mode: "navigate", destination: "document" }),
      "origin",
    ],
    ["a preflight", post({ method: "OPTIONS", origin: "https://evil.example" }), undefined],
  ])("%s", (_, asking, fault) => expect(pageFault(byDefault, false, asking)).toBe(fault))

  it.each<readonly [what: string, listed: Origins, asking: AskedByBrowser, fault: string | undefined]>([
    ["a page that is listed", origins("https://a.example"), post({ origin: "https://a.example" }), undefined],
    [
      "whatever the gateway is called",
      origins("*", "https://a.example"),
      post({ host: "llm.example", origin: "https://a.example", site: "cross-site" }),
      undefined,
    ],
    [
      "a page at another port of it",
      origins("https://a.example"),
      post({ origin: "https://a.example:1" }),
      "origin",
    ],
    ["a page below it", origins("https://a.example"), post({ origin: "https://x.a.example" }), "origin"],
    [
      "an extension that is listed",
      origins("moz-extension://a"),
      post({ origin: "moz-extension://a" }),
      undefined,
    ],
    [
      "this machine's, where others are listed",
      origins("https://a.example"),
      post({ origin: "http://localhost:3000" }),
      "origin",
    ],
    ["an application, where nobody is", origins(), post({ origin: "app://obsidian.md" }), "origin"],
    [
      "own, by a name that is listed",
      origins("https://llm.example"),
      get({ host: "llm.example", site: "same-origin" }),
      undefined,
    ],
    ["a program's, where nobody is listed", origins(), post({ host: "any.example" }), undefined],
  ])("%s", (_, listed, asking, fault) => expect(pageFault(listed, false, asking)).toBe(fault))
})

describe("pageFault of a body", () => {
  it.each([
    ["application/json", undefined],
    ["application/json; charset=utf-8", undefined],
    ["APPLICATION/JSON", undefined],
    ["application/vnd.x+json", undefined],
    ["text/plain", "media_type"],
    ["text/plain;charset=UTF-8", "media_type"],
    ["text/plain; application/json", "media_type"],
    ["application/x-www-form-urlencoded", "media_type"],
    ["multipart/form-data; boundary=x", "media_type"],
    ["application/jsonx", "media_type"],
    ["", "media_type"],
    [undefined, "media_type"],
  ])("a page's %j: %s", (contentType, fault) => {
    const page = post({ origin: "http://localhost:3000", contentType })
    expect(pageFault(byDefault, false, page)).toBe(fault)
    expect(pageFault(byDefault, true, { ...page, origin: "https://any.example" })).toBe(fault)
    expect(pageFault(byDefault, true, post({ contentType }))).toBe(undefined)
  })

  it("an upload comes without a preflight, and is let in where its page is", () => {
    const upload = { contentType: "multipart/form-data; boundary=x", isTaken: true }
    expect(pageFault(byDefault, false, post({ ...upload, origin: "http://localhost:3000" }))).toBe(undefined)
    expect(pageFault(byDefault, true, post({ ...upload, origin: "https://any.example" }))).toBe(undefined)
    expect(pageFault(byDefault, false, post({ ...upload, origin: "https://any.example" }))).toBe("origin")
  })

  it("what cannot come without a preflight has no type to show", () => {
    const forget = post({ method: "DELETE", contentType: undefined, origin: "http://localhost:3000" })
    expect(pageFault(byDefault, false, forget)).toBe(undefined)
    expect(pageFault(byDefault, false, { ...forget, origin: "https://any.example" })).toBe("origin")
  })

  it("where keys are asked for, any page may try", () => {
    expect(pageFault(byDefault, true, post({ origin: "https://any.example", host: "llm.example" }))).toBe(
      undefined,
    )
  })
})

describe("laws", () => {
  const host = fc.domain()
  const webOrigin = fc
    .tuple(fc.constantFrom("http", "https"), host, fc.option(fc.integer({ min: 1, max: 65_535 })))
    .map(([scheme, name, port]) => `${scheme}://${name}${port === null ? "" : `:${port}`}`)
  const asking = fc.record<AskedByBrowser>({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE"),
    host: fc.option(fc.oneof(host, fc.constantFrom("localhost:8000", "127.0.0.1:8000", "[::1]:8000")), {
      nil: undefined,
    }),
    origin: webOrigin,
    site: fc.constantFrom(undefined, "cross-site", "same-site", "same-origin", "none"),
    mode: fc.constantFrom(undefined, "cors", "no-cors", "navigate"),
    destination: fc.constantFrom(undefined, "document", "empty", "iframe"),
    contentType: fc.constantFrom(undefined, "application/json", "text/plain"),
    isTaken: fc.boolean(),
  })

  it("a page of the web that nobody named is let in nowhere, whatever else it says", () => {
    fc.assert(
      fc.property(asking, (page) => {
        expect(pageFault(byDefault, false, page)).toBeDefined()
        // Under its own name, as after rebinding.
        const own = page.origin?.replace(/^https?:\/\//, "")
        expect(pageFault(byDefault, false, { ...page, host: own })).toBeDefined()
      }),
    )
  })

  it("a program is never refused", () => {
    fc.assert(
      fc.property(asking, fc.boolean(), (page, asksKeys) => {
        const program = { ...page, origin: undefined, site: undefined }
        expect(pageFault(origins(), asksKeys, program)).toBe(undefined)
      }),
    )
  })

  it("what is let in where no key is asked for is let in where one is", () => {
    fc.assert(
      fc.property(asking, (page) => {
        if (pageFault(byDefault, false, page) !== undefined) return
        expect(pageFault(byDefault, true, page)).toBe(undefined)
      }),
    )
  })
})

describe("originFrom", () => {
  it.each([
    ["https://chat.example", "https://chat.example"],
    ["HTTPS://Chat.Example", "https://chat.example"],
    ["https://chat.example:443", "https://chat.example"],
    ["http://localhost:3000", "http://localhost:3000"],
    ["app://obsidian.md", "app://obsidian.md"],
    ["chrome-extension://abcdef", "chrome-extension://abcdef"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["http://[::1]:3000", "http://[::1]:3000"],
    ["chat.example", undefined],
    ["https://chat.example/", undefined],
    ["https://chat.example/path", undefined],
    ["https://user@chat.example", undefined],
    ["https://", undefined],
    ["null", undefined],
    ["*", undefined],
    ["https://a b", undefined],
    ["", undefined],
  ])("%j is %j", (text, origin) => expect(originFrom(text)).toBe(origin))
})

describe("allowedOrigin", () => {
  it.each<readonly [Origins, string | undefined, string | undefined]>([
    [byDefault, undefined, "*"],
    [byDefault, "https://any.example", "*"],
    [origins("https://a.example"), "https://a.example", "https://a.example"],
    [origins("https://a.example"), "https://b.example", undefined],
    [origins("https://a.example"), undefined, undefined],
    [origins(), "https://a.example", undefined],
  ])("%j of %j: %j", (listed, origin, allowed) => expect(allowedOrigin(listed, origin)).toBe(allowed))
})

describe("mayBeRebound", () => {
  it.each([
    ["localhost:8000", false],
    ["127.0.0.1", false],
    ["[::1]:8000", false],
    ["192.168.1.5:8000", false],
    ["gateway:8000", false],
    ["gateway.default.svc.cluster.local", false],
    ["host.docker.internal:8000", false],
    ["a.localhost", false],
    ["llm.example", false],
    ["LLM.example", false],
    ["evil.example:8000", true],
    ["127.0.0.1.nip.io", true],
    ["localhost.evil.example", true],
    ["evil.local.example", true],
    ["evil.example.", true],
    ["a b", true],
    ["", true],
    [undefined, true],
  ])("%j: %s", (host, expected) =>
    expect(mayBeRebound(origins("*", "https://llm.example"), host)).toBe(expected),
  )
})
