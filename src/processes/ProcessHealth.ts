/** What one process says of itself, and what several are together: pure, so that `/health` speaks for all workers alike. */
import type { FleetQuestion } from "./FleetQuestion.ts"

interface BreakerHealth {
  readonly state: "closed" | "open" | "half_open"
  readonly reason: string | null
  readonly probe_at: string | null
}

/** A model that is set aside at an upstream by itself. */
export interface ModelHealth extends BreakerHealth {
  readonly model: string
}

/** A conversation dialect that an upstream said it lacks, although it was expected to speak it. */
export interface LackHealth {
  readonly dialect: string
  /** The status that said so. */
  readonly answered: number
  readonly until: string
}

export interface UpstreamHealth extends BreakerHealth {
  readonly name: string
  /** Since when it is set aside. */
  readonly since: string | null
  /** The conversation dialects that it speaks, as far as is known. */
  readonly dialects: ReadonlyArray<string>
  readonly lacks: ReadonlyArray<LackHealth>
  /** In a row, while closed. */
  readonly failures: number | null
  readonly openings_total: number
  readonly in_flight: number
  readonly waiting: number
  readonly models: ReadonlyArray<ModelHealth>
}

export interface ConfigHealth {
  readonly generation: number
  readonly loaded_at: string
  readonly last_error: string | null
}

export interface ProcessHealth {
  readonly config: ConfigHealth
  /** Lines of the log that could not be written. */
  readonly log: { readonly dropped: number }
  readonly requests: { readonly in_flight: number; readonly buffered_bytes: number }
  readonly connections: { readonly open: number; readonly displaced: number; readonly refused: number }
  readonly strangers: { readonly turned_away: number; readonly unrecorded: number }
  readonly upstreams: ReadonlyArray<UpstreamHealth>
}

const severity = { closed: 0, half_open: 1, open: 2 } as const

const max = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

const worse = <A extends BreakerHealth>(a: A, b: A): A => (severity[b.state] > severity[a.state] ? b : a)

const bothModels = (
  a: ReadonlyArray<ModelHealth>,
  b: ReadonlyArray<ModelHealth>,
): ReadonlyArray<ModelHealth> => {
  const models = new Map(a.map((one) => [one.model, one]))
  for (const one of b) models.set(one.model, worse(models.get(one.model) ?? one, one))
  return [...models.values()]
}

/** What either has learned, that which is believed the longest. */
const bothLacks = (a: ReadonlyArray<LackHealth>, b: ReadonlyArray<LackHealth>): ReadonlyArray<LackHealth> => {
  const lacks = new Map(a.map((one) => [one.dialect, one]))
  for (const one of b) {
    const known = lacks.get(one.dialect)
    if (known === undefined || known.until < one.until) lacks.set(one.dialect, one)
  }
  return [...lacks.values()]
}

/** An upstream as two processes see it: the counts of both, and the state of the one that thinks worse of it. */
const both = (a: UpstreamHealth, b: UpstreamHealth): UpstreamHealth => {
  const { failures, probe_at, reason, since, state } = worse(a, b)
  return {
    name: a.name,
    // What one has learned that it lacks, the others will.
    dialects: a.dialects.filter((dialect) => b.dialects.includes(dialect)),
    lacks: bothLacks(a.lacks, b.lacks),
    state,
    reason,
    since,
    failures: state === "closed" ? max(a.failures, b.failures) : failures,
    probe_at,
    openings_total: a.openings_total + b.openings_total,
    in_flight: a.in_flight + b.in_flight,
    waiting: a.waiting + b.waiting,
    models: bothModels(a.models, b.models),
  }
}

/** Loaded before, where both are as new: so that the answer does not depend on who is asked first. */
const isOlder = (a: ConfigHealth, b: ConfigHealth): boolean =>
  a.generation === b.generation ? a.loaded_at < b.loaded_at : a.generation < b.generation

/**
 * Several processes as one: counts are added up, an upstream is in the worst state any takes it for, and the configuration is the oldest in
 * force anywhere, with whatever error there is. The order of processes makes no difference but to which of several errors is told.
 */
export const together = (first: ProcessHealth, ...others: ReadonlyArray<ProcessHealth>): ProcessHealth =>
  others.reduce((all, one): ProcessHealth => {
    const older = isOlder(one.config, all.config) ? one.config : all.config
    const upstreams = new Map(all.upstreams.map((upstream) => [upstream.name, upstream]))
    for (const upstream of one.upstreams) {
      const known = upstreams.get(upstream.name)
      upstreams.set(upstream.name, known === undefined ? upstream : both(known, upstream))
    }
    return {
      config: { ...older, last_error: all.config.last_error ?? one.config.last_error },
      log: { dropped: all.log.dropped + one.log.dropped },
      requests: {
        in_flight: all.requests.in_flight + one.requests.in_flight,
        buffered_bytes: all.requests.buffered_bytes + one.requests.buffered_bytes,
      },
      connections: {
        open: all.connections.open + one.connections.open,
        displaced: all.connections.displaced + one.connections.displaced,
        refused: all.connections.refused + one.connections.refused,
      },
      strangers: {
        turned_away: all.strangers.turned_away + one.strangers.turned_away,
        unrecorded: all.strangers.unrecorded + one.strangers.unrecorded,
      },
      upstreams: [...upstreams.values()],
    }
  }, first)

/** Records that are not in the database yet: in memory, in the spill file, and those that could not be kept. */
interface AuditHealth {
  readonly queued: number
  readonly spilled: number
  readonly lost: number
}

/** What a process answers who asks how it is. */
export interface HealthAnswer {
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly audit: AuditHealth
  /** None of a primary, which serves nothing itself. */
  readonly health: ProcessHealth | undefined
}

export const healthQuestion: FleetQuestion<HealthAnswer> = {
  name: "health",
  isAnswer: (said): said is HealthAnswer => typeof said === "object" && said !== null && "audit" in said,
}

/** How all are that answered. */
export interface FleetStatus {
  readonly health: ProcessHealth
  readonly audit: AuditHealth
  /** When the first of them began. */
  readonly startedAt: number
  /** How many of them serve. */
  readonly workers: number
}

/** Several answers as one; none where nobody that serves has answered. */
export const fleetStatus = (answers: ReadonlyArray<HealthAnswer>): FleetStatus | undefined => {
  const [first, ...others] = answers.flatMap(({ health }) => health ?? [])
  if (first === undefined) return undefined
  const sum = (of: (audit: AuditHealth) => number) => answers.reduce((all, { audit }) => all + of(audit), 0)
  return {
    health: together(first, ...others),
    audit: {
      queued: sum(({ queued }) => queued),
      spilled: sum(({ spilled }) => spilled),
      lost: sum(({ lost }) => lost),
    },
    startedAt: Math.min(...answers.map(({ startedAt }) => startedAt)),
    workers: others.length + 1,
  }
}

/** What `/health` says, whoever asks, and beside it what only operators are told. */
export const healthTold = (
  { audit, health, startedAt, workers }: FleetStatus,
  {
    detail,
    now,
    version,
  }: { readonly detail: "brief" | "verbose"; readonly now: number; readonly version: string },
): Readonly<Record<string, unknown>> => {
  const { config, connections, log, requests, strangers, upstreams } = health
  return {
    status: "ok",
    version,
    uptime_seconds: Math.floor((now - startedAt) / 1000),
    config,
    audit: { queued: audit.queued, spilled: audit.spilled, lost: audit.lost },
    log,
    requests,
    ...(detail === "verbose" ? { workers, connections, strangers, upstreams } : undefined),
  }
}
