/** Which traces are kept, as `OTEL_TRACES_SAMPLER` says. */

/** Their names in OpenTelemetry. */
export const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const

export interface SamplingPolicy {
  readonly sampler: (typeof samplers)[number]
  /** Of traces that begin here, from 0 to 1. */
  readonly part: number
}

/**
 * The part of traces whose last 64 bits lie below it: so OpenTelemetry's SDKs for Go and Python decide, and a trace is kept at all services or at none. The
 * first 52 of them are as many as a number holds.
 */
const isBelow = (traceId: string, part: number): boolean =>
  Number.parseInt(traceId.slice(-16, -3), 16) < part * 2 ** 52

/**
 * Whether a trace is kept.
 *
 * @param parent whether the caller keeps it, where it belongs to one of its
 */
export const isSampled = (
  { part, sampler }: SamplingPolicy,
  traceId: string,
  parent: boolean | undefined,
): boolean => {
  switch (sampler) {
    case "always_on":
      return true
    case "always_off":
      return false
    case "traceidratio":
      return isBelow(traceId, part)
    case "parentbased_always_on":
      return parent ?? true
    case "parentbased_always_off":
      return parent ?? false
    case "parentbased_traceidratio":
      return parent ?? isBelow(traceId, part)
  }
}
