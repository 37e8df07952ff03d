import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chunksOf } from "../../src/answer/AnswerInChunks.ts"
import type { AnswerShape } from "../../src/answer/AnswerShape.ts"
import type { ChoiceTransform } from "../../src/answer/ChoiceTransform.ts"
import { transformAnswer } from "../../src/answer/PlainAnswer.ts"
import { assemble } from "../../src/answer/transcript/Transcript.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import type { Json, JsonObject } from "../../src/wire/Json.ts"
import { doneData } from "../../src/wire/Sse.ts"
import { answerArb, bytesOf, plainOf, textArb } from "../support/answers.ts"
import { streamed } from "../support/StreamedAnswers.ts"

const limit = 1_000_000

const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

const chunksIn = (shape: AnswerShape, answer: unknown): ReadonlyArray<unknown> | undefined =>
  chunksOf(shape, bytesOf(answer), limit)?.map(parsed)

const chat = (message: JsonObject, choice: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "m",
  choices: [{ index: 0, message, finish_reason: "stop", ...choice }],
  ...more,
})

const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "m" }

const chunk = (delta: JsonObject, choice: JsonObject = {}, more: JsonObject = {}) => ({
  ...envelope,
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...more,
})

describe("A plain answer as chunks", () => {
  it("says role, reasoning, text, calls and end each in its own, and the usage last", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    const call = { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } }
    const message = {
      role: "assistant",
      content: "Hello",
      refusal: null,
      reasoning_content: "Hm.",
      tool_calls: [call, { ...call, id: "call_2" }],
    }
    const logprobs = { content: [{ token: "Hello", logprob: -1 }], refusal: null }
    const answer = chat(
      message,
      { logprobs, stop_reason: 7 },
      { system_fingerprint: "fp", citations: ["a"], usage },
    )
    const known = { system_fingerprint: "fp" }
    expect(chunksIn(chatShape, answer)).toEqual([
      chunk({ role: "assistant", content: "", refusal: null }, {}, known),
      chunk({ reasoning_content: "Hm." }, {}, known),
      chunk({ content: "Hello" }, { logprobs }, known),
      chunk(
        {
          tool_calls: [
            { ...call, index: 0 },
            { ...call, id: "call_2", index: 1 },
          ],
        },
        {},
        known,
      ),
      chunk({}, { stop_reason: 7, finish_reason: "stop" }, { ...known, citations: ["a"] }),
      { ...envelope, ...known, choices: [], usage },
    ])
  })

  it("is two chunks a choice where it is a legacy completion", () => {
    const rest = { id: "cmpl-1", object: "text_completion", created: 1, model: "m" }
    const choices = [
      { text: "a", finish_reason: "stop", logprobs: null },
      { text: "b", index: 1, finish_reason: "length" },
    ]
    expect(chunksIn(completionShape, { ...rest, choices })).toEqual([
      { ...rest, choices: [{ index: 0, text: "a", logprobs: null, finish_reason: null }] },
      { ...rest, choices: [{ index: 0, text: "", finish_reason: "stop" }] },
      { ...rest, choices: [{ index: 1, text: "b", finish_reason: null }] },
      { ...rest, choices: [{ index: 1, text: "", finish_reason: "length" }] },
    ])
  })

  it("keeps every digit, every odd member and any depth, and is one line an event", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
    const text = `{\r\n "id": 12345678901234567890,\n "odd": 1.0e400,
      "choices": [\n { "message": {"content": "a\\nb", "deep": ${deep}} } ] }`
    const datas = chunksOf(chatShape, new TextEncoder().encode(text), limit) ?? []
    const texts = datas.map((data) => new TextDecoder().decode(data))
    expect(texts.every((one) => one.includes('"id":12345678901234567890') && !/[\r\n]/.test(one))).toBe(true)
    expect(texts.at(-1)).toContain('"odd":1.0e400')
    expect(texts.join("")).toContain(`"deep":${deep}`)
    expect(texts.join("")).toContain('"content":"a\\nb"')
  })

  it.each<[string, AnswerShape, unknown]>([
    ["has no choices", chatShape, { id: "x" }],
    ["has an empty list of them", chatShape, { choices: [] }],
    ["has one that is no object", chatShape, { choices: ["a"] }],
    ["has one without a message", chatShape, { choices: [{ text: "a" }] }],
    ["has one whose message is text", chatShape, { choices: [{ message: "a" }] }],
    ["has one without a text", completionShape, { choices: [{ message: { content: "a" } }] }],
    ["is no object", chatShape, [1]],
  ])("is none where it %s", (_, shape, answer) => {
    expect(chunksIn(shape, answer)).toBeUndefined()
  })

  it("is none where what every chunk repeats takes more than it may", () => {
    const choices = Array.from({ length: 500 }, () => ({ message: { content: "a" } }))
    expect(chunksIn(chatShape, { id: "x".repeat(10_000), choices })).toBeUndefined()
    expect(chunksIn(chatShape, { id: "x".repeat(10_000), choices: choices.slice(0, 9) })).toBeDefined()
  })
})

/** Members no table knows, of a kind that deltas can say: what is joined there (texts, lists) is none of theirs. */
const oddArb = fc
  .dictionary(
    fc.constantFrom(
      "odd",
      "x_meta",
      "audio",
      "annotations",
      "stop_reason",
      "timings",
      "__proto__",
      'a"b',
      "é",
    ),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 3 },
  )
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)))

const messageArb = fc
  .record({
    content: fc.oneof(textArb, fc.constant(null), fc.constant([{ type: "text", text: "a" }])),
    reasoning: fc.option(textArb, { nil: undefined }),
    refusal: fc.constantFrom(undefined, null, "No."),
    calls: fc.array(fc.tuple(fc.string(), fc.json({ maxDepth: 1 })), { maxLength: 3 }),
    function_call: fc.constantFrom(undefined, { name: "f", arguments: "{}" }),
    odd: oddArb,
  })
  .map(
    ({ calls, odd, ...rest }): JsonObject =>
      JSON.parse(
        JSON.stringify({
          ...odd,
          role: "assistant",
          ...rest,
          tool_calls:
            calls.length === 0
              ? undefined
              : calls.map(([name, args], at) => ({
                  id: `call_${at}`,
                  type: "function",
                  function: { name, arguments: args },
                })),
        }),
      ),
  )

const oddChatArb = fc
  .record({
    odd: oddArb,
    choices: fc.array(
      fc.record({
        odd: oddArb,
        message: messageArb,
        logprobs: fc.constantFrom(null, { content: [{ token: "a", logprob: -1 }], refusal: null }),
        finish_reason: fc.constantFrom("stop", "length", "tool_calls", null),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    usage: fc.constantFrom(undefined, { prompt_tokens: 1, completion_tokens: 2, odd: { a: [1] } }),
  })
  .map(
    ({ choices, odd, usage }): JsonObject =>
      JSON.parse(
        JSON.stringify({
          ...odd,
          id: "chatcmpl-1",
          object: "chat.completion",
          created: 1,
          model: "m",
          choices: choices.map(({ odd: more, ...choice }, index) => ({ ...more, index, ...choice })),
          usage,
        }),
      ),
  )

const asWhole = (shape: AnswerShape, datas: ReadonlyArray<Uint8Array>): Json => {
  const whole: Json = JSON.parse(JSON.stringify(assemble(shape, datas)))
  return whole
}

describe("A plain answer, cut into chunks and put together again", () => {
  it("is the answer, whatever members it has", () => {
    fc.assert(
      fc.property(oddChatArb, (answer) => {
        const datas = chunksOf(chatShape, bytesOf(answer), limit) ?? []
        expect(asWhole(chatShape, [...datas, doneData])).toEqual(answer)
      }),
    )
  })

  const formats = ["passthrough", "strip", "think_tag", "reasoning", "reasoning_content"] as const

  it("is the answer transformed, where it is transformed as a stream", () => {
    const transformArb: fc.Arbitrary<ChoiceTransform> = fc.record({
      prefix: fc.constantFrom(undefined, "Prefix: ", "<think>\n"),
      thinking: fc.constantFrom(...formats),
    })
    fc.assert(
      fc.property(answerArb, transformArb, (generated, transform) => {
        const { shape } = generated
        const bytes = bytesOf(plainOf(generated))
        const datas = [...(chunksOf(shape, bytes, limit) ?? []), doneData]
        const { data: sent, state } = streamed(
          { shape, transform, includeUsage: true, choices: 1, secrets: noSecrets },
          datas.map((data) => ({ data, event: undefined })),
        )
        expect(state.phase).toBe("complete")
        expect(asWhole(shape, sent)).toEqual(parsed(transformAnswer(shape, transform, bytes)))
      }),
    )
  })
})
