/** Did you mean. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { distance, nearest } from "../../src/wire/Nearest.ts"

const keys = [
  "name",
  "base_url",
  "api_key",
  "model_match",
  "priority",
  "fallback",
  "model",
  "stop",
  "headers",
]

const words = fc.string({ unit: fc.constantFrom("a", "b", "c", "_"), maxLength: 8 })

describe("nearest", () => {
  it.each([
    ["fallbak", "fallback"],
    ["fallbakc", "fallback"],
    ["apikey", "api_key"],
    ["api-key", "api_key"],
    ["API_KEY", "api_key"],
    ["url", "base_url"],
    ["baseurl", "base_url"],
    ["models", "model"],
    ["prioirty", "priority"],
  ])("%s means %s", (typed, meant) => {
    expect(nearest(typed, keys)).toBe(meant)
  })

  it.each(["", "temperature", "xyz", "a".repeat(5000)])("%.20s means none of the keys", (typed) => {
    expect(nearest(typed, keys)).toBeUndefined()
  })

  it("law: one slip in a word of five letters and more is always found", () => {
    const slip = fc.constantFrom("drop" as const, "double" as const, "swap" as const)
    const long = fc.constantFrom(...keys.filter(({ length }) => length >= 5))
    fc.assert(
      fc.property(long, slip, fc.nat(), (word, kind, position) => {
        const at = position % (word.length - 1)
        const [before, here, next, after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)]
        const slips = {
          drop: `${before}${next}${after}`,
          double: `${before}${here}${here}${next}${after}`,
          swap: `${before}${next}${here}${after}`,
        } as const
        const typed: string = slips[kind]
        expect(nearest(typed, keys)).toBe(word)
      }),
    )
  })

  it("law: the distance is symmetric, and zero for the same word alone", () => {
    fc.assert(
      fc.property(words, words, (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, b) === 0).toBe(a === b)
        expect(distance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
      }),
    )
  })
})
