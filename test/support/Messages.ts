/** Messages in Anthropic's dialect for tests: whole ones, and the events of streamed ones in every way that a text can be cut. */
import fc from "fast-check"
import { messageInEvents } from "../../src/answer/messages/MessageInEvents.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { isJsonObject } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"

const encoder = new TextEncoder()

export const usage = {
  input_tokens: 4,
  cache_read_input_tokens: 2,
  cache_creation_input_tokens: 1,
  output_tokens: 3,
}

/** A whole message of these blocks. */
export const messageOf = (
  content: ReadonlyArray<JsonObject>,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  id: "msg_01",
  type: "message",
  role: "assistant",
  model: "claude-x",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
  ...more,
})

export const textBlock = (text: string): JsonObject => ({ type: "text", text })

/** A whole message that says this. */
export const saying = (text: string): Readonly<Record<string, unknown>> => messageOf([textBlock(text)])

const parse = (data: Uint8Array): JsonObject => parseObject(data) ?? {}

/** An event as its upstream frames it. */
export const eventOf = (value: Readonly<Record<string, unknown>>): SseEvent => ({
  data: encoder.encode(JSON.stringify(value)),
  event: String(value["type"]),
})

/** The events that make a message, as an upstream sends them. */
export const eventsOf = (message: Readonly<Record<string, unknown>>): ReadonlyArray<SseEvent> =>
  (messageInEvents(encoder.encode(JSON.stringify(message)), Number.POSITIVE_INFINITY) ?? []).map((data) =>
    eventOf(parse(data)),
  )

/** What stands at an event's delta, and how it is called there. */
const cuttable = ["text", "thinking", "partial_json"]

/** The same events with their deltas cut in pieces, at places that `cuts` say. */
export const cutUp = (
  events: ReadonlyArray<SseEvent>,
  cuts: ReadonlyArray<number>,
): ReadonlyArray<SseEvent> => {
  let next = 0
  return events.flatMap((event) => {
    const value = parse(event.data)
    const delta = value["delta"]
    const name = isJsonObject(delta) ? cuttable.find((one) => typeof delta[one] === "string") : undefined
    if (name === undefined || !isJsonObject(delta)) return [event]
    const pieces: Array<string> = []
    let rest = String(delta[name])
    while (rest.length > 0) {
      const length = 1 + ((cuts[next++ % Math.max(1, cuts.length)] ?? 0) % 7)
      pieces.push(rest.slice(0, length))
      rest = rest.slice(length)
    }
    return (pieces.length === 0 ? [""] : pieces).map((piece) =>
      eventOf({ ...value, delta: { ...delta, [name]: piece } }),
    )
  })
}

const words = fc
  .array(fc.constantFrom("<think>", "</think>", "<th", "a", " ", "\n", "Hello", "é", "<"), { maxLength: 8 })
  .map((parts) => parts.join(""))

const block: fc.Arbitrary<JsonObject> = fc.oneof(
  words.map(textBlock),
  fc.record({ type: fc.constant("thinking"), thinking: words, signature: fc.string() }),
  fc.record({ type: fc.constant("redacted_thinking"), data: fc.string({ minLength: 1 }) }),
  fc.record({
    type: fc.constant("tool_use"),
    id: fc.constant("toolu_1"),
    name: fc.constant("weather"),
    input: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())).map((value) => ({
      ...value,
    })),
  }),
  fc.record({
    type: fc.constant("text"),
    text: words,
    citations: fc.array(fc.record({ type: fc.constant("char_location"), cited_text: fc.string() }), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
)

/** Messages of any blocks. */
export const messages = fc.array(block, { maxLength: 5 }).map((blocks) => messageOf(blocks))

/** Events as an upstream sends them. */
export const framesOf = (events: ReadonlyArray<SseEvent>): Buffer =>
  Buffer.from(
    events.map(({ data, event }) => `event: ${event}\ndata: ${new TextDecoder().decode(data)}\n\n`).join(""),
  )
