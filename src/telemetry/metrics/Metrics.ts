/** The metrics of this process: told of requests as they begin and end, and asked what they read. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuditRecord } from "../../audit/record/AuditRecord.ts"
import { Book } from "./Book.ts"
import { recordGptApi } from "./GptApiMetrics.ts"
import type { MetricsPolicy } from "./MetricsPolicy.ts"
import type { Readings } from "./Readings.ts"
import { keptTrace, none } from "./RequestLabels.ts"
import { RequestMetrics } from "./RequestMetrics.ts"

export class Metrics extends Context.Tag("sluice/Metrics")<
  Metrics,
  {
    /** A request of an endpoint was let in. */
    readonly opened: (endpoint: string) => void
    /** One that was let in is over. */
    readonly ended: (endpoint: string) => void
    /** A request's record is closed. */
    readonly closed: (record: AuditRecord, policy: MetricsPolicy) => void
    /** How many requests of each endpoint are under way. */
    readonly active: () => ReadonlyMap<string, number>
    /** What was recorded; long ones are read in parts. */
    readonly readings: Effect.Effect<Readings>
  }
>() {}

export const layer: Layer.Layer<Metrics> = Layer.effect(
  Metrics,
  Effect.map(Effect.clock, (clock) => {
    const book = new Book()
    const requests = new RequestMetrics(book)
    const active = new Map<string, number>()
    return Metrics.of({
      opened: (endpoint) => void active.set(endpoint, (active.get(endpoint) ?? 0) + 1),
      ended: (endpoint) => void active.set(endpoint, (active.get(endpoint) ?? 1) - 1),
      closed: (record, policy) => {
        const model = record.model === undefined ? none : policy.modelNamed(record.model)
        const trace = keptTrace(record)
        const seen = trace === undefined ? undefined : { trace, at: clock.unsafeCurrentTimeMillis() }
        const closed = { record, model, seen }
        requests.closed(closed)
        if (policy.names.has("gpt_api")) recordGptApi(book, closed)
      },
      active: () => active,
      readings: book.readings,
    })
  }),
)
