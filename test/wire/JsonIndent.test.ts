/** JSON is set out over lines without a character of it being changed, whatever it is. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { indented } from "../../src/wire/JsonIndent.ts"
import { runs } from "../support/Runs.ts"

const withoutSpace = (text: string) => text.replace(/\s+/g, "")

describe("indented", () => {
  it("law: is as JSON.stringify sets it out", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        fc.pre(typeof value === "object" && value !== null)
        expect(indented(JSON.stringify(value))).toBe(JSON.stringify(value, undefined, 2))
      }),
    )
  })

  it("law: changes nothing but white space, in half a text and in what is none", () => {
    const scraps = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      " ",
      "\n",
      "a",
      "1e400",
      "null",
      '"a"',
      "\u202e",
    )
    fc.assert(
      fc.property(fc.array(scraps, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("")
        expect(withoutSpace(indented(text))).toBe(withoutSpace(text))
      }),
      { numRuns: runs(500) },
    )
  })

  it("keeps digits, doubled members and escapes", () => {
    const text = '{"seed":123456789012345678901234567890,"x":1e400,"x":1.0,"é":"\\u00e9"}'
    expect(indented(text)).toBe(
      '{\n  "seed": 123456789012345678901234567890,\n  "x": 1e400,\n  "x": 1.0,\n  "é": "\\u00e9"\n}',
    )
  })

  it("leaves what is neither object nor array as it is", () => {
    for (const text of ["", "plain: text, of a page", '"a  b"', "12", "<html>"])
      expect(indented(text)).toBe(text)
  })

  it("is not too deep for anything, and grows by no more than a few times", () => {
    for (const text of [
      "[".repeat(100_000),
      `${"[".repeat(100_000)}1${"]".repeat(100_000)}`,
      '{"a":'.repeat(100_000),
    ]) {
      const set = indented(text)
      expect(withoutSpace(set)).toBe(text)
      expect(set.length).toBeLessThan(text.length * 2)
    }
  })

  it("takes a string of megabytes and one that is never closed", () => {
    const text = `{"a":"${"x\\n".repeat(1_000_000)}`
    expect(indented(text)).toBe(`{\n  "a": "${"x\\n".repeat(1_000_000)}`)
  })
})
