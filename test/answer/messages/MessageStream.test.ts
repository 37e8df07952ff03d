/** A streamed message as it is relayed: untouched where it is whole, and ended by an error where it is not. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AnswerEnd } from "../../../src/answer/AnswerRun.ts"
import { messageGrammar } from "../../../src/answer/messages/MessageGrammar.ts"
import { ping } from "../../../src/answer/StreamEvent.ts"
import { noneWaiting, startWith, type Waiting } from "../../../src/answer/StreamStart.ts"
import { Secrets } from "../../../src/secrets/Secrets.ts"
import { run } from "../../../src/wire/Machine.ts"
import { isOverflow, type SseEvent, decoder as sse } from "../../../src/wire/Sse.ts"
import {
  cutUp,
  eventOf,
  eventsOf,
  framesOf,
  messageOf,
  messages,
  textBlock,
  usage,
} from "../../support/Messages.ts"

const grammar = messageGrammar(undefined)
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const secret = "sk-of-the-configuration"

const parse = ({ data }: SseEvent): Record<string, unknown> => JSON.parse(decoder.decode(data))

/** What is relayed of these events, and what was learned. */
const relayed = (events: ReadonlyArray<SseEvent>, end: AnswerEnd = { kind: "ended" }) => {
  const answer = grammar.answer({
    includeUsage: true,
    choices: 1,
    requestId: "req-7",
    secrets: new Secrets([secret]),
  })
  const sent = events.flatMap((event) => answer.take(event))
  const last = answer.end(end)
  return { sent: [...sent, ...last], summary: answer.summary }
}

/** The events of bytes that are cut in pieces. */
const read = (bytes: Buffer, size: number): ReadonlyArray<SseEvent> =>
  run(
    sse({ maxEventBytes: 1_000_000 }),
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    ),
  ).filter((output): output is SseEvent => !isOverflow(output))

const calling = messageOf(
  [textBlock("I look."), { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } }],
  { stop_reason: "tool_use" },
)

describe("A message that is relayed", () => {
  it("law: is its upstream's bytes, however they were cut", () => {
    fc.assert(
      fc.property(
        messages,
        fc.array(fc.nat({ max: 6 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 200 }),
        (message, cuts, size) => {
          const bytes = framesOf(cutUp(eventsOf(message), cuts))
          const { sent, summary } = relayed(read(bytes, size))
          expect(Buffer.concat(sent.map(grammar.frame)).equals(bytes)).toBe(true)
          expect(summary).toMatchObject({ outcome: "ok", finishReason: "end_turn", passedOver: 0 })
        },
      ),
    )
  })

  it("is framed without a copy where it came framed so", () => {
    const bytes = framesOf(eventsOf(calling))
    for (const { frame, event } of read(bytes, bytes.length).map((one) => ({
      event: one,
      frame: grammar.frame(one),
    }))) {
      expect(frame.buffer).toBe(event.data.buffer)
    }
  })

  it("has the name of its type where its upstream gave none, or one that nobody knows", () => {
    const odd = grammar.frame({ data: encoder.encode('{"type":"message_stop"}'), event: "end" })
    expect(decoder.decode(odd)).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n')
    const later = grammar.frame({ data: encoder.encode('{"type":"block_paused"}'), event: "block_paused" })
    expect(decoder.decode(later)).toBe('event: block_paused\ndata: {"type":"block_paused"}\n\n')
    const frame = grammar.frame({ data: encoder.encode('{"type":"message_stop"}'), event: undefined })
    expect(decoder.decode(frame)).toBe('event: message_stop\ndata: {"type":"message_stop"}\n\n')
    expect(decoder.decode(grammar.frame({ data: encoder.encode("{}"), event: undefined }))).toBe(
      "data: {}\n\n",
    )
    expect(decoder.decode(grammar.heartbeat)).toBe('event: ping\ndata: {"type":"ping"}\n\n')
  })

  it("is framed anew where its data has several lines, or its event a name that nobody could write", () => {
    const broken = grammar.frame({ data: encoder.encode('{"type":\n"x"}'), event: "x" })
    expect(decoder.decode(broken)).toBe('event: x\ndata: {"type":\ndata: "x"}\n\n')
    const odd = grammar.frame({ data: encoder.encode("{}"), event: "a\nb" })
    expect(decoder.decode(odd)).toBe("event: a b\ndata: {}\n\n")
    expect(grammar.frame({ data: new Uint8Array(), event: "x" }).length).toBe(0)
  })

  it("law: counts each token once, whichever event tells of it", () => {
    const counts = fc.record({
      input_tokens: fc.nat({ max: 1_000 }),
      cache_read_input_tokens: fc.nat({ max: 1_000 }),
      cache_creation_input_tokens: fc.nat({ max: 1_000 }),
      output_tokens: fc.nat({ max: 1_000 }),
    })
    fc.assert(
      fc.property(counts, fc.constantFrom("start", "end", "both"), (said, where) => {
        const none = { input_tokens: 0, output_tokens: 0 }
        const { summary } = relayed([
          eventOf({
            type: "message_start",
            message: { ...messageOf([]), usage: where === "end" ? none : said },
          }),
          eventOf({
            type: "message_delta",
            delta: { stop_reason: "end_turn", stop_sequence: null },
            usage: where === "start" ? { output_tokens: said.output_tokens } : said,
          }),
          eventOf({ type: "message_stop" }),
        ])
        const input = said.input_tokens + said.cache_read_input_tokens + said.cache_creation_input_tokens
        expect(summary.usage).toMatchObject({
          inputTokens: input,
          outputTokens: said.output_tokens,
          totalTokens: input + said.output_tokens,
          cachedTokens: said.cache_read_input_tokens,
          cacheWriteTokens: said.cache_creation_input_tokens,
        })
      }),
    )
  })

  it("passes what it does not know, and heeds neither pings nor what is no event of a message", () => {
    const unknown = eventOf({ type: "message_note", message: "of 2027", error: null })
    const [start, ...rest] = eventsOf(calling)
    const { sent, summary } = relayed([
      ...(start === undefined ? [] : [start]),
      ping,
      unknown,
      { data: encoder.encode('{"choices":[]}'), event: undefined },
      ...rest,
    ])
    expect(sent.filter((event) => event === unknown).length).toBe(1)
    expect(sent.length).toBe(eventsOf(calling).length + 1)
    expect(summary).toMatchObject({ outcome: "ok", passedOver: 1, toolCalls: true, finishReason: "tool_use" })
  })

  it.each(eventsOf(calling).map((_, at) => at))(
    "ends in an error where it breaks off after %i events",
    (until) => {
      const events = eventsOf(calling).slice(0, until)
      const { sent, summary } = relayed(events, { kind: "broken", reason: "it was reset" })
      const isSaid = until === eventsOf(calling).length - 1
      expect(sent.slice(0, until)).toEqual(events)
      expect(sent.length).toBe(until + 1)
      expect(sent.at(-1)?.event).toBe(isSaid ? "message_stop" : "error")
      expect(summary.outcome).toBe(isSaid ? "ok" : "stream_broken")
      if (isSaid) return
      expect(sent.flatMap((event) => (sent.slice(until).includes(event) ? [parse(event)] : []))).toEqual([
        {
          type: "error",
          error: { type: "api_error", message: expect.stringContaining("it was reset") },
          request_id: "req-7",
        },
      ])
    },
  )

  it("is ended by its upstream's own error as it came, without a secret", () => {
    const own = eventOf({
      type: "error",
      error: { type: "overloaded_error", message: `busy ${secret}` },
      more: 1,
    })
    const { sent, summary } = relayed([...eventsOf(calling).slice(0, 3), own])
    expect(sent.length).toBe(4)
    expect(parse(sent[3] ?? own)).toMatchObject({ error: { type: "overloaded_error" }, more: 1 })
    expect(decoder.decode(sent[3]?.data)).not.toContain(secret)
    expect(summary).toMatchObject({ outcome: "stream_broken" })
    const foreign = relayed([
      { data: encoder.encode('{"error":{"message":"m","code":429}}'), event: undefined },
    ])
    expect(foreign.sent.map(parse)).toEqual([
      { type: "error", error: { type: "rate_limit_error", message: "m" }, request_id: "req-7" },
    ])
  })

  it("tells how it was cut where this gateway ends", () => {
    const error = { message: "shut down", type: "server_error", param: null, code: "shutting_down" }
    const { sent } = relayed(eventsOf(calling).slice(0, 3), { kind: "cut", error })
    expect(parse(sent.at(-1) ?? ping)).toMatchObject({
      error: { type: "overloaded_error", message: "shut down" },
    })
  })

  it("has a count at its end, which SDKs read without looking", () => {
    const events = eventsOf(calling).map((event) => {
      const { usage: _, ...value } = parse(event)
      return eventOf(value["type"] === "message_start" ? { ...value, message: messageOf([]) } : value)
    })
    expect(relayed(events).sent.map(parse)).toContainEqual(
      expect.objectContaining({ type: "message_delta", usage: { output_tokens: usage.output_tokens } }),
    )
  })

  it("has counts at its beginning, which SDKs read without looking, and keeps those that are there", () => {
    const { usage: _, ...message } = messageOf([])
    const beginning = (given: unknown) =>
      relayed([eventOf({ type: "message_start", message: given }), ...eventsOf(calling).slice(1)]).sent[0]
    const bare = beginning({ ...message, extra: [1] })
    expect(bare === undefined ? undefined : parse(bare)).toEqual({
      type: "message_start",
      message: { ...message, extra: [1], usage: { input_tokens: 0, output_tokens: 0 } },
    })
    const told = eventOf({ type: "message_start", message: messageOf([]) })
    expect(relayed([told]).sent[0]).toBe(told)
  })

  it("is given out in events where it came in one", () => {
    const { sent, summary } = relayed([eventOf(calling)])
    expect(sent.map(parse)).toEqual(eventsOf(calling).map(parse))
    expect(summary).toMatchObject({ outcome: "ok", toolCalls: true })
  })
})

describe("A message that has not begun", () => {
  /** Which event it begins with, or why it does not. */
  const begins = (events: ReadonlyArray<SseEvent>) => {
    let waiting: Waiting = noneWaiting
    for (const [at, event] of events.entries()) {
      const start = startWith(grammar, waiting, event)
      if (start.kind !== "waits") return [at, start.kind]
      waiting = start.waiting
    }
    return undefined
  }
  const start = eventOf({ type: "message_start", message: messageOf([]) })
  const block = (content: Readonly<Record<string, unknown>>) =>
    eventOf({ type: "content_block_start", index: 0, content_block: content })
  const delta = (content: Readonly<Record<string, unknown>>) =>
    eventOf({ type: "content_block_delta", index: 0, delta: content })

  it.each<readonly [string, ReadonlyArray<SseEvent>, unknown]>([
    [
      "its first text",
      [
        start,
        block({ type: "text", text: "" }),
        delta({ type: "text_delta", text: "" }),
        delta({ type: "text_delta", text: "H" }),
      ],
      [3, "begins"],
    ],
    [
      "its first thought",
      [
        start,
        block({ type: "thinking", thinking: "", signature: "" }),
        delta({ type: "thinking_delta", thinking: "H" }),
      ],
      [2, "begins"],
    ],
    ["a call", [start, block({ type: "tool_use", id: "t", name: "n", input: {} })], [1, "begins"]],
    ["what it does not know", [start, block({ type: "new_kind" })], [1, "begins"]],
    [
      "why it ended",
      [start, eventOf({ type: "message_delta", delta: { stop_reason: "end_turn" } })],
      [1, "begins"],
    ],
    [
      "an error",
      [
        start,
        block({ type: "text", text: "" }),
        eventOf({ type: "error", error: { type: "api_error", message: "m" } }),
      ],
      [2, "error"],
    ],
    [
      "its end",
      [
        start,
        eventOf({ type: "message_delta", delta: { stop_reason: null } }),
        eventOf({ type: "message_stop" }),
      ],
      [2, "over"],
    ],
  ])("waits until %s", (_, events, expected) => {
    expect(begins(events)).toEqual(expected)
  })
})
