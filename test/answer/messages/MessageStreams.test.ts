/** A streamed message is the plain one, however it was cut: put together, given out, and with its texts changed. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChoiceTransform } from "../../../src/answer/ChoiceTransform.ts"
import { transformMessage } from "../../../src/answer/messages/MessageAnswer.ts"
import { messageEventTexts } from "../../../src/answer/messages/MessageEventTexts.ts"
import { messageInEvents } from "../../../src/answer/messages/MessageInEvents.ts"
import { assembledMessage, gatheredMessage } from "../../../src/answer/messages/MessageTranscript.ts"
import { DataBuffer } from "../../../src/wire/DataBuffer.ts"
import { run } from "../../../src/wire/Machine.ts"
import type { SseEvent } from "../../../src/wire/Sse.ts"
import { cutUp, eventOf, eventsOf, messageOf, messages, textBlock } from "../../support/Messages.ts"
import { runs } from "../../support/Runs.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const cuts = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 20 })

const assembled = (events: ReadonlyArray<SseEvent>): unknown =>
  assembledMessage(
    events.map(({ data }) => data),
    false,
  )

/** The bytes of the plain message that these make. */
const gathered = (datas: ReadonlyArray<Uint8Array>): string => {
  const buffer = new DataBuffer()
  for (const data of datas) buffer.add(data)
  return decoder.decode(gatheredMessage(buffer.packed))
}

const changedEvents = (
  transform: ChoiceTransform,
  events: ReadonlyArray<SseEvent>,
): ReadonlyArray<SseEvent> => {
  const machine = messageEventTexts(transform)
  return machine === undefined ? events : run(machine, events)
}

const changedPlain = (transform: ChoiceTransform, message: unknown): unknown =>
  JSON.parse(decoder.decode(transformMessage(transform, encoder.encode(JSON.stringify(message)))))

const parse = ({ data }: SseEvent): Record<string, unknown> => JSON.parse(decoder.decode(data))

/** The numbers under which blocks begin, and whether each event of one comes while it is open. */
const placesOf = (events: ReadonlyArray<SseEvent>) => {
  const begun: Array<unknown> = []
  let open: unknown
  for (const event of events) {
    const { index, type } = parse(event)
    if (type === "content_block_start") {
      expect(open).toBeUndefined()
      begun.push(index)
      open = index
    } else if (type === "content_block_delta") expect(index).toBe(open)
    else if (type === "content_block_stop") {
      expect(index).toBe(open)
      open = undefined
    }
  }
  return begun
}

/** The events with those of each block in their order, but in turns with those of others; blocks begin in their order. */
const inTurns = (events: ReadonlyArray<SseEvent>, turns: ReadonlyArray<number>): ReadonlyArray<SseEvent> => {
  const queues = new Map<unknown, Array<SseEvent>>()
  for (const event of events) {
    const { index } = parse(event)
    if (index !== undefined) queues.set(index, [...(queues.get(index) ?? []), event])
  }
  const mixed = [...queues.values()].flatMap((queue) => queue.splice(0, 1))
  for (let turn = 0; ; turn++) {
    const open = [...queues.values()].filter((queue) => queue.length > 0)
    if (open.length === 0) break
    mixed.push(...(open[(turns[turn % turns.length] ?? 0) % open.length]?.splice(0, 1) ?? []))
  }
  return [...events.slice(0, 1), ...mixed, ...events.slice(-2)]
}

const transforms = fc.record({
  prefix: fc.constantFrom(undefined, "", "Note: ", "<think>"),
  thinking: fc.constantFrom("passthrough" as const, "strip" as const, "reasoning" as const),
})

describe("A streamed message", () => {
  it("law: put together, it is the message that was given out, however its deltas were cut", () => {
    fc.assert(
      fc.property(messages, cuts, (message, places) => {
        expect(assembled(cutUp(eventsOf(message), places))).toEqual(message)
      }),
    )
  })

  it("law: its changed texts are those of the plain message, however it was cut, its blocks numbered without a gap", () => {
    fc.assert(
      fc.property(messages, cuts, transforms, (message, places, transform) => {
        const changed = changedEvents(transform, cutUp(eventsOf(message), places))
        expect(assembled(changed)).toEqual(changedPlain(transform, message))
        const begun = placesOf(changed)
        expect(begun).toEqual(begun.map((_, at) => at))
      }),
    )
  })

  it("law: its blocks may come in turns, and each text is changed by itself", () => {
    const turns = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 40 })
    const contentOf = (message: unknown): ReadonlyArray<Record<string, unknown>> =>
      JSON.parse(JSON.stringify(message)).content
    // A text of which nothing is left cannot be left out any more once another block has begun.
    const filled = (message: unknown) =>
      contentOf(message).filter(({ type, text }) => type !== "text" || text !== "")
    fc.assert(
      fc.property(messages, cuts, turns, transforms, (message, places, turns, { prefix, thinking }) => {
        const events = inTurns(cutUp(eventsOf(message), places), turns)
        const stripped = changedEvents({ prefix: undefined, thinking }, events)
        const bare = filled(changedPlain({ prefix: undefined, thinking }, message))
        expect(filled(assembled(stripped))).toEqual(bare)
        const begun = stripped.map(parse).filter(({ type }) => type === "content_block_start")
        expect(begun.map(({ index }) => index)).toEqual(begun.map((_, at) => at))
        if (prefix !== "Note: ") return
        const prefixed = filled(assembled(changedEvents({ prefix, thinking }, events)))
        const changed = prefixed.filter(({ text }, at) => text !== bare[at]?.["text"])
        expect(changed.length).toBeLessThanOrEqual(1)
        for (const { text } of changed) expect(String(text)).toMatch(/^Note: /)
      }),
      { numRuns: runs(200) },
    )
  })

  it("is numbered without a gap where more comes of a thought that has ended", () => {
    const [start = eventOf({}), ...end] = eventsOf(messageOf([]))
    const events = [
      start,
      ...eventsOf(messageOf([{ type: "thinking", thinking: "Hm.", signature: "" }])).slice(1, -2),
      eventOf({
        type: "content_block_delta",
        index: 0,
        delta: { type: "signature_delta", signature: "abc" },
      }),
      ...eventsOf(messageOf([{ type: "thinking", thinking: "" }, textBlock("a")]))
        .slice(1, -2)
        .filter((event) => parse(event)["index"] === 1),
      ...end,
    ]
    const changed = changedEvents({ prefix: undefined, thinking: "strip" }, events)
    expect(placesOf(changed)).toEqual([0])
    expect(assembled(changed)).toMatchObject({ content: [textBlock("a")] })
  })

  it("is changed where a delta comes of a block that never began", () => {
    const delta = (index: number, said: Readonly<Record<string, unknown>>) =>
      eventOf({ type: "content_block_delta", index, delta: said })
    const [start = eventOf({}), ...end] = eventsOf(messageOf([]))
    const events = [
      start,
      delta(0, { type: "thinking_delta", thinking: "Hm." }),
      delta(0, { type: "signature_delta", signature: "abc" }),
      delta(1, { type: "text_delta", text: "<thi" }),
      delta(1, { type: "text_delta", text: "nk>x</think>a" }),
      eventOf({ type: "content_block_stop", index: 1 }),
      ...end,
    ]
    const whole = messageOf([
      { type: "thinking", thinking: "Hm.", signature: "abc" },
      textBlock("<think>x</think>a"),
    ])
    expect(assembled(events)).toEqual(whole)
    for (const transform of [
      { prefix: "P: ", thinking: "strip" },
      { prefix: "P: ", thinking: "passthrough" },
    ] as const) {
      const changed = changedEvents(transform, events)
      expect(assembled(changed)).toEqual(changedPlain(transform, whole))
    }
    const stripped = changedEvents({ prefix: undefined, thinking: "strip" }, events)
    expect(stripped.map(parse).flatMap(({ index }) => index ?? [])).toEqual([0, 0])
  })

  it("law: where nothing is to be changed, there is no machine, and events of others are the same objects", () => {
    expect(messageEventTexts({ prefix: undefined, thinking: "passthrough" })).toBeUndefined()
    expect(messageEventTexts({ prefix: "", thinking: "think_tag" })).toBeUndefined()
    const events = eventsOf(messageOf([{ type: "tool_use", id: "t", name: "n", input: { a: 1 } }]))
    expect(changedEvents({ prefix: "x", thinking: "strip" }, events)).toEqual(events)
  })

  it("loses no digit, member or depth of what it does not know", () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`
    const text = `{"id":"msg_1","type":"message","content":[{"type":"tool_use","id":"t","name":"n","input":{"n":12345678901234567890}},{"type":"web_search_tool_result","content":${deep}}],"stop_reason":"tool_use","stop_sequence":null,"container":{"n":1.10},"usage":{"output_tokens":1,"input_tokens":2}}`
    const datas = messageInEvents(encoder.encode(text), Number.POSITIVE_INFINITY) ?? []
    expect(gathered(datas)).toBe(text)
    expect(assembledMessage(datas, false)).toMatchObject({ id: "msg_1", container: { n: 1.1 } })
  })

  it("says what is missing: what was cut, half of a call's arguments, and the error that ended it", () => {
    const events = [
      eventOf({ type: "message_start", message: { ...messageOf([]), stop_reason: null } }),
      eventOf({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "t", name: "n", input: {} },
      }),
      eventOf({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: '{"a":' },
      }),
      eventOf({ type: "error", error: { type: "overloaded_error", message: "busy" } }),
    ]
    expect(
      assembledMessage(
        events.map(({ data }) => data),
        true,
      ),
    ).toMatchObject({
      content: [{ type: "tool_use", id: "t", name: "n", input: '{"a":' }],
      stop_reason: null,
      error: { type: "overloaded_error", message: "busy" },
      truncated: true,
    })
  })

  it("counts what is reported twice once, and takes of each count the larger", () => {
    const events = [
      eventOf({
        type: "message_start",
        message: { ...messageOf([]), usage: { input_tokens: 9, output_tokens: 1 } },
      }),
      eventOf({
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null, container: { id: "c" } },
        usage: { input_tokens: 0, output_tokens: 7, cache_read_input_tokens: 3 },
        context_management: { applied_edits: [] },
      }),
      eventOf({ type: "message_stop" }),
    ]
    expect(assembled(events)).toMatchObject({
      usage: { input_tokens: 9, output_tokens: 7, cache_read_input_tokens: 3 },
      container: { id: "c" },
      context_management: { applied_edits: [] },
    })
  })

  it("gives out what it holds back before the end of a block, before an error, and at its end", () => {
    const strip: ChoiceTransform = { prefix: undefined, thinking: "strip" }
    const [start, first, held] = cutUp(eventsOf(messageOf([textBlock("a\n<th")])), [2, 6])
    const events = [start, first, held].flatMap((event) => event ?? [])
    const begun = [...events, ...cutUp(eventsOf(messageOf([textBlock("a\n<th")])), [2, 6]).slice(3, 4)]
    expect(assembled(changedEvents(strip, begun))).toMatchObject({ content: [textBlock("a\n<th")] })
    const error = eventOf({ type: "error", error: { type: "api_error", message: "m" } })
    const broken = changedEvents(strip, [...begun, error])
    expect(broken.at(-1)).toBe(error)
    expect(assembled(broken)).toMatchObject({ content: [textBlock("a\n<th")], error: { message: "m" } })
  })

  it("is given out with counts where it has none, since SDKs read them without looking", () => {
    const datas = messageInEvents(encoder.encode('{"type":"message","content":[]}'), 10_000) ?? []
    const events = datas.map((data) => new TextDecoder().decode(data))
    expect(events.at(0)).toContain('"usage":{"input_tokens":0,"output_tokens":0}')
    expect(events.at(-2)).toContain('"usage":{"output_tokens":0}')
  })

  it("is given out with what was said counted once, at its end, since several add up both counts", () => {
    const said = eventsOf(messageOf([textBlock("x")])).map((event) => JSON.stringify(parse(event)))
    expect(said.filter((event) => event.includes('"output_tokens":3'))).toEqual([said.at(-2)])
    expect(said.at(0)).toContain('"output_tokens":0')
  })

  it("is given out as few bytes more than it has, or not at all", () => {
    const bytes = encoder.encode(JSON.stringify(messageOf([textBlock("x".repeat(1_000))])))
    expect(messageInEvents(bytes, 10_000)).toHaveLength(6)
    expect(messageInEvents(bytes, 1_000)).toBeUndefined()
    expect(messageInEvents(encoder.encode('{"content":"x"}'), 1_000)).toBeUndefined()
    expect(messageInEvents(encoder.encode("[]"), 1_000)).toBeUndefined()
  })

  it("tells its usage, or that none is known, where SDKs read it without looking", () => {
    const { usage: _, ...bare } = messageOf([])
    expect(eventsOf(bare).map(parse)).toContainEqual({
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 0 },
    })
  })
})

describe("What is said of a text that is left out", () => {
  const start = eventOf({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } })
  const hidden = eventOf({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: "<think>a" },
  })

  /** How many bytes of so many citations of this length are held at most. */
  const mostHeld = (length: number, count: number): number => {
    const machine = messageEventTexts({ prefix: undefined, thinking: "strip" })
    const citation = eventOf({
      type: "content_block_delta",
      index: 0,
      delta: { type: "citations_delta", citation: { cited_text: "x".repeat(length) } },
    })
    if (machine === undefined) return 0
    let state = machine.initial
    let held = 0
    let most = 0
    for (const event of [start, hidden, ...Array.from({ length: count }, () => citation)]) {
      const [next, given] = machine.step(state, event)
      state = next
      held += event.data.length - given.reduce((sum, { data }) => sum + data.length, 0)
      most = Math.max(most, held)
    }
    return most
  }

  it("waits for it, but not in more than a few megabytes", () => {
    expect(mostHeld(100, 200)).toBeGreaterThan(200 * 100)
    expect(mostHeld(1_000_000, 200)).toBeLessThan(3_000_000)
  })
})
