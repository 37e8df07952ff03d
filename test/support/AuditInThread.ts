/** The audit's writer in the thread of the test, where `TestClock` rules and steps can be interrupted. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AuditFiles } from "../../src/audit/AuditUrl.ts"
import type { AuditWriter } from "../../src/audit/AuditWriter.ts"
import { unpack } from "../../src/audit/queue/Parcel.ts"
import { type Pace, rotate } from "../../src/audit/sqlite/Archive.ts"
import { makeStore } from "../../src/audit/sqlite/Store.ts"

/** Small steps, one right after the other. */
export const quickPace: Pace = { rowsPerCopy: 20, rowsPerClear: 15, between: () => Effect.void }

export const inThread =
  (pace: Pace = quickPace) =>
  (files: AuditFiles): Effect.Effect<AuditWriter, never, Scope.Scope> =>
    Effect.map(makeStore(files), (store) => ({
      write: (parcel) => store.write(unpack(parcel)),
      drain: store.drain,
      rotate: (now, retentionMonths) => rotate(files, now, retentionMonths, pace),
    }))
