/** A month is cut into days without gap or overlap. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type AuditFilter, admitsMonth, everything } from "../../../src/audit/read/AuditFilter.ts"
import { daysOf } from "../../../src/audit/read/MonthQuery.ts"
import { monthOf, nextMonth } from "../../../src/audit/sqlite/Months.ts"

const instants = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2027, 0) })
const bounds = fc.option(instants, { nil: undefined })

const within = ({ since, until }: AuditFilter, at: number): boolean =>
  (since === undefined || at >= since) && (until === undefined || at < until)

describe("daysOf", () => {
  it("law: an instant of the month is in exactly one of its days if the filter admits it, and else in none", () => {
    fc.assert(
      fc.property(bounds, bounds, instants, (since, until, at) => {
        const filter = { ...everything, since, until }
        const days = daysOf(filter, monthOf(at)).filter((day) => within(day, at))
        expect(days).toHaveLength(within(filter, at) ? 1 : 0)
      }),
    )
  })

  it("law: no day is longer than one, and none leaves its month", () => {
    fc.assert(
      fc.property(bounds, bounds, instants, (since, until, at) => {
        const month = monthOf(at)
        for (const day of daysOf({ ...everything, since, until }, month)) {
          const length = (day.until ?? Number.NaN) - (day.since ?? Number.NaN)
          expect(length).toBeGreaterThan(0)
          expect(length).toBeLessThanOrEqual(86_400_000)
          expect(monthOf(day.since ?? 0)).toBe(month)
          expect(day.until).toBeLessThanOrEqual(nextMonth(at))
          expect(admitsMonth(day, month)).toBe(true)
        }
      }),
    )
  })
})
