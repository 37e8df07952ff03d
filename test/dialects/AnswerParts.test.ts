/** Answers as events, and events as answers. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { answerOf, eventsOf, ToldPart } from "../../src/dialects/AnswerParts.ts"
import { answerArb } from "./Conversations.ts"

describe("An answer", () => {
  it("is what its events tell", () => {
    fc.assert(
      fc.property(answerArb, (answer) => {
        expect(answerOf(eventsOf(answer))).toEqual(answer)
      }),
    )
  })

  it("is none where its events do not begin it or come to no end", () => {
    fc.assert(
      fc.property(answerArb, (answer) => {
        const events = eventsOf(answer)
        expect(answerOf(events.slice(1))).toBeUndefined()
        expect(answerOf(events.slice(0, -1))).toBeUndefined()
      }),
    )
  })
})

describe("A part that is told", () => {
  // Copied with each piece, these would take hours.
  const many = 400_000

  it("may be told in very many pieces", () => {
    const told = new ToldPart({ kind: "text" })
    const citation = { url: "https://a.b", title: "", start: 0, end: 1 }
    for (let at = 0; at < many; at++) {
      told.add({ kind: "more", text: "a" })
      told.add({ kind: "cited", citation })
    }
    expect(told.citations).toBe(many)
    const part = told.part()
    expect(part.kind === "text" && [part.text.length, part.citations?.length]).toEqual([many, many])
  })

  it("may have very many sections", () => {
    const told = new ToldPart({ kind: "reasoning" })
    for (let at = 0; at < many; at++) {
      told.add({ kind: "more", text: "a" })
      told.add({ kind: "section" })
    }
    const part = told.part()
    expect(part.kind === "reasoning" && part.texts.length).toBe(many + 1)
  })
})
