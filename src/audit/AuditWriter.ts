/** What writes the audit down, as the queue sees it: in this thread or in another. */
import type * as Effect from "effect/Effect"
import type { Parcel } from "./queue/Parcel.ts"

/** How a batch, or a step of draining, went. Plain values: reports cross threads. */
export interface WriteReport {
  /** The batch is kept nowhere: neither the database nor the spill took it. It may be tried again. */
  readonly refused: boolean
  /** Rows that wait in the spill now. */
  readonly spilled: number
  /** Rows of this call that cannot be kept: the database is well and does not take them, or somebody removed the spill. */
  readonly lost: number
  /** Why rows do not get into the database now; `undefined` when they do. */
  readonly fault: string | undefined
  /** Whether that is a lock of somebody else's, which as a rule lasts for moments. */
  readonly locked: boolean
  /** Whether this process is the one to move months into archives. */
  readonly owner: boolean
  /** Whether another gateway is, and writes to this database too. */
  readonly shared: boolean
  /** The first month that stands in the database, as far as is known. */
  readonly oldestMonth: string | undefined
}

/** What is known before the first report. */
export const nothingWritten: WriteReport = {
  refused: false,
  spilled: 0,
  lost: 0,
  fault: undefined,
  locked: false,
  owner: false,
  shared: false,
  oldestMonth: undefined,
}

/** What a look at the finished months came to. */
export interface RotationReport {
  /** Files that finished months were moved into. */
  readonly archived: ReadonlyArray<string>
  /** Archives that were older than is kept. */
  readonly deleted: ReadonlyArray<string>
  /** What kept it from finishing; it goes on from there the next time. */
  readonly fault: string | undefined
}

/** There was nothing to do. */
export const nothingRotated: RotationReport = { archived: [], deleted: [], fault: undefined }

export interface AuditWriter {
  /** Keeps a batch. In bounded time, whatever the database does; writing a batch again does no harm. Its bytes are not read any more afterwards. */
  readonly write: (batch: Parcel) => Effect.Effect<WriteReport>
  /** Brings some of what waits in the spill into the database. */
  readonly drain: Effect.Effect<WriteReport>
  /**
   * Moves the months before that of `now` into their archives, and deletes archives older than `retentionMonths` (0 keeps all). May
   * take long, and be interrupted at any time; rows are written meanwhile.
   */
  readonly rotate: (now: number, retentionMonths: number) => Effect.Effect<RotationReport>
}
