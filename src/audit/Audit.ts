/** Where finished requests are handed to be written down. Handing over never fails and never waits. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Parcel } from "./queue/Parcel.ts"
import type { AuditRecord } from "./record/AuditRecord.ts"

/** How many records wait in memory, how many in the spill file, how many could not be kept, and how many the writer has taken. */
export interface AuditStatus {
  readonly kept: number
  readonly queued: number
  readonly spilled: number
  readonly lost: number
}

export class Audit extends Context.Tag("sluice/Audit")<
  Audit,
  {
    readonly record: (record: AuditRecord) => void
    readonly status: Effect.Effect<AuditStatus>
    /** Tells one client's key from another's, and tells nothing of the key: what a record may carry. */
    readonly fingerprint: (key: Redacted.Redacted<string>) => string
  }
>() {}

/** Where records are handed in that another process finished. */
export class AuditIntake extends Context.Tag("sluice/AuditIntake")<
  AuditIntake,
  {
    /** Takes all of them, or none where there is no room. */
    readonly put: (parcel: Parcel) => boolean
    readonly status: Effect.Effect<AuditStatus>
  }
>() {}
