/** A relay of one JSON object for another, of an operation that is planted here: what its row says is all that is to be said. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { judge } from "../../src/answer/Verdict.ts"
import { nothingOmitted } from "../../src/operations/Additions.ts"
import { jsonRelay } from "../../src/operations/JsonRelay.ts"
import { operations } from "../../src/operations/Operations.ts"
import { isJsonArray } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const planted = jsonRelay({
  name: "planted",
  about: "nothing",
  paths: ["/planted"],
  needs: [["query", "question"], ["documents"]],
  says: ({ results }) => isJsonArray(results) && results.length > 0,
  silence: "no result",
})

const needed = { query: "q", documents: ["d"] }

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe("a planted operation", () => {
  it("law: is sent what its client sent, but for the model, and what extra_body says beside it", () => {
    const named = fc.dictionary(
      fc.constantFrom("documents", "stop", "max_tokens", "stream", "n", "x"),
      fc.jsonValue(),
      {
        noNullPrototype: true,
      },
    )
    fc.assert(
      fc.property(named, named, (said, extraBody) => {
        const body = { model: "m", question: "q", ...said, documents: [said["documents"]], stream: false }
        const upstream = makeUpstream({
          stop: ["x"],
          maxTokens: 1,
          extraBody: JSON.parse(JSON.stringify(extraBody)),
        })
        const asked = Either.getOrThrow(planted.decode(bytesOf(body), {}))
        const prepared = Either.getOrThrow(
          asked.bodyFor({ upstream, upstreamModel: "other" }, nothingOmitted),
        )
        const { documents: _, stream: __, ...fills } = extraBody
        expect(parseObject(prepared.body)).toEqual(
          parseObject(bytesOf({ ...fills, ...body, model: "other" })),
        )
      }),
    )
  })

  it("law: neither streams nor calls a tool nor is resumed, whatever its client says", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("stream", "tools", "n", "messages"), fc.jsonValue()),
        (said) => {
          fc.pre(said["stream"] !== true)
          const { facts } = Either.getOrThrow(planted.decode(bytesOf({ ...needed, ...said, model: "m" }), {}))
          expect(facts).toMatchObject({
            model: "m",
            stream: false,
            tools: false,
            choices: { n: undefined, prompts: 1 },
          })
        },
      ),
    )
    expect(planted.stream).toBeUndefined()
  })

  it.each([
    [{ documents: ["d"] }, "query", "`query` is missing (or `question`)."],
    [{ query: null, documents: ["d"] }, "query", "`query` is missing (or `question`)."],
    [{ question: "q" }, "documents", "`documents` is missing."],
    [{ question: "", documents: [] }, undefined, undefined],
  ])("is refused without what it cannot do without: %j", (said, param, message) => {
    const decoded = planted.decode(bytesOf({ model: "m", ...said }), {})
    if (param === undefined) expect(Either.isRight(decoded)).toBe(true)
    else expect(Either.flip(decoded)).toMatchObject({ right: { param, message, model: "m" } })
  })

  it.each([
    ["q", "q"],
    [["a", "b"], "a"],
    [[[1, 2], [3]], "1 2"],
    [[{ type: "text", text: "t" }], "t"],
    [[{ role: "user", content: [{ type: "text", text: "t" }] }], "t"],
    [{ content: { content: { content: { content: { text: "too deep" } } } } }, ""],
    [5, ""],
  ])("goes where requests go that begin with the same: %j", (query, lead) => {
    const asked = planted.decode(bytesOf({ model: "m", ...needed, query }), {})
    expect(Either.getOrThrow(asked).affinity()).toBe(lead)
  })

  it.each([
    [["a", "b"], false],
    [[[1, 2], [3]], false],
    [[1, 2], false],
    [[{ text: "a" }], false],
    [["a", { image: "https://example.test/a.png" }], true],
    [[{ type: "image_url", image_url: { url: "data:" } }], true],
    [[{ role: "user", content: [{ type: "image_url", image_url: {} }] }], true],
    [{ content: [{ type: "image_url", image_url: {} }] }, true],
    [{ content: [{ type: "text", text: "a" }] }, false],
    [null, false],
  ])("is told to be of more than text where it is: %j", (documents, multimodal) => {
    const body = { model: "m", query: "q", question: documents, documents: documents ?? "d" }
    expect(Either.getOrThrow(planted.decode(bytesOf(body), {})).facts.multimodal).toBe(multimodal)
  })

  it.each([
    [operations.embeddings, "`input` is missing (or `messages`, or `content`)."],
    [operations.rerank, "`query` is missing."],
  ])("names first what is usual where it lacks what it needs", ({ decode }, message) => {
    expect(Either.flip(decode(bytesOf({ model: "m" }), {}))).toMatchObject({ right: { message } })
  })

  it("is refused where its client waits for a stream", () => {
    const asked = planted.decode(bytesOf({ model: "m", ...needed, stream: true }), {})
    expect(Either.flip(asked)).toMatchObject({
      right: {
        param: "stream",
        message: "/v1/planted does not stream; leave `stream` out, or set it to false.",
        model: "m",
      },
    })
  })

  it("is answered by what its row takes for an answer", () => {
    expect(judge({ results: [{ index: 0 }] }, planted.plain.says).kind).toBe("answer")
    expect(planted.plain.read({ usage: { total_tokens: 4 } }).usage.totalTokens).toBe(4)
    expect(judge({ data: [1], choices: [{ text: "a" }] }, planted.plain.says).kind).toBe("silent")
  })
})

const mayAssume = jsonRelay({
  name: "assuming",
  about: "nothing",
  paths: ["/assuming"],
  needs: [["input"]],
  modelWhereAbsent: (only) => only ?? undefined,
  says: () => true,
  silence: "nothing",
})

describe("an operation whose requests need not name a model", () => {
  const decode = (body: object, deployment: string | undefined, only?: string) =>
    mayAssume.decode(bytesOf({ input: "a", ...body }), { deployment }, only)

  const sent = (body: object, deployment: string | undefined, upstreamModel: string): unknown => {
    const asked = Either.getOrThrow(decode(body, deployment, "only"))
    const prepared = asked.bodyFor({ upstream: makeUpstream(), upstreamModel }, nothingOmitted)
    return parseObject(Either.getOrThrow(prepared).body)
  }

  it.each([
    [{}, undefined, "only", "only"],
    [{ model: null }, undefined, "only", "only"],
    [{ model: "m" }, undefined, "only", "m"],
    [{ model: "m" }, "d", "only", "d"],
    [{}, "d", "only", "d"],
    [{}, "d", undefined, "d"],
  ])("means, by %j at the deployment %s where only %s is served, %s", (body, deployment, only, model) => {
    expect(Either.getOrThrow(decode(body, deployment, only)).facts.model).toBe(model)
  })

  it("is to name one where more than one is served", () => {
    for (const body of [{}, { model: null }, { model: 5 }, { model: "" }]) {
      expect(Either.flip(decode(body, undefined))).toMatchObject({ right: { param: "model" } })
    }
  })

  it("is sent as it came to who would take it to mean the same, and with a model to all others", () => {
    expect(sent({}, undefined, "only")).toEqual({ input: "a" })
    expect(sent({ model: null }, undefined, "only")).toEqual({ input: "a", model: null })
    expect(sent({}, undefined, "other")).toEqual({ input: "a", model: "other" })
    expect(sent({ model: null }, undefined, "other")).toEqual({ input: "a", model: "other" })
    expect(sent({}, "d", "d")).toEqual({ input: "a", model: "d" })
  })
})

describe("what was used", () => {
  it.each([
    [{ usage: { prompt_tokens: 4, total_tokens: 4 } }, 4],
    [{ usage: null, meta: { tokens: { input_tokens: 5 } } }, 5],
    [{ meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: 6 } } }, 6],
    [{ meta: { billed_units: { input_tokens: 7 } } }, 7],
    [{ meta: { billed_units: { search_units: 1 } } }, undefined],
    [{ usage: { prompt_tokens: 4 }, meta: { tokens: { input_tokens: 5 } } }, 4],
    [{ usage: "many", meta: [] }, undefined],
  ])("is read of OpenAI's usage or Cohere's meta: %j", (answer, tokens) => {
    expect(planted.plain.read(answer).usage.inputTokens).toBe(tokens)
  })
})
