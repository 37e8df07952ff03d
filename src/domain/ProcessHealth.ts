/** What one process says of itself, and what several are together: pure, so that `/health` speaks for all workers alike. */

export interface UpstreamHealth {
  readonly name: string
  readonly state: "closed" | "open" | "half_open"
  readonly reason: string | null
  /** In a row, while closed. */
  readonly failures: number | null
  readonly probe_at: string | null
  readonly openings_total: number
  readonly in_flight: number
  readonly waiting: number
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
  readonly upstreams: ReadonlyArray<UpstreamHealth>
}

const severity = { closed: 0, half_open: 1, open: 2 } as const

const max = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

/** An upstream as two processes see it: the counts of both, and the state of the one that thinks worse of it. */
const both = (a: UpstreamHealth, b: UpstreamHealth): UpstreamHealth => {
  const worse = severity[b.state] > severity[a.state] ? b : a
  return {
    name: a.name,
    state: worse.state,
    reason: worse.reason,
    failures: worse.state === "closed" ? max(a.failures, b.failures) : worse.failures,
    probe_at: worse.probe_at,
    openings_total: a.openings_total + b.openings_total,
    in_flight: a.in_flight + b.in_flight,
    waiting: a.waiting + b.waiting,
  }
}

/**
 * Several processes as one: counts are added up, an upstream is in the worst state any takes it for, and the configuration is the oldest in
 * force anywhere, with whatever error there is. The order of processes makes no difference but to which of several errors is told.
 */
export const together = (first: ProcessHealth, ...others: ReadonlyArray<ProcessHealth>): ProcessHealth =>
  others.reduce((all, one): ProcessHealth => {
    const older = one.config.generation < all.config.generation ? one.config : all.config
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
      upstreams: [...upstreams.values()],
    }
  }, first)
