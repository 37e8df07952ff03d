/** What the environment says of OpenTelemetry: where traces and metrics go, which of them, and what they say. */
import type * as Redacted from "effect/Redacted"
import type { SamplingPolicy } from "./Sampling.ts"

/** Where one signal goes. */
export interface OtlpTarget {
  readonly url: string
  readonly headers: Redacted.Redacted<Readonly<Record<string, string>>>
  readonly timeoutMs: number
  readonly protocol: "http/json" | "http/protobuf"
}

/** The names that GenAI attributes and metrics have: those until version 1.36 of the conventions, or those of today. */
export type Generation = "stable" | "latest"

export interface TraceSettings {
  readonly target: OtlpTarget
  readonly sampling: SamplingPolicy
  /** Spans that wait at most; those beyond are dropped. */
  readonly maxQueue: number
  readonly maxBatch: number
  readonly delayMs: number
  /** Prompts and answers stand in the spans. */
  readonly capturesContent: boolean
}

/** Whether sums are told since the start, or since they were last told. */
export type Temporality = "cumulative" | "delta"

export interface MetricSettings {
  readonly target: OtlpTarget
  readonly temporality: Temporality
  readonly intervalMs: number
}

export interface OtlpSettings {
  /** Absent: off. */
  readonly traces: TraceSettings | undefined
  readonly metrics: MetricSettings | undefined
  readonly generation: Generation
  /** What all of it is said of: `service.name` and the like. */
  readonly resource: Readonly<Record<string, string>>
}

export const nothingExported: OtlpSettings = {
  traces: undefined,
  metrics: undefined,
  generation: "stable",
  resource: {},
}
