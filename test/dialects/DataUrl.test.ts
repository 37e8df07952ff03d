import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { dataUrl, sourceOf } from "../../src/dialects/DataUrl.ts"

const textIn = (url: string): string | undefined => {
  const source = sourceOf(url)
  return source?.kind === "data" ? Buffer.from(source.base64, "base64").toString() : undefined
}

describe("A data URL", () => {
  it("leads to what it was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const source = {
          kind: "data",
          mediaType: "image/png",
          base64: Buffer.from(bytes).toString("base64"),
        } as const
        expect(sourceOf(dataUrl(source))).toEqual(source)
      }),
    )
  })

  it("may hold its text escaped, or as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        expect(textIn(`data:text/plain,${encodeURIComponent(text)}`)).toBe(text)
        expect(textIn(`data:,${text.replaceAll("%", "%25")}`)).toBe(text)
      }),
    )
  })

  it.each([
    ["data:image/PNG;BASE64,AAAA", { kind: "data", mediaType: "image/png", base64: "AAAA" }],
    ["DATA:image/png;base64,AAAA", { kind: "data", mediaType: "image/png", base64: "AAAA" }],
    ["data:text/plain;charset=utf-8;base64,AAAA", { kind: "data", mediaType: "text/plain", base64: "AAAA" }],
    ["data:text/plain,%4", undefined],
    ["data:text/plain,a%", undefined],
    ["data:text/plain,%4g", undefined],
    ["data:text/plain,%g4", undefined],
    ["data:text/plain,%4é", undefined],
    ["data:text/plain,%C3%a9", { kind: "data", mediaType: "text/plain", base64: "w6k=" }],
    ["data:text/plain,", undefined],
    ["data:text/plain", undefined],
    ["https://a.b/c.png", { kind: "url", url: "https://a.b/c.png" }],
  ])("%s leads to what it says", (url, source) => {
    expect(sourceOf(url)).toEqual(source)
  })

  it("may be long, whatever it is made of", () => {
    expect(textIn(`data:,${"a".repeat(5_000_000)}`)).toHaveLength(5_000_000)
    expect(textIn(`data:,${"%41".repeat(2_000_000)}`)).toHaveLength(2_000_000)
    expect(sourceOf(`data:${";".repeat(8_000_000)}`)).toBeUndefined()
  })
})
