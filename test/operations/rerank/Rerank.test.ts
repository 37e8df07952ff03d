/** Rerank: the answers of those who have it, each with its own members. */
import { describe, expect, it } from "vitest"
import { judge } from "../../../src/answer/Verdict.ts"
import { rerank } from "../../../src/operations/rerank/Rerank.ts"
import { outlineOf } from "../../../src/wire/JsonOutline.ts"

const cohere = {
  id: "07734bd2",
  results: [{ index: 3, relevance_score: 0.99 }],
  meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
}
const vllm = {
  id: "rerank-1",
  model: "m",
  results: [{ index: 0, document: { text: "a" }, relevance_score: 0.5 }],
  usage: { prompt_tokens: 6, total_tokens: 6 },
}
const jina = {
  model: "m",
  object: "list",
  results: [{ index: 0, relevance_score: 0.4, document: { text: "a" } }],
  usage: { total_tokens: 15 },
}
const voyage = {
  object: "list",
  data: [{ relevance_score: 0.4, index: 0 }],
  model: "m",
  usage: { total_tokens: 26 },
}

describe("an answer of rerank", () => {
  it.each([
    ["Cohere's", cohere, { responseId: "07734bd2" }],
    ["vLLM's", vllm, { responseId: "rerank-1", usage: { inputTokens: 6, totalTokens: 6 } }],
    ["Jina's", jina, { usage: { inputTokens: undefined, totalTokens: 15 } }],
    ["Voyage's", voyage, { usage: { totalTokens: 26 } }],
  ])("is one, and read: %s", (_, answer, facts) => {
    expect(judge(answer, rerank.plain.says).kind).toBe("answer")
    expect(rerank.plain.read(answer)).toMatchObject(facts)
  })

  it("may be that no document is good enough", () => {
    expect(judge({ id: "a", results: [] }, rerank.plain.says).kind).toBe("answer")
    expect(judge({ id: "a" }, rerank.plain.says).kind).toBe("silent")
    expect(judge({ message: "invalid api token" }, rerank.plain.says).kind).toBe("error")
  })

  it("has its usage read behind any number of documents, and before them", () => {
    const results = Array.from({ length: 1_000 }, (_, index) => ({
      index,
      document: { text: `${index}`.repeat(2_000) },
      relevance_score: 1 / (index + 1),
    }))
    for (const answer of [
      { id: "r", results, usage: { total_tokens: 9 } },
      { usage: { total_tokens: 9 }, results, id: "r" },
    ]) {
      const outline = outlineOf(new TextEncoder().encode(JSON.stringify(answer)), rerank.plain.outline)
      expect(JSON.stringify(outline).length).toBeLessThan(200_000)
      expect(judge(outline, rerank.plain.says).kind).toBe("answer")
      expect(rerank.plain.read(outline ?? {})).toMatchObject({
        responseId: "r",
        usage: { totalTokens: 9 },
      })
    }
  })
})
