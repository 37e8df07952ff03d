/** Embeddings: what is sent of a request, and what is read of an answer, however long it is. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { judge } from "../../../src/answer/Verdict.ts"
import { nothingAdded, nothingOmitted } from "../../../src/operations/Additions.ts"
import { embeddings } from "../../../src/operations/embeddings/Embeddings.ts"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { JsonOutline, outlineOf } from "../../../src/wire/JsonOutline.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const asked = (text: string) => Either.getOrThrow(embeddings.decode(bytesOf(text), {}))

const sent = (text: string, upstream: Partial<Upstream> = {}, upstreamModel = "m"): string => {
  const target = { upstream: makeUpstream(upstream), upstreamModel }
  const prepared = Either.getOrThrow(asked(text).bodyFor(target, nothingOmitted))
  expect(prepared.added).toEqual(nothingAdded)
  return new TextDecoder().decode(prepared.body)
}

const configured: Partial<Upstream> = {
  stop: ["x"],
  maxTokens: 5,
  asksUsage: true,
  specialPrefix: "P",
  thinkingFormat: "strip",
}

describe("a request for embeddings", () => {
  it.each([
    '{"model":"m","input":"a"}',
    '{"input": ["a", ""],"encoding_format":"base64" ,"model":"m"}',
    '{"model":"m","input":[1,2,3],"dimensions":1e2}',
    '{"model":"m","input":[[1,2],[3]],"user":"u","stream":false,"stop":5,"messages":[]}',
    '{"model":"m","messages":[{"role":"user","content":"a"}]}',
  ])("is sent as it came, whatever is configured for texts: %s", (text) => {
    expect(sent(text, configured)).toBe(text)
  })

  it("names the model of its target, and has what extra_body fills in", () => {
    const extraBody = { dimensions: 256, input: "no", stream: true, stream_options: {}, truncate: true }
    expect(sent('{"model":"m", "input":12345678901234567890}', { extraBody }, "other")).toBe(
      '{"model":"other", "input":12345678901234567890,"dimensions":256,"truncate":true}',
    )
    expect(sent('{"model":"m","input":1,"dimensions":null}', { extraBody })).toBe(
      '{"model":"m","input":1,"dimensions":null,"truncate":true}',
    )
  })

  it.each([
    ["", null],
    ["[1]", null],
    ['{"input":"a"}', "model"],
    ['{"model":5,"input":"a"}', "model"],
    ['{"model":"m","Model":"n"}', "model"],
    ['{"model":"m","input":"a","input":"b"}', "input"],
    ['{"model":"m"}', "input"],
    ['{"model":"m","input":null}', "input"],
    ['{"model":"m","input":"a","stream":true}', "stream"],
    ['{"model":"m","input":"a","stream":false,"stream":true}', "stream"],
  ])("is refused where nobody could answer it, or not everybody reads the same: %s", (text, param) => {
    const refused = Either.getOrThrow(Either.flip(embeddings.decode(bytesOf(text), {})))
    expect(refused.param).toBe(param)
  })

  it("goes where requests go that begin with the same input", () => {
    const affinity = (input: unknown) => asked(JSON.stringify({ model: "m", input })).affinity()
    expect(affinity("a")).toBe("a")
    expect(affinity(["a", "b"])).toBe("a")
    expect(affinity([[1, 2], [3]])).toBe("1 2")
    expect(affinity({ text: "a" })).toBe("a")
    expect(affinity("x".repeat(1_000_000)).length).toBe(1_024)
  })
})

/** What is read of an answer that comes in pieces, and how much of it is kept for that. */
const readOf = (text: string) => {
  const outline = new JsonOutline(embeddings.plain.outline)
  const bytes = bytesOf(text)
  for (let at = 0; at < bytes.length; at += 65_536) outline.feed(bytes.subarray(at, at + 65_536))
  const kept: JsonObject = outline.end() ?? {}
  return {
    kept: JSON.stringify(kept).length,
    judged: judge(kept, embeddings.plain.says),
    ...embeddings.plain.read(kept),
  }
}

const vectors = (embedding: unknown, count: number): string =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ object: "embedding", index, embedding }),
  ).join()

const usage = '"usage":{"prompt_tokens":9,"total_tokens":9,"prompt_tokens_details":{"cached_tokens":2}}'

describe("an answer of embeddings", () => {
  const floats = Array.from({ length: 3_072 }, (_, at) => Math.sin(at))
  const base64 = Buffer.alloc(4 * 3_072, 7).toString("base64")

  it.each([
    ["floats", floats, 64],
    ["base64", base64, 256],
    ["one long text", "A".repeat(4_000_000), 3],
  ])("is read in full where usage stands behind or before vectors of %s", (_, embedding, count) => {
    const data = `"data":[${vectors(embedding, count)}]`
    for (const text of [`{"object":"list",${data},"model":"m",${usage}}`, `{${usage},"model":"m",${data}}`]) {
      const { judged, kept, ...facts } = readOf(text)
      expect(judged.kind).toBe("answer")
      expect(kept).toBeLessThan(200_000)
      expect(facts).toMatchObject({
        usage: { inputTokens: 9, outputTokens: undefined, totalTokens: 9, cachedTokens: 2 },
        finishReason: undefined,
        toolCalls: false,
      })
    }
  })

  it.each([
    ['{"object":"list","data":[{"embedding":[0.1]}],"model":"m"}', "answer"],
    ['{"data":[{"embedding":""}],"message":"done","code":0,"error":null}', "answer"],
    ['{"data":[{"embedding":[]}],"error":{"message":"half of it failed"}}', "error"],
    ['{"error":{"message":"no"}}', "error"],
    ['{"object":"error","message":"no"}', "error"],
    ['{"detail":"no such model"}', "error"],
    ['{"code":1001,"msg":"no quota","data":null}', "error"],
    ['{"data":[]}', "silent"],
    ['{"choices":[{"message":{"content":"Hello"}}]}', "silent"],
    ["{}", "silent"],
    ["[]", "not_json"],
    ["<html>", "not_json"],
    ["", "not_json"],
  ])("is judged by whether it has vectors: %s", (text, kind) => {
    const answer = outlineOf(bytesOf(text), embeddings.plain.outline)
    expect(judge(answer, embeddings.plain.says).kind).toBe(kind)
  })
})
