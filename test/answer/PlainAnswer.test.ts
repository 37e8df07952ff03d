import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChoiceTransform } from "../../src/answer/ChoiceTransform.ts"
import { readAnswer, transformAnswer } from "../../src/answer/PlainAnswer.ts"
import { noUsage } from "../../src/answer/Usage.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { bytesOf } from "../support/answers.ts"
import { chatCompletion, textCompletion } from "../support/Wire.ts"

const chat = (transform: ChoiceTransform, answer: unknown): unknown =>
  JSON.parse(new TextDecoder().decode(transformAnswer(chatShape, transform, bytesOf(answer))))

const message = (...messages: ReadonlyArray<unknown>) => ({
  id: "x",
  unknown: { kept: [1] },
  choices: messages.map((one, index) => ({ index, message: one, finish_reason: "stop", logprobs: null })),
})

const untouched: ChoiceTransform = { prefix: undefined, thinking: "passthrough" }

describe("transformAnswer", () => {
  it("puts the prefix before the content of every choice", () => {
    expect(
      chat({ prefix: "P: ", thinking: "passthrough" }, message({ content: "a" }, { content: "b", n: 1 })),
    ).toEqual(message({ content: "P: a" }, { content: "P: b", n: 1 }))
  })

  it("leaves content that is null null, and gives tool calls no prefix", () => {
    const answer = message(
      { content: null, tool_calls: [{ id: "c" }] },
      { content: "", tool_calls: [{ id: "d" }] },
    )
    expect(chat({ prefix: "P: ", thinking: "strip" }, answer)).toEqual(answer)
  })

  it("strips blocks from the content and leaves the reasoning members alone", () => {
    expect(
      chat(
        { prefix: undefined, thinking: "strip" },
        message({ content: "<think>a</think>\n\nb", reasoning_content: "r" }),
      ),
    ).toEqual(message({ content: "b", reasoning_content: "r" }))
  })

  it("writes reasoning into the content for think_tag, and the members go", () => {
    for (const member of ["reasoning", "reasoning_content"]) {
      expect(
        chat({ prefix: undefined, thinking: "think_tag" }, message({ content: "b", [member]: "r" })),
      ).toEqual(message({ content: "<think>r</think>b" }))
    }
  })

  it("takes the same reasoning under both names for one", () => {
    const both = { content: "b", reasoning: "r", reasoning_content: "r" }
    expect(chat({ prefix: undefined, thinking: "think_tag" }, message(both))).toEqual(
      message({ content: "<think>r</think>b" }),
    )
    expect(chat({ prefix: undefined, thinking: "reasoning_content" }, message(both))).toEqual(
      message({ content: "b", reasoning_content: "r" }),
    )
  })

  for (const format of ["reasoning", "reasoning_content"] as const) {
    const other = format === "reasoning" ? "reasoning_content" : "reasoning"

    it(`has all reasoning in ${format}, whichever way it came`, () => {
      const transform: ChoiceTransform = { prefix: undefined, thinking: format }
      expect(
        chat(
          transform,
          message(
            { content: "<think>a</think>b" },
            { content: "b", [other]: "a" },
            { content: "b", [format]: "a" },
            { content: "<think>c</think>b", [other]: "a" },
          ),
        ),
      ).toEqual(
        message(
          { content: "b", [format]: "a" },
          { content: "b", [format]: "a" },
          { content: "b", [format]: "a" },
          { content: "b", [format]: "ac" },
        ),
      )
    })
  }

  it("transforms the text of legacy completions", () => {
    const bytes = transformAnswer(
      completionShape,
      { prefix: "\n", thinking: "strip" },
      bytesOf(textCompletion("<think>a</think> b")),
    )
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(textCompletion("b"))
  })

  it("goes through the texts of a list of parts, and keeps parts it does not know where they are", () => {
    const text = (value: string, more = {}) => ({ type: "text", text: value, ...more })
    const image = { type: "image_url", image_url: { url: "data:" } }
    const thoughts = { type: "thinking", thinking: [text("hm")], closed: true }
    const parts = (...content: ReadonlyArray<unknown>) => message({ content })
    const p = (thinking: ChoiceTransform["thinking"]): ChoiceTransform => ({ prefix: "P ", thinking })

    expect(chat(p("passthrough"), parts(thoughts, image, text(""), text("a"), text("b")))).toEqual(
      parts(thoughts, image, text(""), text("P a"), text("b")),
    )
    expect(chat(p("passthrough"), parts({ type: "refusal", refusal: "no" }))).toEqual(
      parts({ type: "refusal", refusal: "no" }),
    )
    expect(chat(p("strip"), parts(thoughts, text("a"), image, text("b", { annotations: [] })))).toEqual(
      parts(text("P a"), image, text("b", { annotations: [] })),
    )
    expect(chat(p("strip"), parts(thoughts, text("a"), text("b")))).toEqual(message({ content: "P ab" }))
    expect(chat(p("reasoning"), parts(thoughts))).toEqual(message({ content: "", reasoning: "hm" }))
    for (const other of [
      { type: "thinking", thinking: "hm" },
      { type: "reasoning", text: "hm" },
      { type: "reasoning", reasoning: [text("hm")] },
    ]) {
      expect(chat(p("reasoning_content"), parts(other, { type: "output_text", text: "a" }))).toEqual(
        message({ content: [{ type: "output_text", text: "P a" }], reasoning_content: "hm" }),
      )
    }
    expect(chat(p("think_tag"), parts(thoughts, image, text("a")))).toEqual(
      parts(text("<think>hm"), image, text("</think>P a")),
    )
  })

  it("keeps the spelling of all that it does not change", () => {
    const answer = (text: string) =>
      `{"n":12345678901234567890, "created":1.0,"big":1e400,"z":-0,"d":0.1000000000000000055511151231257827,"twice":1,"twice":2,"s":"\\ud83d\\u0041", "choices" : [ { "index":0,"message":{"content":${text},"audio":{"x":1.50}},"logprobs":{"content":[{"logprob":-0.10}]}}, {"index":1.0,"message":{"content":null,"x":2.0}} ],"usage":{"cost":1.0e-7}}`
    const bytes = new TextEncoder().encode(answer('"a\\u00e9\\ud800"'))
    expect(
      new TextDecoder().decode(transformAnswer(chatShape, { prefix: "P", thinking: "strip" }, bytes)),
    ).toBe(answer('"Paé\\ud800"'))
  })

  it("gives the same bytes where nothing is configured, whatever they are", () => {
    for (const text of ["{ }", "not json", '{"choices":[{"message":{"content":"a"}}]}']) {
      const bytes = new TextEncoder().encode(text)
      expect(transformAnswer(chatShape, untouched, bytes)).toBe(bytes)
    }
  })

  it("gives the same bytes where nothing changes", () => {
    const bytes = new TextEncoder().encode(
      '{ "choices": [ {"message":{"content":"no tags", "reasoning":null} } ], "n": 1.0 }',
    )
    expect(transformAnswer(chatShape, { prefix: undefined, thinking: "strip" }, bytes)).toBe(bytes)
    expect(transformAnswer(chatShape, { prefix: undefined, thinking: "think_tag" }, bytes)).not.toBe(bytes)
  })

  it("law: gives the same bytes for what is no answer", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const bytes = new TextEncoder().encode(text)
        expect(transformAnswer(chatShape, { prefix: "P", thinking: "reasoning" }, bytes)).toBe(bytes)
      }),
    )
  })

  it("edits an answer nested too deep to be printed: what it does not touch is not printed", () => {
    const depth = 200_000
    const deep = `{"choices":[{"message":{"content":"x"}}],"deep":${"[".repeat(depth)}${"]".repeat(depth)}}`
    const bytes = new TextEncoder().encode(deep)
    expect(
      new TextDecoder().decode(transformAnswer(chatShape, { prefix: "P", thinking: "strip" }, bytes)),
    ).toBe(deep.replace('"x"', '"Px"'))
  })
})

const readBack = (answer: unknown) => parseObject(bytesOf(answer))

describe("readAnswer", () => {
  it("reads usage, finish reason and tool calls", () => {
    const answer = chatCompletion(null, {
      finishReason: "tool_calls",
      tokens: { prompt: 1, completion: 2 },
      message: { tool_calls: [{ id: "c" }] },
    })
    expect(readAnswer(chatShape, readBack(answer))).toEqual({
      responseId: "chatcmpl-scripted",
      serviceTier: undefined,
      usage: { ...noUsage, inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      finishReason: "tool_calls",
      toolCalls: true,
    })
  })

  it("reads a legacy completion and an older function call", () => {
    expect(readAnswer(chatShape, readBack(textCompletion("a")))).toMatchObject({
      finishReason: "stop",
      toolCalls: false,
    })
    expect(
      readAnswer(chatShape, readBack(message({ content: null, function_call: { name: "f" } }))).toolCalls,
    ).toBe(true)
    expect(readAnswer(chatShape, readBack(message({ content: "a", tool_calls: [] }))).toolCalls).toBe(false)
  })

  it("law: of anything else nothing is known", () => {
    const nothing = { usage: noUsage, finishReason: undefined, toolCalls: false }
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (bytes, json) => {
        expect(readAnswer(chatShape, parseObject(bytes))).toEqual(nothing)
        expect(readAnswer(chatShape, parseObject(new TextEncoder().encode(json)))).toEqual(nothing)
      }),
    )
  })
})
