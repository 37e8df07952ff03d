import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Dialect, dialects, takesOf } from "../../src/routing/Dialect.ts"
import { drawsFrom } from "../../src/routing/Draws.ts"
import { plan } from "../../src/routing/Plan.ts"
import { makeRoutingTable, matches } from "../../src/routing/Route.ts"
import { isStandby } from "../../src/routing/strategies/Race.ts"
import { type Strategy, strategyNames } from "../../src/routing/strategies/Strategies.ts"
import type { Target, Upstream } from "../../src/routing/Upstream.ts"
import {
  containing,
  exactly,
  makeUpstream,
  modelArb,
  readmeUpstreams,
  upstreamsArb,
} from "../support/arbitraries.ts"
import { goodnessOfFit, implausible } from "../support/chiSquare.ts"
import { runs } from "../support/Runs.ts"

const strategyArb = fc.constantFrom(...strategyNames)

const planOf = (
  upstreams: ReadonlyArray<Upstream>,
  model: string,
  seed = 1,
  strategy: Strategy = "random",
  dialect: Dialect | undefined = undefined,
): ReadonlyArray<Target> =>
  plan(
    { routes: makeRoutingTable(upstreams), strategy },
    { model, affinity: () => `conversation ${seed}`, takes: takesOf(dialect) },
    { draws: drawsFrom(seed), load: (name) => (name.length + seed) % 3 },
  )

const pair = ({ upstream, upstreamModel }: Target): string => `${upstream.name} → ${upstreamModel}`

const pairs = (targets: ReadonlyArray<Target>): ReadonlyArray<string> => targets.map(pair)

const sorted = (texts: ReadonlyArray<string>): ReadonlyArray<string> => texts.toSorted()

/** That plans put the upstreams in these orders, by their names, with these chances. */
const expectOrders = (
  upstreams: ReadonlyArray<Upstream>,
  plans: number,
  chances: Readonly<Record<string, number>>,
): void => {
  for (const strategy of ["random", "deterministic"] as const) {
    const counts = new Map<string, number>()
    for (let seed = 0; seed < plans; seed++) {
      const key = planOf(upstreams, "m", seed, strategy)
        .map(({ upstream }) => upstream.name)
        .join("")
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const seen = Object.keys(chances).map((order) => counts.get(order) ?? 0)
    expect(goodnessOfFit(seen, Object.values(chances))).toBeGreaterThan(implausible)
  }
}

describe("plan", () => {
  it("sends the fallback of GPT_API's README a model that it serves", () => {
    expect(pairs(planOf(readmeUpstreams, "gpt-4o"))).toEqual([
      "official_openai → gpt-4o",
      "deepseek_backup → deepseek-chat-fallback",
    ])
    expect(pairs(planOf(readmeUpstreams, "deepseek-chat"))).toEqual(["deepseek_service → deepseek-chat"])
    expect(pairs(planOf(readmeUpstreams, "claude"))).toEqual([])
  })

  it.each<[string, Partial<Upstream>, string]>([
    ["its own model before all", { model: "o3", match: containing("gpt") }, "o3"],
    ["the model asked for if it matches", { match: containing("zzz", "gpt") }, "gpt-4"],
    ["the model asked for if it is an exact value", { match: exactly("first", "gpt-4") }, "gpt-4"],
    ["else the first of its exact values", { match: exactly("first", "second") }, "first"],
    ["else the model asked for", { match: containing("zzz") }, "gpt-4"],
  ])("sends an upstream that is a fallback by name %s", (_, spare, expected) => {
    const upstreams = [
      makeUpstream({ name: "main", match: exactly("gpt-4"), fallback: "spare" }),
      makeUpstream({ ...spare, name: "spare", weight: 0 }),
    ]
    expect(pairs(planOf(upstreams, "gpt-4")).at(-1)).toBe(`spare → ${expected}`)
  })

  it("takes a fallback that names no upstream for a model, and sends that", () => {
    const upstreams = [
      makeUpstream({ name: "main", match: exactly("gpt-4"), fallback: "llama" }),
      makeUpstream({ name: "one", match: exactly("llama"), weight: 1e300 }),
      makeUpstream({ name: "two", match: containing("lla"), model: "llama-3-70b", weight: 1 }),
      makeUpstream({ name: "main too", match: containing("zzz") }),
    ]
    expect(pairs(planOf(upstreams, "gpt-4"))).toEqual(["main → gpt-4", "one → llama", "two → llama-3-70b"])
  })

  it("takes a name for the upstream of that name even where it is a model too", () => {
    const upstreams = [
      makeUpstream({ name: "main", match: exactly("gpt-4"), fallback: "llama" }),
      makeUpstream({ name: "llama", match: exactly("llama-3") }),
      makeUpstream({ name: "other", match: exactly("llama") }),
    ]
    expect(pairs(planOf(upstreams, "gpt-4"))).toEqual(["main → gpt-4", "llama → llama-3"])
  })

  it("follows a chain of fallbacks to its end", () => {
    const upstreams = [
      makeUpstream({ name: "a", match: exactly("gpt-4"), fallback: "deepseek-chat" }),
      makeUpstream({ name: "b", match: exactly("deepseek-chat"), fallback: "c" }),
      makeUpstream({ name: "c", match: exactly("deepseek-r1"), fallback: "d" }),
      makeUpstream({ name: "d", match: exactly("llama", "o3"), fallback: "a" }),
    ]
    expect(pairs(planOf(upstreams, "gpt-4"))).toEqual([
      "a → gpt-4",
      "b → deepseek-chat",
      "c → deepseek-r1",
      "d → llama",
    ])
  })

  it("follows only the first upstream that has a fallback", () => {
    const upstreams = [
      makeUpstream({ name: "a", weight: 1e300 }),
      makeUpstream({ name: "b", weight: 1, fallback: "x" }),
      makeUpstream({ name: "c", weight: 1e-300, fallback: "y" }),
      makeUpstream({ name: "x", match: exactly("x") }),
      makeUpstream({ name: "y", match: exactly("y") }),
    ]
    expect(pairs(planOf(upstreams, "gpt"))).toEqual(["a → gpt", "b → gpt", "c → gpt", "x → x"])
  })

  it("passes over a fallback that leads to nothing new, and follows the next one", () => {
    const upstreams = [
      makeUpstream({ name: "a", weight: 1e300, fallback: "b" }),
      makeUpstream({ name: "b", weight: 1, fallback: "nowhere" }),
      makeUpstream({ name: "c", weight: 1e-300, fallback: "y" }),
      makeUpstream({ name: "y", match: exactly("y") }),
    ]
    expect(pairs(planOf(upstreams, "gpt"))).toEqual(["a → gpt", "b → gpt", "c → gpt", "y → y"])
  })

  it("plans an upstream again for another model, but not for the same", () => {
    const twice = [makeUpstream({ name: "a", fallback: "gpt-3.5" })]
    expect(pairs(planOf(twice, "gpt-4"))).toEqual(["a → gpt-4", "a → gpt-3.5"])
    const fixed = [makeUpstream({ name: "a", fallback: "gpt-3.5", model: "gpt-4o" })]
    expect(pairs(planOf(fixed, "gpt-4"))).toEqual(["a → gpt-4o"])
  })

  it.each([
    ["to itself", ["a"]],
    ["in a circle", ["b", "c", "a"]],
    ["to nothing", ["nowhere"]],
  ])("ends where fallbacks lead %s", (_, fallbacks) => {
    const upstreams = fallbacks.map((fallback, i) =>
      makeUpstream({ name: "abc".charAt(i), match: exactly(`model-${i}`), fallback }),
    )
    expect(planOf(upstreams, "model-0").map(({ upstream }) => upstream)).toEqual(upstreams)
  })

  it("orders what a fallback leads to by weight, on draws of its own", () => {
    const upstreams = [
      makeUpstream({ name: "a", match: exactly("m"), fallback: "f" }),
      makeUpstream({ name: "b", match: exactly("m"), fallback: "f" }),
      makeUpstream({ name: "c", match: exactly("f"), weight: 1 }),
      makeUpstream({ name: "d", match: exactly("f"), weight: 3 }),
    ]
    expectOrders(upstreams, 5_000, { abcd: 1 / 8, abdc: 3 / 8, bacd: 1 / 8, badc: 3 / 8 })
  })

  it("orders upstreams that stand in two groups in each independently of the other", () => {
    const both = { match: exactly("m", "f"), fallback: "f" }
    const upstreams = [makeUpstream({ ...both, name: "a" }), makeUpstream({ ...both, name: "b" })]
    expectOrders(upstreams, 2_000, { abab: 1 / 4, abba: 1 / 4, baab: 1 / 4, baba: 1 / 4 })
  })

  it("passes by what does not speak the dialect, and follows its fallback where no other leads on", () => {
    const upstreams = [
      makeUpstream({ name: "a", weight: 1e300, dialects: ["messages"], fallback: "x" }),
      makeUpstream({ name: "b", weight: 1, dialects: ["chat"], fallback: "y" }),
      makeUpstream({ name: "x", match: exactly("x"), dialects: ["chat", "responses"] }),
      makeUpstream({ name: "y", match: exactly("y"), dialects: ["chat", "messages"] }),
      makeUpstream({ name: "none", weight: 1e-300, dialects: [] }),
    ]
    const planIn = (dialect: Dialect | undefined) => pairs(planOf(upstreams, "gpt", 1, "random", dialect))
    expect(planIn("chat")).toEqual(["b → gpt", "y → y"])
    expect(planIn("messages")).toEqual(["a → gpt"])
    expect(planIn("responses")).toEqual(["x → x"])
    expect(planIn(undefined)).toEqual(["a → gpt", "b → gpt", "none → gpt", "x → x"])
  })

  it("law: in a dialect, the first group is planned as if the upstreams that do not speak it were not there", () => {
    fc.assert(
      fc.property(
        upstreamsArb(),
        modelArb,
        fc.constantFrom(...dialects),
        strategyArb,
        (given, asked, dialect, strategy) => {
          const upstreams = given.map((upstream) => ({ ...upstream, fallback: undefined }))
          const all = planOf(upstreams, asked, 1, strategy)
          const speaking = all.filter(({ upstream }) => upstream.dialects.includes(dialect))
          expect(planOf(upstreams, asked, 1, strategy, dialect)).toEqual(speaking)
        },
      ),
    )
  })

  it("law: whoever is planned in a dialect speaks it, however the fallbacks lead", () => {
    fc.assert(
      fc.property(
        upstreamsArb(),
        modelArb,
        fc.constantFrom(...dialects),
        strategyArb,
        (upstreams, asked, dialect, strategy) => {
          const targets = planOf(upstreams, asked, 1, strategy, dialect)
          expect(targets.every(({ upstream }) => upstream.dialects.includes(dialect))).toBe(true)
        },
      ),
    )
  })

  it("law: matching upstreams come first, then what the first leading fallback adds, until none adds anything", () => {
    fc.assert(
      fc.property(upstreamsArb(), modelArb, fc.nat(), strategyArb, (upstreams, asked, seed, strategy) => {
        const targets = planOf(upstreams, asked, seed, strategy)
        let expected = upstreams
          .filter((upstream) => matches(upstream, asked))
          .map((upstream): Target => ({ upstream, upstreamModel: upstream.model ?? asked }))
        let from = 0
        while (expected.length > 0) {
          const group = targets.slice(from, from + expected.length)
          expect(sorted(pairs(group))).toEqual(sorted(pairs(expected)))
          const standby = group.map(({ upstream }) => isStandby(upstream))
          expect(standby).toEqual(standby.toSorted((a, b) => Number(a) - Number(b)))
          from += group.length
          const planned = new Set(pairs(targets.slice(0, from)))
          expected =
            group
              .map(({ upstream }) => reach(upstreams, asked, upstream.fallback))
              .map((reached) => reached.filter((target) => !planned.has(pair(target))))
              .find((added) => added.length > 0) ?? []
        }
        expect(from).toBe(targets.length)
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: no pair of upstream and model stands in a plan twice", () => {
    fc.assert(
      fc.property(upstreamsArb(), modelArb, fc.nat(), strategyArb, (upstreams, asked, seed, strategy) => {
        const all = pairs(planOf(upstreams, asked, seed, strategy))
        expect(new Set(all).size).toBe(all.length)
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: the same request, draws and load give the same plan", () => {
    fc.assert(
      fc.property(upstreamsArb(), modelArb, fc.nat(), strategyArb, (upstreams, asked, seed, strategy) => {
        expect(planOf(upstreams, asked, seed, strategy)).toEqual(planOf(upstreams, asked, seed, strategy))
      }),
    )
  })
})

/** Where a fallback leads, written again from the description of the rules. */
const reach = (
  upstreams: ReadonlyArray<Upstream>,
  asked: string,
  fallback: string | undefined,
): ReadonlyArray<Target> => {
  if (fallback === undefined) return []
  const named = upstreams.find(({ name }) => name === fallback)
  if (named === undefined) {
    return upstreams
      .filter((upstream) => matches(upstream, fallback))
      .map((upstream) => ({ upstream, upstreamModel: upstream.model ?? fallback }))
  }
  const { match, model } = named
  const sent = matches(named, asked) || match.type === "keyword" ? asked : match.values[0]
  return [{ upstream: named, upstreamModel: model ?? sent ?? asked }]
}
