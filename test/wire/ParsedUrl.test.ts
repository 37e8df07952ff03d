/** What is a URL stays one, however often it is asked for. */
import { describe, expect, it } from "vitest"
import { parsedUrl } from "../../src/wire/ParsedUrl.ts"

describe("parsedUrl", () => {
  // Node 20's `URL.canParse` does so from about the seven thousandth on.
  it("refuses no host for its letters, however often it is called", () => {
    const hosts = new Set<string | undefined>()
    for (let at = 0; at < 20_000; at++) hosts.add(parsedUrl("https://bücher.example")?.host)
    expect([...hosts]).toEqual(["xn--bcher-kva.example"])
  })

  it("is of a base where the text is relative, and nothing where neither is one", () => {
    expect(parsedUrl("/a", "http://b.example")?.href).toBe("http://b.example/a")
    expect(parsedUrl("/a")).toBeUndefined()
    expect(parsedUrl("http://")).toBeUndefined()
  })
})
