/** Where finished requests are handed to be written down. Handing over never fails and never waits. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuditRecord } from "../domain/AuditRecord.ts"

/** How many records wait to be written, and how many could not be kept. */
export interface AuditStatus {
  readonly queued: number
  readonly lost: number
}

export class Audit extends Context.Tag("sluice/Audit")<
  Audit,
  {
    readonly record: (record: AuditRecord) => Effect.Effect<void>
    readonly status: Effect.Effect<AuditStatus>
  }
>() {}

/** Keeps nothing. */
export const layerDiscard: Layer.Layer<Audit> = Layer.succeed(Audit, {
  record: () => Effect.void,
  status: Effect.succeed({ queued: 0, lost: 0 }),
})
