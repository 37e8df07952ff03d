/** The server of the gateway: each request is routed and answered in one fiber, and the end drains it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { pathOf } from "../operations/paths/RequestTarget.ts"
import { makeAdminRoutes } from "./AdminRoutes.ts"
import { pageRefusal } from "./Cors.ts"
import { guarded, makeListener } from "./Listener.ts"
import { lookAfterConnections } from "./LookAfter.ts"
import { NodeServer } from "./NodeServer.ts"
import { makeRoutes } from "./Routes.ts"

/** What callers ask, and on their port what only operators see. */
const makeTake = Effect.gen(function* () {
  const gateway = yield* Gateway
  const routes = yield* makeRoutes
  const admin = yield* makeAdminRoutes
  const { snapshot } = yield* CurrentConfig
  return guarded((method, target, call, { socket }) => {
    const refused = pageRefusal(snapshot(), method, target, call, socket)
    if (refused !== undefined) return gateway.unserved({ method, path: pathOf(target) }, call, refused)
    return admin.take(call, method, target, false) ?? routes.find(method, target)(call, target)
  })
})

/**
 * Serves the routes on the server beneath, and when it ends, drains that server before the routes let go of it. Tracing is off:
 * without an exporter it costs spans per request.
 *
 * @param onDrain told how many requests are under way when new ones are no longer taken
 */
export const layer = (onDrain: (underWay: number) => Effect.Effect<void>) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const server = yield* NodeServer
      const listener = yield* makeListener(yield* makeTake)
      // Ends with the server: who takes nothing does not keep it waiting.
      yield* lookAfterConnections
      yield* server.serve(listener)
      yield* Effect.addFinalizer(() => server.drain(onDrain))
    }),
  ).pipe(Layer.provide(Layer.setTracerEnabled(false)))
