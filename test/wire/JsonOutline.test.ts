import fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import { isJsonObject, type Json, type JsonObject } from "../../src/wire/Json.ts"
import {
  answerLimits,
  JsonOutline,
  type OutlineLimits,
  relayLimits,
  surelyReadable,
  vectorLimits,
} from "../../src/wire/JsonOutline.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Fed in pieces of this size. */
const outlined = (text: string, piece = 7, limits: OutlineLimits = answerLimits) => {
  const outline = new JsonOutline(limits)
  const all = bytes(text)
  for (let at = 0; at < all.length; at += piece) outline.feed(all.subarray(at, at + piece))
  return outline
}

const outlineOf = (text: string, piece?: number) => outlined(text, piece).end()

/** What an outline has of a value in which as much is kept. */
const expected = (value: Json, keptDepth: number): Json => {
  if (value === null || typeof value !== "object") return value
  const isEmpty = Object.keys(value).length === 0
  if (Array.isArray(value)) {
    return keptDepth === 0 ? (isEmpty ? [] : [0]) : value.map((one) => expected(one, keptDepth - 1))
  }
  if (keptDepth === 0) return isEmpty ? {} : { "": 0 }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, expected(one, keptDepth - 1)]))
}

describe("The outline of an object", () => {
  it("has all that stands near its top, and of what is deeper whether there is something", () => {
    const answer = {
      choices: [
        {
          message: { role: "assistant", content: 'Hi "x"\\', tool_calls: [{ id: 1 }], audio: {}, images: [] },
          logprobs: { content: [{ token: "a", bytes: [1, 2] }], refusal: null },
          finish_reason: "stop",
        },
      ],
      usage: { total_tokens: 5, details: { cached: [] } },
    }
    expect(outlineOf(JSON.stringify(answer, undefined, 2))).toEqual({
      choices: [
        {
          message: { role: "assistant", content: 'Hi "x"\\', tool_calls: [0], audio: {}, images: [] },
          logprobs: { content: [0], refusal: null },
          finish_reason: "stop",
        },
      ],
      usage: { total_tokens: 5, details: { cached: [] } },
    })
  })

  it.each([
    "",
    " ",
    "[]",
    '"a"',
    "1",
    "{",
    "{}{",
    "{}1",
    '{"a',
    '{"a":[}',
    "}",
    '{"a":1]',
    "{} {}",
    "nonsense",
    '{"a":tru}',
  ])("is none of %j", (text) => expect(outlineOf(text)).toBeUndefined())

  it("law: is the object where nothing is nested deep, wherever its bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 7 })),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (value, piece, keptDepth) => {
          fc.pre(isJsonObject(value))
          const text = JSON.stringify(value)
          const known: JsonObject = JSON.parse(text)
          const limits = { ...answerLimits, keptDepth }
          expect(outlined(text, piece, limits).end()).toEqual(expected(known, keptDepth))
        },
      ),
    )
  })

  it.each([
    ["objects", '{"x":[', "{},", "{}]}"],
    ["objects in objects", '{"x":{', '"a":{},', '"b":{}}}'],
    ["lists", '{"x":[', "[[]],", "[]]}"],
    ["numbers", '{"x":[', "0.25,", "1]}"],
    ["texts", '{"x":[', '"",', '""]}'],
    ["digits", '{"x":', "1", "1}"],
    ["deep objects", '{"x":[[[[', "{},", "{}]]]]}"],
    ["spaces", '{"x":1', " ", "}"],
    ["a text", '{"x":"', "abc", '"}'],
    ["a text of quotes", '{"x":"', '\\"', '"}'],
    ["a text of backslashes", '{"x":"', "\\\\", '"}'],
    ["a text of signs", '{"x":"', "\\u0041", '"}'],
    ["a text beyond ASCII", '{"x":"', "é🙂", '"}'],
  ])("is small though the object has megabytes of %s", (_, before, piece, after) => {
    const outline = outlineOf(before + piece.repeat(1_000_000 / piece.length) + after, 65_536)
    expect(JSON.stringify(outline).length).toBeLessThan(700_000)
    expect(Object.keys(outline ?? {})).toEqual(["x"])
  })

  it("is small where its texts count, however many there are, and has what stands behind them", () => {
    const text = `{"a":[${`{"x":"${"a".repeat(5_000)}"},`.repeat(500)}{}],"error":{"message":"no"}}`
    const outline = outlined(text, 4_096, relayLimits).end()
    expect(outline).toMatchObject({ a: expect.any(Array), error: { message: "no" } })
    expect(JSON.stringify(outline).length).toBeLessThan(100_000)
    expect(JSON.stringify(outlined(text, 4_096).end()).length).toBeGreaterThan(1_000_000)
  })

  it("law: passes over vectors, whatever stands between their numbers, wherever the bytes are cut", () => {
    const numbers = fc.array(fc.double({ noDefaultInfinity: true, noNaN: true }), {
      minLength: 10,
      maxLength: 60,
    })
    const inside = fc.oneof(
      numbers,
      fc.array(fc.oneof(numbers, fc.record({ x: numbers, "a]": fc.string() })), { maxLength: 4 }),
    )
    const data = fc.array(fc.record({ index: fc.nat(), embedding: inside }), { maxLength: 5 })
    fc.assert(
      fc.property(data, fc.integer({ min: 1, max: 2_000 }), fc.boolean(), (vectors, piece, isPrinted) => {
        const answer = { data: vectors, usage: { total_tokens: 8 } }
        const text = JSON.stringify(answer, undefined, isPrinted ? 2 : 0)
        const left = vectors.map(({ embedding, index }) => ({
          index,
          embedding: embedding.length === 0 ? [] : [0],
        }))
        expect(outlined(text, piece, vectorLimits).end()).toEqual({ ...answer, data: left })
      }),
    )
  })

  it("keeps what stands behind what it leaves out", () => {
    const text = `{"a":[${"{},".repeat(100_000)}{}],"error":{"message":"no"},"b":{${'"x":1,'.repeat(50_000)}"y":2}}`
    expect(outlineOf(text)).toMatchObject({ a: expect.any(Array), error: { message: "no" }, b: { x: 1 } })
  })

  it("looks no further than it may, however much it is fed at once", () => {
    const limits = { ...answerLimits, longestText: 1_000, mostSteps: 100_000 }
    const all = bytes(`{"x":[[[[${"{},".repeat(1_000_000)}`)
    const parts = vi.spyOn(all, "subarray")
    const outline = new JsonOutline(limits)
    outline.feed(all)
    expect(outline.isTooMuch).toBe(true)
    const ends = parts.mock.calls.map(([, end = all.length]) => end)
    expect(Math.max(...ends)).toBeLessThanOrEqual(100_000 + surelyReadable)
  })

  it("stops where more is to be looked at than may be", () => {
    const limits = { ...answerLimits, longestText: 1_000, mostSteps: 100_000 }
    for (const piece of ["{},", "1,", '"",', " "]) {
      const text = `{"x":[${piece.repeat(400_000 / piece.length)}0]}`
      expect([piece, outlined(text, 1_000, limits).isTooMuch]).toEqual([piece, true])
    }
    expect(outlined(`{"x":"${'\\"'.repeat(100_000)}"}`, 1_000, limits).isTooMuch).toBe(true)
    // An image is one text.
    expect(outlined(`{"x":"${"abcd".repeat(1_000_000)}"}`, 65_536, limits).end()).toEqual({
      x: "abcd".repeat(250),
    })
    const whole = { ...limits, cutsTexts: false }
    expect(outlined(`{"x":"${"a".repeat(1_000)}"}`, 99, whole).end()).toEqual({ x: "a".repeat(1_000) })
    expect(outlined(`{"x":"${"a".repeat(1_001)}"}`, 99, whole).isTooMuch).toBe(true)
  })
})
