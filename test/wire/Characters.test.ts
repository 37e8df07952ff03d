/** Texts by their characters. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { characters, furtherOn } from "../../src/wire/Characters.ts"

const texts = fc.string({ unit: "binary", maxLength: 40 })

describe("The characters of a text", () => {
  it("law: are its code points", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(characters(text)).toBe([...text].length)
      }),
    )
  })

  it("law: lead to a place between two of them, at the end at most", () => {
    fc.assert(
      fc.property(texts, fc.nat(60), (text, by) => {
        expect(text.slice(0, furtherOn(text, 0, by))).toBe([...text].slice(0, by).join(""))
      }),
    )
  })
})
