/** A message that broke off within its text, and the events of the upstream that goes on with it: one message. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isTextDelta } from "../../src/answer/messages/MessageEvent.ts"
import { assembledMessage } from "../../src/answer/messages/MessageTranscript.ts"
import { messageResume } from "../../src/resume/MessageResume.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { cutUp, eventOf, eventsOf, messageOf, saying, textBlock } from "../support/Messages.ts"

const beginning = { prefix: "", tags: ["think"] }
const dataOf = (events: ReadonlyArray<SseEvent>) => events.map(({ data }) => data)
const pointAfter = (events: ReadonlyArray<SseEvent>) => messageResume.pointAfter(beginning, dataOf(events))

/** The events of a text until it breaks off, its block open. */
const broken = (text: string, cuts: ReadonlyArray<number> = [3]) =>
  cutUp(eventsOf(saying(text)), cuts).slice(0, -3)

/** One message of what was said and of the message that goes on. */
const joined = (before: ReadonlyArray<SseEvent>, after: ReadonlyArray<SseEvent>) => {
  const run = pointAfter(before)?.joined()
  return run === undefined ? undefined : [...before, ...run.take(after), ...run.rest()]
}

const assembled = (events: ReadonlyArray<SseEvent> | undefined) =>
  assembledMessage(dataOf(events ?? []), false)

/** An event whose data is written so. */
const written = (data: string, event: string | undefined = "content_block_delta"): SseEvent => ({
  data: new TextEncoder().encode(data),
  event,
})

describe("What is seen of a message, for whether it can be resumed", () => {
  const data = {
    type: "content_block_delta",
    index: 12,
    delta: { type: "text_delta", text: '"text_delta" {' },
  }

  it("is a piece of its text, found by its bytes however they are spaced", () => {
    for (const space of [undefined, 1, "\t"]) {
      const event = written(JSON.stringify(data, undefined, space))
      expect(isTextDelta(event)).toBe(true)
      expect(messageResume.seen(event)).toBe("part")
    }
    expect(isTextDelta(written(JSON.stringify(data), undefined))).toBe(true)
  })

  it("is read where its bytes are others", () => {
    const { delta, index, type } = data
    const turned = written(JSON.stringify({ index, delta, type }))
    expect(isTextDelta(turned)).toBe(false)
    expect(messageResume.seen(turned)).toBe("part")
    for (const other of [
      { type, index, delta: { type: "input_json_delta", partial_json: '{"type":"text_delta","text":' } },
      { type, index, delta: { type: "thinking_delta", thinking: '"delta":{"type":"text_delta",' } },
      { type: "error", error: { type: "overloaded_error", message: '"type":"text_delta",' } },
    ]) {
      expect(isTextDelta(written(JSON.stringify(other)))).toBe(false)
      expect(messageResume.seen(written(JSON.stringify(other)))).not.toBe("part")
    }
    expect(messageResume.seen(written(JSON.stringify(data), "error"))).toHaveProperty("error")
  })
})

describe("A message that broke off", () => {
  it("law: and the one that goes on are one message, however both were cut", () => {
    const words = fc
      .string({ minLength: 1, unit: "grapheme-ascii" })
      .filter((text) => text.trim() !== "" && !text.includes("<"))
    fc.assert(
      fc.property(
        words,
        fc.string({ unit: "grapheme-ascii" }),
        fc.array(fc.nat({ max: 6 }), { minLength: 1 }),
        (first, second, cuts) => {
          const before = broken(first, cuts)
          const space = /\s*$/.exec(first)?.[0] ?? ""
          expect(pointAfter(before)?.text).toBe(first.slice(0, first.length - space.length))
          // The model says the space again that was left out.
          const whole = joined(before, cutUp(eventsOf({ ...saying(space + second), id: "msg_02" }), cuts))
          expect(assembled(whole)).toMatchObject({
            id: "msg_01",
            content: [textBlock(first + second)],
            stop_reason: "end_turn",
          })
          const types = whole?.map(({ event }) => event)
          for (const once of ["message_start", "content_block_start", "content_block_stop", "message_stop"]) {
            expect(types?.filter((type) => type === once).length).toBe(1)
          }
        },
      ),
    )
  })

  it("goes on with a call in a block of its own, and tells the usage of the last", () => {
    const call = { type: "tool_use", id: "t", name: "n", input: { a: 1 } }
    const after = eventsOf(
      messageOf([textBlock("lo."), call], {
        stop_reason: "tool_use",
        usage: { input_tokens: 9, output_tokens: 2 },
      }),
    )
    expect(assembled(joined(broken("Hel"), after))).toMatchObject({
      content: [textBlock("Hello."), call],
      stop_reason: "tool_use",
      usage: { input_tokens: 9, output_tokens: 2 },
    })
    const callOnly = joined(broken("Hel"), eventsOf(messageOf([call], { stop_reason: "tool_use" })))
    expect(assembled(callOnly)).toMatchObject({ content: [textBlock("Hel"), call] })
    expect(callOnly?.map(({ event }) => event).filter((type) => type === "content_block_stop").length).toBe(2)
    const nothing = joined(broken("Hel"), eventsOf(messageOf([])))
    expect(nothing?.map(({ event }) => event).slice(-3)).toEqual([
      "content_block_stop",
      "message_delta",
      "message_stop",
    ])
  })

  it("may hold white space without end, and is resumed at once", () => {
    const text = `a${" \n".repeat(200_000)}b`
    expect(pointAfter(broken(`${text}  `))?.text).toBe(text)
  })

  it("is not resumed within thinking, a call, half a character, or where it said no word", () => {
    expect(pointAfter(broken("<think>a"))).toBeUndefined()
    expect(pointAfter(broken("a\ud83d"))).toBeUndefined()
    expect(pointAfter(broken("  \n"))).toBeUndefined()
    expect(messageResume.pointAfter({ ...beginning, prefix: "<think>" }, dataOf(broken("a")))).toBeUndefined()
    const kinds = [
      eventOf({ type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } }),
      eventOf({
        type: "content_block_start",
        index: 1,
        content_block: { type: "tool_use", id: "t", name: "n", input: {} },
      }),
      eventOf({
        type: "content_block_delta",
        index: 1,
        delta: { type: "input_json_delta", partial_json: "{" },
      }),
      eventOf({ type: "content_block_stop", index: 0 }),
      eventOf({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }),
      eventOf({ type: "message_stop" }),
    ]
    for (const event of kinds) expect(messageResume.seen(event)).toBe("over")
    for (const event of broken("Hello")) expect(messageResume.seen(event)).toBe("part")
    expect(
      messageResume.seen(eventOf({ type: "error", error: { type: "api_error", message: "m" } })),
    ).toEqual({ error: "m" })
  })
})
