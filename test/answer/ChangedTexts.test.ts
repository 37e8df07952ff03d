/** What ChangedTexts does beside changing texts; the laws of these are in AnswerStream.test.ts. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { changedTexts } from "../../src/answer/ChangedTexts.ts"
import { untouched } from "../../src/answer/ChoiceTransform.ts"
import { ping, unreadable } from "../../src/answer/StreamEvent.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import type { ThinkingFormat } from "../../src/routing/Upstream.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import { run } from "../../src/wire/Machine.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { bytesOf } from "../support/answers.ts"
import { runs } from "../support/Runs.ts"
import { streamed } from "../support/StreamedAnswers.ts"
import { finishChunk, textChunk } from "../support/Wire.ts"

const event = (value: unknown, name?: string): SseEvent => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: name,
})

const done = event("[DONE]")

const strip = { prefix: undefined, thinking: "strip" } as const

const changed = (events: ReadonlyArray<SseEvent>, hidesUsage = false): ReadonlyArray<SseEvent> => {
  const machine = changedTexts(chatShape, strip, hidesUsage)
  return machine === undefined ? events : run(machine, events)
}

const textOf = ({ data }: SseEvent): string => new TextDecoder().decode(data)

describe("the machine that changes texts", () => {
  it("is none where there is nothing to change", () => {
    expect(changedTexts(chatShape, untouched, true)).toBeUndefined()
  })

  it("passes the very events of which nothing changes, and pings", () => {
    const events = [event(textChunk("a")), ping, event(textChunk("b")), event(finishChunk()), done]
    const out = changed(events)
    expect(out.length).toBe(events.length)
    for (const [at, one] of events.entries()) expect(out[at]).toBe(one)
  })

  it("gives out what it held back before the event that ends the answer, and changes nothing behind it", () => {
    const held = event(textChunk("a\n<thi"))
    const late = event(textChunk("<think>b</think>"))
    for (const last of [done, event({ error: { message: "x" } })]) {
      const out = changed([held, last, late])
      expect(out.map(textOf)).toEqual([
        JSON.stringify(textChunk("a\n")),
        JSON.stringify(textChunk("<thi")),
        textOf(last),
        textOf(late),
      ])
    }
  })

  it("names an error, so that nobody has to find it anew", () => {
    expect(changed([event({ error: { message: "x" } })]).map((one) => one.event)).toEqual(["error"])
  })

  it("holds nothing of the read that a chunk came in whose like may follow for long", () => {
    const { data } = event(textChunk("a"))
    const read = Buffer.concat([Buffer.alloc(9_000), data])
    const machine = changedTexts(chatShape, strip, false)
    const [state] = machine?.step(machine.initial, { data: read.subarray(9_000), event: undefined }) ?? []
    expect(state?.pattern).toBeDefined()
    expect(state?.lastData.buffer.byteLength).toBe(data.length)
  })

  it("says of an event that it could not be read", () => {
    expect(changed([event('{"choices":[{]}')])).toEqual([unreadable])
  })

  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }

  it("sends no chunk for usage that is hidden, and lets it be counted", () => {
    const thought = { ...textChunk("<think>a"), usage }
    const events = [event(textChunk("")), event(thought), event(finishChunk()), done]
    expect(changed(events, true).map(textOf)[1]).toBe(JSON.stringify({ ...thought, choices: [] }))
    const given = { shape: chatShape, transform: strip, includeUsage: false, choices: 1, secrets: noSecrets }
    const { data, state } = streamed(given, events)
    expect(data.filter((one) => Buffer.from(one).includes("usage"))).toEqual([])
    expect(state.usage).toMatchObject({ inputTokens: 1, outputTokens: 2 })
  })

  it("sends it where it is shown", () => {
    const thought = { ...textChunk("<think>a"), usage }
    expect(changed([event(thought)]).map(textOf)).toHaveLength(1)
  })
})

const pieceArb = fc.constantFrom(
  "a",
  " b",
  "c.",
  "",
  " ",
  "\n",
  "<",
  "<think>",
  "</think>",
  "th",
  "d\n<thi",
  "\\",
)

const deltaArb = fc.oneof(
  { weight: 8, arbitrary: fc.record({ content: pieceArb }) },
  fc.record(
    { content: pieceArb, reasoning: pieceArb, reasoning_content: pieceArb },
    { requiredKeys: ["content"] },
  ),
  fc.record({ role: fc.constant("assistant"), content: fc.constant(null) }),
  fc.record({ content: fc.tuple(fc.record({ type: fc.constant("text"), text: pieceArb })) }),
)

/** What an upstream sends with each of its deltas. */
const besideArb = fc.record(
  { reasoning: fc.constantFrom("", null), reasoning_content: fc.constantFrom("", null) },
  { requiredKeys: [] },
)

const choiceArb = fc.record({
  index: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constant(1)),
  delta: deltaArb,
  finish_reason: fc.oneof({ weight: 19, arbitrary: fc.constant(null) }, fc.constant("stop")),
})

const formats: ReadonlyArray<ThinkingFormat> = [
  "passthrough",
  "strip",
  "think_tag",
  "reasoning",
  "reasoning_content",
]

const transformArb = fc.record({
  prefix: fc.constantFrom(undefined, "p: ", "<think>"),
  thinking: fc.constantFrom(...formats),
})

describe("law: it does not matter whether a chunk is like the one before", () => {
  it("but for where its bytes come from", () => {
    fc.assert(
      fc.property(
        transformArb,
        besideArb,
        fc.array(choiceArb, { maxLength: 25 }),
        (transform, beside, some) => {
          const choices = some.map((choice) => ({ ...choice, delta: { ...beside, ...choice.delta } }))
          const machine = changedTexts(chatShape, transform, false)
          if (machine === undefined) return
          const told = (numberOf: (at: number) => number) =>
            run(machine, [
              ...choices.map((choice, at) => event({ id: "c", created: numberOf(at), choices: [choice] })),
              done,
            ]).map((one) => textOf(one).replace(/"created":\d+/, ""))
          expect(told(() => 7)).toEqual(told((at) => at))
        },
      ),
      { numRuns: runs(500) },
    )
  })
})
