import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { fullBucket, taken } from "../../src/access/TokenBucket.ts"

const rate = { perSecond: 10, burst: 100 }

/** How many of those that come at these times are let through. */
const through = (times: ReadonlyArray<number>): number => {
  let bucket = fullBucket(rate, times[0] ?? 0)
  let count = 0
  for (const now of times) {
    const left = taken(bucket, rate, now)
    if (left === undefined) continue
    bucket = left
    count += 1
  }
  return count
}

describe("A bucket of tokens", () => {
  it("lets a burst through, and then so many a second", () => {
    expect(through(Array.from({ length: 500 }, () => 0))).toBe(100)
    expect(through(Array.from({ length: 1_100 }, (_, at) => (at < 1_000 ? 0 : 1_000)))).toBe(110)
  })

  it("law: never more than the burst and what came in the time, whenever they come", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 400 }), (gaps) => {
        let now = 0
        const times = gaps.map((gap) => {
          now += gap
          return now
        })
        const passed = (now - (times[0] ?? 0)) / 1_000
        expect(through(times)).toBeLessThanOrEqual(rate.burst + passed * rate.perSecond)
      }),
    )
  })

  it("law: who comes no faster than the rate is always let through", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 10_000 }), { maxLength: 300 }), (gaps) => {
        let now = 0
        const times = gaps.map((gap) => {
          now += gap
          return now
        })
        expect(through(times)).toBe(times.length)
      }),
    )
  })

  it("is not filled by a clock that goes back", () => {
    const times = [...Array.from({ length: 100 }, () => 10_000), 0, 0, 0]
    expect(through(times)).toBe(100)
  })
})
