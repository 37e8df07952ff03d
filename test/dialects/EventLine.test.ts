/** Parts that come side by side, in one line. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { noUsage } from "../../src/answer/Usage.ts"
import type { AnswerEvent, PartBeginning } from "../../src/dialects/Answer.ts"
import { answerOf } from "../../src/dialects/AnswerParts.ts"
import {
  EventLine,
  longestName,
  mostAside,
  mostHeld,
  mostKept,
  mostWaiting,
} from "../../src/dialects/EventLine.ts"

const call = (name: string): PartBeginning => ({ kind: "tool_call", id: name, name, isFreeForm: false })

const partsOf = (events: ReadonlyArray<AnswerEvent>) =>
  answerOf([
    { kind: "begins", head: { id: "a", model: "m", createdAt: undefined, serviceTier: undefined } },
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

/** What a line tells of this. */
const toldOf = (line: EventLine, ...steps: ReadonlyArray<(line: EventLine) => void>) => {
  for (const step of steps) step(line)
  return line.take()
}

const lineOf = (...heads: ReadonlyArray<PartBeginning>): EventLine => {
  const line = new EventLine()
  for (const [at, head] of heads.entries()) line.open(`${at}`, head, "close")
  line.take()
  return line
}

const kindsOf = (events: ReadonlyArray<AnswerEvent>) => events.map(({ kind }) => kind)

const stop = { kind: "stop" } as const
const calls = { kind: "tool_calls" } as const

const inputsOf = (events: ReadonlyArray<AnswerEvent>) =>
  partsOf(events.slice(1, -1))?.map((part) => (part.kind === "tool_call" ? part.input : part.kind))

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
          for (const index of texts.keys()) line.open(`${index}`, call(`${index}`), endsBy)
          const say = (index: number, length: number): void => {
            const text = texts[index] ?? ""
            const from = at[index] ?? 0
            const piece = text.slice(from, from + length)
            at[index] = from + piece.length
            if (piece === "") return
            line.more(`${index}`, piece)
            if (at[index] === text.length) {
              // All of it once more, as several servers say it.
              line.more(`${index}`, text)
              if (endsBy === "close") line.close(`${index}`)
            }
          }
          for (const [index, length] of turns) say(index, length)
          for (const index of texts.keys()) say(index, Number.POSITIVE_INFINITY)
          line.end(calls)
          const events = line.take()
          expect(isOneLine(events.slice(1, -1))).toBe(true)
          expect(inputsOf(events)).toEqual(texts)
        },
      ),
    )
  })

  it("law: whatever is said, and in whatever order, what is told is an answer by the rules", () => {
    const keyArb = fc.constantFrom("0", "1", "2")
    const headArb = fc.constantFrom<PartBeginning[]>(
      { kind: "text" },
      { kind: "reasoning" },
      { kind: "refusal" },
      call("f"),
      { ...call("g"), kind: "tool_call", id: "", name: "g", isFreeForm: true },
    )
    const stepArb: fc.Arbitrary<(line: EventLine) => void> = fc.oneof(
      fc.tuple(keyArb, headArb, fc.constantFrom("close" as const, "next" as const)).map(
        ([key, head, endsBy]) =>
          (line: EventLine) =>
            line.open(key, head, endsBy),
      ),
      fc.tuple(keyArb, fc.constantFrom("", " ", "{}", '{"a":', "1}", "a", "null")).map(
        ([key, text]) =>
          (line: EventLine) =>
            line.more(key, text),
      ),
      keyArb.map((key) => (line: EventLine) => line.close(key)),
      keyArb.map((key) => (line: EventLine) => line.section(key)),
      keyArb.map((key) => (line: EventLine) => line.cite(key, { url: "u", title: "", start: 0, end: 0 })),
      keyArb.map(
        (key) => (line: EventLine) =>
          line.seal(key, { dialect: "chat", sealed: "s", id: undefined, isAll: false }),
      ),
      fc.constant((line: EventLine) => line.begin({ id: "1", model: "", createdAt: 1, serviceTier: "" })),
      fc.constant((line: EventLine) => line.count(noUsage)),
    )
    const endArb = fc.constantFrom<Array<(line: EventLine) => void>>(
      (line) => line.end(stop),
      (line) => line.end({ kind: "length" }),
      (line) => line.end({ kind: "refused" }, "no"),
      (line) => line.fail({ message: "", type: "", param: null, code: null }),
    )
    fc.assert(
      fc.property(fc.array(stepArb, { maxLength: 30 }), endArb, fc.array(stepArb), (steps, end, behind) => {
        const events = toldOf(new EventLine(), ...steps, end, ...behind, end)
        const kinds = kindsOf(events)
        expect(kinds.filter((kind) => kind === "begins").length).toBeLessThanOrEqual(1)
        expect(["begins", "error"]).toContain(kinds[0])
        expect(kinds.findIndex((kind) => kind === "ends" || kind === "error")).toBe(kinds.length - 1)
        const last = events.at(-1)
        if (last?.kind !== "ends") return
        expect(isOneLine(events.slice(1, -1).filter(({ kind }) => kind !== "counts"))).toBe(true)
        for (const [at, event] of events.entries()) {
          if (event.kind === "sealed") expect(kinds[at + 1]).toBe("part_ends")
          if (event.kind === "section") expect([kinds[at - 1], kinds[at + 1]]).toEqual(["more", "more"])
        }
        const ids = events.flatMap((one) =>
          one.kind === "part_begins" && one.part.kind === "tool_call" ? [one.part.id] : [],
        )
        expect(new Set(ids).size).toBe(ids.length)
        const answer = answerOf(events)
        if (last.finish.kind !== "stop") return
        for (const part of answer?.parts ?? []) {
          if (part.kind !== "tool_call" || part.isFreeForm) continue
          if (part.input.startsWith("{")) expect(() => JSON.parse(part.input)).not.toThrow()
          expect(part.input.trim()).not.toBe("")
        }
      }),
    )
  })

  it("ends a text when the next part begins, where nobody says that it is over", () => {
    const line = new EventLine()
    const events = toldOf(
      line,
      () => line.open("text", { kind: "text" }, "next"),
      () => line.more("text", "a"),
      () => line.open("0", call("f"), "next"),
    )
    expect(kindsOf(events)).toEqual(["begins", "part_begins", "more", "part_ends", "part_begins"])
    expect(line.has("text")).toBe(false)
  })

  it("holds a text back while the input of a call is open", () => {
    const line = new EventLine()
    line.open("0", call("f"), "next")
    line.more("0", '{"a":')
    expect(kindsOf(line.take())).toEqual(["begins", "part_begins", "more"])
    line.open("text", { kind: "text" }, "next")
    line.more("text", "a")
    expect(line.take()).toEqual([])
    line.more("0", "1}")
    expect(kindsOf(line.take())).toEqual(["more", "part_ends", "part_begins", "more"])
  })

  it("tells that a call has no input where text follows, and ends in an error should any come", () => {
    const line = new EventLine()
    line.open("0", call("f"), "next")
    line.more("0", "")
    line.open("text", { kind: "text" }, "next")
    line.more("text", "\n")
    expect(kindsOf(line.take())).toEqual(["begins", "part_begins"])
    line.more("text", "a")
    expect(line.take()).toEqual([
      { kind: "more", text: "{}" },
      { kind: "part_ends" },
      { kind: "part_begins", part: { kind: "text" } },
      { kind: "more", text: "\na" },
    ])
    line.more("0", '{"a":1}')
    expect(kindsOf(line.take())).toEqual(["error"])
  })

  it.each([
    ["nothing", [], "{}"],
    ["an empty text", ["", " "], "{}"],
    ["null", ["null"], "{}"],
    ["an empty object", ["{}"], "{}"],
    ["an empty object, and then another", ["{}", '{"x":1}'], '{"x":1}'],
    ["all of it twice", ['{"x":', "1}", '{"x":1}'], '{"x":1}'],
  ])("says what the input of a call is that is given %s", (_, texts, input) => {
    const line = new EventLine()
    line.open("0", call("f"), "close")
    for (const text of texts) line.more("0", text)
    line.close("0")
    line.end(calls)
    expect(inputsOf(line.take())).toEqual([input])
  })

  it.each([
    [
      "is closed, and another begins",
      (line: EventLine) => [line.close("0"), line.open("1", call("g"), "close")],
    ],
    ["is closed, and the answer calls tools", (line: EventLine) => [line.close("0"), line.end(calls)]],
    ["is open, and the answer calls tools", (line: EventLine) => [line.end(calls)]],
    ["is open, and the answer stops", (line: EventLine) => [line.end(stop)]],
  ])("ends in an error where half an input %s", (_, end) => {
    const line = lineOf(call("f"))
    line.more("0", '{"a":')
    end(line)
    expect(kindsOf(line.take())).toEqual(["more", "error"])
  })

  it.each([
    ["half an input", ['{"a":']],
    ["no input", []],
  ])("leaves %s as it is where the answer was cut", (_, texts) => {
    const line = lineOf(call("f"))
    for (const text of texts) line.more("0", text)
    line.close("0")
    line.end({ kind: "length" })
    expect(line.take()).toEqual([
      ...texts.map((text) => ({ kind: "more", text })),
      { kind: "part_ends" },
      { kind: "ends", finish: { kind: "length" } },
    ])
  })

  it("gives an id to calls that have none, and to one that has another's", () => {
    const line = new EventLine()
    line.begin({ id: "abc", model: "", createdAt: undefined, serviceTier: undefined })
    for (const id of ["", "a", "a"])
      line.open(id, { ...call("f"), kind: "tool_call", id, name: "f", isFreeForm: false }, "close")
    line.end(calls)
    const parts = partsOf(line.take().slice(1, -1))
    expect(parts?.map((part) => part.kind === "tool_call" && part.id)).toEqual([
      "call_abc_0",
      "a",
      "call_abc_2",
    ])
  })

  it("holds as many pieces of a text as one, and tells them all", () => {
    const line = lineOf(call("f"), call("g"))
    const length = 250_000
    for (let at = 0; at < length; at++) line.more("1", "1")
    line.end(calls)
    expect(line.take()).toEqual([
      { kind: "more", text: "{}" },
      { kind: "part_ends" },
      { kind: "part_begins", part: call("g") },
      { kind: "more", text: "1".repeat(length) },
      { kind: "part_ends" },
      { kind: "ends", finish: calls },
    ])
  })

  it("leaves out what an answer refers to beyond some, and sections beyond some", () => {
    const line = lineOf({ kind: "text" })
    const citation = { url: "u", title: "", start: 0, end: 0 }
    for (let at = 0; at < mostAside / 50; at++) line.cite("0", citation)
    line.close("0")
    line.open("1", { kind: "reasoning" }, "close")
    line.more("1", "a")
    line.section("1")
    line.more("1", "b")
    const told = kindsOf(line.take())
    expect(told.filter((kind) => kind === "cited").length).toBeLessThan(mostAside / 100)
    expect(told.slice(-4)).toEqual(["part_ends", "part_begins", "more", "more"])
  })

  it("ends in an error where too much would have to wait", () => {
    const line = lineOf(call("f"), call("g"))
    const half = "a".repeat(mostHeld / 2 - 100)
    line.more("1", half)
    line.more("1", half)
    line.more("1", "a".repeat(100))
    expect(line.take()).toEqual([])
    line.more("1", "a".repeat(100))
    expect(kindsOf(line.take())).toEqual(["error"])
    line.more("0", "{}")
    line.end(calls)
    expect(line.take()).toEqual([])
  })

  it("ends in an error where too many would have to wait", () => {
    const line = lineOf(...Array.from({ length: mostWaiting }, () => call("f")))
    line.open("last", call("f"), "close")
    expect(kindsOf(line.take())).toEqual(["error"])
    line.open("behind", call("f"), "close")
    expect(line.take()).toEqual([])
  })

  it("ends in an error where there are too many parts, or their names are too long", () => {
    const many = new EventLine()
    for (let at = 0; at < mostKept / 500 && !many.isOver; at++) {
      many.open("0", { kind: "text" }, "close")
      many.close("0")
    }
    expect(many.take().at(-1)?.kind).toBe("error")
    const long = new EventLine()
    for (let at = 0; at < 9; at++) {
      long.open("0", call(`${at}${"f".repeat(mostKept / 16)}`), "close")
      long.close("0")
    }
    expect(long.take().at(-1)?.kind).toBe("error")
  })

  it("cuts what would stand in each event", () => {
    const line = new EventLine()
    const long = "a".repeat(longestName + 1)
    line.begin({ id: long, model: long, createdAt: undefined, serviceTier: long })
    const [begun] = line.take()
    expect(begun?.kind === "begins" && [begun.head.id, begun.head.model, begun.head.serviceTier]).toEqual(
      Array.from({ length: 3 }, () => "a".repeat(longestName)),
    )
  })

  it("leaves what is no object or array as it is, and ends it with the answer", () => {
    const line = lineOf()
    line.open("0", call("f"), "next")
    line.more("0", "nu")
    line.open("1", call("g"), "next")
    line.more("0", "ll")
    line.end(calls)
    expect(kindsOf(line.take())).toEqual([
      "begins",
      "part_begins",
      "more",
      "more",
      "part_ends",
      "part_begins",
      "more",
      "part_ends",
      "ends",
    ])
  })
})
