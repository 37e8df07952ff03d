/** A relay of one JSON object for another, of an operation that is planted here: what its row says is all that is to be said. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { judge } from "../../src/answer/Verdict.ts"
import { nothingOmitted } from "../../src/operations/Additions.ts"
import { jsonRelay } from "../../src/operations/JsonRelay.ts"
import { isJsonArray } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const planted = jsonRelay({
  name: "planted",
  path: "/planted",
  input: "query",
  says: ({ results }) => isJsonArray(results) && results.length > 0,
  silence: "no result",
})

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe("a planted operation", () => {
  it("law: is sent what its client sent, but for the model, and what extra_body says beside it", () => {
    const named = fc.dictionary(
      fc.constantFrom("query", "stop", "max_tokens", "stream", "n", "x"),
      fc.jsonValue(),
      {
        noNullPrototype: true,
      },
    )
    fc.assert(
      fc.property(named, named, (said, extraBody) => {
        const body = { ...said, model: "m", query: said["query"] ?? "q", stream: false }
        const upstream = makeUpstream({
          stop: ["x"],
          maxTokens: 1,
          extraBody: JSON.parse(JSON.stringify(extraBody)),
        })
        const asked = Either.getOrThrow(planted.decode(bytesOf(body), undefined))
        const prepared = Either.getOrThrow(
          asked.bodyFor({ upstream, upstreamModel: "other" }, nothingOmitted),
        )
        const { query: _, stream: __, ...fills } = extraBody
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
          const { facts } = Either.getOrThrow(
            planted.decode(bytesOf({ ...said, model: "m", query: "q" }), undefined),
          )
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

  it("is refused without what is asked about, and where its client waits for a stream", () => {
    const refused = (said: object) => Either.flip(planted.decode(bytesOf({ model: "m", ...said }), undefined))
    for (const said of [{}, { query: null }]) {
      expect(Either.getOrThrow(refused(said))).toMatchObject({
        param: "query",
        message: "`query` is missing.",
        model: "m",
      })
    }
    expect(Either.getOrThrow(refused({ query: "q", stream: true }))).toMatchObject({
      param: "stream",
      message: "/v1/planted does not stream; leave `stream` out, or set it to false.",
      model: "m",
    })
  })

  it("is answered by what its row takes for an answer", () => {
    expect(judge({ results: [{ index: 0 }] }, planted.plain.says).kind).toBe("answer")
    expect(judge({ data: [1], choices: [{ text: "a" }] }, planted.plain.says).kind).toBe("silent")
  })
})
