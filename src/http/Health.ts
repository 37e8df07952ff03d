/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Audit } from "../audit/Audit.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { version } from "../version.ts"

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (startedAt: number) =>
  Effect.gen(function* () {
    const config = yield* (yield* CurrentConfig).status
    const audit = yield* (yield* Audit).status
    const now = yield* Clock.currentTimeMillis
    return HttpServerResponse.unsafeJson({
      status: "ok",
      version,
      uptime_seconds: Math.floor((now - startedAt) / 1000),
      config: {
        generation: config.generation,
        loaded_at: new Date(config.loadedAt).toISOString(),
        last_error: config.lastError,
      },
      audit: { queued: audit.queued, spilled: audit.spilled, lost: audit.lost },
    })
  })

/** Alive: the process answers. Ready: it has a configuration, which it had before it listened, and is not draining. */
export const alive = Effect.succeed(HttpServerResponse.unsafeJson({ status: "ok" }))
