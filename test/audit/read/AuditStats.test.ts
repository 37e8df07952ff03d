/** Laws of statistics that are added up slice by slice. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  combine,
  combineAll,
  combineMany,
  emptyTally,
  percentile,
  ranked,
  statsOf,
  type Tally,
} from "../../../src/audit/read/AuditStats.ts"

const durationsOf = (values: ReadonlyArray<number>): ReadonlyMap<number, number> => {
  const durations = new Map<number, number>()
  for (const value of values) durations.set(value, (durations.get(value) ?? 0) + 1)
  return durations
}

/** The definition, word for word: the least value that at least this share of all do not exceed. */
const byDefinition = (values: ReadonlyArray<number>, share: number): number | undefined =>
  values
    .toSorted((a, b) => a - b)
    .find((value) => values.filter((other) => other <= value).length >= share * values.length)

const values = fc.array(fc.nat(30), { maxLength: 40 })
const tallies: fc.Arbitrary<Tally> = fc.record({
  requests: fc.nat(1000),
  errors: fc.nat(1000),
  rejected: fc.nat(1000),
  promptTokens: fc.option(fc.nat(), { nil: undefined }),
  completionTokens: fc.option(fc.nat(), { nil: undefined }),
  cachedTokens: fc.option(fc.nat(), { nil: undefined }),
  reasoningTokens: fc.option(fc.nat(), { nil: undefined }),
  latencies: values.map(durationsOf),
  ttfts: values.map(durationsOf),
})

describe("percentile", () => {
  it("law: is the nearest rank of the definition", () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.95, 0.25, 1), (some, share) => {
        expect(percentile(durationsOf(some), share)).toBe(byDefinition(some, share))
      }),
    )
  })

  it("is one of the values, not something between them", () => {
    expect(percentile(durationsOf([10, 20]), 0.5)).toBe(10)
    expect(percentile(durationsOf([10, 20, 30]), 0.95)).toBe(30)
    expect(percentile(new Map(), 0.5)).toBeUndefined()
  })

  it("law: rounding before or after comes to the same", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (some) => {
        const exact = byDefinition(some, 0.95)
        expect(percentile(durationsOf(some.map(Math.round)), 0.95)).toBe(Math.round(exact ?? -1))
      }),
    )
  })
})

describe("combineMany", () => {
  it("law: is what combining one after the other comes to", () => {
    fc.assert(
      fc.property(fc.array(tallies, { maxLength: 6 }), (some) => {
        expect(combineMany(some)).toEqual(some.reduce(combine, emptyTally))
      }),
    )
  })
})

describe("combine", () => {
  it("law: associative, commutative, and an empty tally changes nothing", () => {
    fc.assert(
      fc.property(tallies, tallies, tallies, (a, b, c) => {
        expect(combine(combine(a, b), c)).toEqual(combine(a, combine(b, c)))
        expect(combine(a, b)).toEqual(combine(b, a))
        expect(combine(a, emptyTally)).toEqual(a)
      }),
    )
  })

  it("keeps a sum unknown until something is known", () => {
    expect(combine(emptyTally, emptyTally).promptTokens).toBeUndefined()
    expect(combine(emptyTally, { ...emptyTally, promptTokens: 0 }).promptTokens).toBe(0)
  })

  it("adds up group by group", () => {
    const one = { ...emptyTally, requests: 1 }
    const sum = combineAll(
      new Map([
        ["a", one],
        [undefined, one],
      ]),
      new Map([
        ["a", one],
        ["b", one],
      ]),
    )
    expect([...sum].map(([group, { requests }]) => [group, requests])).toEqual([
      ["a", 2],
      [undefined, 1],
      ["b", 1],
    ])
  })
})

describe("ranked", () => {
  const tally = (requests: number): Tally => ({ ...emptyTally, requests })

  it("puts the most requested first, and days in their order", () => {
    const groups = new Map<string | undefined, Tally>([
      ["2026-11-02", tally(1)],
      ["2026-11-01", tally(5)],
      [undefined, tally(5)],
    ])
    expect(ranked(groups, "model").map(({ group }) => group)).toEqual(["2026-11-01", undefined, "2026-11-02"])
    expect(ranked(groups, "day").map(({ group }) => group)).toEqual(["2026-11-01", "2026-11-02", undefined])
  })

  it("takes errors as a share of what was not rejected", () => {
    expect(statsOf("some", { ...emptyTally, requests: 10, errors: 2, rejected: 6 })).toMatchObject({
      errors: 2,
      rejected: 6,
      errorRate: 0.5,
    })
    expect(statsOf("none", { ...emptyTally, requests: 3, rejected: 3 }).errorRate).toBe(0)
  })

  it("divides by no requests without harm", () => {
    expect(statsOf("none", emptyTally)).toMatchObject({ errorRate: 0, latencyP50: undefined })
  })
})
