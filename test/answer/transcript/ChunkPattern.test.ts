import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { patternOf, toldIn } from "../../../src/answer/transcript/ChunkPattern.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { parseObject } from "../../../src/wire/JsonBytes.ts"
import { textArb } from "../../support/answers.ts"
import { runs } from "../../support/Runs.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const patternIn = (data: Uint8Array) => {
  const chunk = parseObject(data)
  return chunk === undefined ? undefined : patternOf(data, chunk)
}

/** A chunk as upstreams write it, by the text it tells and its padding. */
type Shape = (text: string, padding: string) => string

const json = JSON.stringify

const shapes: ReadonlyArray<Shape> = [
  (text) =>
    json({ id: "c", choices: [{ index: 0, delta: { content: text }, logprobs: null, finish_reason: null }] }),
  (text, padding) =>
    json({ id: "c", choices: [{ index: 0, delta: { content: text } }], usage: null, obfuscation: padding }),
  (text, padding) =>
    json({ obfuscation: padding, choices: [{ delta: { role: "assistant", content: "", reasoning: text } }] }),
  (text) => json({ object: "text_completion", choices: [{ text, index: 0, logprobs: { content: [] } }] }),
  (text) => json({ content: "elsewhere", choices: [{ delta: { content: text }, note: '"content": "' }] }),
  (text) => `{ "choices" : [ { "delta" : {\n"content"\t: ${json(text)} } } ] }`,
  (text) => `{"choices":[{"delta":{"content":"first","content":${json(text)}}}]}`,
]

const shapeArb = fc.constantFrom(...shapes)
const anyText = fc.oneof(textArb, fc.string({ unit: "binary", maxLength: 60 }))
const saidArb = anyText.filter((text) => text !== "")

const withoutPadding = ({ obfuscation: _, ...rest }: JsonObject): JsonObject => rest

describe("law: what is told is what the chunk spells", () => {
  it("for the like of a chunk, whatever is changed in it", () => {
    const changes = fc.array(
      fc.record({
        at: fc.nat(400),
        removed: fc.nat(3),
        put: fc.oneof(
          fc.constantFrom('"', "\\", "{", "}", ",", "\n", "\\u00e9", '"content":"x",', "\ufeff").map(encode),
          fc.uint8Array({ maxLength: 3 }),
        ),
      }),
      { maxLength: 2 },
    )
    let told = 0
    fc.assert(
      fc.property(shapeArb, saidArb, anyText, anyText, changes, (shape, before, text, padding, all) => {
        const pattern = patternIn(encode(shape(before, "x")))
        let bytes = [...encode(shape(text, padding))]
        for (const { at, put, removed } of all) bytes = bytes.toSpliced(at % bytes.length, removed, ...put)
        const data = Uint8Array.from(bytes)
        const said = pattern === undefined ? undefined : toldIn(pattern, data)
        if (said === undefined || pattern === undefined) return
        told++
        const chunk = parseObject(data)
        expect(chunk).toBeDefined()
        expect(withoutPadding(pattern.chunkWith(said))).toEqual(withoutPadding(chunk ?? {}))
      }),
      { numRuns: runs(3000) },
    )
    expect(told).toBeGreaterThan(500)
  })
})

describe("law: a chunk with another text is told", () => {
  it("for every text, where its member is the first of that name that has one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...shapes.slice(0, 4)),
        saidArb,
        anyText,
        anyText,
        (shape, before, text, padding) => {
          const pattern = patternIn(encode(shape(before, "x")))
          expect(pattern === undefined ? undefined : toldIn(pattern, encode(shape(text, padding)))).toBe(text)
        },
      ),
      { numRuns: runs(1000) },
    )
  })
})

describe("patternOf", () => {
  const chunkOf = (choice: object, more: object = {}) =>
    encode(json({ choices: [{ index: 0, ...choice }], ...more }))

  it("has none of a chunk that adds more than one text, or none", () => {
    const part = { index: 0, function: { arguments: "{" } }
    for (const choice of [
      { delta: {} },
      { delta: { content: "" }, finish_reason: "stop" },
      { delta: { content: "a", reasoning: "b" } },
      { delta: { content: "a", tool_calls: [part] } },
      { delta: { tool_calls: [part] } },
      { delta: { content: [{ type: "text", text: "a" }] } },
      { delta: { content: "a" }, logprobs: { content: [{ token: "a" }] } },
      { delta: { content: { text: "a" } } },
    ]) {
      expect(patternIn(chunkOf(choice))).toBeUndefined()
    }
  })

  it("has none of a chunk with several choices, or none", () => {
    const choice = { delta: { content: "a" } }
    expect(patternIn(encode(json({ choices: [choice, choice] })))).toBeUndefined()
    expect(patternIn(encode(json({ choices: [], usage: {} })))).toBeUndefined()
    expect(patternIn(encode(json({ error: { message: "m" } })))).toBeUndefined()
  })

  it("has none of a chunk that is long", () => {
    expect(patternIn(chunkOf({ delta: { content: "a".repeat(3000) } }))).toBeUndefined()
  })

  it("is not led astray by a chunk that says what it looks for", () => {
    const hostile = encode(
      json({ note: { content: "here" }, choices: [{ delta: { content: "sluice told" } }] }),
    )
    expect(patternIn(hostile)).toBeUndefined()
  })
})

describe("toldIn", () => {
  it("tells none of what is no JSON, has other members, or ends too soon", () => {
    const chunk = (text: string) => `{"choices":[{"delta":{"content":${text}}}]}`
    const pattern = patternIn(encode(chunk('"a"')))
    if (pattern === undefined) throw new Error("no pattern")
    expect(toldIn(pattern, encode(chunk('"b\\n漢"')))).toBe("b\n漢")
    for (const data of [
      chunk('"b\\q"'),
      chunk('"b\n"'),
      chunk("null"),
      chunk('"b","refusal":"c"'),
      chunk('"b"').slice(0, -1),
      `${chunk('"b"')} `,
      '{"choices":[{"delta":{"content":"b',
      "",
    ]) {
      expect(toldIn(pattern, encode(data))).toBeUndefined()
    }
  })
})

describe("a pattern", () => {
  it("holds nothing of the read that its chunk came in", () => {
    let made = 0
    for (const shape of shapes) {
      const chunk = encode(shape("a", "x"))
      const read = Buffer.concat([Buffer.alloc(9_000), chunk])
      const pattern = patternIn(read.subarray(9_000))
      read.fill(0)
      if (pattern === undefined) continue
      made++
      for (const { buffer } of pattern.fixed) expect(buffer.byteLength).toBe(chunk.length)
      expect(toldIn(pattern, encode(shape("b", "y")))).toBe("b")
    }
    expect(made).toBeGreaterThan(3)
  })
})
