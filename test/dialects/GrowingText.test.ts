import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { GrowingText } from "../../src/dialects/GrowingText.ts"

describe("law: a growing text is its pieces joined", () => {
  it("wherever they are cut, within a character too", () => {
    const pieceArb = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom("\ud83d", "\ude00", "\\", '"'),
    )
    fc.assert(
      fc.property(fc.array(pieceArb, { maxLength: 30 }), (pieces) => {
        const growing = new GrowingText()
        for (const piece of pieces) growing.add(piece)
        expect(growing.text).toBe(pieces.join(""))
        expect(growing.isEmpty).toBe(pieces.join("") === "")
      }),
    )
  })
})
