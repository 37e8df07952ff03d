import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { drawsFrom } from "../../src/routing/Draws.ts"
import { select, shares } from "../../src/routing/Selection.ts"
import { isStandby } from "../../src/routing/strategies/Race.ts"
import type { Strategy } from "../../src/routing/strategies/Strategies.ts"
import { strategyNames } from "../../src/routing/strategies/Strategies.ts"
import type { Circumstances } from "../../src/routing/strategies/Strategy.ts"
import type { Upstream } from "../../src/routing/Upstream.ts"
import { makeUpstream, upstreamsArb } from "../support/arbitraries.ts"
import { goodnessOfFit, implausible } from "../support/chiSquare.ts"

const names = (upstreams: ReadonlyArray<Upstream>): ReadonlyArray<string> => upstreams.map(({ name }) => name)

const weighted = (...weights: ReadonlyArray<number>): ReadonlyArray<Upstream> =>
  weights.map((weight, index) => makeUpstream({ name: "abcdefgh".charAt(index), weight }))

const circumstances = (given: Partial<Circumstances> = {}): Circumstances => ({
  draws: drawsFrom(1),
  load: () => 0,
  affinity: () => "a conversation",
  ...given,
})

/** Circumstances of the request of that number: its own draws, its own conversation. */
const ofRequest = (number: number, given: Partial<Circumstances> = {}): Circumstances =>
  circumstances({ draws: drawsFrom(number / 7), affinity: () => `conversation ${number}`, ...given })

/** How often each upstream stood first in so many requests. */
const firsts = (
  strategy: Strategy,
  upstreams: ReadonlyArray<Upstream>,
  requests: number,
  given: Partial<Circumstances> = {},
): ReadonlyArray<number> => {
  const counts = new Map<Upstream, number>()
  for (let i = 0; i < requests; i++) {
    const [first] = select(strategy, upstreams, ofRequest(i, given))
    if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  return upstreams.map((upstream) => counts.get(upstream) ?? 0)
}

const permutations = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.length === 0
    ? [[]]
    : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
      )

/** Drawing without replacement: each next one with its part of what is left. */
const probabilityOf = (order: ReadonlyArray<Upstream>): number => {
  const [first, ...rest] = order
  const left = order.reduce((sum, { weight }) => sum + weight, 0)
  return first === undefined ? 1 : (first.weight / left) * probabilityOf(rest)
}

const circumstancesArb: fc.Arbitrary<Circumstances> = fc.record({
  draws: fc.oneof(
    fc.double().map(drawsFrom),
    // The ends of the range, and equal draws throughout.
    fc.constantFrom(0, 0.5, 1 - 2 ** -53).map((unit) => () => unit),
  ),
  load: fc.func(fc.nat(3)),
  affinity: fc.string().map((text) => () => text),
})

describe("drawsFrom", () => {
  it("is SplitMix64 of an integer seed", () => {
    const draws = drawsFrom(1234567)
    expect(draws(0)).toBe(Number(6457827717110365317n >> 11n) / 2 ** 53)
    expect(draws(4)).toBe(Number(16408922859458223821n >> 11n) / 2 ** 53)
  })

  it("law: gives numbers in [0, 1), the same for the same seed and index", () => {
    fc.assert(
      fc.property(fc.double(), fc.nat(10_000), (seed, index) => {
        const draw = drawsFrom(seed)(index)
        expect(draw).toBeGreaterThanOrEqual(0)
        expect(draw).toBeLessThan(1)
        expect(drawsFrom(seed)(index)).toBe(draw)
      }),
    )
  })

  it("tells seeds below 1 apart, as random number generators give them", () => {
    const first = new Set(Array.from({ length: 1_000 }, (_, i) => drawsFrom(i / 1_000)(0)))
    expect(first.size).toBe(1_000)
  })

  it("is uniform over indices and over seeds, and neighbours are independent", () => {
    const cells = 16
    const uniform = Array.from({ length: cells }, () => 1 / cells)
    const sources: ReadonlyArray<(i: number) => number> = [
      drawsFrom(42),
      (i) => drawsFrom(i)(0),
      (i) => drawsFrom(i / 100_000)(0),
    ]
    for (const source of sources) {
      const counts = uniform.map(() => 0)
      const pairs = uniform.map(() => 0)
      for (let i = 0; i < 20_000; i++) {
        const cell = Math.floor(source(i) * cells)
        const pair = Math.floor(source(i) * 4) * 4 + Math.floor(source(i + 1) * 4)
        counts[cell] = (counts[cell] ?? 0) + 1
        pairs[pair] = (pairs[pair] ?? 0) + 1
      }
      expect(goodnessOfFit(counts, uniform)).toBeGreaterThan(implausible)
      expect(goodnessOfFit(pairs, uniform)).toBeGreaterThan(implausible)
    }
  })
})

describe.each(strategyNames)("select by %s", (strategy) => {
  it("law: gives every upstream once, standby ones after all others", () => {
    fc.assert(
      fc.property(upstreamsArb(), circumstancesArb, (upstreams, given) => {
        const ordered = select(strategy, upstreams, given)
        expect(ordered.length).toBe(upstreams.length)
        expect(new Set(ordered)).toEqual(new Set(upstreams))
        const standby = ordered.map(isStandby)
        expect(standby).toEqual(standby.toSorted((a, b) => Number(a) - Number(b)))
      }),
    )
  })

  it("law: the same circumstances give the same order", () => {
    fc.assert(
      fc.property(upstreamsArb(), circumstancesArb, (upstreams, given) => {
        expect(select(strategy, upstreams, given)).toEqual(select(strategy, upstreams, given))
      }),
    )
  })

  it("law: each stands first with its part of the weights, and never at weight 0", () => {
    const sampled = fc.sample(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 10 }), fc.double({ min: 0.01, max: 3, noNaN: true })), {
        minLength: 2,
        maxLength: 7,
      }),
      { seed: 20261122, numRuns: 8 },
    )
    for (const weights of [[1, 1], [10, 1], [0, 0, 0], [0, 3, 0, 1], ...sampled]) {
      const upstreams = weighted(...weights)
      expect(goodnessOfFit(firsts(strategy, upstreams, 5_000), shares(upstreams))).toBeGreaterThan(
        implausible,
      )
    }
  })

  it("law: the whole order is as probable as drawing by weight without replacement makes it", () => {
    const upstreams = weighted(5, 3, 1, 0.5)
    const orders = permutations(upstreams)
    const counts = new Map<string, number>()
    for (let i = 0; i < 30_000; i++) {
      const key = names(select(strategy, upstreams, ofRequest(i))).join("")
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(
      goodnessOfFit(
        orders.map((order) => counts.get(names(order).join("")) ?? 0),
        orders.map(probabilityOf),
      ),
    ).toBeGreaterThan(implausible)
  })

  it("orders standby upstreams among themselves as equals", () => {
    const upstreams = weighted(4, 0, 0, 0)
    const counts = new Map<string, number>()
    for (let i = 0; i < 6_000; i++) {
      const key = names(select(strategy, upstreams, ofRequest(i))).join("")
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const orders = ["abcd", "abdc", "acbd", "acdb", "adbc", "adcb"]
    expect(
      goodnessOfFit(
        orders.map((order) => counts.get(order) ?? 0),
        orders.map(() => 1 / 6),
      ),
    ).toBeGreaterThan(implausible)
    expect([...counts.keys()].every((order) => orders.includes(order))).toBe(true)
  })

  it("keeps the proportion of the largest and of the smallest weights there are", () => {
    for (const unit of [Number.MIN_VALUE, 1e-300, 1e300, Number.MAX_VALUE / 4]) {
      const upstreams = weighted(unit, 3 * unit)
      expect(shares(upstreams)[1]).toBeCloseTo(0.75, 12)
      expect(goodnessOfFit(firsts(strategy, upstreams, 4_000), [0.25, 0.75])).toBeGreaterThan(implausible)
    }
    expect(firsts(strategy, weighted(1e-300, 1e300, 0), 1_000)).toEqual([0, 1_000, 0])
  })

  it("asks nothing where there is nothing to choose", () => {
    const never = (): never => expect.fail("asked")
    const unasked: Circumstances = { draws: never, load: never, affinity: never }
    expect(select(strategy, [], unasked)).toEqual([])
    expect(names(select(strategy, weighted(1), unasked))).toEqual(["a"])
  })
})

describe("select by deterministic", () => {
  const order = (upstreams: ReadonlyArray<Upstream>, affinity: string): ReadonlyArray<string> =>
    names(select("deterministic", upstreams, circumstances({ affinity: () => affinity })))

  // Computed by another implementation (Python: mmh3, SplitMix64 over big integers). A change here moves every conversation of every
  // deployment to another upstream, and fleets of two versions disagree.
  it.each([
    ["", "日本 azure deepseek_service official_openai"],
    ["\nHello", "azure 日本 official_openai deepseek_service"],
    ["You are a helpful assistant.\nHi", "azure official_openai 日本 deepseek_service"],
    ["日本語 😀", "日本 deepseek_service azure official_openai"],
    ["x".repeat(4_096), "日本 deepseek_service azure official_openai"],
  ])("orders the conversation %j alike on every machine, in every version to come", (affinity, expected) => {
    const upstreams = ["official_openai", "deepseek_service", "azure", "日本"].map((name, index) =>
      makeUpstream({ name, weight: index + 1 }),
    )
    expect(order(upstreams, affinity).join(" ")).toBe(expected)
  })

  it("law: depends on neither draws nor load nor the order of the configuration", () => {
    fc.assert(
      fc.property(upstreamsArb(), circumstancesArb, circumstancesArb, (upstreams, one, other) => {
        expect(
          names(select("deterministic", upstreams.toReversed(), { ...other, affinity: one.affinity })),
        ).toEqual(names(select("deterministic", upstreams, one)))
      }),
    )
  })

  it("law: removing an upstream leaves the order of the others as it was, adding one too", () => {
    fc.assert(
      fc.property(upstreamsArb({ minLength: 1 }), fc.nat(), fc.string(), (upstreams, pick, affinity) => {
        const removed = upstreams[pick % upstreams.length]
        const rest = upstreams.filter((upstream) => upstream !== removed)
        expect(order(rest, affinity)).toEqual(
          order(upstreams, affinity).filter((name) => name !== removed?.name),
        )
      }),
    )
  })

  it("law: more weight only takes conversations, it never hands one to another upstream", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 20 }),
        fc.string(),
        (weights, more, affinity) => {
          const before = order(weighted(...weights), affinity)
          const after = order(weighted(...weights.with(0, (weights[0] ?? 0) + more)), affinity)
          expect(after.filter((name) => name !== "a")).toEqual(before.filter((name) => name !== "a"))
          expect(after.indexOf("a")).toBeLessThanOrEqual(before.indexOf("a"))
        },
      ),
    )
  })

  it("spreads conversations that are alike, and names that are alike", () => {
    const upstreams = Array.from({ length: 20 }, (_, i) => makeUpstream({ name: `upstream-${i}` }))
    expect(
      goodnessOfFit(
        firsts("deterministic", upstreams, 5_000),
        upstreams.map(() => 1 / 20),
      ),
    ).toBeGreaterThan(implausible)
  })

  it("favours no upstream whose name is the conversation", () => {
    const upstreams = Array.from({ length: 20 }, (_, i) => makeUpstream({ name: `upstream-${i}` }))
    const own = upstreams.filter(({ name }) => order(upstreams, name)[0] === name)
    expect(own.length).toBeLessThan(8)
  })
})

describe("select by least_connections", () => {
  const loads: Readonly<Record<string, number>> = { a: 4, b: 3, c: 6, d: 0, e: 1 }
  const load = (name: string): number => loads[name] ?? 0

  it("goes by requests in flight per weight, standby last", () => {
    expect(names(select("least_connections", weighted(4, 1, 3, 0, 10), circumstances({ load })))).toEqual([
      "e",
      "a",
      "c",
      "b",
      "d",
    ])
  })

  it("law: load per weight never falls along the order", () => {
    fc.assert(
      fc.property(upstreamsArb(), circumstancesArb, (upstreams, given) => {
        const active = select("least_connections", upstreams, given).filter(
          (upstream) => !isStandby(upstream),
        )
        const ratios = active.map(({ name, weight }) => given.load(name) / weight)
        expect(ratios).toEqual(ratios.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)))
      }),
    )
  })

  it("breaks ties at random by weight, among those that tie", () => {
    const upstreams = weighted(1, 3, 2, 1)
    const busy = (name: string): number => ({ a: 1, b: 3, c: 4, d: 1 })[name] ?? 0
    expect(
      goodnessOfFit(firsts("least_connections", upstreams, 5_000, { load: busy }), [0.2, 0.6, 0, 0.2]),
    ).toBeGreaterThan(implausible)
  })
})

describe("shares", () => {
  it("law: are probabilities that sum to 1, none for standby beside others", () => {
    fc.assert(
      fc.property(upstreamsArb({ minLength: 1 }), (upstreams) => {
        const parts = shares(upstreams)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 9)
        for (const [index, upstream] of upstreams.entries()) {
          if (isStandby(upstream) && !upstreams.every(isStandby)) expect(parts[index]).toBe(0)
        }
      }),
    )
  })
})
