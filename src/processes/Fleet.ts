/** All processes that serve together, this one included: whom `/health` speaks for. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { OpenRequests } from "../access/OpenRequests.ts"
import { Strangers } from "../access/Strangers.ts"
import { Audit, type AuditStatus } from "../audit/Audit.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { Connections } from "../http/Connections.ts"
import { Lines } from "../telemetry/Lines.ts"
import { Breakers } from "../upstream/Breakers.ts"
import { Upstreams } from "../upstream/calls/Upstreams.ts"
import type { Breaker } from "../upstream/policy/Breaker.ts"
import { Slots } from "../upstream/Slots.ts"
import type { ProcessHealth } from "./ProcessHealth.ts"

export interface FleetStatus {
  readonly health: ProcessHealth
  readonly audit: AuditStatus
  /** When the first of them began, in epoch milliseconds, where that was before this one did. */
  readonly startedAt?: number
  /** How many processes it is of. */
  readonly workers: number
}

export class Fleet extends Context.Tag("sluice/Fleet")<
  Fleet,
  { readonly status: Effect.Effect<FleetStatus> }
>() {}

const stateNames = { Closed: "closed", Open: "open", Probing: "half_open" } as const

const breakerFields = (breaker: Breaker) => ({
  state: stateNames[breaker._tag],
  reason: breaker._tag === "Closed" ? null : breaker.reason,
  failures: breaker._tag === "Closed" ? breaker.failures : null,
  probe_at: breaker._tag === "Open" ? new Date(breaker.until).toISOString() : null,
})

/** How this process is, whenever it is asked. */
export const makeOwnHealth = Effect.gen(function* () {
  const { snapshot, status } = yield* CurrentConfig
  const breakers = yield* Breakers
  const slots = yield* Slots
  const { inFlight } = yield* Upstreams
  const { count, held } = yield* OpenRequests
  const { dropped } = yield* Lines
  const connections = yield* Connections
  const strangers = yield* Strangers
  const own = Effect.map(
    status,
    (config): ProcessHealth => ({
      config: {
        generation: config.generation,
        loaded_at: new Date(config.loadedAt).toISOString(),
        last_error: config.lastError,
      },
      log: { dropped: dropped() },
      requests: { in_flight: count(), buffered_bytes: held() },
      connections: connections.status,
      strangers: strangers.status(),
      upstreams: [...snapshot().routes.byName.values()].map((upstream) => {
        const { breaker, models, openings } = breakers.status(upstream)
        return {
          name: upstream.name,
          ...breakerFields(breaker),
          openings_total: openings,
          in_flight: inFlight(upstream.name),
          waiting: slots.waiting(upstream.name),
          models: models.map(({ breaker, model }) => {
            const { failures: _, ...fields } = breakerFields(breaker)
            return { model, ...fields }
          }),
        }
      }),
    }),
  )
  return { own }
})

/** This process alone. */
export const layerAlone: Layer.Layer<
  Fleet,
  never,
  Audit | Breakers | Connections | CurrentConfig | Lines | OpenRequests | Slots | Strangers | Upstreams
> = Layer.effect(
  Fleet,
  Effect.gen(function* () {
    const { own: health } = yield* makeOwnHealth
    const audit = yield* Audit
    return { status: Effect.all({ health, audit: audit.status, workers: Effect.succeed(1) }) }
  }),
)
