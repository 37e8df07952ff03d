/** Answers in chat, whole and streamed, to and from the neutral form. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import OpenAI from "openai"
import { noUsage } from "../../../src/answer/Usage.ts"
import type { AnswerEvent, NeutralAnswer } from "../../../src/dialects/Answer.ts"
import { eventsOf } from "../../../src/dialects/AnswerParts.ts"
import { chatForm } from "../../../src/dialects/chat/ChatForm.ts"
import { writtenSeal } from "../../../src/dialects/chat/ChatSeals.ts"
import { objectIn, objectsIn } from "../../../src/dialects/Members.ts"
import { wrap } from "../../../src/dialects/Seal.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { doneEvent, type SseEvent } from "../../../src/wire/Sse.ts"
import { encodeEvent } from "../../../src/wire/SseWriting.ts"
import { askedFor } from "../Abilities.ts"
import { answerArb } from "../Conversations.ts"
import { answerIn, chunksOf, objectsOf, readAll } from "../EventsOf.ts"

const { readAnswer, readEvents, writeAnswer, writeEvents } = chatForm

const writtenEvents = (events: ReadonlyArray<AnswerEvent>): ReadonlyArray<SseEvent> => {
  const writing = writeEvents(askedFor)
  return [...writing.take(events), ...writing.rest()]
}

const nothingSaid: NeutralAnswer = {
  id: "1",
  model: "m",
  createdAt: 5,
  serviceTier: undefined,
  parts: [],
  finish: { kind: "stop" },
  counts: noUsage,
}

const head = { id: "chatcmpl-1", created: 5, model: "m" }

const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: finish }],
})

const call = (members: JsonObject): JsonObject => chunk({ tool_calls: [members] })

/** The calls of a stream: names and inputs. */
const callsIn = (...chunks: ReadonlyArray<JsonObject>) =>
  answerIn(chatForm, chunksOf(...chunks, chunk({}, "stop"), "[DONE]"))?.parts.flatMap((part) =>
    part.kind === "tool_call" ? [[part.id, part.name, part.input]] : [],
  )

describe("An answer in chat", () => {
  it("is what the official SDK puts together", async () => {
    await fc.assert(
      fc.asyncProperty(answerArb, async (answer) => {
        const body = Buffer.concat(writtenEvents(eventsOf(answer)).map(encodeEvent))
        const openai = new OpenAI({
          apiKey: "sk-test",
          baseURL: "http://localhost/v1",
          fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
        })
        const completion = await openai.chat.completions
          .stream({ model: "m", messages: [], stream_options: { include_usage: true } })
          .finalChatCompletion()
        const { choices, usage } = writeAnswer(answer, askedFor)
        const plain: unknown = JSON.parse(JSON.stringify(choices))
        expect(completion.usage).toEqual(usage)
        const told = completion.choices.map(({ message }) => ({
          message: { content: message.content, tool_calls: message.tool_calls?.map(({ id }) => id) },
        }))
        expect(plain).toMatchObject(
          told.map(({ message }) => ({
            message: {
              // Accumulated, no text is an empty one.
              ...(message.content === "" ? {} : { content: message.content }),
              ...(message.tool_calls === undefined
                ? {}
                : { tool_calls: message.tool_calls.map((id) => ({ id })) }),
            },
          })),
        )
      }),
      { numRuns: 30 },
    )
  })

  it.each<[string, ReadonlyArray<JsonObject>, ReadonlyArray<ReadonlyArray<string>>]>([
    [
      "calls side by side",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: "" } }),
        call({ index: 0, function: { arguments: '{"x":' } }),
        call({ index: 1, function: { arguments: "{}" } }),
        call({ index: 0, function: { arguments: "1}" } }),
      ],
      [
        ["a", "f", '{"x":1}'],
        ["b", "g", "{}"],
      ],
    ],
    [
      "calls that share an index",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        call({ index: 0, id: "b", function: { name: "g", arguments: '{"y":2}' } }),
      ],
      [
        ["a", "f", "{}"],
        ["b", "g", '{"y":2}'],
      ],
    ],
    [
      "calls without an index, and without ids",
      [
        call({ function: { name: "f", arguments: "{}" } }),
        call({ function: { name: "g", arguments: '{"y":' } }),
        call({ function: { arguments: "2}" } }),
      ],
      [
        ["call_1_0", "f", "{}"],
        ["call_1_1", "g", '{"y":2}'],
      ],
    ],
    [
      "an input that is told again at the end",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":1}' } }),
      ],
      [["a", "f", '{"x":1}']],
    ],
    [
      "an input that comes before the name",
      [
        call({ index: 0, id: "a", function: { arguments: '{"x"' } }),
        call({ index: 0, function: { name: "f", arguments: ":1}" } }),
      ],
      [["a", "f", '{"x":1}']],
    ],
    [
      "two tools of one index, whose input is whole",
      [
        call({ index: 0, id: "call_0", function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 0, id: "call_0", function: { name: "g", arguments: "{}" } }),
      ],
      [
        ["call_0", "f", '{"x":1}'],
        ["call_1_1", "g", "{}"],
      ],
    ],
    [
      "one tool twice at one index, with another input",
      [
        call({ index: 0, function: { name: "f", arguments: '{"x":1}' } }),
        call({ index: 0, function: { name: "f", arguments: '{"x":2}' } }),
      ],
      [
        ["call_1_0", "f", '{"x":1}'],
        ["call_1_1", "f", '{"x":2}'],
      ],
    ],
    [
      "a call whose deltas have an id each",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 0, id: "b", function: { arguments: '{"x"' } }),
        call({ index: 0, id: "c", function: { arguments: ":1}" } }),
        call({ index: 0, id: "d", function: { arguments: "\n" } }),
        call({ index: 1, id: "e", function: { name: "g", arguments: '{"y":' } }),
        call({ index: 1, id: "f", function: { arguments: "2}" } }),
      ],
      [
        ["a", "f", '{"x":1}'],
        ["e", "g", '{"y":2}'],
      ],
    ],
    [
      "a call that is named behind the id of its own",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "{}" } }),
        call({ index: 0, id: "b" }),
        call({ index: 0, function: { name: "g", arguments: "{}" } }),
      ],
      [
        ["a", "f", "{}"],
        ["b", "g", "{}"],
      ],
    ],
    [
      "an input that is an object",
      [call({ index: 0, id: "a", function: { name: "f", arguments: { x: 1 } } })],
      [["a", "f", '{"x":1}']],
    ],
    [
      "an input that is nothing",
      [
        call({ index: 0, id: "a", function: { name: "f", arguments: "" } }),
        call({ index: 1, id: "b", function: { name: "g", arguments: null } }),
        call({ index: 2, id: "c", function: { name: "h" } }),
      ],
      [
        ["a", "f", "{}"],
        ["b", "g", "{}"],
        ["c", "h", "{}"],
      ],
    ],
    [
      "a function as it was called before",
      [chunk({ function_call: { name: "f", arguments: "{" } }), chunk({ function_call: { arguments: "}" } })],
      [["call_1_0", "f", "{}"]],
    ],
  ])("tells %s", (_, chunks, calls) => {
    expect(callsIn(...chunks)).toEqual(calls)
  })

  it.each<[string, JsonObject, JsonObject]>([
    ["the end that calls of tools say", { finish_reason: "stop" }, { kind: "tool_calls" }],
    ["a cut by the cap", { finish_reason: "length" }, { kind: "length" }],
    ["a cut by the model's window", { finish_reason: "model_length" }, { kind: "length" }],
    ["a cut in Anthropic's word", { finish_reason: "max_tokens" }, { kind: "length" }],
    ["a cut in Google's word", { finish_reason: "MAX_TOKENS" }, { kind: "length" }],
    ["a filter", { finish_reason: "content_filter" }, { kind: "refused" }],
    ["a filter in GLM's word", { finish_reason: "sensitive" }, { kind: "refused" }],
  ])("reads %s", (_, choice, finish) => {
    const tool_calls = [{ id: "a", function: { name: "f", arguments: "{}" } }]
    const answer = { ...head, choices: [{ message: { content: null, tool_calls }, ...choice }] }
    expect(readAnswer(answer)?.finish).toEqual(finish)
  })

  it("names the word that ended it, where the server does", () => {
    const answer = {
      ...head,
      choices: [{ message: { content: "a" }, finish_reason: "stop", stop_reason: "END" }],
    }
    expect(readAnswer(answer)?.finish).toEqual({ kind: "stop_word", word: "END" })
  })

  it("counts what comes behind its end", () => {
    const events = chunksOf(
      chunk({ content: "a" }),
      chunk({}, "stop"),
      {
        ...head,
        choices: [],
        usage: {
          prompt_tokens: 3,
          completion_tokens: 1,
          total_tokens: 4,
          prompt_tokens_details: { cached_tokens: 2 },
        },
      },
      "[DONE]",
    )
    const answer = answerIn(chatForm, events)
    expect(answer?.finish).toEqual({ kind: "stop" })
    expect(answer?.counts).toMatchObject({ inputTokens: 3, outputTokens: 1, cachedTokens: 2 })
  })

  it("is finished when it says why it ended, and over when it says so, or when nothing more comes", () => {
    const reading = chatForm.readEvents()
    reading.take(chunksOf(chunk({ content: "a" })))
    expect(reading.isFinished).toBe(false)
    reading.take(chunksOf(chunk({}, "stop")))
    expect(reading.isFinished).toBe(true)
    expect(reading.rest().map(({ kind }) => kind)).toEqual(["part_ends", "ends"])
    expect(reading.rest()).toEqual([])
  })

  it.each<[string, ReadonlyArray<JsonObject>, string]>([
    [
      "half an input",
      [call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":' } })],
      "tool_input_cut",
    ],
    [
      "a call without a name",
      [call({ index: 0, id: "a", function: { arguments: '{"x":1}' } })],
      "tool_without_name",
    ],
    [
      "too much of a call without a name",
      Array.from({ length: 10 }, () => call({ index: 0, function: { arguments: "a".repeat(1_000_000) } })),
      "answer_too_large",
    ],
    [
      "too many calls without a name",
      Array.from({ length: 50 }, () =>
        chunk({ tool_calls: Array.from({ length: 1_000 }, (_, at) => ({ id: `${at}`, index: 0 })) }),
      ),
      "answer_too_large",
    ],
  ])("ends in an error by %s, with nothing behind it", (_, chunks, code) => {
    const reading = readEvents()
    const events = chunks.flatMap((one) => reading.take(chunksOf(one)))
    const behind = [...reading.take(chunksOf(chunk({}, "tool_calls"), "[DONE]")), ...reading.rest()]
    const all = [...events, ...behind]
    expect(all.at(-1)).toMatchObject({ kind: "error", error: { code } })
    expect(all.filter(({ kind }) => kind === "error" || kind === "ends").length).toBe(1)
    expect(writtenEvents(all).at(-1)).not.toEqual(doneEvent)
  })

  it("is cut, and no error, where the model's window cut the input of a call", () => {
    const half = call({ index: 0, id: "a", function: { name: "f", arguments: '{"x":' } })
    expect(answerIn(chatForm, chunksOf(half, chunk({}, "model_length")))?.finish).toEqual({ kind: "length" })
  })

  it("leaves it that it was cut, whatever comes behind", () => {
    const answer = answerIn(chatForm, chunksOf(chunk({ content: "a" }, "length"), chunk({}, "stop")))
    expect(answer?.finish).toEqual({ kind: "length" })
  })

  it("goes by the first chunk that says who it is, and never by a moment that is 0", () => {
    const azure = {
      ...{ id: "", object: "", created: 0, model: "", choices: [] },
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
    }
    const events = chunksOf(azure, chunk({ content: "a" }), chunk({}, "stop"), "[DONE]")
    expect(answerIn(chatForm, events)).toMatchObject({ id: "1", model: "m", createdAt: 5 })
    const never = { ...chunk({ content: "a" }, "stop"), id: "", created: 0, model: null }
    expect(answerIn(chatForm, chunksOf(azure, never))).toMatchObject({ model: "", createdAt: undefined })
    expect(readAnswer({ created: 0, choices: [{ message: {} }] })?.createdAt).toBeUndefined()
  })

  it("takes a choice whose place is null for the first", () => {
    const said = { ...head, choices: [{ index: null, delta: { content: "a" }, finish_reason: "stop" }] }
    expect(answerIn(chatForm, chunksOf(said))?.parts).toEqual([{ kind: "text", text: "a" }])
  })

  it("takes a choice that is alone for the first, whatever its place", () => {
    const told = ["Hel", "lo"].map((content, index) => ({
      ...head,
      choices: [{ index, delta: { content } }],
    }))
    const last = { ...head, choices: [{ index: 2, delta: {}, finish_reason: "stop" }] }
    expect(answerIn(chatForm, chunksOf(...told, last))?.parts).toEqual([{ kind: "text", text: "Hello" }])
    const two = [1, 0].map((index) => ({ index, delta: { content: `${index}` }, finish_reason: "stop" }))
    expect(answerIn(chatForm, chunksOf({ ...head, choices: two }))?.parts).toEqual([
      { kind: "text", text: "0" },
    ])
  })

  it("tells reasoning with several seals in as many parts, each sealed at its end", () => {
    const seal = (text: string) =>
      ({ dialect: "messages", sealed: text, id: undefined, isAll: false }) as const
    const read = readAll(
      chatForm,
      chunksOf(
        chunk({
          reasoning_content: "a",
          reasoning_details: [writtenSeal(seal("s"), "u"), writtenSeal(seal("t"), "u")],
        }),
        chunk({ reasoning_content: "b" }),
        chunk({}, "stop"),
      ),
    )
    expect(read.map(({ kind }) => kind).slice(1, -1)).toEqual([
      ...["part_begins", "more", "sealed", "part_ends"],
      ...["part_begins", "sealed", "part_ends"],
      ...["part_begins", "more", "part_ends"],
    ])
  })

  it("tells an error in its middle, and nothing behind it", () => {
    const read = readAll(
      chatForm,
      chunksOf(
        chunk({ content: "a" }),
        { error: { message: "Too hot.", type: "server_error" } },
        chunk({}, "stop"),
        "[DONE]",
      ),
    )
    expect(read.map(({ kind }) => kind)).toEqual(["begins", "part_begins", "more", "error"])
    expect(objectsOf(writtenEvents(read)).at(-1)).toMatchObject({ error: { message: "Too hot." } })
  })

  it("tells reasoning before the text, its sections apart, and its seal", () => {
    const seal = { dialect: "responses", sealed: "xyz", id: "rs_1", isAll: false } as const
    const answer = {
      id: "1",
      model: "m",
      createdAt: 5,
      serviceTier: undefined,
      parts: [
        { kind: "reasoning", texts: ["One.", "Two."], seal },
        { kind: "text", text: "a" },
      ],
      finish: { kind: "stop" },
      counts: {},
    } as const
    const plain = writeAnswer(
      { ...answer, counts: readAnswer({ choices: [{ message: {} }] })?.counts ?? expect.anything() },
      askedFor,
    )
    expect(plain["choices"]).toMatchObject([
      {
        message: {
          content: "a",
          reasoning_content: "One.\n\nTwo.",
          reasoning_details: [{ type: "reasoning.encrypted", data: wrap(seal, "u") }],
        },
      },
    ])
  })

  it("is one text, of which citations and sections are told alike whole and streamed", () => {
    const citation = { url: "https://a.example", title: "A", start: 0, end: 2 }
    const answer: NeutralAnswer = {
      ...nothingSaid,
      parts: [
        {
          kind: "reasoning",
          texts: [],
          seal: { dialect: "messages", sealed: "s", id: undefined, isAll: true },
        },
        { kind: "reasoning", texts: ["Hm."] },
        { kind: "text", text: "One. " },
        { kind: "text", text: "Two.", citations: [citation] },
      ],
    }
    const cited = [
      {
        type: "url_citation",
        url_citation: { url: "https://a.example", title: "A", start_index: 5, end_index: 7 },
      },
    ]
    expect(writeAnswer(answer, askedFor)["choices"]).toMatchObject([
      { message: { content: "One. Two.", reasoning_content: "Hm.", annotations: cited } },
    ])
    const deltas = objectsOf(writtenEvents(eventsOf(answer)))
      .flatMap((chunk) => (chunk === "[DONE]" ? [] : objectsIn(chunk["choices"])))
      .map(({ delta }) => objectIn(delta) ?? {})
    expect(deltas.map(({ reasoning_content: told }) => told ?? "").join("")).toBe("Hm.")
    expect(deltas.flatMap(({ annotations }) => objectsIn(annotations))).toEqual(cited)
  })

  it("says that it cites nothing", () => {
    expect(writeAnswer(nothingSaid, askedFor)["choices"]).toMatchObject([{ message: { annotations: [] } }])
  })
})
