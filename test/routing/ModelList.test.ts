import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bytesOf, type Model, readModels, union } from "../../src/routing/ModelList.ts"
import { matches } from "../../src/routing/Route.ts"
import { containing, exactly, makeUpstream, modelArb, upstreamArb } from "../support/arbitraries.ts"

const model = (id: string, owned_by = "them"): Model => ({ id, object: "model", created: 1, owned_by })

describe("readModels", () => {
  it("keeps of an entry what SDKs read, filled in where it is missing, and what it says of its length", () => {
    const long = "x".repeat(1_000)
    const entries = [
      { id: "a", context_length: 9, name: "A", description: long, pricing: { prompt: 1 } },
      { ...model("b"), owned_by: long, created: "soon", object: "engine", max_model_len: [9], name: long },
      model(long),
      model("c"),
    ]
    expect(readModels({ data: entries }, "me")).toEqual([
      { ...model("a", "me"), created: 0, context_length: 9, name: "A" },
      { ...model("b", "me"), created: 0 },
      model("c"),
    ])
  })

  it("law: what it keeps of a list takes no more than so much an entry, whatever else stands in it", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (entries) => {
        const listed = entries.map((entry) => ({ ...entry, id: "a", junk: "x".repeat(10_000) }))
        expect(bytesOf(readModels({ data: listed }, "me") ?? [])).toBeLessThanOrEqual(2_000 * listed.length)
      }),
    )
  })

  it.each([
    ["OpenAI's", { object: "list", data: [{ id: "a" }] }],
    ["Together's, bare", [{ id: "a" }]],
    ["Ollama's own", { models: [{ name: "a", model: "a" }] }],
    ["llama.cpp's, which is both", { models: [{ name: "other" }], object: "list", data: [{ id: "a" }] }],
    ["one of bare names", ["a"]],
  ])("reads a list in %s shape", (_, answer) => {
    expect(readModels(answer, "me")?.map(({ id, object }) => [id, object])).toEqual([["a", "model"]])
  })

  it("leaves out what has no id, and is no list where there are no entries", () => {
    expect(readModels({ data: [null, 1, {}, { id: "" }, { id: 5 }, [], ""] }, "me")).toEqual([])
    for (const none of [null, {}, { data: {} }, { models: "a" }, "a", 1]) {
      expect(readModels(none, "me")).toBeUndefined()
    }
  })

  it("law: takes any JSON without failing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        for (const answer of [value, { data: value }, { models: value }]) readModels(answer, "me")
      }),
    )
  })
})

describe("union", () => {
  it("holds only what a client's model_match admits", () => {
    const upstream = makeUpstream({ match: containing("gpt-4") })
    expect(union([{ upstream, models: [model("gpt-4o"), model("whisper-1")] }]).map(({ id }) => id)).toEqual([
      "gpt-4o",
    ])
  })

  it("adds the exact names of the configuration, listed or not", () => {
    const upstream = makeUpstream({ name: "mine", match: exactly("a", "b") })
    expect(union([{ upstream, models: [model("b"), model("c")] }])).toEqual([
      model("b"),
      { id: "a", object: "model", created: 0, owned_by: "mine" },
    ])
  })

  it("law: names every id once, and each is served by an upstream", () => {
    const listing = fc.record({ upstream: upstreamArb, models: fc.array(modelArb.map((id) => model(id))) })
    fc.assert(
      fc.property(fc.array(listing, { maxLength: 5 }), (listings) => {
        const ids = union(listings).map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
        for (const id of ids) expect(listings.some(({ upstream }) => matches(upstream, id))).toBe(true)
      }),
    )
  })
})
