/** An audit that keeps its records in memory, for tests to read and to wait for. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Audit } from "../../src/audit/Audit.ts"
import type { AuditRecord } from "../../src/audit/record/AuditRecord.ts"

export interface RecordedAudit {
  readonly layer: Layer.Layer<Audit>
  readonly records: Effect.Effect<ReadonlyArray<AuditRecord>>
  /** Waits until there are at least so many. */
  readonly awaitRecords: (count: number) => Effect.Effect<ReadonlyArray<AuditRecord>>
  /** Waits for the record of a request. */
  readonly awaitRecord: (id: string) => Effect.Effect<AuditRecord>
}

export const recordedAudit: Effect.Effect<RecordedAudit> = Effect.gen(function* () {
  const records = yield* SubscriptionRef.make<ReadonlyArray<AuditRecord>>([])
  const runSync = Runtime.runSync(yield* Effect.runtime<never>())
  return {
    layer: Layer.succeed(Audit, {
      record: (record) => runSync(SubscriptionRef.update(records, (all) => [...all, record])),
      status: Effect.succeed({ kept: 0, queued: 0, spilled: 0, lost: 0 }),
      fingerprint: (key) => `fingerprint of a key of ${Redacted.value(key).length} characters`,
    }),
    records: SubscriptionRef.get(records),
    awaitRecords: (count) =>
      records.changes.pipe(
        Stream.filter((all) => all.length >= count),
        Stream.runHead,
        Effect.flatten,
        Effect.orDie,
      ),
    awaitRecord: (id) =>
      records.changes.pipe(
        Stream.filterMap((all) => Option.fromNullable(all.find((record) => record.id === id))),
        Stream.runHead,
        Effect.flatten,
        Effect.orDie,
      ),
  }
})
