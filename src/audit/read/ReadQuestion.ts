/** What the thread that reads the audit is asked, and what it answers: plain data on both sides. */
import type { AuditFilter } from "./AuditFilter.ts"
import type { Grouping, StatsReport } from "./AuditStats.ts"
import type { Row } from "./FoundRow.ts"
import type { Order, RowPlace } from "./MonthQuery.ts"

export interface PageAsked {
  readonly filter: AuditFilter
  readonly order: Order
  /** With headers and bodies. */
  readonly whole: boolean
  /** Where the page before ended. */
  readonly after: RowPlace | undefined
  readonly limit: number
  readonly budgetMs: number
}

export interface RowPage {
  readonly rows: ReadonlyArray<Row>
  /** Where the next page begins; nothing where there is none. */
  readonly next: RowPlace | undefined
  /** The time was over before the page was full: so far all was looked through. */
  readonly searchedTo: string | undefined
}

export interface ReportAsked {
  /** Each is reported on. */
  readonly filters: ReadonlyArray<AuditFilter>
  readonly by: Grouping
  /** For each. */
  readonly budgetMs: number
}

export type ReadQuestion =
  | { readonly kind: "page"; readonly asked: PageAsked }
  /** The request of this id, else those whose ids begin or end so. */
  | { readonly kind: "show"; readonly id: string }
  | { readonly kind: "report"; readonly asked: ReportAsked }

/** What was found by an id. */
export interface Shown {
  readonly rows: ReadonlyArray<Row>
  /** Where none has it: ids that begin or end so, where that is more than one. */
  readonly similar: ReadonlyArray<string>
}

export type ReadAnswer =
  | { readonly kind: "page"; readonly answer: RowPage }
  | { readonly kind: "show"; readonly answer: Shown }
  | { readonly kind: "report"; readonly answer: ReadonlyArray<StatsReport> }

export type ReadSaid =
  /** With the archives it is without, each with why. */
  | (ReadAnswer & { readonly leftOut: ReadonlyArray<string> })
  /** It cannot be read, in words for whoever asked. */
  | { readonly kind: "unreadable"; readonly message: string }
