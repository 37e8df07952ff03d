/** OpenTelemetry's standard variables, as far as they concern a gateway. Of one that exports nothing none is read but those that say so. */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  type Generation,
  type MetricSettings,
  nothingExported,
  type OtlpSettings,
  type OtlpTarget,
  type Temporality,
  type TraceSettings,
} from "../telemetry/otlp/OtlpSettings.ts"
import { samplers } from "../telemetry/otlp/Sampling.ts"
import { percentDecoded } from "../wire/PercentEncoding.ts"
import { invalid, oneOf, variable, wholeNumber } from "./Variables.ts"

type Signal = "traces" | "metrics"

/** `a=1,b=2`, values percent-encoded, as headers and resources are written. */
const pairs = (name: string) =>
  variable(name).pipe(
    Config.mapOrFail((text) => {
      const entries = text
        .split(",")
        .filter((part) => part.trim() !== "")
        .map((part) => {
          const at = part.indexOf("=")
          return [part.slice(0, Math.max(0, at)).trim(), percentDecoded(part.slice(at + 1).trim())] as const
        })
      return entries.every(([key]) => key !== "")
        ? Either.right<Readonly<Record<string, string>>>(Object.fromEntries(entries))
        : invalid(name, "name=value pairs with commas between them")
    }),
  )

const noPairs: Readonly<Record<string, string>> = {}

const isTrue = (name: string): Config.Config<boolean> =>
  Config.withDefault(
    Config.map(variable(name), (text) => text.trim().toLowerCase() === "true"),
    false,
  )

const url = (name: string) =>
  variable(name).pipe(
    Config.mapOrFail((text) =>
      /^https?:\/\/./.test(text.trim()) && URL.canParse(text.trim())
        ? Either.right(text.trim())
        : invalid(name, "a URL that begins with http:// or https://"),
    ),
  )

/** A variable of one signal, else the one of all of them. */
const ofSignal = <A>(signal: Signal, rest: string, read: (name: string) => Config.Config<A>) =>
  Config.orElse(read(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${rest}`), () =>
    read(`OTEL_EXPORTER_OTLP_${rest}`),
  )

/** The one of all signals names what lies above their paths. */
const endpoint = (signal: Signal): Config.Config<Option.Option<string>> =>
  Config.option(url(`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`)).pipe(
    Config.zipWith(Config.option(url("OTEL_EXPORTER_OTLP_ENDPOINT")), (own, ofAll) =>
      Option.orElse(own, () => Option.map(ofAll, (base) => `${base.replace(/\/+$/, "")}/v1/${signal}`)),
    ),
  )

const target = (signal: Signal, found: string): Config.Config<OtlpTarget> =>
  Config.all({
    url: Config.succeed(found),
    headers: Config.map(Config.withDefault(ofSignal(signal, "HEADERS", pairs), noPairs), Redacted.make),
    timeoutMs: Config.withDefault(
      ofSignal(signal, "TIMEOUT", (name) => wholeNumber(name, 1, 600_000)),
      10_000,
    ),
    protocol: Config.withDefault(
      ofSignal(signal, "PROTOCOL", (name) => oneOf(name, ["http/protobuf", "http/json"])),
      "http/protobuf" as const,
    ),
  })

const sampledPart = variable("OTEL_TRACES_SAMPLER_ARG").pipe(
  Config.mapOrFail((text) => {
    const number = text.trim() === "" ? Number.NaN : Number(text)
    return number >= 0 && number <= 1
      ? Either.right(number)
      : invalid("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1")
  }),
  Config.withDefault(1),
)

const traces = (found: string): Config.Config<TraceSettings> =>
  Config.all({
    target: target("traces", found),
    sampling: Config.all({
      sampler: Config.withDefault(oneOf("OTEL_TRACES_SAMPLER", samplers), "parentbased_always_on" as const),
      part: sampledPart,
    }),
    maxQueue: Config.withDefault(wholeNumber("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1_000_000), 2_048),
    maxBatch: Config.withDefault(wholeNumber("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 100_000), 512),
    delayMs: Config.withDefault(wholeNumber("OTEL_BSP_SCHEDULE_DELAY", 1, 600_000), 5_000),
    capturesContent: isTrue("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"),
  })

/** A process of this size keeps its sums for `/metrics` in any case: to save memory, `lowmemory`, is `delta` here. */
const temporality: Config.Config<Temporality> = Config.map(
  Config.withDefault(
    oneOf("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", ["cumulative", "delta", "lowmemory"]),
    "cumulative",
  ),
  (word) => (word === "cumulative" ? "cumulative" : "delta"),
)

const metrics = (found: string): Config.Config<MetricSettings> =>
  Config.all({
    target: target("metrics", found),
    temporality,
    intervalMs: Config.withDefault(wholeNumber("OTEL_METRIC_EXPORT_INTERVAL", 100, 86_400_000), 60_000),
  })

/** Whether a signal is exported, which `none` says it is not. */
const isExported = (signal: Signal): Config.Config<boolean> => {
  const name = `OTEL_${signal.toUpperCase()}_EXPORTER`
  return Config.map(Config.withDefault(oneOf(name, ["otlp", "none"]), "otlp"), (word) => word === "otlp")
}

/** Reads on where there is something to read for, so that what an operator sets for other programs is no mistake here. */
const whereFound = <A>(signal: Signal, read: (found: string) => Config.Config<A>) =>
  Effect.flatMap(
    Config.all({ isExported: isExported(signal), found: endpoint(signal) }),
    ({ found, isExported }): Effect.Effect<A | undefined, ConfigError.ConfigError> =>
      isExported && Option.isSome(found) ? read(found.value) : Effect.succeed(undefined),
  )

const generation: Config.Config<Generation> = Config.withDefault(
  Config.map(variable("OTEL_SEMCONV_STABILITY_OPT_IN"), (text) =>
    text.split(",").some((word) => word.trim() === "gen_ai_latest_experimental") ? "latest" : "stable",
  ),
  "stable",
)

/** The name of the service has a variable of its own, which wins. */
const resource = Config.all({
  attributes: Config.withDefault(pairs("OTEL_RESOURCE_ATTRIBUTES"), noPairs),
  name: Config.option(variable("OTEL_SERVICE_NAME")),
}).pipe(
  Config.map(({ attributes, name }) =>
    Option.isSome(name) ? { ...attributes, "service.name": name.value.trim() } : attributes,
  ),
)

/** What is exported, and where to: nothing unless an endpoint is named. */
export const otlpSettings: Effect.Effect<OtlpSettings, ConfigError.ConfigError> = Effect.flatMap(
  isTrue("OTEL_SDK_DISABLED"),
  (isDisabled) =>
    isDisabled
      ? Effect.succeed(nothingExported)
      : Effect.all({
          traces: whereFound("traces", traces),
          metrics: whereFound("metrics", metrics),
          generation,
          resource,
        }),
)
