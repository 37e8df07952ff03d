/** What a process keeps of finished requests for who watches, against an oracle: the list of all of them. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FinishedRows, type FinishedSince } from "../../src/admin/FinishedRows.ts"
import { rowTold } from "../../src/admin/RowTold.ts"
import { byColumn, valuesOf } from "../../src/audit/sqlite/Rows.ts"
import { sampleRecord } from "../support/AuditRecords.ts"

const some = rowTold(byColumn(valuesOf(sampleRecord("some"), "")))
const row = (id: string) => ({ ...some, id })

/** Rows under a clock that is turned by hand. */
const kept = () => {
  let now = 1_000
  let made = 0
  const rows = new FinishedRows("a process", () => now)
  return {
    rows,
    wait: (ms: number) => {
      now += ms
    },
    put: (id: string) =>
      rows.put(() => {
        made += 1
        return row(id)
      }),
    made: () => made,
  }
}

const idsOf = ({ rows }: FinishedSince) => rows.map(({ id }) => id)

describe("FinishedRows", () => {
  it("makes no row while nobody watches, and none for who begins to", () => {
    const { made, put, rows } = kept()
    put("before")
    expect(made()).toBe(0)
    const first = rows.since(undefined)
    expect(first).toMatchObject({ process: "a process", missed: 0, rows: [] })
    put("after")
    expect(idsOf(rows.since(first.last))).toEqual(["after"])
  })

  it("lets go of all once nobody has asked for five seconds, and says to a late one how many it missed", () => {
    const { made, put, rows, wait } = kept()
    const { last } = rows.since(undefined)
    put("one")
    put("two")
    wait(5_001)
    put("three")
    put("four")
    expect(made()).toBe(2)
    expect(rows.since(last)).toMatchObject({ missed: 2, rows: [] })
  })

  it("law: who asks again and again is told each row once, in order, or that it was missed", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_200), { maxLength: 12 }), fc.nat(3), (bursts, askedBetween) => {
        const { put, rows } = kept()
        let { last } = rows.since(undefined)
        const told: Array<string> = []
        let missed = 0
        let count = 0
        const ask = () => {
          const said = rows.since(last)
          last = said.last
          missed += said.missed
          told.push(...idsOf(said))
          return said.rows.length
        }
        for (const burst of bursts) {
          for (let n = 0; n < burst; n += 1) put(String(count++))
          for (let n = 0; n < askedBetween; n += 1) ask()
        }
        while (ask() > 0);
        expect(told.length + missed).toBe(count)
        expect(told).toEqual(told.toSorted((a, b) => Number(a) - Number(b)))
        expect(new Set(told).size).toBe(told.length)
        // What is let go of is the oldest.
        if (count > 0) expect(told.at(-1)).toBe(String(count - 1))
      }),
      { numRuns: 20 },
    )
  })

  it("answers two who watch alike, each from where it is", () => {
    const { put, rows } = kept()
    const { last } = rows.since(undefined)
    put("one")
    const early = rows.since(last)
    put("two")
    expect(idsOf(rows.since(last))).toEqual(["one", "two"])
    expect(idsOf(rows.since(early.last))).toEqual(["two"])
  })
})
