/** Statistics, counted month by month. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type AuditFilter, admitsMonth } from "./AuditFilter.ts"
import { type AuditSource, askMonth, monthsOf } from "./AuditSource.ts"
import { combineAll, type Grouping, type Tallies } from "./AuditStats.ts"
import { numberOf, talliesOf } from "./FoundRow.ts"
import { daysOf, type Standing, sizeQuery, tallyQuery } from "./MonthQuery.ts"

export interface Counted {
  readonly tallies: Tallies
  /** Not where the time for it was over before. */
  readonly isComplete: boolean
}

export interface CountLimits {
  /** A month of more rows is counted day by day, so that no query takes long or holds much. */
  readonly rowsAtOnce: number
  readonly budgetMs: number
}

/** The newest first: what is cut short lacks the oldest. */
export const stats = (
  source: AuditSource,
  filter: AuditFilter,
  by: Grouping,
  { budgetMs, rowsAtOnce }: CountLimits,
) =>
  Effect.gen(function* () {
    const endsAt = (yield* Clock.currentTimeMillis) + budgetMs
    let tallies: Tallies = new Map()
    const months = (yield* monthsOf(source)).filter((month) => admitsMonth(filter, month))
    for (const month of months.toReversed()) {
      const size = yield* askMonth(source, month, sizeQuery, (rows) => numberOf(rows[0]?.["n"]) ?? 0)
      for (const slice of size <= rowsAtOnce ? [filter] : daysOf(filter, month).toReversed()) {
        if ((yield* Clock.currentTimeMillis) >= endsAt) return { tallies, isComplete: false }
        const question = (standing: Standing) => tallyQuery(standing, slice, by)
        tallies = combineAll(tallies, yield* askMonth(source, month, question, talliesOf))
        // The queries never wait, so nothing else would run before the last.
        yield* Effect.yieldNow()
      }
    }
    return { tallies, isComplete: true }
  })
