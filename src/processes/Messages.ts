/** What the primary process and its workers say to each other. Both run the same program, so nothing of it is checked again. */
import type { Parcel } from "../audit/queue/Parcel.ts"
import type { Asked } from "./FleetQuestion.ts"

/** Asked by a worker; each is answered once, under the same number. */
export type WorkerQuestion =
  /** Keep these records. */
  | { readonly kind: "audit"; readonly number: number; readonly parcel: Parcel }
  /** What all of us say to this. */
  | { readonly kind: "all"; readonly number: number; readonly asked: Asked }

export type PrimaryAnswer =
  /** Whether there was room for them. */
  | { readonly kind: "audit"; readonly number: number; readonly isTaken: boolean }
  /** Of those who answered in time. */
  | { readonly kind: "all"; readonly number: number; readonly said: AllSaid }

/** What the primary says to a question, if anything, and what the workers do. */
export interface AllSaid {
  readonly primary: ReadonlyArray<unknown>
  readonly workers: ReadonlyArray<unknown>
}

export type PrimaryMessage =
  | PrimaryAnswer
  /** What you say to this, under the same number; nothing where nobody answers. */
  | { readonly kind: "you"; readonly question: number; readonly asked: Asked }
  /** Finish what is under way, and end. */
  | { readonly kind: "drain" }
  /** End at once. */
  | { readonly kind: "hurry" }

export type WorkerMessage =
  | WorkerQuestion
  | { readonly kind: "said"; readonly question: number; readonly said: unknown }
  /** It cannot start, for these reasons, and ends. */
  | { readonly kind: "failed"; readonly problems: ReadonlyArray<string> }
