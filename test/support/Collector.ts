/** A collector of OpenTelemetry: takes traces and metrics as JSON over a socket, and tells them flat. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { OtlpSettings, OtlpTarget, TraceSettings } from "../../src/telemetry/otlp/OtlpSettings.ts"
import { eventually } from "./Patience.ts"
import * as Scripted from "./ScriptedUpstream.ts"

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  intValue: Schema.optional(Schema.Union(Schema.Number, Schema.NumberFromString)),
  doubleValue: Schema.optional(Schema.Number),
  boolValue: Schema.optional(Schema.Boolean),
  arrayValue: Schema.optional(
    Schema.Struct({ values: Schema.Array(Schema.Struct({ stringValue: Schema.String })) }),
  ),
})

const Pairs = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  traceState: Schema.optional(Schema.String),
  name: Schema.String,
  kind: Schema.Number,
  startTimeUnixNano: Schema.NumberFromString,
  endTimeUnixNano: Schema.NumberFromString,
  attributes: Pairs,
  status: Schema.Struct({ code: Schema.Number, message: Schema.optional(Schema.String) }),
})

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      resource: Schema.Struct({ attributes: Pairs }),
      scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })),
    }),
  ),
})

const Point = Schema.Struct({
  attributes: Pairs,
  asDouble: Schema.optional(Schema.Number),
  asInt: Schema.optional(Schema.Union(Schema.Number, Schema.NumberFromString)),
  count: Schema.optional(Schema.Union(Schema.Number, Schema.NumberFromString)),
  sum: Schema.optional(Schema.Number),
  bucketCounts: Schema.optional(Schema.Array(Schema.Union(Schema.Number, Schema.NumberFromString))),
  explicitBounds: Schema.optional(Schema.Array(Schema.Number)),
})

const Points = Schema.Struct({
  dataPoints: Schema.Array(Point),
  aggregationTemporality: Schema.optional(Schema.Number),
})

const Metrics = Schema.Struct({
  resourceMetrics: Schema.Array(
    Schema.Struct({
      resource: Schema.Struct({ attributes: Pairs }),
      scopeMetrics: Schema.Array(
        Schema.Struct({
          metrics: Schema.Array(
            Schema.Struct({
              name: Schema.String,
              unit: Schema.String,
              sum: Schema.optional(Points),
              gauge: Schema.optional(Points),
              histogram: Schema.optional(Points),
            }),
          ),
        }),
      ),
    }),
  ),
})

const flat = (pairs: typeof Pairs.Type): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue ??
        value.intValue ??
        value.doubleValue ??
        value.boolValue ??
        value.arrayValue?.values.map(({ stringValue }) => stringValue),
    ]),
  )

/** A span as it arrived, its attributes by their names. */
export interface ArrivedSpan extends Omit<typeof Span.Type, "attributes"> {
  readonly attributes: Readonly<Record<string, unknown>>
}

const spansIn = (body: unknown): ReadonlyArray<ArrivedSpan> =>
  Schema.decodeUnknownSync(Traces)(body).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: flat(span.attributes) }))),
  )

const metricsIn = (body: unknown) =>
  Schema.decodeUnknownSync(Metrics)(body).resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ gauge, histogram, name, sum, unit }) => ({
        name,
        unit,
        resource: flat(resource.attributes),
        temporality: (sum ?? histogram)?.aggregationTemporality,
        points: [sum, gauge, histogram].flatMap((points) =>
          (points?.dataPoints ?? []).map((point) => ({ ...point, attributes: flat(point.attributes) })),
        ),
      })),
    ),
  )

/** A collector, and settings with which a gateway exports to it. */
export const collector = Effect.gen(function* () {
  const server = yield* Scripted.scriptedUpstream(Scripted.json({}))
  const arrived = <A>(path: string, read: (body: unknown) => ReadonlyArray<A>): ReadonlyArray<A> =>
    server.requests.filter((request) => request.path === path).flatMap(({ body }) => read(body))
  const spans = () => arrived("/v1/traces", spansIn)
  return {
    ...server,
    spans,
    metrics: () => arrived("/v1/metrics", metricsIn),
    /** The spans, once there are so many. */
    awaitSpans: (count: number) => eventually("spans", Effect.sync(spans), (found) => found.length >= count),
    settings: tracesTo(`${server.origin}/v1/traces`),
  }
})

export const targetAt = (url: string): OtlpTarget => ({
  url,
  headers: Redacted.make({ "x-tenant": "of-the-test" }),
  timeoutMs: 2_000,
  protocol: "http/json",
})

/** Everything is kept and sent at once. */
export const tracesTo = (url: string, more: Partial<TraceSettings> = {}): OtlpSettings => ({
  traces: {
    target: targetAt(url),
    sampling: { sampler: "parentbased_always_on", part: 1 },
    maxQueue: 2_048,
    maxBatch: 512,
    delayMs: 20,
    capturesContent: false,
    ...more,
  },
  metrics: undefined,
  generation: "stable",
  resource: {},
})
