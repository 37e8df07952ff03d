import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { UpstreamTime } from "../../../src/audit/record/UpstreamTime.ts"

interface Wait {
  readonly from: number
  readonly to: number
}

const waits: fc.Arbitrary<ReadonlyArray<Wait>> = fc.array(
  fc.tuple(fc.nat(40), fc.nat(20)).map(([from, length]) => ({ from, to: from + length })),
  { maxLength: 6 },
)

/** The milliseconds, of so many, in which any of the waits lasts. */
const covered = (all: ReadonlyArray<Wait>, upTo: number): number =>
  Array.from({ length: upTo }, (_, at) => at).filter((at) =>
    all.some(({ from, to }) => from <= at && at < to),
  ).length

/** Plays the waits in the order of their times, as far as there is time. */
const measured = (all: ReadonlyArray<Wait>, upTo: number): number => {
  const time = new UpstreamTime()
  for (let at = 0; at <= upTo; at++) {
    for (const { from } of all) if (from === at) time.begin(at)
    for (const { to } of all) if (to === at) time.end(at)
  }
  return time.until(upTo)
}

describe("the time of upstreams", () => {
  it("law: is the time in which at least one of them was waited for, at every moment", () => {
    fc.assert(
      fc.property(waits, fc.nat(70), (all, upTo) => {
        expect(measured(all, upTo)).toBe(covered(all, upTo))
      }),
    )
  })

  it("is none before any was asked, and one that was never begun does not end", () => {
    const time = new UpstreamTime()
    time.end(5)
    expect(time.until(10)).toBe(0)
    time.begin(10)
    expect(time.until(12)).toBe(2)
  })
})
