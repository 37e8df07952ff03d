/**
 * Statistics of requests as values that are added up: any way of cutting the requests into slices gives the same result, so a
 * reader need never hold more than a slice.
 *
 * Durations are counted by whole milliseconds. Rounding keeps their order, so the nearest-rank percentile of the rounded
 * durations is the rounded percentile of the durations: exact, in memory bounded by how many different durations there are.
 */

/** What requests can be grouped by. `day` and `hour` are those of `started_at`, UTC, `key` the fingerprint of the client's key. */
export const groupings = [
  "model",
  "upstream",
  "key",
  "ip",
  "endpoint",
  "status",
  "outcome",
  "day",
  "hour",
] as const

export type Grouping = (typeof groupings)[number]

/** How many requests took how many whole milliseconds. */
export type Durations = ReadonlyMap<number, number>

/** Sums over the requests of one group; a sum of nothing known is `undefined`, as in a row. */
export interface Tally {
  readonly requests: number
  /** Requests that upstreams or the gateway failed. */
  readonly errors: number
  /** Requests that were refused for what they were. */
  readonly rejected: number
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly cachedTokens: number | undefined
  readonly reasoningTokens: number | undefined
  readonly latencies: Durations
  readonly ttfts: Durations
}

const none: Durations = new Map()

export const emptyTally: Tally = {
  requests: 0,
  errors: 0,
  rejected: 0,
  promptTokens: undefined,
  completionTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  latencies: none,
  ttfts: none,
}

/** One group's statistics. `undefined` where no request of the group had such a number. */
export interface GroupStats {
  /** `undefined` gathers the requests that have none. */
  readonly group: string | undefined
  readonly requests: number
  readonly errors: number
  /** Errors among the requests that were not rejected; from 0 to 1. */
  readonly errorRate: number
  readonly rejected: number
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly cachedTokens: number | undefined
  readonly reasoningTokens: number | undefined
  /** Milliseconds. */
  readonly latencyP50: number | undefined
  readonly latencyP95: number | undefined
  readonly ttftP50: number | undefined
  readonly ttftP95: number | undefined
}

const plus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b

const joined = (a: Durations, b: Durations): Durations => {
  if (b.size === 0) return a
  if (a.size === 0) return b
  const sum = new Map(a)
  for (const [ms, count] of b) sum.set(ms, (sum.get(ms) ?? 0) + count)
  return sum
}

/** The tally of both sets of requests, which share none. Associative and commutative, `emptyTally` changes nothing. */
export const combine = (a: Tally, b: Tally): Tally => ({
  requests: a.requests + b.requests,
  errors: a.errors + b.errors,
  rejected: a.rejected + b.rejected,
  promptTokens: plus(a.promptTokens, b.promptTokens),
  completionTokens: plus(a.completionTokens, b.completionTokens),
  cachedTokens: plus(a.cachedTokens, b.cachedTokens),
  reasoningTokens: plus(a.reasoningTokens, b.reasoningTokens),
  latencies: joined(a.latencies, b.latencies),
  ttfts: joined(a.ttfts, b.ttfts),
})

const durationsOfAll = (many: ReadonlyArray<Durations>): Durations => {
  const sum = new Map<number, number>()
  for (const durations of many) {
    for (const [ms, count] of durations) sum.set(ms, (sum.get(ms) ?? 0) + count)
  }
  return sum
}

/** What `combine` makes of them all, in a time that grows with what they hold: one by one, each step would copy the sum of those before. */
export const combineMany = (tallies: ReadonlyArray<Tally>): Tally => ({
  ...tallies.map((tally) => ({ ...tally, latencies: none, ttfts: none })).reduce(combine, emptyTally),
  latencies: durationsOfAll(tallies.map(({ latencies }) => latencies)),
  ttfts: durationsOfAll(tallies.map(({ ttfts }) => ttfts)),
})

/** Tallies by group. */
export type Tallies = ReadonlyMap<string | undefined, Tally>

export const combineAll = (a: Tallies, b: Tallies): Tallies => {
  const all = new Map(a)
  for (const [group, tally] of b) all.set(group, combine(all.get(group) ?? emptyTally, tally))
  return all
}

/**
 * The nearest-rank percentile: the least duration that at least `share` of all do not exceed; `undefined` of none.
 *
 * @param share over 0, up to 1
 */
export const percentile = (durations: Durations, share: number): number | undefined => {
  const sorted = [...durations].sort(([a], [b]) => a - b)
  const rank = Math.ceil(share * sorted.reduce((sum, [, count]) => sum + count, 0))
  let passed = 0
  for (const [ms, count] of sorted) {
    passed += count
    if (passed >= rank) return ms
  }
  return undefined
}

/** Errors among the requests that were not rejected; from 0 to 1. */
export const errorRate = ({
  errors,
  rejected,
  requests,
}: Pick<GroupStats, "errors" | "rejected" | "requests">): number =>
  errors === 0 ? 0 : errors / (requests - rejected)

/** The statistics of one group. */
export const statsOf = (group: string | undefined, tally: Tally): GroupStats => ({
  group,
  requests: tally.requests,
  errors: tally.errors,
  errorRate: errorRate(tally),
  rejected: tally.rejected,
  promptTokens: tally.promptTokens,
  completionTokens: tally.completionTokens,
  cachedTokens: tally.cachedTokens,
  reasoningTokens: tally.reasoningTokens,
  latencyP50: percentile(tally.latencies, 0.5),
  latencyP95: percentile(tally.latencies, 0.95),
  ttftP50: percentile(tally.ttfts, 0.5),
  ttftP95: percentile(tally.ttfts, 0.95),
})

const byText = (a: string | undefined, b: string | undefined): number =>
  a === b ? 0 : a === undefined ? 1 : b === undefined ? -1 : a < b ? -1 : 1

/** All groups: days and hours in their order, anything else the most requested first. */
export const ranked = (tallies: Tallies, by: Grouping): ReadonlyArray<GroupStats> =>
  [...tallies]
    .map(([group, tally]) => statsOf(group, tally))
    .sort((a, b) =>
      by === "day" || by === "hour"
        ? byText(a.group, b.group)
        : b.requests - a.requests || byText(a.group, b.group),
    )

/** Groups, and all requests as one. */
export interface StatsReport {
  readonly groups: ReadonlyArray<GroupStats>
  readonly all: GroupStats
  /** Not where counting was cut short. */
  readonly isComplete: boolean
}

export const reportOf = (tallies: Tallies, by: Grouping, isComplete: boolean): StatsReport => ({
  groups: ranked(tallies, by),
  all: statsOf(undefined, combineMany([...tallies.values()])),
  isComplete,
})
