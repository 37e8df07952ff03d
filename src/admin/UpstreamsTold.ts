/** The clients of the configuration, with how all processes take them and what became of their last attempts. */
import type { FleetStatus, UpstreamHealth } from "../processes/ProcessHealth.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { hostOf } from "../routing/Upstream.ts"
import {
  type AttemptSums,
  type AttemptsByName,
  type AttemptsOf,
  type LastFailure,
  noAttempts,
  quantileOf,
  together,
} from "./AttemptCounts.ts"
import type { RecentAttempts, UpstreamReport, UpstreamTold } from "./api/UpstreamReport.ts"

/** What each process counted, by upstream. */
export type AttemptsByProcess = ReadonlyArray<AttemptsByName>

const recentOf = ({ attempts, errors, latencies, ttfts }: AttemptSums): RecentAttempts => ({
  attempts,
  errors,
  latency_p50: quantileOf(latencies, 0.5),
  latency_p95: quantileOf(latencies, 0.95),
  ttft_p50: quantileOf(ttfts, 0.5),
  ttft_p95: quantileOf(ttfts, 0.95),
})

const sumsOf = (counts: AttemptsByProcess, name: string, of: (one: AttemptsOf) => AttemptSums): AttemptSums =>
  counts.reduce((sum, one) => {
    const counted = one.get(name)
    return counted === undefined ? sum : together(sum, of(counted))
  }, noAttempts)

const lastFailureOf = (counts: AttemptsByProcess, name: string): UpstreamTold["last_error"] => {
  const last = counts.reduce<LastFailure | undefined>((latest, one) => {
    const failure = one.get(name)?.lastFailure
    return failure !== undefined && (latest === undefined || failure.at > latest.at) ? failure : latest
  }, undefined)
  return last === undefined
    ? null
    : { at: new Date(last.at).toISOString(), status: last.status ?? null, cause: last.cause ?? null }
}

const unseen = (name: string): UpstreamHealth => ({
  name,
  state: "closed",
  reason: null,
  since: null,
  probe_at: null,
  failures: 0,
  openings_total: 0,
  in_flight: 0,
  waiting: 0,
  dialects: [],
  lacks: [],
  models: [],
})

const toldOf = (upstream: Upstream, status: FleetStatus, counts: AttemptsByProcess): UpstreamTold => {
  const { name } = upstream
  const health = status.health.upstreams.find((one) => one.name === name) ?? unseen(name)
  const { concurrency } = upstream
  return {
    name,
    host: hostOf(upstream.baseUrl) ?? "",
    dialects: health.dialects,
    dialects_assumed: upstream.dialectsAssumed,
    lacks: health.lacks,
    match: { type: upstream.match.type, values: upstream.match.values },
    priority: upstream.weight,
    fallback: upstream.fallback ?? null,
    state: health.state,
    reason: health.reason,
    probe_at: health.probe_at,
    since: health.since,
    failures: health.failures,
    openings_total: health.openings_total,
    in_flight: health.in_flight,
    slots: concurrency === undefined ? null : concurrency.max * status.workers,
    waiting: health.waiting,
    models: health.models,
    last_error: lastFailureOf(counts, name),
    last_5m: recentOf(sumsOf(counts, name, ({ last5m }) => last5m)),
    last_1h: recentOf(sumsOf(counts, name, ({ last1h }) => last1h)),
  }
}

export const upstreamsTold = (
  upstreams: Iterable<Upstream>,
  status: FleetStatus,
  counts: AttemptsByProcess,
): UpstreamReport => ({
  workers: status.workers,
  upstreams: [...upstreams].map((upstream) => toldOf(upstream, status, counts)),
})
