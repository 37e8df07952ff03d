/** Marks of makers behind what they sealed. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isMarked, marked, ownOf } from "../../src/routing/Mark.ts"

const sealed = fc.oneof(
  fc.base64String({ minLength: 1 }),
  fc.string({ minLength: 1 }),
  fc.integer({ min: 500, max: 520 }).map((length) => "x".repeat(length)),
)

const names = fc
  .tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }))
  .filter(([one, other]) => one !== other)

describe("What is sealed and given out", () => {
  it("law: is its maker's own again, byte for byte, and nobody else's", () => {
    fc.assert(
      fc.property(sealed, names, (made, [maker, other]) => {
        const given = marked(made, maker)
        expect(isMarked(given)).toBe(true)
        expect(given.startsWith(made)).toBe(true)
        expect(ownOf(given, maker)).toBe(made)
        expect(ownOf(given, other)).toBeUndefined()
      }),
    )
  })

  it("law: is its maker's where gateways stand behind each other, whatever they call it", () => {
    fc.assert(
      fc.property(sealed, names, fc.boolean(), (made, [one, other], sameName) => {
        const inner = marked(made, one)
        const outer = marked(inner, sameName ? one : other)
        expect(ownOf(outer, sameName ? one : other)).toBe(inner)
      }),
    )
  })

  it("law: is its maker's where it was given out in pieces that were joined", () => {
    fc.assert(
      fc.property(
        fc.array(fc.base64String({ minLength: 1 }), { minLength: 1, maxLength: 64 }),
        names,
        (made, [maker, other]) => {
          const given = made.map((piece) => marked(piece, maker)).join("")
          expect(ownOf(given, maker)).toBe(made.join(""))
          expect(ownOf(given, other)).toBeUndefined()
        },
      ),
    )
  })

  it("law: has no mark where it was not given out", () => {
    fc.assert(
      fc.property(fc.base64String(), fc.string(), (made, name) => {
        expect(isMarked(made)).toBe(false)
        expect(ownOf(made, name)).toBeUndefined()
      }),
    )
  })

  it("is in no more than 64 pieces", () => {
    const pieces = (count: number): string => marked("x", "one").repeat(count)
    expect(ownOf(pieces(64), "one")).toBe("x".repeat(64))
    expect(ownOf(pieces(65), "one")).toBeUndefined()
  })
})
