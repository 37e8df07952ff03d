/** The prefix stands before the first text of a choice, once, and nowhere else. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Piece } from "../../src/answer/Piece.ts"
import { prefix } from "../../src/answer/Prefix.ts"
import { thinking } from "../../src/answer/Thinking.ts"
import { compose, run } from "../../src/wire/Machine.ts"

const content = (text: string): Piece => ({ field: "content", text })
const reasoning = (text: string): Piece => ({ field: "reasoning", text })

const joined = (pieces: ReadonlyArray<Piece>, field: Piece["field"]): string =>
  pieces
    .filter((piece) => piece.field === field)
    .map((piece) => piece.text)
    .join("")

const piecesArb = fc.array(
  fc.record<Piece>({
    field: fc.constantFrom("content" as const, "reasoning" as const),
    text: fc.string({ maxLength: 4 }),
  }),
  { maxLength: 8 },
)

describe("prefix", () => {
  it("goes before the first text, in the same piece", () => {
    expect(run(prefix("AI: "), [content("Hel"), content("lo")])).toEqual([content("AI: Hel"), content("lo")])
  })

  it("waits for text that is not empty", () => {
    expect(run(prefix("AI: "), [content(""), content("Hi")])).toEqual([content(""), content("AI: Hi")])
  })

  it("is not given where there is no text, as in answers that only call tools", () => {
    expect(run(prefix("AI: "), [])).toEqual([])
    expect(run(prefix("AI: "), [content("")])).toEqual([content("")])
  })

  it("lets reasoning pass and goes before the content after it", () => {
    expect(run(prefix("AI: "), [reasoning("hm"), content("Hi")])).toEqual([
      reasoning("hm"),
      content("AI: Hi"),
    ])
  })

  it("may open a block whose opening tag the model leaves out", () => {
    const machine = compose(prefix("<think>\n"), thinking("reasoning"))
    const pieces = run(machine, [content("Let me see"), content("</th"), content("ink>\n\nYes.")])
    expect(joined(pieces, "reasoning")).toBe("\nLet me see")
    expect(joined(pieces, "content")).toBe("Yes.")
  })

  it("law: the joined content is the prefix and the content, or nothing; reasoning is unchanged", () => {
    fc.assert(
      fc.property(fc.string(), piecesArb, (text, pieces) => {
        const given = run(prefix(text), pieces)
        const before = joined(pieces, "content")
        expect(joined(given, "content")).toBe(before === "" ? "" : text + before)
        expect(joined(given, "reasoning")).toBe(joined(pieces, "reasoning"))
        expect(given.map((piece) => piece.field)).toEqual(pieces.map((piece) => piece.field))
      }),
    )
  })
})
