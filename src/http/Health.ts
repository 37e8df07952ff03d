/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ClientAnswer } from "../Gateway/Exchange.ts"
import { version } from "../version.ts"
import { Fleet } from "./Fleet.ts"
import { jsonAnswer } from "./JsonAnswer.ts"

/** `/health?verbose` tells of each upstream too. */
export const isVerbose = (url: string): boolean => /[?&]verbose(?:$|[=&])/.test(url)

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (startedAt: number, url: string) =>
  Effect.gen(function* () {
    const { audit, health, startedAt: began = startedAt, workers } = yield* (yield* Fleet).status
    const now = yield* Clock.currentTimeMillis
    return jsonAnswer({
      status: "ok",
      version,
      uptime_seconds: Math.floor((now - began) / 1000),
      config: health.config,
      audit: { queued: audit.queued, spilled: audit.spilled, lost: audit.lost },
      log: health.log,
      ...(isVerbose(url)
        ? {
            workers,
            requests: health.requests,
            connections: health.connections,
            strangers: health.strangers,
            upstreams: health.upstreams,
          }
        : undefined),
    })
  })

/** Alive: the process answers. Ready: it has a configuration, which it had before it listened, and is not draining. */
export const alive: ClientAnswer = jsonAnswer({ status: "ok" })
