import { describe, expect, it } from "vitest"
import { drawsFrom } from "../../src/routing/Draws.ts"
import { chiSquareTail, goodnessOfFit, implausible } from "./chiSquare.ts"

describe("chiSquareTail", () => {
  it("gives the tabulated probabilities for even degrees and bounds those for odd ones", () => {
    expect(chiSquareTail(5.991465, 2)).toBeCloseTo(0.05, 6)
    expect(chiSquareTail(18.307038, 10)).toBeCloseTo(0.05, 6)
    expect(chiSquareTail(46.979242, 24)).toBeCloseTo(0.0033, 3)
    for (const [statistic, freedom, tail] of [
      [10.827566, 1, 0.001],
      [16.266236, 3, 0.001],
      [35.888, 5, 1e-6],
    ] as const) {
      expect(chiSquareTail(statistic, freedom)).toBeGreaterThanOrEqual(tail * 0.999)
      expect(chiSquareTail(statistic, freedom)).toBeLessThan(tail * 1.15)
    }
  })
})

describe("goodnessOfFit", () => {
  const count = (n: number, biased: (u: number) => number): ReadonlyArray<number> => {
    const draws = drawsFrom(7)
    const counts = [0, 0, 0]
    for (let i = 0; i < n; i++) {
      const cell = biased(draws(i))
      counts[cell] = (counts[cell] ?? 0) + 1
    }
    return counts
  }

  it("accepts a fair sample and rejects one that is off by 3%", () => {
    expect(
      goodnessOfFit(
        count(30_000, (u) => Math.floor(u * 3)),
        [1 / 3, 1 / 3, 1 / 3],
      ),
    ).toBeGreaterThan(0.001)
    expect(
      goodnessOfFit(
        count(30_000, (u) => Math.floor(u ** 1.1 * 3)),
        [1 / 3, 1 / 3, 1 / 3],
      ),
    ).toBeLessThan(implausible)
  })

  it("rejects what cannot happen, however rare", () => {
    expect(goodnessOfFit([1_000_000, 1], [1, 0])).toBe(0)
    expect(goodnessOfFit([1_000_000, 0], [1, 0])).toBe(1)
  })
})
