/**
 * OpenTelemetry's own exporters, which know its variables, wire formats and retries. A program of its own, loaded only where something is exported:
 * nothing else here imports from OpenTelemetry.
 */
import { type HrTime, SpanKind, SpanStatusCode, ValueType } from "@opentelemetry/api"
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto"
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http"
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto"
import { convertLegacyHttpOptions } from "@opentelemetry/otlp-exporter-base/node-http"
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources"
import {
  AggregationTemporality,
  DataPointType,
  type MetricData as OtelMetric,
} from "@opentelemetry/sdk-metrics"
import type { HistogramData, MetricData, MetricPoint } from "./MetricData.ts"
import type { Temporality } from "./OtlpSettings.ts"
import type { Attributes, AttributeValue, SpanData } from "./SpanData.ts"

/** Where it goes, in plain values. */
export interface ExportTarget {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly protocol: "http/json" | "http/protobuf"
}

/** Who says it. */
export interface Origin {
  readonly resource: Readonly<Record<string, string>>
  readonly scope: { readonly name: string; readonly version: string; readonly schemaUrl?: string }
}

/**
 * Sends items; done with why that failed, where it did.
 *
 * @param at now, in epoch milliseconds
 */
export type Send<A> = (items: ReadonlyArray<A>, at: number) => Promise<string | undefined>

const nanosOf = (ms: number): HrTime => {
  const whole = Math.floor(ms / 1000)
  return [whole, Math.min(999_999_999, Math.max(0, Math.round((ms - whole * 1000) * 1e6)))]
}

const isKnown = (entry: [string, AttributeValue | undefined]): entry is [string, AttributeValue] =>
  entry[1] !== undefined

const attributesOf = (attributes: Attributes): Record<string, string | number | boolean | Array<string>> =>
  Object.fromEntries(
    Object.entries(attributes)
      .filter(isKnown)
      .map(([name, value]) => [name, typeof value === "object" ? [...value] : value]),
  )

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

const context = (traceId: string, spanId: string, isRemote: boolean) => ({
  traceId,
  spanId,
  isRemote,
  traceFlags: 1,
})

/** Tracestate as the exporter asks for it; it is handed on as it came. */
const stateOf = (text: string) => {
  const state = { get: () => undefined, set: () => state, unset: () => state, serialize: () => text }
  return state
}

const readableSpan = (span: SpanData, resource: Resource, scope: Origin["scope"]) => {
  const { beganAt, endedAt, error, isParentRemote, kind, name, parentId, spanId, state, traceId } = span
  const own = {
    ...context(traceId, spanId, false),
    ...(state === undefined ? {} : { traceState: stateOf(state) }),
  }
  return {
    name,
    kind: kinds[kind],
    spanContext: () => own,
    ...(parentId === undefined ? {} : { parentSpanContext: context(traceId, parentId, isParentRemote) }),
    startTime: nanosOf(beganAt),
    endTime: nanosOf(endedAt),
    duration: nanosOf(endedAt - beganAt),
    status:
      error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: attributesOf(span.attributes),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** The exporter's own time is over by then, and it has said so. */
const cutAfterMs = 250

type AgentFactory = ReturnType<typeof convertLegacyHttpOptions>["agentFactory"]

/**
 * What an exporter is made of, and what bounds its exports: each byte of an answer puts its own timeout off, so that one which comes without end would
 * never be over. Only its connections can be closed then; they are those of the agent, which is the one that the environment's certificates are for.
 */
const boundedBy = ({ headers, timeoutMs, url }: ExportTarget, signal: "METRICS" | "TRACES") => {
  const { agentFactory } = convertLegacyHttpOptions({}, signal, "", {})
  let agent: Awaited<ReturnType<AgentFactory>> | undefined
  const httpAgentOptions: AgentFactory = async (protocol) => {
    agent = await agentFactory(protocol)
    return agent
  }
  return {
    options: { url, headers: { ...headers }, timeoutMillis: timeoutMs, httpAgentOptions },
    inTime: async (exported: Promise<string | undefined>): Promise<string | undefined> => {
      const timer = setTimeout(() => agent?.destroy(), timeoutMs + cutAfterMs)
      return await exported.finally(() => clearTimeout(timer))
    },
  }
}

/** Why an export failed, in its own words; nothing where it did not. */
const failureOf = (code: number, error: Error | undefined): string | undefined =>
  code === 0 ? undefined : (error?.message ?? "for no reason that it gave")

export const traceSender = (target: ExportTarget, { resource, scope }: Origin): Send<SpanData> => {
  const { inTime, options } = boundedBy(target, "TRACES")
  const exporter = target.protocol === "http/json" ? new JsonTraces(options) : new ProtoTraces(options)
  const told = resourceFromAttributes(resource)
  return (spans) =>
    inTime(
      new Promise((resolve) => {
        exporter.export(
          spans.map((span) => readableSpan(span, told, scope)),
          ({ code, error }) => resolve(failureOf(code, error)),
        )
      }),
    )
}

/** When counting began, and now. */
interface Span {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

const numberPoints = (points: ReadonlyArray<MetricPoint>, span: Span) =>
  points.map(({ attributes, value }) => ({ ...span, attributes, value }))

const histogramPoints = (points: ReadonlyArray<HistogramData>, span: Span) =>
  points.map(({ attributes, bounds, counts, sum }) => ({
    ...span,
    attributes,
    value: {
      buckets: { boundaries: [...bounds], counts: [...counts] },
      sum,
      count: counts.reduce((all, one) => all + one, 0),
    },
  }))

const temporalities = {
  cumulative: AggregationTemporality.CUMULATIVE,
  delta: AggregationTemporality.DELTA,
} as const

const otelMetric = (metric: MetricData, span: Span, temporality: Temporality): OtelMetric => {
  const { about: description, name, unit } = metric
  const base = {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: temporalities[temporality],
  }
  switch (metric.kind) {
    case "counter":
      return {
        ...base,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: numberPoints(metric.points, span),
      }
    case "gauge":
      return { ...base, dataPointType: DataPointType.GAUGE, dataPoints: numberPoints(metric.points, span) }
    case "histogram":
      return {
        ...base,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: histogramPoints(metric.points, span),
      }
  }
}

/** How far back what is sent reaches. */
export interface Counting {
  /** When counting began, in epoch milliseconds. */
  readonly beganAt: number
  readonly temporality: Temporality
}

export const metricSender = (
  target: ExportTarget,
  { resource, scope }: Origin,
  { beganAt, temporality }: Counting,
): Send<MetricData> => {
  const { inTime, options } = boundedBy(target, "METRICS")
  const exporter = target.protocol === "http/json" ? new JsonMetrics(options) : new ProtoMetrics(options)
  const told = resourceFromAttributes(resource)
  let since = beganAt
  return (metrics, at) =>
    inTime(
      new Promise((resolve) => {
        const span = { startTime: nanosOf(since), endTime: nanosOf(at) }
        exporter.export(
          {
            resource: told,
            scopeMetrics: [
              { scope, metrics: metrics.map((metric) => otelMetric(metric, span, temporality)) },
            ],
          },
          ({ code, error }) => {
            const failure = failureOf(code, error)
            if (failure === undefined && temporality === "delta") since = at
            resolve(failure)
          },
        )
      }),
    )
}
