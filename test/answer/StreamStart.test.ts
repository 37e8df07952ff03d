import { describe, expect, it } from "vitest"
import { choiceGrammar } from "../../src/answer/ChoiceGrammar.ts"
import { noneWaiting, startWith } from "../../src/answer/StreamStart.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { bytesOf } from "../support/answers.ts"
import { chunk, textChunk, usageChunk } from "../support/Wire.ts"

const event = (value: unknown) => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: undefined,
})

const grammar = choiceGrammar(chatShape, undefined)

const role = chunk({ role: "assistant", content: "" })

/** What becomes of a stream, event by event, until it is decided. */
const decided = (values: Iterable<unknown>) => {
  let waiting = noneWaiting
  for (const value of values) {
    const start = startWith(grammar, waiting, event(value))
    if (start.kind !== "waits") return { ...start, after: waiting.events }
    waiting = start.waiting
  }
  return { kind: "waits", after: waiting.events }
}

describe("startWith", () => {
  it("begins with the first event that says something", () => {
    expect(decided([textChunk("a")])).toEqual({ kind: "begins", after: 0 })
    expect(decided([usageChunk(), role, {}, textChunk("a"), role])).toEqual({ kind: "begins", after: 3 })
    expect(decided([role, role])).toEqual({ kind: "waits", after: 2 })
  })

  it("tells an error, and an end, that come before it", () => {
    expect(decided([role, { error: "boom" }])).toMatchObject({
      kind: "error",
      error: { message: "boom" },
      after: 1,
    })
    expect(decided([role, usageChunk(), "[DONE]"])).toEqual({ kind: "over", after: 2 })
    expect(decided(["[DONE]"])).toEqual({ kind: "over", after: 0 })
  })

  it("holds a bounded number of events, and of bytes, and begins beyond them whatever they say", () => {
    expect(decided(Array.from({ length: 1_000 }, () => role))).toEqual({ kind: "begins", after: 256 })
    const large = { ...role, system_fingerprint: "x".repeat(100_000) }
    expect(decided([large, large, large, large])).toEqual({ kind: "begins", after: 2 })
  })
})
