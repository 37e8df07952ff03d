/** Tokenize and detokenize: as vLLM has them, and as llama.cpp does. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { judge } from "../../../src/answer/Verdict.ts"
import { detokenize } from "../../../src/operations/tokens/Detokenize.ts"
import { tokenize } from "../../../src/operations/tokens/Tokenize.ts"

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe("a request for tokens", () => {
  it.each([
    { prompt: "Hello", add_special_tokens: true },
    { messages: [{ role: "user", content: "Hello" }], add_generation_prompt: true },
    { content: "Hello", with_pieces: true },
    { prompt: "" },
  ])("is taken with a model, and without one where only one is served: %j", (body) => {
    expect(Either.isRight(tokenize.decode(bytesOf({ model: "m", ...body }), {}))).toBe(true)
    const assumed = Either.getOrThrow(tokenize.decode(bytesOf(body), {}, "only"))
    expect(assumed.facts.model).toBe("only")
    expect(Either.flip(tokenize.decode(bytesOf(body), {}))).toMatchObject({
      right: { param: "model" },
    })
  })

  it("is refused without a text", () => {
    expect(Either.flip(tokenize.decode(bytesOf({ model: "m" }), {}))).toMatchObject({
      right: { param: "prompt", message: "`prompt` is missing (or `messages`, or `content`)." },
    })
    expect(Either.flip(detokenize.decode(bytesOf({ model: "m" }), {}))).toMatchObject({
      right: { param: "tokens" },
    })
  })
})

describe("an answer", () => {
  it.each([
    [tokenize, { count: 0, max_model_len: 4096, tokens: [] }, "answer"],
    [tokenize, { tokens: [{ id: 198, piece: "\n" }] }, "answer"],
    [tokenize, { count: 3 }, "silent"],
    [detokenize, { prompt: "" }, "answer"],
    [detokenize, { content: " a" }, "answer"],
    [detokenize, { tokens: [] }, "silent"],
    [tokenize, { object: "error", message: "no", code: 400 }, "error"],
    [detokenize, { error: { message: "no", code: 404 } }, "error"],
    [tokenize, { detail: "Not Found" }, "error"],
  ] as const)("of $0.name is judged by what it has", ({ plain }, answer, kind) => {
    expect(judge(answer, plain.says).kind).toBe(kind)
  })
})
