/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Audit } from "../audit/Audit.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { Breaker } from "../domain/Breaker.ts"
import type { ClientAnswer } from "../Gateway.ts"
import { OpenRequests } from "../OpenRequests.ts"
import { Breakers } from "../upstream/Breakers.ts"
import { Slots } from "../upstream/Slots.ts"
import { Upstreams } from "../upstream/Upstreams.ts"
import { version } from "../version.ts"

const stateNames = { Closed: "closed", Open: "open", Probing: "half_open" } as const

const breakerFields = (breaker: Breaker) => ({
  state: stateNames[breaker._tag],
  reason: breaker._tag === "Closed" ? null : breaker.reason,
  failures: breaker._tag === "Closed" ? breaker.failures : null,
  probe_at: breaker._tag === "Open" ? new Date(breaker.until).toISOString() : null,
})

/** What each upstream of the configuration in force is taken for, in its order. */
const upstreamsHealth = Effect.gen(function* () {
  const { snapshot } = yield* CurrentConfig
  const breakers = yield* Breakers
  const slots = yield* Slots
  const { inFlight } = yield* Upstreams
  return [...snapshot().routes.byName.values()].map((upstream) => {
    const { breaker, openings } = breakers.status(upstream)
    return {
      name: upstream.name,
      ...breakerFields(breaker),
      openings_total: openings,
      in_flight: inFlight(upstream.name),
      waiting: slots.waiting(upstream.name),
    }
  })
})

/** What is under way, itself not counted. */
const requestsHealth = Effect.map(OpenRequests, ({ count, held }) => ({
  in_flight: count(),
  buffered_bytes: held(),
}))

/** `/health?verbose` tells of each upstream too. */
const isVerbose = (url: string): boolean => /[?&]verbose(?:$|[=&])/.test(url)

const encoder = new TextEncoder()

const json = (value: unknown): ClientAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: encoder.encode(JSON.stringify(value)),
})

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (startedAt: number, url: string) =>
  Effect.gen(function* () {
    const config = yield* (yield* CurrentConfig).status
    const audit = yield* (yield* Audit).status
    const now = yield* Clock.currentTimeMillis
    const more = isVerbose(url)
      ? { requests: yield* requestsHealth, upstreams: yield* upstreamsHealth }
      : undefined
    return json({
      status: "ok",
      version,
      uptime_seconds: Math.floor((now - startedAt) / 1000),
      config: {
        generation: config.generation,
        loaded_at: new Date(config.loadedAt).toISOString(),
        last_error: config.lastError,
      },
      audit: { queued: audit.queued, spilled: audit.spilled, lost: audit.lost },
      ...more,
    })
  })

/** Alive: the process answers. Ready: it has a configuration, which it had before it listened, and is not draining. */
export const alive: ClientAnswer = json({ status: "ok" })
