import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { aroundText, printedWith } from "../../src/dialects/AroundText.ts"

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("\u0000", '"\u0000"', "\ud800", "</x>", "\\"),
)

describe("law: an object printed around its text is the object printed with it", () => {
  it("whatever others say before the text, the mark itself included", () => {
    fc.assert(
      fc.property(anyText, anyText, (model, text) => {
        const chunk = (content: string) => ({ model, choices: [{ delta: { content }, logprobs: null }] })
        expect(printedWith(aroundText(chunk), text)).toBe(JSON.stringify(chunk(text)))
      }),
    )
  })
})
