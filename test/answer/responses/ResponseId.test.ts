/** Ids that name who made a response. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { givenId, makerOf, ownId } from "../../../src/answer/responses/ResponseId.ts"

const idArb = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom("r", "_", "s", "-", "0", "Z") })

describe("An id that is given out", () => {
  it("law: is the upstream's own again, of that upstream alone, and stands in a path as it is", () => {
    fc.assert(
      fc.property(idArb, fc.string(), fc.string(), (id, name, other) => {
        const given = givenId(id, name)
        expect(ownId(given, name)).toBe(id)
        expect(encodeURIComponent(given)).toBe(given)
        if (other !== name) expect(ownId(given, other)).toBeUndefined()
        expect(makerOf(given, [{ name: `${name}x` }, { name }])).toEqual({ name })
      }),
    )
  })

  it("law: is nobody's once it is changed, or where it was never given out", () => {
    fc.assert(
      fc.property(idArb, fc.nat(), fc.constantFrom("a", "_", "7"), (id, at, character) => {
        const given = givenId(id, "first")
        const place = at % given.length
        const changed = given.slice(0, place) + character + given.slice(place + 1)
        if (changed !== given) expect(ownId(changed, "first")).toBeUndefined()
        expect(ownId(id, "first")).toBeUndefined()
      }),
    )
  })

  it("leads to no other path, and has a bound", () => {
    expect(ownId(givenId("..", "first"), "first")).toBeUndefined()
    const long = "r".repeat(10_000)
    expect(givenId(long, "first")).toBe(long)
    expect(ownId(`${long}_s0123456789ab`, "first")).toBeUndefined()
  })
})
