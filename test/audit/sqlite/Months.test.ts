import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Months from "../../../src/audit/sqlite/Months.ts"
import { noon } from "../../support/AuditRecords.ts"

const months = fc
  .tuple(fc.integer({ min: 2000, max: 2199 }), fc.integer({ min: 1, max: 12 }))
  .map(([year, month]) => `${year}_${String(month).padStart(2, "0")}`)

const instants = fc.integer({ min: Date.UTC(2000), max: Date.UTC(2199) })

describe("the months", () => {
  it("are those of started_at, in UTC", () => {
    expect(Months.monthOf(Date.UTC(2026, 9, 31, 23, 59, 59, 999))).toBe("2026_10")
    expect(Months.monthOf(Date.UTC(2026, 10, 1))).toBe("2026_11")
    expect(Months.tableOf(Months.monthOf(noon))).toBe("requests_2026_11")
  })

  it("law: a row's month by its text is the month of its instant", () => {
    fc.assert(
      fc.property(instants, (at) => {
        expect(Months.monthOfStart(new Date(at).toISOString())).toBe(Months.monthOf(at))
      }),
    )
  })

  it("law: the next month begins where the month changes, and not a millisecond before", () => {
    fc.assert(
      fc.property(instants, (at) => {
        const turn = Months.nextMonth(at)
        expect(Months.monthOf(turn - 1)).toBe(Months.monthOf(at))
        expect(Months.monthsBefore(Months.monthOf(turn), 1)).toBe(Months.monthOf(at))
      }),
    )
  })

  it("law: archive names lead back to their month, and other names to none", () => {
    const names = fc.constantFrom("record.db", "audit", "a.b.sqlite", ".db", "x_202601.db")
    fc.assert(
      fc.property(names, months, (live, month) => {
        const archive = Months.archiveName(live, month)
        expect(Months.monthOfArchive(live, archive)).toBe(month)
        expect(Months.monthOfArchive(live, live === "x_202601.db" ? "y.db" : live)).toBeUndefined()
        expect(Months.monthOfArchive(live, `${archive}.partial`)).toBeUndefined()
      }),
    )
    expect(Months.archiveName("record.db", "2026_10")).toBe("record_202610.db")
    expect(Months.monthOfArchive("record.db", "record_202610_1761955200.db")).toBeUndefined()
    expect(Months.monthOfArchive("record.db", "other_202610.db")).toBeUndefined()
  })

  it("law: names of tables lead back to their month", () => {
    fc.assert(
      fc.property(months, (month) => {
        expect(Months.monthOfTable(Months.tableOf(month))).toBe(month)
        expect(Months.monthOfClearedTable(Months.clearedTableOf(month))).toBe(month)
        expect(Months.monthOfTable(Months.clearedTableOf(month))).toBeUndefined()
      }),
    )
  })
})
