/** Requests and answers in Anthropic's dialect: what is read of them, and what a target's configuration makes of them. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import { countTokens } from "../../../src/operations/messages/CountTokens.ts"
import { messages } from "../../../src/operations/messages/MessagesOperation.ts"
import type { AskedRequest, Recipient } from "../../../src/operations/Operation.ts"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { makeUpstream } from "../../support/arbitraries.ts"
import { messageOf, saying, textBlock } from "../../support/Messages.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const turn = { role: "user", content: "Hello?" }
const asked = { model: "claude-x", max_tokens: 64, messages: [turn] }

const bytesOf = (value: unknown) => encoder.encode(typeof value === "string" ? value : JSON.stringify(value))

const decoded = (value: unknown): AskedRequest => Either.getOrThrow(messages.decode(bytesOf(value), {}))

const target = (given: Partial<Upstream> = {}, upstreamModel = "claude-x"): Recipient => ({
  upstream: makeUpstream(given),
  upstreamModel,
})

const sent = (value: unknown, to: Recipient): unknown =>
  Either.match(decoded(value).bodyFor(to, nothingOmitted), {
    onLeft: ({ message }) => message,
    onRight: ({ body }) => JSON.parse(decoder.decode(body)),
  })

describe("A request for a message", () => {
  it("law: is the client's very bytes where nothing has to change", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), (more) => {
        const bytes = bytesOf({ ...more, ...asked })
        const request = messages.decode(bytes, {})
        if (Either.isLeft(request)) return
        const prepared = Either.getOrThrow(request.right.bodyFor(target(), nothingOmitted))
        expect(prepared.body).toBe(bytes)
        expect(prepared.asItCame).toBe(true)
      }),
    )
  })

  it.each<readonly [string, unknown, Recipient, unknown]>([
    ["has the model of its target", asked, target({}, "other"), { ...asked, model: "other" }],
    [
      "has the configured stop words before its own, each once",
      { ...asked, stop_sequences: ["b", "a"] },
      target({ stop: ["a", "c", " "] }),
      { ...asked, stop_sequences: ["a", "c", "b"] },
    ],
    [
      "has configured stop words that it lacks",
      asked,
      target({ stop: ["a"] }),
      { ...asked, stop_sequences: ["a"] },
    ],
    ["has no blank stop word added", asked, target({ stop: ["\n"] }), asked],
    ["is capped", asked, target({ maxTokens: 9 }), { ...asked, max_tokens: 9 }],
    [
      "thinks with no more than its cap leaves",
      {
        ...asked,
        max_tokens: 32_000,
        thinking: { type: "enabled", budget_tokens: 31_999, display: "omitted" },
      },
      target({ maxTokens: 8_000 }),
      {
        ...asked,
        max_tokens: 8_000,
        thinking: { type: "enabled", budget_tokens: 7_999, display: "omitted" },
      },
    ],
    [
      "does not think where its cap leaves too little for that",
      { ...asked, max_tokens: 32_000, thinking: { type: "enabled", budget_tokens: 31_999 } },
      target({ maxTokens: 1_024 }),
      { ...asked, max_tokens: 1_024, thinking: { type: "disabled" } },
    ],
    [
      "thinks as it says where the cap leaves room, or is not what makes it too small",
      { ...asked, max_tokens: 32_000, thinking: { type: "enabled", budget_tokens: 2_000 } },
      target({ maxTokens: 8_000 }),
      { ...asked, max_tokens: 8_000, thinking: { type: "enabled", budget_tokens: 2_000 } },
    ],
    [
      "keeps a budget beyond a limit of its own",
      { ...asked, max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 9_000 } },
      target({ maxTokens: 8_000 }),
      { ...asked, max_tokens: 4_000, thinking: { type: "enabled", budget_tokens: 9_000 } },
    ],
    [
      "thinks with less where extra_body says how much",
      { ...asked, max_tokens: 32_000 },
      target({ maxTokens: 8_000, extraBody: { thinking: { type: "enabled", budget_tokens: 16_000 } } }),
      { ...asked, max_tokens: 8_000, thinking: { type: "enabled", budget_tokens: 7_999 } },
    ],
    [
      "keeps a limit below the cap, and 0",
      { ...asked, max_tokens: 0 },
      target({ maxTokens: 9 }),
      { ...asked, max_tokens: 0 },
    ],
    [
      "is filled with extra_body where it does not speak",
      { ...asked, top_k: 1 },
      target({
        extraBody: {
          top_k: 4,
          thinking: { type: "disabled" },
          model: "no",
          system: "no",
          stream_options: {},
        },
      }),
      { ...asked, top_k: 1, thinking: { type: "disabled" } },
    ],
    [
      "keeps its messages, empty ones and thinking too",
      {
        ...asked,
        messages: [
          turn,
          turn,
          { role: "assistant", content: "<think>x</think>" },
          { role: "user", content: "" },
        ],
      },
      target({ maxTokens: 9 }),
      {
        ...asked,
        max_tokens: 9,
        messages: [
          turn,
          turn,
          { role: "assistant", content: "<think>x</think>" },
          { role: "user", content: "" },
        ],
      },
    ],
    [
      "is refused where its stop words cannot be added to",
      { ...asked, stop_sequences: "a" },
      target({ stop: ["a"] }),
      "stop_sequences: Input should be an array of strings",
    ],
    [
      "is refused where its limit cannot be capped",
      { ...asked, max_tokens: "9" },
      target({ maxTokens: 9 }),
      "max_tokens: Input should be a valid integer",
    ],
  ])("%s", (_, body, to, expected) => {
    expect(sent(body, to)).toEqual(expected)
  })

  it("says that it does not think where its cap made that so, and only there", () => {
    const thinking = { type: "enabled", budget_tokens: 31_999 }
    const droppedOf = (maxTokens: number) =>
      Either.getOrThrow(
        decoded({ ...asked, max_tokens: 32_000, thinking }).bodyFor(target({ maxTokens }), nothingOmitted),
      ).dropped
    expect(droppedOf(1_024)).toEqual(["thinking"])
    expect(droppedOf(8_000)).toBeUndefined()
  })

  it.each<readonly [unknown, string | null]>([
    ["", null],
    ["[]", null],
    [{ max_tokens: 1, messages: [turn] }, "model"],
    [{ ...asked, messages: undefined }, "messages"],
    [{ ...asked, messages: {} }, "messages"],
    [{ ...asked, messages: [] }, "messages"],
    [{ ...asked, messages: [turn, "x"] }, "messages[1]"],
    [{ ...asked, stream: "yes" }, "stream"],
    ['{"model":"a","model":"b","messages":[{}]}', "model"],
    ['{"model":"a","Stop_Sequences":["x"],"messages":[{}]}', "stop_sequences"],
  ])("is refused for %j", (body, param) => {
    expect(messages.decode(bytesOf(body), {})).toMatchObject(Either.left({ param }))
  })

  it.each([
    [{ messages: [] }, "`model` is missing."],
    [{ model: "m" }, "`messages` is missing."],
    [{ model: "m", messages: {} }, "`messages` must be an array."],
    [{ model: "m", messages: [] }, "`messages` is empty; at least one is needed."],
    [{ model: "m", messages: [{ role: "user" }, 5] }, "`messages[1]` must be an object."],
    [{ model: "m", messages: [{ role: "user" }], stream: "yes" }, "`stream` must be a boolean."],
  ])("is refused in one voice: %j", (body, message) => {
    const request = messages.decode(new TextEncoder().encode(JSON.stringify(body)), {})
    expect(Either.flip(request)).toMatchObject({ right: { message } })
  })

  it("tells of tools, images, also in what a tool answered, and why it could not be resumed", () => {
    const image = { type: "image", source: { type: "url", url: "https://a" } }
    const facts = (more: Readonly<Record<string, unknown>>) => decoded({ ...asked, ...more }).facts
    expect(facts({})).toMatchObject({
      tools: false,
      multimodal: false,
      stream: false,
      unresumable: undefined,
    })
    expect(facts({ tools: [{ name: "t" }], stream: true })).toMatchObject({ tools: true, stream: true })
    expect(facts({ messages: [{ role: "user", content: [image] }] }).multimodal).toBe(true)
    const result = { type: "tool_result", tool_use_id: "t", content: [image] }
    expect(facts({ messages: [{ role: "user", content: [result] }] }).multimodal).toBe(true)
    expect(facts({ thinking: { type: "adaptive" } }).unresumable).toBe("thinking")
    expect(facts({ thinking: { type: "disabled" } }).unresumable).toBeUndefined()
    expect(facts({ output_config: { format: { type: "json_schema" } } }).unresumable).toBe("grammar")
  })

  it("stays with the upstream that has its beginning, system and first turn, as it grows", () => {
    const lead = (more: Readonly<Record<string, unknown>>) => decoded({ ...asked, ...more }).affinity()
    const system = [{ type: "text", text: "You are a coder.", cache_control: { type: "ephemeral" } }]
    const grown = {
      system,
      messages: [turn, { role: "assistant", content: "Hi" }, { role: "user", content: "x" }],
    }
    expect(lead(grown)).toBe(lead({ system }))
    expect(lead({ system })).not.toBe(lead({ system: "Another." }))
    expect(lead({ messages: [{ role: "user", content: "y" }] })).not.toBe(lead({}))
  })

  it("is resumed with what was said as its last turn, unless it ends in one of its own", () => {
    const to = target({ resume: { body: { x: 1 }, message: {} } })
    const resumed = (value: unknown, from: Recipient = to) =>
      decoded(value).bodyToResume?.(from, nothingOmitted, "Hi, ")
    const prepared = resumed(asked)
    const body = prepared === undefined ? undefined : Either.getOrThrow(prepared)
    expect(JSON.parse(decoder.decode(body?.body))).toEqual({
      ...asked,
      x: 1,
      messages: [turn, { role: "assistant", content: "Hi, " }],
    })
    const prefilled = { ...asked, messages: [turn, { role: "assistant", content: "He" }] }
    for (const refused of [
      resumed(prefilled),
      resumed(asked, target()),
      resumed({ ...asked, thinking: { type: "enabled" } }),
    ]) {
      expect(refused !== undefined && Either.isLeft(refused)).toBe(true)
    }
  })
})

describe("A message that comes whole", () => {
  it.each<readonly [string, unknown, boolean]>([
    ["a text", saying("Hi."), true],
    ["a call", messageOf([{ type: "tool_use", id: "t", name: "n", input: {} }], { stop_reason: null }), true],
    ["no word, and that its turn is over", messageOf([]), true],
    ["an empty text, and not why", messageOf([textBlock("")], { stop_reason: null }), false],
    ["nothing", {}, false],
    ["the answer of a chat", { choices: [{ message: { content: "Hi." } }] }, false],
  ])("says something where it has %s: %j", (_, message, expected) => {
    expect(messages.plain.says(JSON.parse(JSON.stringify(message)))).toBe(expected)
  })

  it("tells of its tokens, why it ended, and its tariff", () => {
    const message = messageOf([textBlock("Hi."), { type: "tool_use", id: "t", name: "n", input: {} }], {
      stop_reason: "tool_use",
      usage: {
        input_tokens: 4,
        cache_read_input_tokens: 2,
        cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 5 },
        output_tokens: 3,
        output_tokens_details: { thinking_tokens: 2 },
        service_tier: "standard",
      },
    })
    expect(messages.plain.read(JSON.parse(JSON.stringify(message)))).toMatchObject({
      responseId: "msg_01",
      serviceTier: "standard",
      finishReason: "tool_use",
      toolCalls: true,
      usage: {
        inputTokens: 12,
        outputTokens: 3,
        totalTokens: 15,
        cachedTokens: 2,
        cacheWriteTokens: 6,
        reasoningTokens: 2,
      },
    })
  })
})

describe("A request for a count", () => {
  const body = (value: unknown, to: Recipient) =>
    Either.flatMap(countTokens.decode(bytesOf(value), {}), (request) => request.bodyFor(to, nothingOmitted))
  const tokenizing = target({ paths: { "messages.count_tokens": "//tokenize" } }, "served")

  it("has another model's name, and nothing else that its client does not say", () => {
    const bytes = bytesOf(asked)
    expect(
      Either.getOrThrow(body(asked, target({ stop: ["x"], maxTokens: 1, extraBody: { a: 1 } }))).body,
    ).toEqual(bytes)
    const renamed = Either.getOrThrow(body(asked, target({}, "other")))
    expect(JSON.parse(decoder.decode(renamed.body))).toEqual({ ...asked, model: "other" })
  })

  it("is a chat's for vLLM's tokenizer, system, calls, results and tools included", () => {
    const conversation = {
      ...asked,
      system: [{ type: "text", text: "Be brief." }],
      tools: [{ name: "weather", description: "d", input_schema: { type: "object" } }],
      messages: [
        turn,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "x", signature: "s" },
            textBlock("I look."),
            { type: "tool_use", id: "t1", name: "weather", input: { city: "Bern" } },
          ],
        },
        {
          role: "user",
          content: [
            textBlock("And?"),
            { type: "tool_result", tool_use_id: "t1", content: [textBlock("Sun.")] },
          ],
        },
      ],
    }
    expect(JSON.parse(decoder.decode(Either.getOrThrow(body(conversation, tokenizing)).body))).toEqual({
      model: "served",
      messages: [
        { role: "system", content: "Be brief." },
        turn,
        {
          role: "assistant",
          content: "I look.",
          tool_calls: [
            { id: "t1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } },
          ],
        },
        { role: "tool", tool_call_id: "t1", content: "Sun." },
        { role: "user", content: "And?" },
      ],
      tools: [
        { type: "function", function: { name: "weather", description: "d", parameters: { type: "object" } } },
      ],
    })
  })

  it("is refused where a count would be a guess", () => {
    const image = { type: "image", source: {} }
    const result = (...content: ReadonlyArray<unknown>) => ({
      type: "tool_result",
      tool_use_id: "t1",
      content,
    })
    const uncounted: ReadonlyArray<unknown> = [
      [image],
      [result(image)],
      [result({ type: "search_result", content: [textBlock("found")] })],
      [{ type: "search_result", content: [textBlock("found")] }],
      [{ type: "server_tool_use", name: "web_search", input: { query: "q" } }],
      [{ type: "web_search_tool_result", content: [] }],
      [textBlock("x"), { type: "unheard_of" }],
      ["words"],
      5,
      null,
    ]
    for (const content of uncounted) {
      expect(Either.isLeft(body({ ...asked, messages: [{ role: "user", content }] }, tokenizing))).toBe(true)
    }
    expect(Either.isLeft(body({ ...asked, system: [image] }, tokenizing))).toBe(true)
  })

  it("is counted by nothing but whole numbers above 0", () => {
    const { plain } = countTokens
    const isSaid = (answer: JsonObject) => plain.kind === "judged" && plain.says(answer)
    expect([1, 7, Number.MAX_SAFE_INTEGER].map((count) => isSaid({ count }))).toEqual([true, true, true])
    for (const count of [0, -1, 1.5, 1e300, Number.POSITIVE_INFINITY, "7", null]) {
      expect([isSaid({ count }), isSaid({ input_tokens: count })]).toEqual([false, false])
    }
  })
})
