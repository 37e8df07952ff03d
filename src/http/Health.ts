/** What probes and people ask of a running gateway: `/health`, `/livez`, `/readyz`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { inquirerOf } from "../access/Credential.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { AdminDenied } from "../errors/AccessErrors.ts"
import { answerOf } from "../errors/GatewayError.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { jsonAnswer } from "../gateway/JsonAnswer.ts"
import { Fleet } from "../processes/Fleet.ts"
import { fleetStatus, healthQuestion, healthTold } from "../processes/ProcessHealth.ts"
import { version } from "../version.ts"

/** `/health?verbose` tells of each upstream too. */
export const isVerbose = (url: string): boolean => /[?&]verbose(?:$|[=&])/.test(url)

/** Said where the rest is left out, so that nobody takes it for all there is. */
const toOperators = "told to who sends one of admin.keys"
const elsewhere = "told on admin.port"

/** Who asks what only operators are told, on a port of the callers. */
const inquirer = ({ adminAddress, adminKeys, server }: Snapshot, { headers }: ClientCall) =>
  adminAddress === undefined ? inquirerOf({ accessKeys: server.accessKeys, adminKeys }, headers) : "probe"

/** How all processes that serve together are. */
export const gatewayHealth = (detail: "brief" | "verbose") =>
  Effect.gen(function* () {
    const status = fleetStatus(yield* (yield* Fleet).ask(healthQuestion))
    if (status === undefined) return yield* Effect.dieMessage("this process did not say how it is")
    return healthTold(status, { detail, version, now: yield* Clock.currentTimeMillis })
  })

/** `/health` always answers 200 while the process serves; what is wrong with the configuration is told, not failed on. */
export const health = (call: ClientCall, url: string) =>
  Effect.gen(function* () {
    const snapshot = (yield* CurrentConfig).snapshot()
    const asks = isVerbose(url) ? inquirer(snapshot, call) : undefined
    if (asks === "impostor") return answerOf(new AdminDenied({ reason: "wrong" }), call)
    const told = yield* gatewayHealth(asks === "operator" ? "verbose" : "brief")
    return jsonAnswer(
      asks === "probe"
        ? { ...told, verbose: snapshot.adminAddress === undefined ? toOperators : elsewhere }
        : told,
    )
  })

/** Alive: the process answers. Ready: it has a configuration, which it had before it listened, and is not draining. */
export const alive: ClientAnswer = jsonAnswer({ status: "ok" })
