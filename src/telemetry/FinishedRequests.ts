/** Requests as they finish, told to whoever listens in this process. Where nobody does it costs a look. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { AuditRecord } from "../audit/record/AuditRecord.ts"

export class FinishedRequests extends Context.Tag("sluice/FinishedRequests")<
  FinishedRequests,
  {
    readonly tell: (record: AuditRecord) => void
    /** Hears of each, at once and on the way of that request: it must be quick, and keep no record, for it holds bodies. */
    readonly hear: (listener: (record: AuditRecord) => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}

export const layer: Layer.Layer<FinishedRequests> = Layer.sync(FinishedRequests, () => {
  const listeners = new Set<(record: AuditRecord) => void>()
  return FinishedRequests.of({
    tell: (record) => {
      for (const listener of listeners) listener(record)
    },
    hear: (listener) =>
      Effect.acquireRelease(
        Effect.sync(() => void listeners.add(listener)),
        () => Effect.sync(() => listeners.delete(listener)),
      ),
  })
})
