/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { holdsKey, keyCount } from "../domain/AccessKey.ts"
import { AdminDenied, answerOf } from "../domain/GatewayError.ts"
import { clientKey } from "../domain/RequestHeaders.ts"
import type { Snapshot } from "../domain/Snapshot.ts"
import type { ClientAnswer, ClientCall } from "../Gateway/Exchange.ts"
import { version } from "../version.ts"
import { Fleet } from "./Fleet.ts"
import { jsonAnswer } from "./JsonAnswer.ts"

/** `/health?verbose` tells of each upstream too. */
export const isVerbose = (url: string): boolean => /[?&]verbose(?:$|[=&])/.test(url)

/** Why what only operators are told is not told to this caller. It is open to all where nobody is asked for a key at all. */
const adminDenied = ({ adminKeys, server }: Snapshot, call: ClientCall): AdminDenied | undefined => {
  if (keyCount(adminKeys) === 0) {
    return keyCount(server.accessKeys) === 0 ? undefined : new AdminDenied({ reason: "none" })
  }
  const sent = clientKey(call.headers)
  if (sent === undefined) return new AdminDenied({ reason: "missing" })
  return holdsKey(adminKeys, sent) ? undefined : new AdminDenied({ reason: "wrong" })
}

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (startedAt: number, call: ClientCall, url: string) =>
  Effect.gen(function* () {
    const denied = isVerbose(url) ? adminDenied((yield* CurrentConfig).snapshot(), call) : undefined
    if (denied !== undefined) return answerOf(denied)
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
