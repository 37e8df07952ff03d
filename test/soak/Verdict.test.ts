/** What a soak makes of its figures: a planted leak is found, and a heap that swings is not taken for one. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chanceOf } from "../../soak/Chance.ts"
import { isFlat, type Sample, trendOf } from "../../soak/Verdict.ts"
import { runs } from "../support/Runs.ts"

/** Half an hour, a sample each five seconds: a warm-up, a level, a slope, and swings as a collector makes them. */
const samplesOf = (
  seed: number,
  shape: {
    readonly mbPerHour: number
    readonly swingMb: number
    readonly warmUpMb?: number
    readonly bursts?: number
  },
): ReadonlyArray<Sample> => {
  const chance = chanceOf(seed)
  const { bursts = 0, mbPerHour, swingMb, warmUpMb = 100 } = shape
  return Array.from({ length: 360 }, (_, at) => {
    const seconds = at * 5
    const warmUp = -warmUpMb * Math.exp(-seconds / 100)
    const burst = chance.next() < bursts ? chance.between(50, 400) : 0
    return {
      seconds,
      fds: 40,
      rssMb: 250 + warmUp + (mbPerHour * seconds) / 3_600 + swingMb * (chance.next() - 0.5) + burst,
    }
  })
}

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const swings = fc.double({ min: 0, max: 60, noNaN: true })

describe("The trend of memory", () => {
  it("law: a level heap is flat, however it swings, warms up and bursts", () => {
    fc.assert(
      fc.property(seeds, swings, fc.double({ min: 0, max: 0.1, noNaN: true }), (seed, swingMb, bursts) => {
        expect(isFlat(trendOf(samplesOf(seed, { mbPerHour: 0, swingMb, bursts })))).toBe(true)
      }),
      { numRuns: runs(20) },
    )
  })

  it("law: a leak that outgrows the swings is found", () => {
    fc.assert(
      fc.property(seeds, swings, (seed, swingMb) => {
        // Twice the swings, and twice what is tolerated at least, over the twenty minutes that are judged.
        const mbPerHour = 3 * 2 * Math.max(8, swingMb)
        const trend = trendOf(samplesOf(seed, { mbPerHour, swingMb }))
        expect(isFlat(trend)).toBe(false)
        expect(trend.growthMb).toBeGreaterThan(mbPerHour / 3 / 1.5)
      }),
      { numRuns: runs(20) },
    )
  })

  it("law: the slope of a straight line is that line's", () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), (mbPerHour) => {
        const { growthMb, minutes, noiseMb } = trendOf(samplesOf(1, { mbPerHour, swingMb: 0, warmUpMb: 0 }))
        expect(growthMb).toBeCloseTo((mbPerHour * minutes) / 60, 6)
        expect(noiseMb).toBeCloseTo(0, 6)
      }),
      { numRuns: runs(20) },
    )
  })

  it("is none of a run that has no samples", () => {
    expect(trendOf([])).toMatchObject({ growthMb: 0, noiseMb: 0, samples: 0 })
  })
})

describe("Chance", () => {
  it("law: is the same for the same seed, and keeps within its bounds", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: -50, max: 50 }), fc.nat(100), (seed, low, more) => {
        const draw = () => {
          const chance = chanceOf(seed)
          return Array.from({ length: 20 }, () => chance.between(low, low + more))
        }
        expect(draw()).toEqual(draw())
        for (const drawn of draw()) {
          expect(drawn).toBeGreaterThanOrEqual(low)
          expect(drawn).toBeLessThanOrEqual(low + more)
        }
      }),
    )
  })

  it("picks by weight", () => {
    const chance = chanceOf(7)
    const picks = Array.from({ length: 10_000 }, () =>
      chance.pick([
        [3, "often"],
        [1, "seldom"],
        [0, "never"],
      ]),
    )
    const often = picks.filter((pick) => pick === "often").length
    expect(often / picks.length).toBeCloseTo(0.75, 1)
    expect(picks).not.toContain("never")
  })
})
