/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inquirerOf } from "../access/Credential.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { AdminDenied } from "../errors/AccessErrors.ts"
import { answerOf } from "../errors/GatewayError.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { jsonAnswer } from "../gateway/JsonAnswer.ts"
import { Fleet } from "../processes/Fleet.ts"
import { fleetStatus, healthQuestion } from "../processes/ProcessHealth.ts"
import { version } from "../version.ts"

/** `/health?verbose` tells of each upstream too. */
export const isVerbose = (url: string): boolean => /[?&]verbose(?:$|[=&])/.test(url)

/** Said where the rest is left out, so that nobody takes it for all there is. */
const toOperators = "told to who sends one of admin.keys"

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (call: ClientCall, url: string) =>
  Effect.gen(function* () {
    const { adminKeys, server } = (yield* CurrentConfig).snapshot()
    const verbose = isVerbose(url)
      ? inquirerOf({ accessKeys: server.accessKeys, adminKeys }, call.headers)
      : undefined
    if (verbose === "impostor") return answerOf(new AdminDenied(), call)
    const status = fleetStatus(yield* (yield* Fleet).ask(healthQuestion))
    if (status === undefined) return yield* Effect.dieMessage("this process did not say how it is")
    const { audit, health, startedAt, workers } = status
    const now = yield* Clock.currentTimeMillis
    const { connections, requests, strangers, upstreams } = health
    return jsonAnswer({
      status: "ok",
      version,
      uptime_seconds: Math.floor((now - startedAt) / 1000),
      config: health.config,
      audit: { queued: audit.queued, spilled: audit.spilled, lost: audit.lost },
      log: health.log,
      requests,
      ...(verbose === "operator" ? { workers, connections, strangers, upstreams } : undefined),
      ...(verbose === "probe" ? { verbose: toOperators } : undefined),
    })
  })

/** Alive: the process answers. Ready: it has a configuration, which it had before it listened, and is not draining. */
export const alive: ClientAnswer = jsonAnswer({ status: "ok" })
