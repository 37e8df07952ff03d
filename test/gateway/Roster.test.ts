import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Listed, Roster } from "../../src/gateway/Roster.ts"

interface Member extends Listed {
  readonly name: number
}

const steps = fc.array(fc.tuple(fc.constantFrom("add" as const, "delete" as const), fc.nat(9)), {
  maxLength: 200,
})

describe("a roster", () => {
  it("has the members that a set would have, whoever comes and goes, once or again", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const members = Array.from({ length: 10 }, (_, name): Member => ({ place: -1, name }))
        const roster = new Roster<Member>()
        const set = new Set<Member>()
        for (const [step, name] of steps) {
          const member = members[name]
          if (member === undefined) continue
          roster[step](member)
          set[step](member)
          expect(roster.size).toBe(set.size)
          expect(new Set(roster.all)).toEqual(set)
          expect(roster.all.every(({ place }) => place !== -1)).toBe(true)
        }
      }),
    )
  })

  it("tells who was there when it was asked, though some leave meanwhile", () => {
    const roster = new Roster<Member>()
    const members = [0, 1, 2].map((name): Member => ({ place: -1, name }))
    for (const member of members) roster.add(member)
    const seen: Array<number> = []
    for (const member of roster.all) {
      seen.push(member.name)
      roster.delete(member)
    }
    expect(seen).toEqual([0, 1, 2])
    expect(roster.all).toEqual([])
  })
})
