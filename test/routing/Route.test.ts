import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeRoutingTable, matches, matchingValue, route } from "../../src/routing/Route.ts"
import type { Upstream } from "../../src/routing/Upstream.ts"
import { containing, exactly, makeUpstream, modelArb, upstreamsArb } from "../support/arbitraries.ts"
import { runs } from "../support/Runs.ts"

const names = (upstreams: ReadonlyArray<Upstream>): ReadonlyArray<string> => upstreams.map(({ name }) => name)

describe("matches", () => {
  it("takes an exact value for the whole name, a keyword for any part of it", () => {
    const exact = makeUpstream({ match: exactly("gpt-4", "o3") })
    const keyword = makeUpstream({ match: containing("gpt-4", "o3") })
    expect(["gpt-4", "o3", "gpt-4o", "my-o3", "gpt"].map((model) => matches(exact, model))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(["gpt-4", "o3", "gpt-4o", "my-o3", "gpt"].map((model) => matches(keyword, model))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ])
  })

  it("is case-sensitive, as in GPT_API", () => {
    expect(matches(makeUpstream({ match: containing("gpt") }), "GPT-4")).toBe(false)
    expect(matches(makeUpstream({ match: exactly("gpt-4") }), "GPT-4")).toBe(false)
  })

  it("names the first value that admits the model", () => {
    expect(matchingValue(containing("llama", "gpt", "gpt-4"), "gpt-4o")).toBe("gpt")
    expect(matchingValue(exactly("gpt-4"), "gpt-4o")).toBeUndefined()
  })
})

describe("the only model", () => {
  it.each([
    ["that one upstream has by name", [exactly("a")], "a"],
    ["that several upstreams have by name", [exactly("a"), exactly("a")], "a"],
    ["that is had by name, beside what is had by keywords", [exactly("a"), containing("gpt")], "a"],
    ["that the only upstream has first", [exactly("a", "b")], "a"],
    ["that the only upstream's keyword is", [containing("qwen", "llama")], "qwen"],
    ["of two by name is none", [exactly("a"), exactly("b")], undefined],
    ["of several keywords is none", [containing("a"), containing("b")], undefined],
    ["of nobody is none", [], undefined],
  ])("%s", (_, matchers, model) => {
    const table = makeRoutingTable(matchers.map((match, at) => makeUpstream({ name: `u${at}`, match })))
    expect(table.onlyModel).toBe(model)
    if (model !== undefined) expect(route(table, model).length).toBeGreaterThan(0)
  })
})

describe("route", () => {
  it("keeps the order of the configuration, exact and keyword matches mixed", () => {
    const table = makeRoutingTable([
      makeUpstream({ name: "keyword", match: containing("4o") }),
      makeUpstream({ name: "other", match: exactly("gpt-4") }),
      makeUpstream({ name: "exact", match: exactly("gpt-4o") }),
      makeUpstream({ name: "every part", match: containing("g", "gp", "gpt", "-", "o") }),
    ])
    expect(names(route(table, "gpt-4o"))).toEqual(["keyword", "exact", "every part"])
    expect(names(route(table, "gpt-4"))).toEqual(["other", "every part"])
    expect(names(route(table, ""))).toEqual([])
  })

  it("is empty where nothing is configured", () => {
    expect(route(makeRoutingTable([]), "gpt-4")).toEqual([])
  })

  it("law: gives the upstreams that match, each once, in the order of the configuration", () => {
    fc.assert(
      fc.property(upstreamsArb(), modelArb, (upstreams, model) => {
        expect(route(makeRoutingTable(upstreams), model)).toEqual(
          upstreams.filter((upstream) => matches(upstream, model)),
        )
      }),
      { numRuns: runs(1_000) },
    )
  })

  it("asks none of a thousand upstreams whether it matches", () => {
    let asked = 0
    const upstreams = Array.from({ length: 1_000 }, (_, i) => ({
      ...makeUpstream({ name: `upstream ${i}` }),
      get match() {
        asked++
        return i % 2 === 0 ? exactly(`model-${i}`) : containing(`word${i}.`)
      },
    }))
    const table = makeRoutingTable(upstreams)
    asked = 0
    expect(names(route(table, "model-500"))).toEqual(["upstream 500"])
    expect(names(route(table, "a-word501.b"))).toEqual(["upstream 501"])
    expect(asked).toBe(0)
  })

  it("collects an upstream once, however often its keywords stand in a hostile name", () => {
    const upstreams = Array.from({ length: 500 }, (_, i) =>
      makeUpstream({ name: String(i), match: containing("gpt", "pt") }),
    )
    expect(route(makeRoutingTable(upstreams), "gpt".repeat(100_000))).toEqual(upstreams)
  })
})

describe("makeRoutingTable", () => {
  it("finds upstreams by name, the first of several", () => {
    const first = makeUpstream({ name: "a", weight: 1 })
    const table = makeRoutingTable([first, makeUpstream({ name: "a", weight: 2 })])
    expect(table.byName.get("a")).toBe(first)
    expect(table.byName.get("b")).toBeUndefined()
  })
})
