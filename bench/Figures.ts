/** What is measured, and what is made of it: pure, so that it is tested. */

/** What the load generator is to do. */
export interface LoadPlan {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly kind: "plain" | "stream"
  readonly connections: number
  /** Over which the connections are opened. */
  readonly rampMs: number
  /** Before anything is measured. */
  readonly warmMs: number
  readonly measureMs: number
  /** All goes on behind that until SIGUSR2 comes, for whoever weighs the subject. */
  readonly lingers: boolean
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
}

export interface LoadResult {
  readonly seconds: number
  readonly requests: number
  readonly events: number
  readonly errors: number
  /** Connections that got an event: on a slow machine not all streams are there in time. */
  readonly begun: number
  readonly latencyMs: Quantiles
  readonly firstEventMs: Quantiles
  /** Share of a core the generator itself took. */
  readonly busy: number
}

/** How long the audit held an event loop that did nothing else, milliseconds. */
export interface HandoverResult {
  /** For a record. */
  readonly pack: Quantiles
  /** For as many records at once. */
  readonly batches: ReadonlyArray<{
    readonly records: number
    readonly handover: Quantiles
    /** Of those during which no other thread got the core, and their share. */
    readonly alone: Quantiles
    readonly aloneShare: number
  }>
}

/** One subject under one scenario, once. */
export interface Sample extends LoadResult {
  /** CPU seconds of the subject, all its processes and threads. */
  readonly cpuSeconds: number
  /** Largest resident set, MB. */
  readonly peakMb: number
  /** Share of a core the mock took. */
  readonly mockBusy: number
  /** What is in its heap and beside it after a collection, KB for each stream that has begun, beyond what was there before; where it was weighed. */
  readonly heldKb?: number
  /** How long the event loop was held at most, milliseconds; where that was looked at. */
  readonly holdMs?: number
}

/** By the nearest rank; 0 of nothing. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const ordered = values.toSorted((a, b) => a - b)
  return ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? 0
}

export const median = (values: ReadonlyArray<number>): number => {
  const ordered = values.toSorted((a, b) => a - b)
  const upper = ordered[Math.floor(ordered.length / 2)] ?? 0
  return ordered.length % 2 === 1 ? upper : (upper + (ordered[ordered.length / 2 - 1] ?? upper)) / 2
}

/** A figure over the rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spread = (values: ReadonlyArray<number>): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
})

/** Each value by the one of the same round: what a round has of its own falls out. */
export const ratios = (values: ReadonlyArray<number>, floors: ReadonlyArray<number>): ReadonlyArray<number> =>
  values.flatMap((value, round) => {
    const floor = floors[round]
    return floor === undefined || floor === 0 ? [] : [value / floor]
  })

/** Figures of a sample that tables are made of. */
export type Figure =
  | "cpuPerRequest"
  | "cpuPerEvent"
  | "cpuSeconds"
  | "requestsPerSecond"
  | "eventsPerSecond"
  | "p50"
  | "p99"
  | "first50"
  | "first99"
  | "peakMb"
  | "heldKb"
  | "holdMs"

/** CPU µs for each of so many; 0 where there were none. */
const each = (cpuSeconds: number, count: number): number => (count === 0 ? 0 : (cpuSeconds * 1e6) / count)

/** One figure of a sample; 0 where it has none. */
export const figureOf = (figure: Figure, sample: Sample): number => {
  switch (figure) {
    case "cpuPerRequest":
      return each(sample.cpuSeconds, sample.requests)
    case "cpuPerEvent":
      return each(sample.cpuSeconds, sample.events)
    case "cpuSeconds":
      return sample.cpuSeconds
    case "requestsPerSecond":
      return sample.requests / sample.seconds
    case "eventsPerSecond":
      return sample.events / sample.seconds
    case "p50":
      return sample.latencyMs.p50
    case "p99":
      return sample.latencyMs.p99
    case "first50":
      return sample.firstEventMs.p50
    case "first99":
      return sample.firstEventMs.p99
    case "peakMb":
      return sample.peakMb
    case "heldKb":
      return sample.heldKb ?? 0
    case "holdMs":
      return sample.holdMs ?? 0
  }
}
