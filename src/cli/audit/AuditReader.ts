/** What the commands of `sluice audit` ask, of files or of a running gateway alike. */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { AuditFilter } from "../../audit/read/AuditFilter.ts"
import type { Grouping, StatsReport } from "../../audit/read/AuditStats.ts"
import type { AuditUnreadable } from "../../audit/read/AuditUnreadable.ts"
import type { Row } from "../../audit/read/FoundRow.ts"
import type { Reader } from "../../audit/read/Reader.ts"
import type { Shown } from "../../audit/read/ReadQuestion.ts"
import type { CliFailure } from "../CliFailure.ts"

/** As of `Reader`. */
export interface AuditReader extends Pick<Reader, "inherited"> {
  /** Why the answers so far are not whole. */
  readonly leftOut: () => ReadonlyArray<{ readonly message: string }>
  readonly list: (filter: AuditFilter, limit: number) => Rows
  readonly called: (id: string) => Effect.Effect<Shown, Unanswered>
  readonly report: (
    filter: AuditFilter,
    by: Grouping,
    budgetMs: number,
  ) => Effect.Effect<StatsReport, Unanswered>
  readonly export: (filter: AuditFilter) => Rows
  readonly follow: (filter: AuditFilter, count: number) => Rows
}

export type Unanswered = AuditUnreadable | CliFailure

export type Rows = Stream.Stream<Row, Unanswered>
