import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { environment, problemsOf } from "../../src/config/Environment.ts"

const read = (variables: Record<string, string>) =>
  Effect.runSync(
    environment(false).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))),
      Effect.mapBoth({ onFailure: problemsOf, onSuccess: ({ otlp }) => otlp }),
      Effect.either,
    ),
  )

const otlp = (variables: Record<string, string>) => {
  const found = read(variables)
  if (found._tag === "Left") throw new Error(found.left.join("\n"))
  return found.right
}

const OTEL_EXPORTER_OTLP_ENDPOINT = "http://collector:4318/"

describe("OpenTelemetry's variables", () => {
  it("export nothing unless an endpoint is named, or where they say so", () => {
    expect(otlp({})).toMatchObject({ traces: undefined, metrics: undefined })
    expect(otlp({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: "true" })).toMatchObject({
      traces: undefined,
      metrics: undefined,
    })
    const noTraces = otlp({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: "none" })
    expect(noTraces.traces).toBeUndefined()
    expect(noTraces.metrics?.target.url).toBe("http://collector:4318/v1/metrics")
    const noMetrics = otlp({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_METRICS_EXPORTER: "none" })
    expect(noMetrics.metrics).toBeUndefined()
    expect(otlp({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/x" })).toMatchObject({
      traces: { target: { url: "http://c/x" } },
      metrics: undefined,
    })
  })

  it("have the defaults of the specification", () => {
    expect(otlp({ OTEL_EXPORTER_OTLP_ENDPOINT })).toMatchObject({
      traces: {
        target: { url: "http://collector:4318/v1/traces", timeoutMs: 10_000, protocol: "http/protobuf" },
        sampling: { sampler: "parentbased_always_on", part: 1 },
        maxQueue: 2_048,
        maxBatch: 512,
        delayMs: 5_000,
        capturesContent: false,
      },
      metrics: { intervalMs: 60_000, temporality: "cumulative" },
      generation: "stable",
      resource: {},
    })
  })

  it("are all taken, those of one signal before those of all", () => {
    const found = otlp({
      OTEL_EXPORTER_OTLP_ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20abc,x-tenant=a",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-tenant=b",
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "700",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.25",
      OTEL_METRIC_EXPORT_INTERVAL: "15000",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "Delta",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod,service.name=other",
      OTEL_SERVICE_NAME: "gateway",
      OTEL_SEMCONV_STABILITY_OPT_IN: "http, gen_ai_latest_experimental",
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true",
    })
    expect(found).toMatchObject({
      traces: {
        target: { timeoutMs: 500, protocol: "http/json" },
        sampling: { sampler: "parentbased_traceidratio", part: 0.25 },
        capturesContent: true,
      },
      metrics: { target: { timeoutMs: 700 }, intervalMs: 15_000, temporality: "delta" },
      generation: "latest",
      resource: { "deployment.environment.name": "prod", "service.name": "gateway" },
    })
    const headers = [found.traces, found.metrics].map(
      (signal) => signal && Redacted.value(signal.target.headers),
    )
    expect(headers).toEqual([{ "x-tenant": "b" }, { authorization: "Basic abc", "x-tenant": "a" }])
  })

  it("are named where they are wrong, beside all others, and their values are not told", () => {
    expect(
      read({
        SERVER_PORT: "many",
        OTEL_EXPORTER_OTLP_ENDPOINT,
        OTEL_TRACES_SAMPLER: "jaeger_remote",
        OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      }),
    ).toMatchObject({
      _tag: "Left",
      left: [
        "SERVER_PORT: expected a whole number from 0 to 65535",
        expect.stringContaining("OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json"),
        expect.stringContaining("OTEL_TRACES_SAMPLER: expected one of always_on"),
      ],
    })
  })

  it("are no mistake of ours where nothing is exported", () => {
    expect(read({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_TRACES_SAMPLER: "xray" })._tag).toBe("Right")
  })
})
