/** Statistics, counted month by month. */
import * as Effect from "effect/Effect"
import { type AuditFilter, admitsMonth } from "./AuditFilter.ts"
import { type AuditSource, askMonth, monthsOf } from "./AuditSource.ts"
import { combineAll, type Grouping, type Tallies } from "./AuditStats.ts"
import { numberOf, talliesOf } from "./FoundRow.ts"
import { daysOf, type Standing, sizeQuery, tallyQuery } from "./MonthQuery.ts"

/** A month of many rows is counted day by day, so that no query takes long or holds much. */
export const stats = (source: AuditSource, filter: AuditFilter, by: Grouping, rowsAtOnce: number) =>
  Effect.gen(function* () {
    let tallies: Tallies = new Map()
    const months = (yield* monthsOf(source)).filter((month) => admitsMonth(filter, month))
    for (const month of months) {
      const size = yield* askMonth(source, month, sizeQuery, (rows) => numberOf(rows[0]?.["n"]) ?? 0)
      for (const slice of size <= rowsAtOnce ? [filter] : daysOf(filter, month)) {
        const question = (standing: Standing) => tallyQuery(standing, slice, by)
        tallies = combineAll(tallies, yield* askMonth(source, month, question, talliesOf))
        // The queries never wait, so nothing else would run before the last.
        yield* Effect.yieldNow()
      }
    }
    return tallies
  })
