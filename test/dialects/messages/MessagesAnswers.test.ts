/** Answers in messages, whole and streamed, to and from the neutral form. */
import Newer from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import Older from "anthropic-sdk-0"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { noUsage } from "../../../src/answer/Usage.ts"
import type { AnswerEvent, Counts, Finish, NeutralAnswer } from "../../../src/dialects/Answer.ts"
import { answerOf, eventsOf } from "../../../src/dialects/AnswerParts.ts"
import type { AskedFor } from "../../../src/dialects/DialectForm.ts"
import { messagesForm } from "../../../src/dialects/messages/MessagesForm.ts"
import type { AssistantPart } from "../../../src/dialects/Part.ts"
import { isFrom, type Seal, unsealed, unwrap, wrap } from "../../../src/dialects/Seal.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { parseObject } from "../../../src/wire/JsonBytes.ts"
import { doneEvent, type SseEvent } from "../../../src/wire/Sse.ts"
import { encodeEvent } from "../../../src/wire/SseWriting.ts"
import { askedFor } from "../Abilities.ts"
import { answerArb } from "../Conversations.ts"
import { answerIn, namedOf, objectsOf, readAll } from "../EventsOf.ts"

const { readAnswer, readRequest, writeAnswer, writeEvents } = messagesForm

const writtenEvents = (
  events: ReadonlyArray<AnswerEvent>,
  asked: AskedFor = askedFor,
): ReadonlyArray<SseEvent> => {
  const writing = writeEvents(asked)
  return [...writing.take(events), ...writing.rest()]
}

const typesOf = (events: ReadonlyArray<SseEvent>) => events.map(({ event }) => event)

const head = { id: "1", model: "m", createdAt: undefined, serviceTier: undefined }

const answerWith = (
  parts: ReadonlyArray<AssistantPart>,
  more: Partial<NeutralAnswer> = {},
): NeutralAnswer => ({
  ...head,
  parts,
  finish: { kind: "stop" },
  counts: noUsage,
  ...more,
})

const message = (content: ReadonlyArray<JsonObject>, more: JsonObject = {}): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 3 },
  ...more,
})

const textPart = (text: string): AssistantPart => ({ kind: "text", text })
const call = (id: string, input = "{}"): AssistantPart => ({
  kind: "tool_call",
  id,
  name: "f",
  input,
  isFreeForm: false,
})

const signed: Seal = { dialect: "messages", sealed: "signed==", id: undefined, isAll: false }
const encrypted: Seal = { dialect: "responses", sealed: "encrypted==", id: "rs_1", isAll: false }

describe("A whole message (3)", () => {
  it("is read block by block", () => {
    const blocks = [
      { type: "thinking", thinking: "hm", signature: "signed==" },
      { type: "redacted_thinking", data: "hidden==" },
      { type: "text", text: "" },
      {
        type: "text",
        text: "It rains.",
        citations: [
          { type: "web_search_result_location", url: "https://w", title: "W", cited_text: "rain" },
          { type: "char_location", cited_text: "x" },
        ],
      },
      { type: "server_tool_use", id: "s", name: "web_search", input: {} },
      { type: "tool_use", id: "toolu_1", name: "f", input: { a: [1] } },
      { type: "tool_use", id: "toolu_2", name: "g", input: {} },
    ]
    expect(readAnswer(message(blocks))?.parts).toEqual([
      { kind: "reasoning", texts: ["hm"], seal: signed },
      { kind: "reasoning", texts: [], seal: { ...signed, sealed: "hidden==", isAll: true } },
      {
        kind: "text",
        text: "It rains.",
        citations: [{ url: "https://w", title: "W", start: 0, end: 9 }],
      },
      {
        kind: "foreign",
        as: "messages.content.server_tool_use",
      },
      { kind: "tool_call", id: "toolu_1", name: "f", input: '{"a":[1]}', isFreeForm: false },
      { kind: "tool_call", id: "toolu_2", name: "g", input: "{}", isFreeForm: false },
    ])
  })

  it.each<readonly [JsonObject, Finish, string]>([
    [{ stop_reason: "end_turn" }, { kind: "stop" }, "end_turn"],
    [{ stop_reason: "pause_turn" }, { kind: "stop" }, "end_turn"],
    [{ stop_reason: null }, { kind: "stop" }, "end_turn"],
    [{ stop_reason: "max_tokens" }, { kind: "length" }, "max_tokens"],
    [{ stop_reason: "model_context_window_exceeded" }, { kind: "length" }, "max_tokens"],
    [{ stop_reason: "tool_use" }, { kind: "tool_calls" }, "tool_use"],
    [{ stop_reason: "refusal" }, { kind: "refused" }, "refusal"],
    [
      { stop_reason: "stop_sequence", stop_sequence: "END" },
      { kind: "stop_word", word: "END" },
      "stop_sequence",
    ],
    [{ stop_reason: "stop_sequence", stop_sequence: null }, { kind: "stop" }, "end_turn"],
  ])("ends by %j, which is %j, and goes back as %s", (reason, finish, back) => {
    const answer = readAnswer(message([{ type: "text", text: "x" }], reason))
    expect(answer?.finish).toEqual(finish)
    const written = answer === undefined ? {} : writeAnswer(answer, askedFor)
    expect(written).toMatchObject({
      stop_reason: back,
      stop_sequence: finish.kind === "stop_word" ? finish.word : null,
    })
  })

  it("that calls tools ends by that, whatever its host says", () => {
    const blocks = [{ type: "tool_use", id: "i", name: "f", input: {} }]
    expect(readAnswer(message(blocks))?.finish).toEqual({ kind: "tool_calls" })
    expect(writeAnswer(answerWith([call("i")]), askedFor)["stop_reason"]).toBe("tool_use")
    expect(
      writeAnswer(answerWith([call("i", '{"a')], { finish: { kind: "length" } }), askedFor)["stop_reason"],
    ).toBe("max_tokens")
  })

  it("that refuses says why", () => {
    const details = { type: "refusal", category: "cyber", explanation: "No." }
    expect(readAnswer(message([], { stop_reason: "refusal", stop_details: details }))).toMatchObject({
      parts: [{ kind: "refusal", text: "No." }],
      finish: { kind: "refused" },
    })
    expect(
      writeAnswer(answerWith([{ kind: "refusal", text: "No." }], { finish: { kind: "refused" } }), askedFor),
    ).toMatchObject({
      content: [{ type: "text", text: "No." }],
      stop_reason: "refusal",
      stop_details: { type: "refusal" },
    })
  })

  it.each<readonly [JsonObject, Partial<Counts>]>([
    [
      {
        input_tokens: 5,
        cache_read_input_tokens: 7,
        cache_creation_input_tokens: 11,
        output_tokens: 3,
        output_tokens_details: { thinking_tokens: 2 },
      },
      {
        inputTokens: 23,
        cachedTokens: 7,
        cacheWriteTokens: 11,
        outputTokens: 3,
        totalTokens: 26,
        reasoningTokens: 2,
      },
    ],
    [
      { input_tokens: 5, output_tokens: 3 },
      { inputTokens: 5, cachedTokens: undefined, totalTokens: 8 },
    ],
    [{ input_tokens: "5" }, { inputTokens: undefined }],
  ])("counts %j as %j", (usage, counts) => {
    expect(readAnswer(message([], { usage }))?.counts).toMatchObject(counts)
  })

  it("counts the input without what the cache has", () => {
    const counts = { ...noUsage, inputTokens: 23, cachedTokens: 7, cacheWriteTokens: 11, outputTokens: 3 }
    expect(writeAnswer(answerWith([], { counts }), askedFor)["usage"]).toMatchObject({
      input_tokens: 5,
      cache_read_input_tokens: 7,
      cache_creation_input_tokens: 11,
      output_tokens: 3,
    })
    const odd = { ...noUsage, inputTokens: 3, cachedTokens: 7 }
    expect(writeAnswer(answerWith([], { counts: odd }), askedFor)["usage"]).toMatchObject({
      input_tokens: 0,
      output_tokens: 0,
    })
  })

  it("has all members that clients look for, and no empty text", () => {
    const parts: ReadonlyArray<AssistantPart> = [
      { kind: "reasoning", texts: ["a", "b"] },
      { kind: "reasoning", texts: [] },
      textPart(""),
      call("i", ""),
      call("j", "[1]"),
    ]
    expect(writeAnswer(answerWith(parts, { serviceTier: "default" }), askedFor)).toEqual({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [
        { type: "thinking", thinking: "a\n\nb", signature: unsealed("u") },
        { type: "tool_use", id: "i", name: "f", input: {}, caller: { type: "direct" } },
        {
          type: "tool_use",
          id: "j",
          name: "f",
          input: { INVALID_JSON: "[1]" },
          caller: { type: "direct" },
        },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      stop_details: null,
      container: null,
      usage: {
        input_tokens: 0,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 0,
        output_tokens_details: null,
        server_tool_use: null,
        cache_creation: null,
        inference_geo: null,
        service_tier: "standard",
      },
    })
  })

  it("is none without content", () => {
    expect(readAnswer({ type: "error" })).toBeUndefined()
    expect(readAnswer(message([]))?.parts).toEqual([])
  })
})

describe("Seals (2.6)", () => {
  const back = (answer: JsonObject) => {
    const request = {
      model: "m",
      max_tokens: 5,
      messages: [{ role: "assistant", content: answer["content"] ?? [] }],
    }
    const [turn] = Either.getOrThrow(readRequest(request)).turns
    return turn?.parts[0]
  }

  it.each<readonly [string, ReadonlyArray<string>, string]>([
    ["what is told of it", ["a", "b"], "thinking"],
    ["nothing told", [], "redacted_thinking"],
  ])("go out with %s, and come back to who made them alone", (_, texts, type) => {
    const answer = writeAnswer(answerWith([{ kind: "reasoning", texts, seal: encrypted }]), askedFor)
    expect(answer["content"]).toMatchObject([{ type }])
    const part = back(answer)
    expect(part).toMatchObject({ kind: "reasoning", seal: encrypted })
    const seal = part?.kind === "reasoning" ? part.seal : undefined
    expect(seal !== undefined && isFrom(seal, "u")).toBe(true)
    expect(seal !== undefined && isFrom(seal, "another")).toBe(false)
  })
})

const started = { type: "message_start", message: message([], { stop_reason: null }) }
const begins = (index: number, block: JsonObject): JsonObject => ({
  type: "content_block_start",
  index,
  content_block: block,
})
const adds = (index: number, delta: JsonObject): JsonObject => ({
  type: "content_block_delta",
  index,
  delta,
})
const says = (index: number, text: string): JsonObject => adds(index, { type: "text_delta", text })
const gives = (index: number, json: string): JsonObject =>
  adds(index, { type: "input_json_delta", partial_json: json })
const stops = (index: number): JsonObject => ({ type: "content_block_stop", index })
const ends = (reason = "end_turn", more: JsonObject = {}): ReadonlyArray<JsonObject> => [
  {
    type: "message_delta",
    delta: { stop_reason: reason, stop_sequence: null, ...more },
    usage: { output_tokens: 9 },
  },
  { type: "message_stop" },
]
const emptyText = { type: "text", text: "" }
const emptyCall = (id: string): JsonObject => ({ type: "tool_use", id, name: "f", input: {} })

const streamed = (...events: ReadonlyArray<JsonObject>) => answerIn(messagesForm, namedOf(...events))

describe("The events of a message (6.1, 6.3)", () => {
  it("are read in order", () => {
    const events = namedOf(
      started,
      { type: "ping" },
      begins(0, { type: "thinking", thinking: "", signature: "" }),
      adds(0, { type: "thinking_delta", thinking: "hm" }),
      adds(0, { type: "signature_delta", signature: "signed==" }),
      stops(0),
      begins(1, emptyText),
      says(1, "It "),
      adds(1, {
        type: "citations_delta",
        citation: { type: "web_search_result_location", url: "https://w", title: "W" },
      }),
      says(1, "rains."),
      stops(1),
      begins(2, emptyCall("i")),
      gives(2, ""),
      gives(2, '{"a"'),
      gives(2, ":1}"),
      stops(2),
      ...ends("tool_use"),
    )
    expect(readAll(messagesForm, events).filter(({ kind }) => kind !== "counts")).toEqual([
      { kind: "begins", head },
      { kind: "part_begins", part: { kind: "reasoning" } },
      { kind: "more", text: "hm" },
      { kind: "sealed", seal: signed },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "more", text: "It " },
      { kind: "more", text: "rains." },
      { kind: "cited", citation: { url: "https://w", title: "W", start: 0, end: 9 } },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "tool_call", id: "i", name: "f", isFreeForm: false } },
      { kind: "more", text: '{"a"' },
      { kind: "more", text: ":1}" },
      { kind: "part_ends" },
      { kind: "ends", finish: { kind: "tool_calls" } },
    ])
  })

  it.each<readonly [string, ReadonlyArray<JsonObject>, ReadonlyArray<object>]>([
    ["a text of nothing", [begins(0, emptyText), stops(0)], []],
    [
      "a text that begins with words",
      [begins(0, { type: "text", text: "a" }), says(0, "b"), stops(0)],
      [textPart("ab")],
    ],
    ["a text without a block", [says(0, "a"), says(0, "b")], [textPart("ab")]],
    ["blocks that count from 1", [begins(1, emptyText), says(1, "a"), stops(1)], [textPart("a")]],
    ["a block that never stops", [begins(0, emptyText), says(0, "a")], [textPart("a")]],
    [
      "blocks of one number",
      [begins(0, emptyText), says(0, "a"), begins(0, emptyCall("i")), gives(0, "{}"), stops(0)],
      [textPart("a"), call("i")],
    ],
    [
      "an input that comes with the block",
      [begins(0, { ...emptyCall("i"), input: { a: 1 } }), stops(0)],
      [call("i", '{"a":1}')],
    ],
    [
      "an input that comes with the block and in pieces",
      [begins(0, { ...emptyCall("i"), input: { a: 1 } }), gives(0, '{"a":1}'), stops(0)],
      [call("i", '{"a":1}')],
    ],
    [
      "a long and deep input that comes with the block",
      [begins(0, { ...emptyCall("i"), input: { a: { b: { c: ["x".repeat(70_000)] } } } }), stops(0)],
      [call("i", JSON.stringify({ a: { b: { c: ["x".repeat(70_000)] } } }))],
    ],
    ["an input of nothing", [begins(0, emptyCall("i")), stops(0)], [call("i")]],
    [
      "an input that is said twice",
      [begins(0, emptyCall("i")), gives(0, '{"a":1}'), gives(0, '{"a":1}'), stops(0)],
      [call("i", '{"a":1}')],
    ],
    [
      "blocks side by side",
      [
        begins(0, emptyCall("i")),
        begins(1, emptyCall("j")),
        gives(1, '{"b":2}'),
        gives(0, '{"a":1}'),
        stops(1),
        stops(0),
      ],
      [call("i", '{"a":1}'), call("j", '{"b":2}')],
    ],
    [
      "what nobody else has",
      [
        begins(0, { type: "server_tool_use", id: "s", name: "web_search", input: {} }),
        gives(0, '{"q":1}'),
        stops(0),
        begins(1, emptyText),
        says(1, "a"),
        stops(1),
      ],
      [textPart("a")],
    ],
    [
      "what is hidden",
      [begins(0, { type: "redacted_thinking", data: "hidden==" }), stops(0)],
      [{ kind: "reasoning", texts: [], seal: { ...signed, sealed: "hidden==", isAll: true } }],
    ],
    [
      "a signature alone, in two pieces",
      [
        begins(0, { type: "thinking", thinking: "" }),
        adds(0, { type: "signature_delta", signature: "signed" }),
        adds(0, { type: "signature_delta", signature: "==" }),
        stops(0),
      ],
      [{ kind: "reasoning", texts: [], seal: signed }],
    ],
    [
      "a delta of another kind",
      [begins(0, emptyText), gives(0, "{}"), says(0, "a"), stops(0)],
      [textPart("a")],
    ],
  ])("may have %s", (_, events, parts) => {
    // What only a seal is has no text of its own.
    expect(streamed(started, ...events, ...ends())?.parts).toEqual(parts)
  })

  it("may come without a beginning, without names, and end as chats do", () => {
    const [ending = {}] = ends("max_tokens")
    const bare = namedOf(begins(0, emptyText), says(0, "a"), stops(0), ending).map(({ data }) => ({
      data,
      event: undefined,
    }))
    expect(answerIn(messagesForm, [...bare, doneEvent])).toMatchObject({
      id: "",
      parts: [textPart("a")],
      finish: { kind: "length" },
    })
  })

  it("count at the beginning, at the end, or both: of each count the most", () => {
    const delta = (usage: JsonObject) => ({
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage,
    })
    const start = (usage: JsonObject) => ({ type: "message_start", message: message([], { usage }) })
    const stop = { type: "message_stop" }
    expect(
      streamed(
        start({ input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 1 }),
        delta({ output_tokens: 9 }),
        stop,
      )?.counts,
    ).toMatchObject({ inputTokens: 7, cachedTokens: 2, outputTokens: 9, totalTokens: 16 })
    expect(
      streamed(
        start({ input_tokens: 0, output_tokens: 0 }),
        delta({ input_tokens: 5, output_tokens: 9 }),
        stop,
      )?.counts,
    ).toMatchObject({ inputTokens: 5, outputTokens: 9, totalTokens: 14 })
    expect(
      streamed(start({ input_tokens: 5 }), delta({ input_tokens: 0, output_tokens: 3 }), stop)?.counts,
    ).toMatchObject({ inputTokens: 5, outputTokens: 3 })
  })

  it("tell a refusal with its reason", () => {
    const details = { stop_details: { type: "refusal", category: null, explanation: "No." } }
    expect(streamed(started, ...ends("refusal", details))).toMatchObject({
      parts: [{ kind: "refusal", text: "No." }],
      finish: { kind: "refused" },
    })
  })

  it("tell of an error in place of the rest, which ends nothing", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }
    const read = readAll(
      messagesForm,
      namedOf(started, begins(0, emptyCall("i")), gives(0, '{"a'), error, stops(0), ...ends()),
    )
    expect(read.at(-1)).toMatchObject({
      kind: "error",
      error: { message: "Overloaded", type: "overloaded_error" },
    })
    expect(read.filter(({ kind }) => kind === "part_ends" || kind === "ends")).toEqual([])
  })

  it("may have an input that is cut off by the model, and then says so", () => {
    const half = [started, begins(0, emptyCall("i")), gives(0, '{"a'), stops(0)]
    expect(streamed(...half, ...ends("max_tokens"))?.parts).toEqual([call("i", '{"a')])
    for (const events of [half, half.slice(0, -1)]) {
      const read = readAll(messagesForm, namedOf(...events, ...ends("tool_use")))
      expect(read.slice(-2)).toMatchObject([
        { kind: "counts" },
        { kind: "error", error: { code: "tool_input_cut" } },
      ])
      const left = readAll(messagesForm, namedOf(...events, ...ends("tool_use").slice(0, 1)))
      expect(left.map(({ kind }) => kind)).toContain("error")
    }
  })

  it.each<readonly [string, (index: number) => ReadonlyArray<JsonObject>]>([
    ["blocks", (index) => [begins(index, emptyText)]],
    ["calls", (index) => [begins(index, emptyCall(`${index}`))]],
    [
      "signatures",
      (index) => [
        begins(index, { type: "thinking", thinking: "" }),
        adds(index, { type: "signature_delta", signature: "s".repeat(10_000) }),
      ],
    ],
    [
      "citations",
      () => [
        adds(0, { type: "text_delta", text: "a" }),
        adds(0, { type: "citations_delta", citation: { url: "u".repeat(10_000) } }),
      ],
    ],
    ["inputs", (index) => [begins(index, { ...emptyCall(`${index}`), input: { a: "b".repeat(10_000) } })]],
  ])("end in an error where an upstream opens %s without end", (_, open) => {
    const reading = messagesForm.readEvents()
    let last: AnswerEvent | undefined
    for (let index = 0; index < 40_000 && last?.kind !== "error"; index++) {
      last = reading.take(namedOf(...open(index))).at(-1) ?? last
    }
    expect(last?.kind).toBe("error")
    expect(reading.take(namedOf(says(0, "a"), ...ends()))).toEqual([])
    expect(reading.rest()).toEqual([])
  })

  it("have no end where they are cut before they say why", () => {
    const events = [started, begins(0, emptyText), says(0, "a"), stops(0), ...ends()]
    for (let at = 0; at < events.length; at++) {
      const isSaid = at === events.length - 1
      expect(streamed(...events.slice(0, at)) === undefined).toBe(!isSaid)
    }
  })
})

describe("The events that are written", () => {
  it("are those of Anthropic, each named by its type", () => {
    const events = writtenEvents([
      { kind: "begins", head },
      { kind: "part_begins", part: { kind: "reasoning" } },
      { kind: "more", text: "a" },
      { kind: "section" },
      { kind: "more", text: "b" },
      { kind: "sealed", seal: encrypted },
      { kind: "part_ends" },
      { kind: "counts", counts: { ...noUsage, inputTokens: 9, cachedTokens: 4 } },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "more", text: "It rains." },
      { kind: "cited", citation: { url: "https://w", title: "W", start: 0, end: 9 } },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "tool_call", id: "i", name: "f", isFreeForm: false } },
      { kind: "more", text: '{"a":1}' },
      { kind: "part_ends" },
      { kind: "counts", counts: { ...noUsage, outputTokens: 3 } },
      { kind: "ends", finish: { kind: "stop" } },
    ])
    const objects = objectsOf(events)
    expect(objects.map((one) => (one === "[DONE]" ? one : one["type"]))).toEqual(typesOf(events))
    expect(objects).toEqual([
      {
        type: "message_start",
        message: expect.objectContaining({ id: "msg_1", content: [], stop_reason: null }),
      },
      begins(0, { type: "thinking", thinking: "", signature: "" }),
      adds(0, { type: "thinking_delta", thinking: "a" }),
      adds(0, { type: "thinking_delta", thinking: "\n\n" }),
      adds(0, { type: "thinking_delta", thinking: "b" }),
      adds(0, { type: "signature_delta", signature: wrap(encrypted, "u") }),
      stops(0),
      begins(1, { type: "text", text: "", citations: null }),
      says(1, "It rains."),
      adds(1, {
        type: "citations_delta",
        citation: {
          type: "web_search_result_location",
          url: "https://w",
          title: "W",
          cited_text: "",
          encrypted_index: "",
        },
      }),
      stops(1),
      begins(2, { ...emptyCall("i"), caller: { type: "direct" } }),
      gives(2, '{"a":1}'),
      stops(2),
      {
        type: "message_delta",
        delta: { stop_reason: "tool_use", stop_sequence: null, stop_details: null, container: null },
        usage: expect.objectContaining({ input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 3 }),
      },
      { type: "message_stop" },
    ])
  })

  it("tell what is only sealed as hidden", () => {
    const events = writtenEvents(eventsOf(answerWith([{ kind: "reasoning", texts: [], seal: encrypted }])))
    expect(objectsOf(events).slice(1, 3)).toEqual([
      begins(0, { type: "redacted_thinking", data: wrap(encrypted, "u") }),
      stops(0),
    ])
  })

  it("say that an answer is empty", () => {
    expect(typesOf(writtenEvents(eventsOf(answerWith([]))))).toEqual([
      "message_start",
      "message_delta",
      "message_stop",
    ])
  })

  it("tell an error as Anthropic does, and nothing after it", () => {
    const events = writtenEvents([
      { kind: "begins", head },
      { kind: "part_begins", part: { kind: "tool_call", id: "i", name: "f", isFreeForm: false } },
      { kind: "more", text: '{"a' },
      { kind: "error", error: { message: "No more.", type: "rate_limit_exceeded", param: null, code: null } },
      { kind: "part_ends" },
      { kind: "ends", finish: { kind: "stop" } },
    ])
    expect(objectsOf(events).at(-1)).toMatchObject({
      type: "error",
      error: { type: "rate_limit_error", message: "No more." },
    })
    expect(typesOf(events)).toEqual(["message_start", "content_block_start", "content_block_delta", "error"])
  })

  it("never have two blocks open, nor any closed that is half told, wherever they are cut", () => {
    fc.assert(
      fc.property(answerArb, fc.nat(40), (answer, at) => {
        const cut = eventsOf(answer).slice(0, at)
        const [open, half] = [
          cut.filter(({ kind }) => kind === "part_begins"),
          cut.filter(({ kind }) => kind === "part_ends"),
        ]
        const types = typesOf(writtenEvents(cut))
        let isOpen = false
        for (const type of types) {
          if (type === "content_block_start") {
            expect(isOpen).toBe(false)
            isOpen = true
          } else if (type === "content_block_stop") isOpen = false
        }
        expect(types.filter((type) => type === "content_block_stop")).toHaveLength(half.length)
        expect(open.length - half.length).toBeLessThanOrEqual(1)
        expect(types.includes("message_stop")).toBe(at >= eventsOf(answer).length)
      }),
    )
  })
})

const served = (body: () => Buffer, type: string) => async (): Promise<Response> =>
  new Response(body(), { headers: { "content-type": type } })

const asked = { model: "m", max_tokens: 64, messages: [{ role: "user" as const, content: "x" }] }

/** What both generations of the official package put together of a stream. */
const accumulated = async (events: ReadonlyArray<SseEvent>): Promise<ReadonlyArray<JsonObject>> => {
  const fetch = served(() => Buffer.concat(events.map(encodeEvent)), "text/event-stream")
  const options = { apiKey: "k", baseURL: "http://localhost", maxRetries: 0, fetch }
  const messages = [
    await new Newer(options).messages.stream(asked).finalMessage(),
    await new Older(options).messages.stream(asked).finalMessage(),
  ]
  return messages.map((one) => parseObject(Buffer.from(JSON.stringify(one))) ?? {})
}

/** With seals, sections, refusals and citations, which not every dialect has. */
const richArb = fc
  .tuple(answerArb, fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }), fc.boolean())
  .map(
    ([answer, texts, refuses]): NeutralAnswer => ({
      ...answer,
      parts: [
        { kind: "reasoning", texts, seal: encrypted },
        ...answer.parts,
        ...(refuses ? [{ kind: "refusal", text: "No." } as const] : []),
      ],
    }),
  )

describe("The official packages", () => {
  it("put a stream together as the whole message that is written", async () => {
    await fc.assert(
      fc.asyncProperty(richArb, async (answer) => {
        const whole = writeAnswer(answer, askedFor)
        for (const one of await accumulated(writtenEvents(eventsOf(answer)))) {
          const { content, id, model, stop_reason: reason, usage } = whole
          expect(one).toMatchObject({ id, model, stop_reason: reason })
          expect(one["content"]).toEqual(content)
          const { cache_creation: _, inference_geo: __, service_tier: ___, ...counts } = Object(usage)
          expect(one["usage"]).toMatchObject(counts)
        }
      }),
      { numRuns: 30 },
    )
  })

  it("raise where it is cut or breaks off, and never call a tool by half of its input", async () => {
    const answer = answerWith([textPart("a"), call("i", '{"a":1}')], { finish: { kind: "tool_calls" } })
    const events = eventsOf(answer)
    const error = { message: "Cut.", type: "server_error", param: null, code: null }
    for (let at = 0; at < events.length; at++) {
      const cut = events.slice(0, at)
      await expect(accumulated(writtenEvents(cut))).rejects.toThrow()
      await expect(accumulated(writtenEvents([...cut, { kind: "error", error }]))).rejects.toThrow("Cut.")
    }
  })
})

describe("A message", () => {
  it("is the same read whole and read streamed, with all that it can say", () => {
    fc.assert(
      fc.property(richArb, (answer) => {
        const whole = readAnswer(writeAnswer(answer, askedFor))
        const events = writtenEvents(eventsOf(answer))
        const read = answerOf(readAll(messagesForm, events))
        expect(read?.parts).toEqual(whole?.parts)
        expect(read?.finish).toEqual(whole?.finish)
        expect(read?.counts).toEqual(whole?.counts)
        const seals = whole?.parts.flatMap((part) =>
          part.kind === "reasoning" && part.seal ? [part.seal.sealed] : [],
        )
        expect(unwrap(seals?.[0] ?? "")).toMatchObject(encrypted)
      }),
    )
  })
})
