import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hash64, splitMix64 } from "../../src/routing/Hash.ts"
import { runs } from "../support/Runs.ts"

const half = fc.integer({ min: 0, max: 0xffffffff })

/** SplitMix64 as published, over `BigInt`. */
const published = (seed: bigint, index: number): bigint => {
  const mask = (1n << 64n) - 1n
  let z = (seed + BigInt(index + 1) * 0x9e3779b97f4a7c15n) & mask
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  return z ^ (z >> 31n)
}

const unit = (bits: bigint): number => Number(bits >> 11n) / 2 ** 53

describe("splitMix64", () => {
  it("gives the published numbers of seed 1234567", () => {
    const numbers = [
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ]
    const seed = { high: 0, low: 1234567 }
    expect(numbers.map((_, index) => splitMix64(seed, index))).toEqual(numbers.map(unit))
  })

  it("law: 32-bit arithmetic gives what 64-bit arithmetic gives", () => {
    fc.assert(
      fc.property(
        half,
        half,
        fc.oneof(fc.nat(10), fc.integer({ min: 0, max: 0xfffffffe })),
        (high, low, index) => {
          const expected = unit(published((BigInt(high) << 32n) | BigInt(low), index))
          expect(splitMix64({ high, low }, index)).toBe(expected)
          expect(splitMix64({ high: high | 0, low: low | 0 }, index)).toBe(expected)
        },
      ),
      { numRuns: runs(2_000) },
    )
  })
})

describe("hash64", () => {
  const hex = (text: string): string => {
    const { high, low } = hash64(text)
    return [high, low].map((bits) => (bits >>> 0).toString(16).padStart(8, "0")).join(" ")
  }

  // From Python's mmh3 5: mmh3.hash(text.encode("utf-16-le"), seed, signed=False).
  it.each([
    ["", "92ca2f0e 00000000"],
    ["a", "c955b7d5 6f49d11a"],
    ["ab", "fdc043b6 165860ca"],
    ["abc", "50ae2148 42b016c3"],
    ["hello", "9771abcc d7c31989"],
    ["日本語", "16574706 3bdc2005"],
    ["😀", "ef84fa50 56065e39"],
    ["The quick brown fox jumps over the lazy dog", "4d3433a7 e07db09c"],
  ])("of %j is MurmurHash3 of its UTF-16LE bytes, with two seeds", (text, expected) => {
    expect(hex(text)).toBe(expected)
  })

  it("law: a changed character changes about half of the bits", () => {
    let flipped = 0
    let changes = 0
    for (let i = 0; i < 500; i++) {
      const text = `conversation ${i}`
      for (let at = 0; at < text.length; at++) {
        const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
        const [a, b] = [hash64(text), hash64(other)]
        flipped += ones(a.high ^ b.high) + ones(a.low ^ b.low)
        changes++
      }
    }
    expect(flipped / changes).toBeGreaterThan(31.5)
    expect(flipped / changes).toBeLessThan(32.5)
  })
})

const ones = (bits: number): number => (bits >>> 0).toString(2).replaceAll("0", "").length
