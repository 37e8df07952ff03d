import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { assemble } from "../../../src/answer/transcript/Transcript.ts"
import { chatShape } from "../../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../../src/operations/completions/CompletionShape.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb, plainOf, textArb } from "../../support/answers.ts"
import { runs } from "../../support/Runs.ts"
import { chunk, finishChunk, textChunk } from "../../support/Wire.ts"

const chat = (...chunks: ReadonlyArray<unknown>): JsonObject => assemble(chatShape, chunks.map(bytesOf))

/** The message of the only choice. */
const messageOf = (...deltas: ReadonlyArray<Readonly<Record<string, unknown>>>): unknown =>
  chat(...deltas.map((delta) => chunk(delta)))

const withMessage = (message: unknown) => ({ choices: [{ index: 0, message }] })

describe("law: assembling a chunked answer gives the plain answer back", () => {
  it("for every cutting, choices interleaved", () => {
    fc.assert(
      fc.property(answerArb, cuttingArb, (generated, cutting) => {
        const datas = [...chunksOf(generated, cutting).map(bytesOf), new TextEncoder().encode("[DONE]")]
        expect(assemble(generated.shape, datas)).toEqual(plainOf(generated))
      }),
      { numRuns: runs(300) },
    )
  })
})

/** Deltas of few shapes, so that one is often like the one before; some are none that an upstream should send. */
const deltaArb = fc.oneof(
  { weight: 6, arbitrary: textArb.map((content) => ({ content })) },
  { weight: 2, arbitrary: textArb.map((reasoning) => ({ reasoning, content: null })) },
  { weight: 1, arbitrary: textArb.map((text) => ({ content: [{ type: "text", text }] })) },
  { weight: 1, arbitrary: textArb.map((content) => ({ role: "assistant", content, refusal: content })) },
  {
    weight: 1,
    arbitrary: textArb.map((args) => ({ tool_calls: [{ index: 0, function: { arguments: args } }] })),
  },
  { weight: 1, arbitrary: fc.record({ content: fc.oneof(fc.nat(9), fc.constant({ name: "x" })) }) },
)

const streamArb = fc.array(
  fc.record({
    delta: deltaArb,
    index: fc.constantFrom(0, 0, 0, 0, 1),
    created: fc.constantFrom(1, 1, 1, 2),
    padding: fc.option(fc.constantFrom("", "x", "yy")),
    logprobs: fc.constantFrom(null, null, null, { content: [{ token: "a" }] }),
    errs: fc.constantFrom(false, false, false, false, true),
  }),
  { maxLength: 40 },
)

describe("law: chunks that are like the one before come to what they come to when each is parsed", () => {
  it("for every stream", () => {
    fc.assert(
      fc.property(streamArb, (stream) => {
        const datas = stream.map(({ created, delta, errs, index, logprobs, padding }) =>
          JSON.stringify({
            id: "c",
            created,
            choices: [{ index, delta, logprobs, finish_reason: null }],
            ...(padding === null ? {} : { obfuscation: padding }),
            ...(errs ? { error: { message: "m" } } : {}),
          }),
        )
        // White space makes them unlike each other.
        const unlike = datas.map((data, at) => data + " ".repeat(at))
        const encodeAll = (all: ReadonlyArray<string>) => all.map((data) => new TextEncoder().encode(data))
        const assembled = assemble(chatShape, encodeAll(datas))
        expect(assembled).toEqual(assemble(chatShape, encodeAll(unlike)))
        expect(JSON.stringify(assembled)).toBe(JSON.stringify(assemble(chatShape, encodeAll(unlike))))
      }),
      { numRuns: runs(1000) },
    )
  })
})

describe("assemble", () => {
  it("takes a whole answer that came as an event for the answer, and a message beside deltas for nothing", () => {
    const calls = ["a", "b"].map((id) => ({ id, type: "function", function: { name: "f", arguments: "{}" } }))
    const message = { role: "assistant", content: "Hello", tool_calls: calls }
    expect(chat({ choices: [{ index: 0, message, finish_reason: "stop" }] })["choices"]).toEqual([
      { index: 0, message, finish_reason: "stop" },
    ])
    const beside = (text: string, all: string) => ({
      choices: [{ index: 0, delta: { content: text }, message: { role: "assistant", content: all } }],
    })
    expect(chat(beside("Hel", "Hel"), beside("lo", "Hello"))["choices"]).toEqual([
      { index: 0, message: { role: "assistant", content: "Hello" } },
    ])
  })

  it("has the plain answer's members in their order", () => {
    const whole = assemble(chatShape, [bytesOf({ ...textChunk("a"), usage: null }), bytesOf(finishChunk())])
    expect(Object.keys(whole)).toEqual(["id", "object", "created", "model", "choices"])
    expect(whole["object"]).toBe("chat.completion")
    expect(assemble(completionShape, [])).toEqual({ object: "text_completion", choices: [] })
  })

  it("joins refusals and the older function calls", () => {
    expect(messageOf({ refusal: "I " }, { refusal: "won't" })).toMatchObject(
      withMessage({ role: "assistant", content: null, refusal: "I won't" }),
    )
    expect(
      messageOf({ function_call: { name: "f", arguments: "" } }, { function_call: { arguments: "{}" } }),
    ).toMatchObject(withMessage({ function_call: { name: "f", arguments: "{}" } }))
  })

  it("tells tool calls apart by id where the index does not", () => {
    const call = (id: string, more: object = {}) => ({
      id,
      type: "function",
      function: { name: id, arguments: "{}" },
      ...more,
    })
    const both = withMessage({ tool_calls: [call("a"), call("b")] })
    expect(messageOf({ tool_calls: [call("a"), call("b")] })).toMatchObject(both)
    expect(
      messageOf({ tool_calls: [call("a", { index: 0 })] }, { tool_calls: [call("b", { index: 0 })] }),
    ).toMatchObject(both)
  })

  it("joins deltas of a tool call that say its id again, or say it is empty", () => {
    const delta = (id: string | null, args: string) => ({
      tool_calls: [{ index: 0, id, function: { arguments: args } }],
    })
    expect(messageOf(delta("a", "{"), delta("a", ""), delta("", '"x":'), delta(null, "1}"))).toMatchObject(
      withMessage({ tool_calls: [{ id: "a", function: { arguments: '{"x":1}' } }] }),
    )
  })

  it("puts tool calls in the order of their index", () => {
    const at = (index: number) => ({ tool_calls: [{ index, id: `c${index}` }] })
    expect(messageOf(at(1), at(0))).toMatchObject(withMessage({ tool_calls: [{ id: "c0" }, { id: "c1" }] }))
  })

  it("appends log probabilities and other lists", () => {
    const one = (token: string) => ({
      choices: [{ index: 0, delta: { content: token }, logprobs: { content: [{ token }], refusal: null } }],
    })
    expect(chat(one("a"), one("b"))).toMatchObject({
      choices: [
        {
          message: { content: "ab" },
          logprobs: { content: [{ token: "a" }, { token: "b" }], refusal: null },
        },
      ],
    })
    expect(messageOf({ annotations: [1] }, { annotations: [2] })).toMatchObject(
      withMessage({ annotations: [1, 2] }),
    )
  })

  it("keeps content that comes as parts", () => {
    const part = (text: string) => ({ type: "text", text })
    expect(
      messageOf({ content: "" }, { content: [part("a")] }, { content: "b" }, { content: "c" }),
    ).toMatchObject(withMessage({ content: [part("abc")] }))
  })

  it("keeps the last word on what it does not know, beside an error", () => {
    expect(
      chat(
        { ...textChunk("a"), citations: ["x"], obfuscation: "zz" },
        { citations: ["x", "y"] },
        { error: { message: "boom" } },
      ),
    ).toMatchObject({
      citations: ["x", "y"],
      error: { message: "boom" },
      choices: [{ message: { content: "a" } }],
    })
  })

  it("says that it is not whole", () => {
    expect(assemble(chatShape, [bytesOf(textChunk("a"))], true)).toMatchObject({ truncated: true })
    expect(assemble(chatShape, [bytesOf(textChunk("a"))], false)).not.toHaveProperty("truncated")
  })

  it("law: makes a printable answer of anything", () => {
    const depth = 100_000
    const deep = new TextEncoder().encode(`{"a":${'{"a":'.repeat(100)}1${"}".repeat(100)}}`)
    const bottomless = new TextEncoder().encode(
      `{"choices":[{"delta":{"x":${"[".repeat(depth)}${"]".repeat(depth)}}}]}`,
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            fc.json().map((json) => new TextEncoder().encode(json)),
            fc.json().map((json) => bytesOf({ choices: [{ delta: JSON.parse(json), index: 0 }] })),
          ),
        ),
        (datas) => {
          expect(JSON.stringify(assemble(chatShape, [...datas, deep, bottomless]))).toContain(
            "chat.completion",
          )
          expect(JSON.stringify(assemble(completionShape, [...datas, deep, bottomless]))).toContain(
            "text_completion",
          )
        },
      ),
      { numRuns: runs(30) },
    )
  })
})
