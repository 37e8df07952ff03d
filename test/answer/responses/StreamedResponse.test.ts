/** Streamed responses without anything done to their texts: events in, bytes out, and what is learned on the way. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AnswerEnd, AnswerSummary } from "../../../src/answer/AnswerRun.ts"
import { givenId } from "../../../src/answer/responses/ResponseId.ts"
import { responsesGrammar as grammar } from "../../../src/answer/responses/ResponsesGrammar.ts"
import { received } from "../../../src/answer/StreamEvent.ts"
import { noneWaiting, startWith } from "../../../src/answer/StreamStart.ts"
import { cutStream } from "../../../src/errors/StreamError.ts"
import { noSecrets } from "../../../src/secrets/Secrets.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { run } from "../../../src/wire/Machine.ts"
import { decoder, isOverflow, type SseEvent } from "../../../src/wire/Sse.ts"
import { bytesOf } from "../../support/answers.ts"
import { eventsOf, functionCall, message, reasoning, response, wireOf } from "../../support/ResponseEvents.ts"
import { runs } from "../../support/Runs.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Events as they come off the wire, cut so. */
const readOf = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<SseEvent> =>
  run(decoder({ maxEventBytes: 1_000_000 }), chunks).flatMap((output) => {
    const event = isOverflow(output) ? undefined : received(output)
    return event === undefined ? [] : [event]
  })

interface Sent {
  readonly wire: string
  readonly summary: AnswerSummary
}

const sent = (
  events: ReadonlyArray<SseEvent>,
  { end = { kind: "ended" }, madeBy }: { readonly end?: AnswerEnd; readonly madeBy?: string } = {},
): Sent => {
  const answer = grammar.answer({
    includeUsage: true,
    choices: 1,
    secrets: noSecrets,
    madeBy: madeBy === undefined ? undefined : () => madeBy,
  })
  const out = [...events.flatMap((event) => answer.take(event)), ...answer.end(end)]
  return {
    wire: out.map((event) => Buffer.from(grammar.frame(event)).toString()).join(""),
    summary: answer.summary,
  }
}

const dataOf = (wire: string): ReadonlyArray<JsonObject> =>
  readOf([bytes(wire)]).map(({ data }): JsonObject => JSON.parse(Buffer.from(data).toString()))

const whole = response([reasoning("Thinking it over."), message("Hello there."), functionCall('{"q":"x"}')])
const wire = wireOf(eventsOf(whole))

const cutIn = (text: string, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const all = bytes(text)
  const chunks: Array<Uint8Array> = []
  let at = 0
  for (let turn = 0; at < all.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    // A copy each, as a socket gives.
    chunks.push(all.slice(at, at + size))
    at += size
  }
  return chunks
}

describe("A streamed response", () => {
  it("law: is the bytes that came, however they were cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 }), (sizes) => {
        expect(sent(readOf(cutIn(wire, sizes))).wire).toBe(wire)
      }),
      { numRuns: runs(60) },
    )
  })

  it("copies nothing of an event that came in one piece", () => {
    const all = bytes(wire)
    for (const event of readOf([all])) expect(grammar.frame(event).buffer).toBe(all.buffer)
  })

  it("has its names where its upstream sends none, or the same with all", () => {
    const bare = wire.replace(/^event: .*\n/gm, "")
    expect(sent(readOf([bytes(bare)])).wire).toBe(wire)
    expect(sent(readOf([bytes(wire.replace(/^event: .*$/gm, "event: message"))])).wire).toBe(wire)
    const sorted = eventsOf(whole).map(({ type, ...rest }) => ({ ...rest, type }))
    expect(sent(readOf([bytes(wireOf(sorted).replace(/^event: .*\n/gm, ""))])).wire).toBe(wireOf(sorted))
  })

  it("tells usage, why it ended, and that a tool is called", () => {
    expect(sent(readOf([bytes(wire)])).summary).toMatchObject({
      outcome: "ok",
      finishReason: "completed",
      toolCalls: true,
      error: undefined,
      usage: {
        inputTokens: 20,
        cachedTokens: 8,
        cacheWriteTokens: 4,
        outputTokens: 10,
        reasoningTokens: 6,
        totalTokens: 30,
      },
    })
    const early = response([message("Hel")], {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    })
    const { summary, wire: out } = sent(readOf([bytes(wireOf(eventsOf(early)))]))
    expect(out).toBe(wireOf(eventsOf(early)))
    expect(summary).toMatchObject({ outcome: "ok", finishReason: "max_output_tokens", toolCalls: false })
  })

  it("says nothing behind its end, whatever its upstream does", () => {
    const late = `${wire}data: [DONE]\n\n${wireOf([{ type: "response.output_text.delta", delta: "x" }])}`
    expect(sent(readOf([bytes(late)])).wire).toBe(wire)
  })

  it("names its upstream in every id of the response, and changes nothing else", () => {
    const going = response([message("Hi")], { previous_response_id: "resp_before" })
    const text = wireOf(eventsOf(going))
    const given = sent(readOf([bytes(text)]), { madeBy: "first" }).wire
    expect(given).toBe(
      text
        .replaceAll('"resp_abc"', JSON.stringify(givenId("resp_abc", "first")))
        .replaceAll('"resp_before"', JSON.stringify(givenId("resp_before", "first"))),
    )
  })

  it("is numbered on from where it is read, where it breaks off", () => {
    const later = wireOf(eventsOf(whole).slice(7, 10))
    const numbers = dataOf(sent(readOf([bytes(later)])).wire).map((event) => event["sequence_number"])
    expect(numbers).toEqual([7, 8, 9, 10, 11])
    const failing = [...eventsOf(whole).slice(7, 8), { type: "error", sequence_number: 8, message: "no" }]
    const failed = dataOf(sent(readOf([bytes(wireOf(failing))])).wire)
    expect(failed.map((event) => event["sequence_number"])).toEqual([7, 8, 9])
  })

  const begun = wire.slice(0, wire.indexOf("event: response.output_text.done"))

  it.each<[string, AnswerEnd, string]>([
    ["that ends early", { kind: "ended" }, "upstream_stream_broken"],
    ["that breaks", { kind: "broken", reason: "ECONNRESET" }, "upstream_stream_broken"],
    ["that is cut", { kind: "cut", error: cutStream("in its middle") }, "shutting_down"],
  ])("%s fails, and then is an error at which every SDK raises", (_, end, code) => {
    const { summary, wire: out } = sent(readOf([bytes(begun)]), { end, madeBy: "first" })
    expect(out.startsWith(`${dataOf(begun).length > 0 ? "event: response.created" : ""}`)).toBe(true)
    const [failed, error] = dataOf(out).slice(-2)
    const next = dataOf(begun).length
    expect(failed).toMatchObject({
      type: "response.failed",
      sequence_number: next,
      response: { id: givenId("resp_abc", "first"), status: "failed", error: { code } },
    })
    expect(error).toMatchObject({
      type: "error",
      sequence_number: next + 1,
      code,
      message: expect.stringMatching(/./),
      param: null,
      error: { code, message: expect.stringMatching(/./), param: null },
    })
    expect(out.trimEnd().split("\n").at(-2)).toBe("event: error")
    expect(summary).toMatchObject({ outcome: "stream_broken", toolCalls: false })
  })

  it("that its upstream ends in a failure is that, and then an error", () => {
    const failure = {
      type: "response.failed",
      sequence_number: 9,
      response: { ...whole, status: "failed", error: { code: "server_error", message: "out of memory" } },
    }
    const { summary, wire: out } = sent(readOf([bytes(begun + wireOf([failure]))]))
    expect(out.startsWith(begun + wireOf([failure]))).toBe(true)
    expect(dataOf(out).at(-1)).toMatchObject({
      type: "error",
      error: { message: "out of memory", code: "server_error" },
    })
    expect(summary).toMatchObject({ outcome: "stream_broken", error: "out of memory" })
  })

  it.each([
    [
      "an event of that name",
      'event: error\ndata: {"type":"error","code":"overloaded","message":"busy","param":null,"sequence_number":3}\n\n',
    ],
    ["an error without a name", 'data: {"error":{"message":"busy","code":"overloaded"}}\n\n'],
    ["[DONE] before it is told whole", "data: [DONE]\n\n"],
  ])("fails with %s", (_, text) => {
    const out = dataOf(sent(readOf([bytes(begun + text)])).wire).slice(-2)
    expect(out).toMatchObject([{ type: "response.failed" }, { type: "error", error: {} }])
  })

  it("passes on what is called a sign of life and is numbered", () => {
    const alive = wireOf([{ type: "keepalive", sequence_number: 2 }])
    expect(sent(readOf([bytes(begun + alive)])).wire.startsWith(begun + alive)).toBe(true)
  })
})

describe("A response begins", () => {
  const decided = (events: ReadonlyArray<unknown>) => {
    let waiting = noneWaiting
    for (const value of events) {
      const start = startWith(grammar, waiting, { data: bytesOf(value), event: undefined })
      if (start.kind !== "waits") return [start.kind, waiting.events]
      waiting = start.waiting
    }
    return ["waits", waiting.events]
  }

  it("with the first event that says something", () => {
    // created, in_progress, the item, its part.
    expect(decided(eventsOf(response([message("Hello")])))).toEqual(["begins", 4])
    expect(decided(eventsOf(response([reasoning("So")])))).toEqual(["begins", 4])
    expect(decided(eventsOf(response([functionCall("{}")])))).toEqual(["begins", 2])
  })

  it("with nothing where it ends silent, or in an error", () => {
    expect(decided(eventsOf(response([])))).toEqual(["over", 2])
    expect(decided(eventsOf(response([], { status: "incomplete" })))).toEqual(["begins", 2])
    const [created] = eventsOf(response([]))
    expect(decided([created, { type: "error", message: "no" }])).toEqual(["error", 1])
    const failed = { type: "response.failed", response: response([], { status: "failed", error: null }) }
    expect(decided([created, failed])).toEqual(["error", 1])
  })
})

describe("A streamed response put together", () => {
  const datas = (events: ReadonlyArray<unknown>) => events.map(bytesOf)

  it("is the response that its last event tells", () => {
    expect(grammar.assembled(datas(eventsOf(whole)), false)).toEqual(whole)
  })

  it("has its items where that event has none", () => {
    const events = eventsOf(whole).map((event) =>
      event["type"] === "response.completed" ? { ...event, response: { ...whole, output: [] } } : event,
    )
    expect(grammar.assembled(datas(events), false)).toEqual(whole)
  })

  it("has the parts of an item in their order, however many come and in whatever turns", () => {
    const [created] = eventsOf(whole)
    const added = {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...message(""), content: [] },
    }
    const deltas = Array.from({ length: 20_000 }, (_, at) => ({
      type: "response.output_text.delta",
      output_index: 0,
      content_index: (at * 7) % 10_000,
      delta: `${(at * 7) % 10_000} `,
    }))
    const { output } = grammar.assembled(datas([created, added, ...deltas]), false)
    const [item]: ReadonlyArray<{ readonly content: ReadonlyArray<{ readonly text: string }> }> = JSON.parse(
      JSON.stringify(output),
    )
    const places = item?.content.map(({ text }) => text.split(" ").slice(0, -1).map(Number)) ?? []
    expect(places.length).toBe(4_096)
    expect(places.map(([first]) => first)).toEqual(
      places.map(([first]) => first).toSorted((a = 0, b = 0) => a - b),
    )
    for (const [first, second] of places) expect(second).toBe(first)
  })

  it("is as much as there was of one that broke off", () => {
    const events = eventsOf(response([reasoning("Well."), message("Hello there.")], { id: "resp_x" }))
    const until = events.findIndex(({ delta }) => delta === "o th")
    expect(grammar.assembled(datas(events.slice(0, until + 1)), true)).toMatchObject({
      id: "resp_x",
      status: "in_progress",
      truncated: true,
      output: [
        { type: "reasoning", summary: [{ type: "summary_text", text: "Well." }] },
        { type: "message", content: [{ type: "output_text", text: "Hello th" }] },
      ],
    })
    const calling = eventsOf(response([functionCall('{"q":"abcdef"}')]))
    const half = calling.findIndex(({ type }) => type === "response.function_call_arguments.done")
    expect(grammar.assembled(datas(calling.slice(0, half - 1)), false)).toMatchObject({
      output: [{ type: "function_call", name: "look_up", arguments: '{"q":"abcdef' }],
    })
  })
})

describe("A plain response given out as events", () => {
  it("law: put together again is the response, and is what its events say", () => {
    const data = bytesOf(whole)
    const events = grammar.givenOut(data, 1_000_000) ?? []
    expect(grammar.assembled(events, false)).toEqual(whole)
    const text = events
      .map((one) => Buffer.from(grammar.frame({ data: one, event: undefined })).toString())
      .join("")
    // Without names, which the answer gives them.
    expect(sent(readOf([bytes(text)])).wire).toBe(
      wireOf(eventsOf(whole, 100)).replace(/,"usage":null,"incomplete_details":null/g, ""),
    )
  })

  it("is none where it takes more bytes than it may", () => {
    expect(grammar.givenOut(bytesOf(whole), 500)).toBeUndefined()
  })
})
