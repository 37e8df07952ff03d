/** Parts that come side by side, in one line. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { noUsage } from "../../src/answer/Usage.ts"
import type { AnswerEvent, PartBeginning } from "../../src/dialects/Answer.ts"
import { answerOf } from "../../src/dialects/AnswerParts.ts"
import { EventLine, mostHeld, mostWaiting } from "../../src/dialects/EventLine.ts"

const call = (name: string): PartBeginning => ({ kind: "tool_call", id: name, name, isFreeForm: false })

const partsOf = (events: ReadonlyArray<AnswerEvent>) =>
  answerOf([
    { kind: "begins", head: { id: "a", model: "m", createdAt: undefined, serviceTier: undefined } },
    { kind: "counts", counts: noUsage },
    ...events,
    { kind: "ends", finish: { kind: "stop" } },
  ])?.parts

/** Never two at once, none left open. */
const isOneLine = (events: ReadonlyArray<AnswerEvent>): boolean => {
  let isOpen = false
  for (const { kind } of events) {
    if (kind === "part_begins") {
      if (isOpen) return false
      isOpen = true
    } else if (!isOpen) return false
    if (kind === "part_ends") isOpen = false
  }
  return !isOpen
}

describe("EventLine", () => {
  it("tells calls that come side by side one after the other, each whole", () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.string({ maxLength: 9 }), { maxKeys: 3 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 7 })), { maxLength: 60 }),
        fc.constantFrom("close" as const, "next" as const),
        (inputs, turns, endsBy) => {
          const line = new EventLine()
          const texts = inputs.map((input) => JSON.stringify(input))
          const at = texts.map(() => 0)
          const events: Array<AnswerEvent> = texts.flatMap((_, index) => [
            ...line.open(`${index}`, call(`${index}`), endsBy),
          ])
          const say = (index: number, length: number): void => {
            const text = texts[index] ?? ""
            const from = at[index] ?? 0
            const piece = text.slice(from, from + length)
            at[index] = from + piece.length
            if (piece === "") return
            events.push(...line.more(`${index}`, piece))
            if (at[index] === text.length) {
              // All of it once more, as several servers say it.
              events.push(...line.more(`${index}`, text))
              if (endsBy === "close") events.push(...line.close(`${index}`))
            }
          }
          for (const [index, length] of turns) say(index, length)
          for (const index of texts.keys()) say(index, Number.POSITIVE_INFINITY)
          events.push(...line.end())
          expect(isOneLine(events)).toBe(true)
          expect(partsOf(events)).toEqual(
            texts.map((input, index) => ({
              kind: "tool_call",
              id: `${index}`,
              name: `${index}`,
              input,
              isFreeForm: false,
            })),
          )
        },
      ),
    )
  })

  it("ends a text when the next part begins, where nobody says that it is over", () => {
    const line = new EventLine()
    const events = [
      ...line.open("text", { kind: "text" }, "next"),
      ...line.more("text", "a"),
      ...line.open("0", call("f"), "next"),
    ]
    expect(events.map(({ kind }) => kind)).toEqual(["part_begins", "more", "part_ends", "part_begins"])
    expect(line.has("text")).toBe(false)
  })

  it("holds a text back while the input of a call is open", () => {
    const line = new EventLine()
    expect([...line.open("0", call("f"), "next"), ...line.more("0", '{"a":')].length).toBe(2)
    expect([...line.open("text", { kind: "text" }, "next"), ...line.more("text", "a")]).toEqual([])
    expect(line.more("0", "1}").map(({ kind }) => kind)).toEqual(["more", "part_ends", "part_begins", "more"])
  })

  it("holds as many pieces of a text as one, and tells them all", () => {
    const line = new EventLine()
    line.open("0", call("f"), "close")
    line.open("1", call("g"), "close")
    const length = 250_000
    for (let at = 0; at < length; at++) line.more("1", "1")
    expect(line.end()).toEqual([
      { kind: "part_ends" },
      { kind: "part_begins", part: call("g") },
      { kind: "more", text: "1".repeat(length) },
      { kind: "part_ends" },
    ])
  })

  it("tells as many citations as may wait", () => {
    const line = new EventLine()
    line.open("0", call("f"), "close")
    line.open("1", { kind: "text" }, "close")
    const citation = { url: "", title: "", start: 0, end: 0 }
    let held = 0
    while (line.add("1", { kind: "cited", citation }).length === 0) held++
    expect(held).toBeLessThan(mostHeld / 100)
  })

  it("ends in an error where too much would have to wait", () => {
    const line = new EventLine()
    line.open("0", call("f"), "close")
    line.open("1", call("g"), "close")
    const half = "a".repeat(mostHeld / 2 - 100)
    expect(line.more("1", half)).toEqual([])
    expect(line.more("1", half)).toEqual([])
    expect(line.more("1", "a".repeat(100))).toEqual([])
    expect(line.more("1", "a".repeat(100)).map(({ kind }) => kind)).toEqual(["error"])
    expect(line.more("0", "{}")).toEqual([])
    expect(line.end()).toEqual([])
  })

  it("ends in an error where too many would have to wait", () => {
    const line = new EventLine()
    const opened = Array.from({ length: mostWaiting }, (_, at) => line.open(`${at}`, call("f"), "close"))
    expect(opened.flat().map(({ kind }) => kind)).toEqual(["part_begins"])
    expect(line.open("last", call("f"), "close").map(({ kind }) => kind)).toEqual(["error"])
    expect(line.open("behind", call("f"), "close")).toEqual([])
  })

  it("leaves what is no object or array as it is, and ends it with the answer", () => {
    const line = new EventLine()
    line.open("0", call("f"), "next")
    expect(line.more("0", "nu")).toEqual([{ kind: "more", text: "nu" }])
    expect(line.open("1", call("g"), "next")).toEqual([])
    expect(line.more("0", "ll")).toEqual([{ kind: "more", text: "ll" }])
    expect(line.end().map(({ kind }) => kind)).toEqual(["part_ends", "part_begins", "part_ends"])
  })
})
