/** What the primary process and its workers say to each other. Both run the same program, so nothing of it is checked again. */
import type { AuditStatus } from "../audit/Audit.ts"
import type { Parcel } from "../audit/queue/Parcel.ts"
import type { ProcessHealth } from "./ProcessHealth.ts"

/** Asked by a worker; each is answered once, under the same number. */
export type WorkerQuestion =
  /** Keep these records. */
  | { readonly kind: "audit"; readonly number: number; readonly parcel: Parcel }
  /** How all of us are. */
  | { readonly kind: "fleet"; readonly number: number }

export type PrimaryAnswer =
  /** Whether there was room for them. */
  | { readonly kind: "audit"; readonly number: number; readonly isTaken: boolean }
  | { readonly kind: "fleet"; readonly number: number; readonly fleet: FleetHealth }

/** What the primary knows of its workers, those that did not answer in time left out. */
export interface FleetHealth {
  readonly audit: AuditStatus
  /** When all this began, in epoch milliseconds. */
  readonly startedAt: number
  readonly processes: ReadonlyArray<ProcessHealth>
}

export type PrimaryMessage =
  | PrimaryAnswer
  /** Say how you are. */
  | { readonly kind: "health" }
  /** Finish what is under way, and end. */
  | { readonly kind: "drain" }
  /** End at once. */
  | { readonly kind: "hurry" }

export type WorkerMessage =
  | WorkerQuestion
  | { readonly kind: "health"; readonly health: ProcessHealth; readonly audit: AuditStatus }
  /** It cannot start, for these reasons, and ends. */
  | { readonly kind: "failed"; readonly problems: ReadonlyArray<string> }
