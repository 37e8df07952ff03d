import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import type { LastingQuestion } from "../../src/processes/FleetQuestion.ts"
import { Inheritance } from "../../src/processes/Inheritance.ts"

const counted: LastingQuestion<number> = {
  name: "counted",
  isAnswer: (said): said is number => typeof said === "number",
  inherit: (left = 0, last) => left + last,
}

const sum = (answers: ReadonlyArray<number>) => answers.reduce((all, one) => all + one, 0)

/** What befalls processes: one counts on, one answers, one dies and is started anew. */
const events = fc.array(
  fc.record({
    what: fc.constantFrom("counts", "answers", "dies"),
    process: fc.nat(2),
  }),
)

describe("What is left of processes", () => {
  it("law: the sum over all never falls, and at the end is all that was ever told", () => {
    fc.assert(
      fc.property(events, (all) => {
        const inheritance = new Inheritance(counted)
        const processes = [{}, {}, {}]
        const counts = [0, 0, 0]
        const told = [0, 0, 0]
        let toldOfDead = 0
        let before = 0
        for (const { process, what } of all) {
          if (what === "counts") counts[process] = (counts[process] ?? 0) + 1
          if (what === "answers") {
            told[process] = counts[process] ?? 0
            inheritance.said(processes[process] ?? {}, counts[process])
          }
          if (what === "dies") {
            inheritance.died(processes[process] ?? {})
            toldOfDead += told[process] ?? 0
            counts[process] = told[process] = 0
          }
          const now = sum(inheritance.answers())
          expect(now).toBeGreaterThanOrEqual(before)
          expect(now).toBe(toldOfDead + sum(told))
          before = now
        }
        expect(inheritance.answers().length).toBeLessThanOrEqual(4)
      }),
    )
  })

  it("does not heed what is no answer", () => {
    const inheritance = new Inheritance(counted)
    const one = {}
    inheritance.said(one, undefined)
    inheritance.died(one)
    expect(inheritance.answers()).toEqual([])
  })
})
