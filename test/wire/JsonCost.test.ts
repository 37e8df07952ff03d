import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { copies, JsonCost } from "../../src/wire/JsonCost.ts"
import { runs } from "../support/Runs.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The bytes cut at these places. */
const cut = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  let from = 0
  return ends.map((to) => {
    const piece = bytes.subarray(from, to)
    from = to
    return piece
  })
}

const costOf = (chunks: ReadonlyArray<Uint8Array>): JsonCost => {
  const cost = new JsonCost()
  for (const chunk of chunks) cost.feed(chunk)
  return cost
}

/** The same count, a character at a time. */
const naive = (text: string) => {
  const counts = { opens: 0, members: 0, places: 0, strings: 0 }
  let inString = false
  let escaped = false
  for (const character of text) {
    if (inString) {
      if (escaped) escaped = false
      else if (character === "\\") escaped = true
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
      counts.strings++
    } else if (character === "{" || character === "[") counts.opens++
    else if (character === ":") counts.members++
    else if (character === ",") counts.places++
  }
  return counts
}

/** Text of what the count turns on, in any order, JSON or not. */
const tokens = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', "\\", "{", "[", ",", ":", "}", "é", "漢", '\\"', "\\\\"),
      fc.integer({ min: 1, max: 80 }).map((length) => "x".repeat(length)),
      fc.integer({ min: 1, max: 80 }).map((length) => "\\".repeat(length)),
    ),
    { maxLength: 200 },
  )
  .map((parts) => parts.join(""))

describe("What a JSON text costs", () => {
  it("law: what is counted is what stands outside of strings, however the bytes were cut", () => {
    fc.assert(
      fc.property(
        fc.oneof(tokens, fc.json(), fc.string({ unit: "grapheme" })),
        fc.array(fc.nat(), { maxLength: 20 }),
        (text, places) => {
          expect(costOf(cut(bytesOf(text), places)).counts).toEqual(naive(text))
        },
      ),
      { numRuns: runs(1_000) },
    )
  })

  it("law: it grows with each chunk, so that what is too much stays too much", () => {
    fc.assert(
      fc.property(tokens, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
        const cost = new JsonCost()
        let before = 0
        for (const chunk of cut(bytesOf(text), places)) {
          cost.feed(chunk)
          expect(cost.held).toBeGreaterThanOrEqual(before)
          before = cost.held
        }
      }),
    )
  })

  const repeated = (unit: string, times: number, around: readonly [string, string] = ["", ""]) =>
    costOf([bytesOf(around[0] + unit.repeat(times) + around[1])])

  it.each<readonly [what: string, cost: JsonCost, isTooMuch: boolean, isLong: boolean]>([
    [
      "a request of 1 KB",
      repeated("hello ", 170, ['{"model":"m","messages":[{"content":"', '"}]}']),
      false,
      false,
    ],
    [
      "a history of a hundred messages",
      repeated('{"role":"user","content":"Hello, how are you?"},', 100),
      false,
      false,
    ],
    ["a 20 MB image", repeated("A".repeat(1_000), 20_000, ['{"url":"', '"}']), false, true],
    ["a text of 2 MB", repeated('\\n\\"quoted\\"', 160_000, ['"', '"']), false, true],
    [
      "a history of 5,000 messages",
      repeated('{"role":"user","content":"Hello, how are you?"},', 5_000),
      false,
      true,
    ],
    ["300,000 tokens", repeated("12345,", 300_000), false, true],
    ["1,000,000 numbers", repeated("1,", 1_000_000), false, true],
    [
      "1,000 tools of 40 parameters",
      repeated('{"type":"string","description":"a word"},', 40_000),
      false,
      true,
    ],
    ["2 MB of spaces", repeated(" ", 2_000_000), false, true],
    ["2 MB of {}", repeated("{},", 700_000), true, true],
    ["1 MB of [", repeated("[", 1_000_000), true, true],
    ["6 MB of empty strings", repeated('"",', 2_000_000), true, true],
    ["200,000 members", repeated('"a":1,', 200_000), true, true],
    ["5,000,000 numbers", repeated("1,", 5_000_000), true, true],
    ["2 MB of colons, which is no JSON", repeated(":", 2_000_000), true, true],
  ])("of %s", (_, cost, isTooMuch, isLong) => {
    expect([cost.isTooMuch, cost.isLong]).toEqual([isTooMuch, isLong])
  })

  it("in memory is all its copies and all its values", () => {
    const cost = repeated("{},", 1_000)
    expect(cost.held).toBe(copies * 3_000 + cost.memory)
    expect(cost.memory).toBeGreaterThan(64 * 1_000)
  })
})
