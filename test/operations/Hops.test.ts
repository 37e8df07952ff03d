import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hopsOf, hopsTold, mostHops } from "../../src/operations/Hops.ts"

describe("How often a request has gone through Sluice", () => {
  it.each([
    [undefined, 0],
    ["", 0],
    ["sluice", 1],
    ["sluice, sluice", 2],
    ["cloudflare; loops=1; subreqs=1, Sluice;v=1 ,sluice", 2],
    ["sluice.example, my-sluice, sluices", 0],
    [["sluice", "akamai;c=1, sluice"], 2],
  ])("is read from cdn-loop: %j", (value, hops) => {
    expect(hopsOf({ "cdn-loop": value })).toBe(hops)
  })

  it("law: what is told is one more than what came, up to the most", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), (hops) => {
        const value = Array.from({ length: hops }, () => "sluice").join(",")
        expect(hopsOf({ "cdn-loop": hopsTold({ "cdn-loop": value }) })).toBe(Math.min(hops + 1, mostHops))
      }),
    )
  })
})
