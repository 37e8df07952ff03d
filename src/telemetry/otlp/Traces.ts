/** Traces: which one a request belongs to, and the spans of those that are kept, exported when their requests are over. Off, they cost one look. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { AuditRecord } from "../../audit/record/AuditRecord.ts"
import type { AttemptSpan, RequestTrace } from "../../audit/record/RequestTrace.ts"
import type { ServedPath } from "../../operations/Operation.ts"
import { toldAs } from "../../operations/paths/Spellings.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import { parentIn, stateIn, traceparentOf } from "../../wire/TraceContext.ts"
import { FinishedRequests } from "../FinishedRequests.ts"
import { originOf, sending } from "./Exporting.ts"
import type { OtlpSettings, TraceSettings } from "./OtlpSettings.ts"
import { Outbox } from "./Outbox.ts"
import { spansOf } from "./RequestSpans.ts"
import { isSampled, type SamplingPolicy } from "./Sampling.ts"
import type { SpanData } from "./SpanData.ts"
import { newId } from "./TraceIds.ts"

/** What is asked, as its span is called. */
export interface TracedEndpoint {
  readonly method: string
  readonly paths: readonly [ServedPath, ...ReadonlyArray<ServedPath>]
}

export class Traces extends Context.Tag("sluice/Traces")<
  Traces,
  {
    /** The trace that a request belongs to; nothing where traces are off. */
    readonly begin: (
      endpoint: TracedEndpoint,
      headers: Readonly<Record<string, string | undefined>>,
    ) => RequestTrace | undefined
    /** How many spans were never exported. */
    readonly dropped: () => number
  }
>() {}

/** One that is under way. */
class OpenTrace implements RequestTrace {
  readonly traceId: string
  readonly spanId = newId(8)
  readonly parentId: string | undefined
  readonly isSampled: boolean
  readonly state: string | undefined
  readonly method: string
  readonly route: string

  constructor(
    { method, paths: [path] }: TracedEndpoint,
    headers: Readonly<Record<string, string | undefined>>,
    sampling: SamplingPolicy,
  ) {
    const parent = parentIn(headers["traceparent"])
    this.traceId = parent?.traceId ?? newId(16)
    this.parentId = parent?.spanId
    this.isSampled = isSampled(sampling, this.traceId, parent?.isSampled)
    this.state = parent === undefined ? undefined : stateIn(headers["tracestate"])
    this.method = method
    this.route = toldAs(path)
  }

  attempt(upstream: Upstream, beganAt: number): AttemptSpan {
    const { isSampled, state: tracestate, traceId } = this
    const id = newId(8)
    const traceparent = traceparentOf({ traceId, spanId: id, isSampled })
    return { id, upstream, traceparent, tracestate, beganAt, endedAt: beganAt }
  }
}

const off = Layer.succeed(Traces, { begin: () => undefined, dropped: () => 0 })

const on = (traces: TraceSettings, settings: OtlpSettings) =>
  Layer.scoped(
    Traces,
    Effect.gen(function* () {
      const { delayMs, maxBatch, maxQueue, sampling, target } = traces
      const send = yield* sending((program) => program.traceSender, target, originOf(settings))
      const outbox = new Outbox<SpanData>({ what: "traces", maxQueue, maxBatch, delayMs, send })
      yield* outbox.run
      const telling = { generation: settings.generation, capturesContent: traces.capturesContent }
      // Nothing that callers or upstreams said keeps a record from its other readers.
      const spansFor = (record: AuditRecord, trace: RequestTrace) =>
        Either.getOrElse(
          Either.try(() => spansOf(record, trace, telling)),
          () => spansOf({ ...record, request: undefined, response: undefined }, trace, telling),
        )
      const { hear } = yield* FinishedRequests
      yield* hear((record) => {
        const { trace } = record
        if (trace?.isSampled === true) outbox.put(spansFor(record, trace))
      })
      return Traces.of({
        begin: (endpoint, headers) => new OpenTrace(endpoint, headers, sampling),
        dropped: () => outbox.dropped,
      })
    }),
  )

export const layer = (settings: OtlpSettings): Layer.Layer<Traces, never, FinishedRequests> =>
  settings.traces === undefined ? off : on(settings.traces, settings)
