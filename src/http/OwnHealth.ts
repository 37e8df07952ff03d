/** What this process says of itself: its configuration, requests, connections and upstreams as they are at the moment. */
import * as Effect from "effect/Effect"
import { OpenRequests } from "../access/OpenRequests.ts"
import { Strangers } from "../access/Strangers.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ProcessHealth, UpstreamHealth } from "../processes/ProcessHealth.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { Lines } from "../telemetry/Lines.ts"
import { Breakers } from "../upstream/Breakers.ts"
import { Upstreams } from "../upstream/calls/Upstreams.ts"
import { Dialects } from "../upstream/Dialects.ts"
import type { Breaker } from "../upstream/policy/Breaker.ts"
import { Slots } from "../upstream/Slots.ts"
import { Connections } from "./Connections.ts"

const stateNames = { Closed: "closed", Open: "open", Probing: "half_open" } as const

const breakerFields = (breaker: Breaker) => ({
  state: stateNames[breaker._tag],
  reason: breaker._tag === "Closed" ? null : breaker.reason,
  failures: breaker._tag === "Closed" ? breaker.failures : null,
  probe_at: breaker._tag === "Open" ? new Date(breaker.until).toISOString() : null,
})

/** The parts of the process that know how an upstream is. */
interface Witnesses {
  readonly breakers: Breakers["Type"]
  readonly dialects: Dialects["Type"]
  readonly slots: Slots["Type"]
  readonly inFlight: Upstreams["Type"]["inFlight"]
}

const upstreamHealth = (
  { breakers, dialects, inFlight, slots }: Witnesses,
  upstream: Upstream,
): UpstreamHealth => {
  const { breaker, models, openings, since } = breakers.status(upstream)
  return {
    name: upstream.name,
    ...breakerFields(breaker),
    since: since === undefined ? null : new Date(since).toISOString(),
    openings_total: openings,
    in_flight: inFlight(upstream.name),
    waiting: slots.waiting(upstream.name),
    models: models.map(({ breaker, model }) => {
      const { failures: _, ...fields } = breakerFields(breaker)
      return { model, ...fields }
    }),
    dialects: dialects.spokenBy(upstream),
    lacks: dialects.lackedBy(upstream).map(({ dialect, status, until }) => ({
      dialect,
      answered: status,
      until: new Date(until).toISOString(),
    })),
  }
}

/** How this process is, whenever it is asked. */
export const ownHealth = Effect.map(
  Effect.all({
    breakers: Breakers,
    connections: Connections,
    current: CurrentConfig,
    dialects: Dialects,
    lines: Lines,
    openRequests: OpenRequests,
    slots: Slots,
    strangers: Strangers,
    upstreams: Upstreams,
  }),
  ({ breakers, connections, current, dialects, lines, openRequests, slots, strangers, upstreams }) => {
    const witnesses: Witnesses = { breakers, dialects, slots, inFlight: upstreams.inFlight }
    return Effect.map(
      current.status,
      (config): ProcessHealth => ({
        config: {
          generation: config.generation,
          loaded_at: new Date(config.loadedAt).toISOString(),
          last_error: config.lastError,
        },
        log: { dropped: lines.dropped() },
        requests: { in_flight: openRequests.count(), buffered_bytes: openRequests.held() },
        connections: connections.status,
        strangers: strangers.status(),
        upstreams: [...current.snapshot().routes.byName.values()].map((upstream) =>
          upstreamHealth(witnesses, upstream),
        ),
      }),
    )
  },
)
