/** Whole and streamed responses, to and from the neutral form. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import OpenAI from "openai"
import type { AnswerEvent, NeutralAnswer } from "../../../src/dialects/Answer.ts"
import { eventsOf } from "../../../src/dialects/AnswerParts.ts"
import { mostSaid } from "../../../src/dialects/responses/ResponseEventWriter.ts"
import { responsesForm } from "../../../src/dialects/responses/ResponsesForm.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import type { SseEvent } from "../../../src/wire/Sse.ts"
import { encodeEvent } from "../../../src/wire/SseWriting.ts"
import { askedFor } from "../Abilities.ts"
import { answerArb } from "../Conversations.ts"
import { answerIn, namedOf, objectsOf, readAll } from "../EventsOf.ts"

const { readAnswer, writeAnswer, writeEvents } = responsesForm

const writtenEvents = (events: ReadonlyArray<AnswerEvent>): ReadonlyArray<SseEvent> => {
  const writing = writeEvents(askedFor)
  return [...writing.take(events), ...writing.rest()]
}

const response = (output: ReadonlyArray<JsonObject>, more: JsonObject = {}): JsonObject => ({
  id: "resp_1",
  object: "response",
  created_at: 5,
  model: "m",
  status: "completed",
  output,
  ...more,
})

const message = (text: string): JsonObject => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }],
})

const call = { type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: '{"x":1}' }

/** All members that a response of OpenAI's has. */
const members =
  "id object created_at completed_at status incomplete_details model previous_response_id instructions output error tools tool_choice truncation parallel_tool_calls text top_p presence_penalty frequency_penalty top_logprobs temperature reasoning usage max_output_tokens max_tool_calls store background service_tier metadata safety_identifier prompt_cache_key"

describe("A response", () => {
  it("has all members, and its events are numbered without a gap and bear their names", () => {
    fc.assert(
      fc.property(answerArb, (answer) => {
        const whole = writeAnswer(answer, askedFor)
        expect(Object.keys(whole)).toEqual(expect.arrayContaining(members.split(" ")))
        const events = writtenEvents(eventsOf(answer))
        const objects = objectsOf(events)
        expect(objects.map((event) => (event === "[DONE]" ? event : event["sequence_number"]))).toEqual([
          ...events.keys(),
        ])
        expect(events.map(({ event }) => event)).toEqual(
          objects.map((event) => (event === "[DONE]" ? event : event["type"])),
        )
        expect(objects.at(-1)).toMatchObject({ response: whole })
      }),
    )
  })

  it("is what the official SDK puts together", async () => {
    await fc.assert(
      fc.asyncProperty(answerArb, async (answer) => {
        const body = Buffer.concat(writtenEvents(eventsOf(answer)).map(encodeEvent))
        const openai = new OpenAI({
          apiKey: "sk-test",
          baseURL: "http://localhost/v1",
          fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
        })
        const final = await openai.responses.stream({ model: "m", input: "Hi" }).finalResponse()
        const whole = writeAnswer(answer, askedFor)
        expect(JSON.parse(JSON.stringify(final))).toMatchObject({
          output: whole["output"],
          usage: whole["usage"],
          status: whole["status"],
        })
      }),
      { numRuns: 30 },
    )
  })

  it("repeats what was asked", () => {
    const repeated = {
      instructions: "Be brief.",
      temperature: 0.3,
      tools: [{ type: "function", name: "f" }],
      reasoning: { effort: "low" },
    }
    const answer: NeutralAnswer | undefined = readAnswer(response([message("a")]))
    if (answer === undefined) throw new Error("it was not read")
    expect(writeAnswer(answer, { ...askedFor, repeated })).toMatchObject({
      instructions: "Be brief.",
      temperature: 0.3,
      tools: [{ type: "function", name: "f", description: null, parameters: null, strict: null }],
      reasoning: { effort: "low", summary: null },
      store: false,
      previous_response_id: null,
    })
  })

  it.each<[string, JsonObject, JsonObject | undefined]>([
    [
      "a cut by the cap",
      response([message("a")], { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }),
      { kind: "length" },
    ],
    [
      "a filter",
      response([], { status: "incomplete", incomplete_details: { reason: "content_filter" } }),
      { kind: "refused" },
    ],
    ["calls of tools", response([call]), { kind: "tool_calls" }],
    ["what failed", response([], { status: "failed", error: { message: "x" } }), undefined],
  ])("reads %s", (_, whole, finish) => {
    expect(readAnswer(whole)?.finish).toEqual(finish)
  })

  const begun = { type: "response.created", response: response([], { status: "in_progress" }) }

  it.each<[string, ReadonlyArray<JsonObject>]>([
    [
      "in deltas",
      [
        { type: "response.output_item.added", output_index: 0, item: { ...message(""), content: [] } },
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "a" },
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "b" },
        { type: "response.output_text.done", output_index: 0, content_index: 0, text: "ab" },
        { type: "response.output_item.done", output_index: 0, item: message("ab") },
        { type: "response.output_item.added", output_index: 1, item: { ...call, arguments: "" } },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"x"' },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: ":1}" },
        { type: "response.function_call_arguments.done", output_index: 1, arguments: '{"x":1}' },
        { type: "response.output_item.done", output_index: 1, item: call },
      ],
    ],
    [
      "at the end of each part",
      [
        { type: "response.output_text.done", output_index: 0, content_index: 0, text: "ab" },
        { type: "response.output_item.added", output_index: 1, item: { ...call, arguments: "" } },
        { type: "response.function_call_arguments.done", output_index: 1, arguments: '{"x":1}' },
      ],
    ],
    [
      "at the end of each item",
      [
        { type: "response.output_item.done", output_index: 0, item: message("ab") },
        { type: "response.output_item.done", output_index: 1, item: call },
      ],
    ],
    ["at its own end alone", []],
    [
      "from a place of one on",
      [
        { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, delta: "ab" },
        { type: "response.output_item.done", output_index: 2, item: call },
      ],
    ],
    [
      "under another name in each event",
      [
        { type: "response.output_item.added", output_index: 0, item: { ...message(""), id: "x" } },
        { type: "response.output_text.delta", item_id: "y", output_index: 0, delta: "ab" },
        { type: "response.output_item.done", output_index: 0, item: { ...message("ab"), id: "z" } },
      ],
    ],
    [
      "at one place, each under its name",
      [
        { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, delta: "ab" },
        { type: "response.output_item.done", output_index: 0, item: message("ab") },
        { type: "response.output_item.added", output_index: 0, item: { ...call, arguments: "" } },
        { type: "response.output_item.done", output_index: 0, item: call },
      ],
    ],
    [
      "at no place",
      [
        { type: "response.output_text.delta", item_id: "msg_1", delta: "ab" },
        { type: "response.output_item.added", item: { ...call, arguments: "" } },
        { type: "response.function_call_arguments.delta", item_id: "fc_1", delta: '{"x":1}' },
      ],
    ],
    [
      "in deltas before the items",
      [
        { type: "response.output_text.delta", output_index: 0, delta: "ab" },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"x":1}' },
        { type: "response.output_item.added", output_index: 1, item: { ...call, arguments: "" } },
        { type: "response.function_call_arguments.done", output_index: 1, arguments: '{"x":1}' },
      ],
    ],
    [
      "in deltas that are not all of it",
      [
        { type: "response.output_text.delta", output_index: 0, delta: "a" },
        { type: "response.output_text.done", output_index: 0, text: "ab" },
        { type: "response.output_item.added", output_index: 1, item: { ...call, arguments: "" } },
        { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"x"' },
        { type: "response.output_item.done", output_index: 1, item: call },
      ],
    ],
  ])("tells each text and call once, where the upstream does %s", (_, events) => {
    const ended = { type: "response.completed", response: response([message("ab"), call]) }
    const answer = answerIn(responsesForm, namedOf(begun, ...events, ended))
    expect(answer?.parts).toEqual([
      { kind: "text", text: "ab" },
      { kind: "tool_call", id: "c", name: "f", input: '{"x":1}', isFreeForm: false },
    ])
  })

  it.each([
    ["with all of them", true],
    ["with none of them", false],
  ])("tells items apart by their ids where their places are not told, and ends %s", (_, isWhole) => {
    const second = { ...call, id: "fc_2", call_id: "d", name: "g" }
    const whole = [message("Hi"), call, second]
    const events = namedOf(
      { type: "response.created", response: response([]) },
      { type: "response.output_item.added", item: { ...message(""), content: [] } },
      { type: "response.output_text.delta", item_id: "msg_1", delta: "Hi" },
      { type: "response.output_text.done", item_id: "msg_1", text: "Hi" },
      { type: "response.output_item.done", item: message("Hi") },
      { type: "response.output_item.added", item: { ...call, arguments: "" } },
      { type: "response.function_call_arguments.delta", item_id: "fc_1", delta: call.arguments },
      { type: "response.output_item.done", item: call },
      { type: "response.output_item.added", item: { ...second, arguments: "" } },
      { type: "response.function_call_arguments.delta", item_id: "fc_2", delta: second.arguments },
      { type: "response.output_item.done", item: second },
      { type: "response.completed", response: response(isWhole ? whole : []) },
    )
    expect(answerIn(responsesForm, events)?.parts).toEqual(readAnswer(response(whole))?.parts)
  })

  it("tells what a host adds in its last event, and the rest once", () => {
    const reasoning = { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "hm" }] }
    const answer = answerIn(
      responsesForm,
      namedOf(
        begun,
        { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, delta: "ab" },
        { type: "response.completed", response: response([reasoning, message("ab")]) },
      ),
    )
    expect(answer?.parts).toEqual([
      { kind: "text", text: "ab" },
      { kind: "reasoning", texts: ["hm"] },
    ])
  })

  it("tells reasoning by itself or by its summary, and sections by their place", () => {
    const answer = answerIn(
      responsesForm,
      namedOf(
        begun,
        { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "a" },
        { type: "response.reasoning_text.delta", output_index: 0, content_index: 0, delta: "raw" },
        { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 1, delta: "b" },
        { type: "response.reasoning_summary_text.done", output_index: 0, summary_index: 2, text: "c" },
        { type: "response.completed", response: response([]) },
      ),
    )
    expect(answer?.parts).toEqual([{ kind: "reasoning", texts: ["a", "b", "c"] }])
  })

  it("tells what a text refers to where only the end of its item says it", () => {
    const annotation = { type: "url_citation", url: "https://a.b", title: "A", start_index: 0, end_index: 1 }
    const cited = {
      ...message(""),
      content: [{ type: "output_text", text: "ab", annotations: [annotation, annotation] }],
    }
    const answer = answerIn(
      responsesForm,
      namedOf(
        begun,
        { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "ab" },
        { type: "response.output_text.annotation.added", output_index: 0, content_index: 0, annotation },
        { type: "response.output_text.done", output_index: 0, content_index: 0, text: "ab" },
        { type: "response.output_item.done", output_index: 0, item: cited },
        { type: "response.completed", response: response([cited]) },
      ),
    )
    const citation = { url: "https://a.b", title: "A", start: 0, end: 1 }
    expect(answer?.parts).toEqual([{ kind: "text", text: "ab", citations: [citation, citation] }])
  })

  it("has failed where its last event says so, whatever that is called", () => {
    const failed = response([message("a")], {
      status: "failed",
      error: { code: "server_error", message: "Hot." },
    })
    const read = readAll(responsesForm, namedOf(begun, { type: "response.completed", response: failed }))
    expect(read.at(-1)).toMatchObject({ kind: "error", error: { message: "Hot." } })
  })

  it("ends in an error where an upstream names items without end", () => {
    const reading = responsesForm.readEvents()
    let last: AnswerEvent | undefined
    for (let at = 0; at < 40_000 && last?.kind !== "error"; at++) {
      const event = { type: "response.function_call_arguments.delta", output_index: at, delta: "a" }
      last = reading.take(namedOf(event)).at(-1) ?? last
    }
    expect(last?.kind).toBe("error")
  })

  it("keeps sections of reasoning, and its seal", () => {
    const part = {
      type: "reasoning",
      id: "rs_1",
      summary: [
        { type: "summary_text", text: "One." },
        { type: "summary_text", text: "Two." },
      ],
      encrypted_content: "gAAAA",
    }
    const delta = (at: number, text: string) => [
      { type: "response.reasoning_summary_part.added", output_index: 0, summary_index: at, part: {} },
      { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: at, delta: text },
    ]
    const events = namedOf(
      begun,
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "reasoning", id: "rs_1", summary: [] },
      },
      ...delta(0, "One."),
      ...delta(1, "Two."),
      { type: "response.output_item.done", output_index: 0, item: part },
      { type: "response.completed", response: response([part]) },
    )
    const whole = readAnswer(response([part]))
    expect(answerIn(responsesForm, events)?.parts).toEqual(whole?.parts)
    expect(whole?.parts).toEqual([
      {
        kind: "reasoning",
        texts: ["One.", "Two."],
        seal: { dialect: "responses", sealed: "gAAAA", id: "rs_1", isAll: false },
      },
    ])
  })

  it.each<[string, JsonObject]>([
    [
      "response.failed",
      { type: "response.failed", response: { error: { code: "server_error", message: "Too hot." } } },
    ],
    ["an error", { type: "error", code: "server_error", message: "Too hot." }],
    [
      "an error of both shapes",
      { type: "error", message: "x", error: { message: "Too hot.", code: "server_error" } },
    ],
  ])("that ends in %s is broken, and said to be so that every SDK raises", (_, event) => {
    const read = readAll(
      responsesForm,
      namedOf(begun, event, { type: "response.completed", response: response([]) }),
    )
    expect(read.map(({ kind }) => kind)).toEqual(["begins", "error"])
    expect(objectsOf(writtenEvents(read)).slice(-2)).toMatchObject([
      { type: "response.failed", response: { status: "failed", error: { message: "Too hot." } } },
      { type: "error", message: "Too hot.", error: { message: "Too hot." } },
    ])
  })

  it("ends in an error where it would be too long to be said again", () => {
    const long = "a".repeat(mostSaid / 2 - 2_000)
    const events = writtenEvents([
      { kind: "begins", head: { id: "1", model: "m", createdAt: 1, serviceTier: undefined } },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "more", text: long },
      { kind: "more", text: long },
      { kind: "more", text: "a".repeat(4_000) },
      { kind: "part_ends" },
      { kind: "ends", finish: { kind: "stop" } },
    ])
    expect(events.map(({ event }) => event).slice(-3)).toEqual([
      "response.output_text.delta",
      "response.failed",
      "error",
    ])
  })

  it("ends in an error where what it refers to would be too long to be said again", () => {
    const citation = { url: "a", title: "", start: 0, end: 0 }
    const events = writtenEvents([
      { kind: "begins", head: { id: "1", model: "m", createdAt: 1, serviceTier: undefined } },
      { kind: "part_begins", part: { kind: "text" } },
      ...Array.from({ length: mostSaid / 100 }, () => ({ kind: "cited", citation }) as const),
    ])
    expect(events.at(-1)?.event).toBe("error")
    expect(events.length).toBeLessThan(mostSaid / 100)
  })

  it("cites what it refers to, streamed as whole", () => {
    const citation = { url: "https://a.b", title: "A", start: 0, end: 1 }
    const whole = {
      type: "message",
      content: [
        {
          type: "output_text",
          text: "a",
          annotations: [
            { type: "url_citation", url: "https://a.b", title: "A", start_index: 0, end_index: 1 },
          ],
        },
      ],
    }
    const answer = readAnswer(response([whole]))
    expect(answer?.parts).toEqual([{ kind: "text", text: "a", citations: [citation] }])
    if (answer === undefined) return
    expect(answerIn(responsesForm, writtenEvents(eventsOf(answer)))?.parts).toEqual(answer.parts)
  })
})
