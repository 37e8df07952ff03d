/** What an answer said until it broke off, and why one is not resumed. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AnswerShape } from "../../src/answer/AnswerShape.ts"
import { thinking } from "../../src/answer/Thinking.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import { readSoFar } from "../../src/resume/SaidSoFar.ts"
import type { Unresumable } from "../../src/resume/Unresumable.ts"
import { run } from "../../src/wire/Machine.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb, textArb } from "../support/answers.ts"
import { chunk, finishChunk, textChunk, textCompletionChunk } from "../support/Wire.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const soFar = (chunks: ReadonlyArray<unknown>, shape: AnswerShape = chatShape, prefix = "") =>
  readSoFar(shape, { prefix, tags: ["think"] }, chunks.map(bytesOf))

/** The text to resume from, or why there is none. */
const textSoFar = (chunks: ReadonlyArray<unknown>, shape: AnswerShape = chatShape, prefix = "") =>
  Either.match(soFar(chunks, shape, prefix), {
    onLeft: (why) => ({ refused: why }),
    onRight: ({ text }) => text,
  })

const role = chunk({ role: "assistant", content: "" })

describe("what an answer said", () => {
  it("is the joined text of its chunks", () => {
    expect(textSoFar([role, textChunk("Hel"), textChunk("lo ")])).toBe("Hello ")
    expect(textSoFar([textCompletionChunk("Hel"), textCompletionChunk("lo")], completionShape)).toBe("Hello")
  })

  it("is nothing where only a role, empty text or no choice has come: it is to be begun anew", () => {
    for (const chunks of [
      [],
      [role],
      [{ ...role, choices: [] }, chunk({ content: null, tool_calls: [], function_call: null })],
    ]) {
      expect(textSoFar(chunks)).toBe("")
    }
  })

  it("stands beside log probabilities", () => {
    const withLogprobs = { ...textChunk("a"), choices: [{ index: 0, delta: { content: "a" }, logprobs: {} }] }
    expect(textSoFar([withLogprobs])).toBe("a")
  })

  it("leaves out thinking that was closed, and the white space behind it", () => {
    expect(textSoFar([textChunk("<think>hm"), textChunk("</think>\n\nSo")])).toBe("So")
    expect(textSoFar([chunk({ reasoning_content: "hm" }), textChunk("So")])).toBe("So")
    expect(textSoFar([textChunk("a\n<think>b</think>c")])).toBe("a\nc")
  })

  it("knows thinking by the tags of the upstream that began", () => {
    const datas = [textChunk("<thought>hm</thought>\n\nSo")].map(bytesOf)
    const textOf = (tags: ReadonlyArray<string>) =>
      Either.map(readSoFar(chatShape, { prefix: "", tags }, datas), ({ text }) => text)
    expect(textOf(["think", "thought"])).toEqual(Either.right("So"))
    expect(textOf(["think"])).toEqual(Either.right("<thought>hm</thought>\n\nSo"))
    const open = [textChunk("<thought>hm")].map(bytesOf)
    expect(readSoFar(chatShape, { prefix: "", tags: ["thought"] }, open)).toEqual(Either.left("thinking"))
  })

  it("takes a tag in the middle of a line, and half a tag, for text", () => {
    expect(textSoFar([textChunk("the <think> tag")])).toBe("the <think> tag")
    expect(textSoFar([textChunk("a\n<thi")])).toBe("a\n<thi")
  })

  it("counts as thinking what the upstream's prefix opened", () => {
    expect(textSoFar([textChunk("hm</think>So")], chatShape, "<think>\n")).toBe("So")
    expect(textSoFar([textChunk("hm")], chatShape, "<think>\n")).toEqual({ refused: "thinking" })
    expect(textSoFar([role], chatShape, "<think>\n")).toBe("")
  })

  it("is no thinking of the prefix's where the reasoning came apart", () => {
    expect(textSoFar([chunk({ reasoning: "hm" }), textChunk("So")], chatShape, "<think>\n")).toBe("So")
  })

  it("holds nothing of a prefix that is text", () => {
    expect(textSoFar([textChunk("So")], chatShape, "\n\nNote: <")).toBe("So")
  })

  it("is all of a legacy completion, thinking too, since it is no turn of a chat", () => {
    expect(textSoFar([textCompletionChunk("<think>hm")], completionShape)).toBe("<think>hm")
  })

  it("law: is the answer's text as a client that wants no thinking gets it", () => {
    fc.assert(
      fc.property(fc.array(textArb), (parts) => {
        const said = soFar(parts.map((part) => textChunk(part)))
        const pieces = run(
          thinking("strip"),
          parts.map((text) => ({ field: "content" as const, text })),
        )
        if (Either.isRight(said)) expect(said.right.text).toBe(pieces.map(({ text }) => text).join(""))
        else expect(parts.join("")).toContain("<think>")
      }),
    )
  })

  it("law: never is the text of an answer with more to it than one choice's text", () => {
    fc.assert(
      fc.property(answerArb, cuttingArb, fc.nat({ max: 40 }), (answer, cutting, cut) => {
        const chunks = chunksOf(answer, cutting).slice(0, cut)
        const choices = chunks.flatMap((one) => (Array.isArray(one["choices"]) ? one["choices"] : []))
        const isPlainText = choices.every(
          (one) => one.index === 0 && one.finish_reason === null && !("tool_calls" in (one.delta ?? {})),
        )
        if (!isPlainText) expect(Either.isLeft(soFar(chunks, answer.shape))).toBe(true)
      }),
    )
  })
})

describe("an answer is not resumed", () => {
  const said = textChunk("a")
  const cases: ReadonlyArray<readonly [name: string, chunks: ReadonlyArray<unknown>, why: Unresumable]> = [
    ["that calls a tool", [said, chunk({ tool_calls: [{ index: 0 }] })], "tool_call"],
    ["that calls a function", [said, chunk({ function_call: { name: "f" } })], "tool_call"],
    ["with another choice", [said, textChunk("b", { index: 1 })], "other_choice"],
    [
      "with two choices in a chunk",
      [{ choices: [...said.choices, ...textChunk("b", { index: 1 }).choices] }],
      "other_choice",
    ],
    ["whose content is a list of parts", [chunk({ content: [{ type: "text", text: "a" }] })], "not_text"],
    ["that refuses", [said, chunk({ refusal: "No" })], "not_text"],
    ["that speaks", [said, chunk({ audio: { data: "" } })], "not_text"],
    ["that shows", [said, chunk({ images: [{ type: "image_url" }] })], "not_text"],
    ["that said why it ends", [said, finishChunk()], "finished"],
    ["that has only reasoned", [role, chunk({ reasoning: "hm" })], "thinking"],
    [
      "that has reasoned and then sent white space",
      [chunk({ reasoning_content: "hm" }), textChunk("\n\n")],
      "thinking",
    ],
    ["that has reasoned in parts", [chunk({ reasoning_details: [{ text: "hm" }] })], "thinking"],
    ["inside a block that opens it", [textChunk(" <think>hm")], "thinking"],
    ["inside a block that opens a line", [textChunk("a\n<think>hm")], "thinking"],
    ["right behind its thinking", [textChunk("<think>hm</think>\n")], "thinking"],
    ["in the middle of a character", [textChunk("a\ud83d")], "half_character"],
    ["of an unknown shape", [{ type: "content_block_delta", delta: { text: "a" } }], "unreadable"],
    ["with text in an unknown place", [{ choices: [{ index: 0, message: { content: "a" } }] }], "unreadable"],
    ["with choices that are none", [{ choices: ["a"] }], "unreadable"],
    ["named at great length", [textChunk("a", { id: "x".repeat(2_000) })], "unreadable"],
  ]
  for (const [name, chunks, why] of cases) {
    it(name, () => {
      expect(textSoFar(chunks)).toEqual({ refused: why })
    })
  }

  it("with an event that is no JSON object", () => {
    for (const data of ["hello", '"a"', '{"choices":', "[]"]) {
      expect(readSoFar(chatShape, { prefix: "", tags: ["think"] }, [encode(data)])).toEqual(
        Either.left("unreadable"),
      )
    }
  })

  it("of a legacy completion whose text is none", () => {
    expect(textSoFar([{ choices: [{ index: 0, text: ["a"] }] }], completionShape)).toEqual({
      refused: "not_text",
    })
    expect(textSoFar([textCompletionChunk("a", "length")], completionShape)).toEqual({ refused: "finished" })
  })
})
