/** What is made of measurements: figures that are wrong here would be wrong in the documentation. */
import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { figureOf, median, quantile, ratios, type Sample, spread } from "../../bench/Figures.ts"

const values = fc.array(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 })

const sample: Sample = {
  seconds: 2,
  requests: 1_000,
  events: 4_000,
  errors: 0,
  begun: 1,
  latencyMs: { p50: 1, p99: 2 },
  firstEventMs: { p50: 3, p99: 4 },
  busy: 0.5,
  cpuSeconds: 0.2,
  peakMb: 100,
  mockBusy: 0.1,
}

describe("Figures", () => {
  it("law: a quantile is one of the values, and so much of them is not above it", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const found = quantile(all, share)
        expect(all).toContain(found)
        expect(all.filter((value) => value <= found).length / all.length).toBeGreaterThanOrEqual(share)
      }),
    )
  })

  it("law: the median lies between the extremes, and half of the values on either side", () => {
    fc.assert(
      fc.property(values, (all) => {
        const { max, median: middle, min } = spread(all)
        expect(middle).toBe(median(all))
        expect(middle).toBeGreaterThanOrEqual(min)
        expect(middle).toBeLessThanOrEqual(max)
        const half = all.length / 2
        expect(all.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(half)
        expect(all.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(half)
      }),
    )
  })

  it("law: ratios are by round, so that what slows a whole round falls out", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 1, max: 10, noNaN: true }), (floors, factor) => {
        const slower = floors.map((floor) => floor * factor)
        for (const ratio of ratios(slower, floors)) expect(ratio).toBeCloseTo(factor, 6)
      }),
    )
  })

  it("are by request, by event and by second", () => {
    expect(figureOf("cpuPerRequest", sample)).toBe(200)
    expect(figureOf("cpuPerEvent", sample)).toBe(50)
    expect(figureOf("requestsPerSecond", sample)).toBe(500)
    expect(figureOf("eventsPerSecond", sample)).toBe(2_000)
    expect(figureOf("first99", sample)).toBe(4)
    expect(figureOf("cpuPerEvent", { ...sample, events: 0 })).toBe(0)
  })
})
