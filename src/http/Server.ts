/** The server of the gateway: each request is routed and answered in one fiber, and the end drains it. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ClientCall, Served } from "../gateway/Exchange.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { pathOf } from "../operations/paths/RequestTarget.ts"
import { accept } from "./Accept.ts"
import { Connections } from "./Connections.ts"
import { pageRefusal } from "./Cors.ts"
import { Handling, type Surroundings } from "./Handling.ts"
import { makeLingerForStranger } from "./Lingering.ts"
import { lookAfterConnections } from "./LookAfter.ts"
import { NodeServer } from "./NodeServer.ts"
import { refuseHead } from "./RequestHead.ts"
import { makeRoutes, unrecorded } from "./Routes.ts"

/** Runs the fibers of requests. A histogram of the life of every fiber is left out: nobody reads it. */
const makeRunFork = Effect.withRuntimeFlagsPatch(
  FiberSet.makeRuntime(),
  RuntimeFlagsPatch.disable(RuntimeFlags.RuntimeMetrics),
)

/** Takes a call on; a defect in that is answered as one in answering. */
const makeTake = Effect.gen(function* () {
  const gateway = yield* Gateway
  const routes = yield* makeRoutes
  const { snapshot } = yield* CurrentConfig
  return (method: string, target: string, call: ClientCall, { socket }: IncomingMessage): Served => {
    try {
      const refused = pageRefusal(snapshot(), method, target, call, socket)
      return refused === undefined
        ? routes.find(method, target)(call, target)
        : gateway.unserved({ method, path: pathOf(target) }, call, refused)
    } catch (defect) {
      return unrecorded(call, Effect.die(defect))
    }
  }
})

/** Serves each request in one fiber, and interrupts it when its client leaves. Every answer names its request. */
const makeListener = Effect.gen(function* () {
  const take = yield* makeTake
  const { snapshot } = yield* CurrentConfig
  const connections = yield* Connections
  const clock = yield* Effect.clock
  const runFork = yield* makeRunFork
  const surroundings: Surroundings = {
    fork: (effect) => runFork(effect),
    forkAnswer: (answer, send) => runFork(Effect.flatMap(answer, send)),
    snapshot,
    lingerForStranger: makeLingerForStranger(),
    onDefect: (id, defect) => void runFork(Effect.logError("a request could not be closed", { id }, defect)),
  }

  /** One function for all answers, which finds whose it is. */
  function onFinish(this: ServerResponse) {
    connections.sent(this)
  }

  const listener: RequestListener = (message, response) => {
    const connection = connections.of(message.socket)
    // One that is closed already, or about to be, and had more requests in its last bytes.
    if (connection === undefined || !connection.isTaking()) return
    if (refuseHead(message, response)) {
      connection.isRefused = true
      return
    }
    const { method = "", url = "" } = message
    const now = clock.unsafeCurrentTimeMillis()
    const call = accept(message, now)
    const served = take(method, url, call, message)
    const handling = new Handling(surroundings, { connection, call, served, message, response })
    connection.usedAt = now
    if (!served.isStranger) connection.isKnown = true
    connection.add(handling)
    response.on("finish", onFinish)
    handling.start()
  }
  return listener
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
      const listener = yield* makeListener
      // Ends with the server: who takes nothing does not keep it waiting.
      yield* lookAfterConnections
      yield* server.serve(listener)
      yield* Effect.addFinalizer(() => server.drain(onDrain))
    }),
  ).pipe(Layer.provide(Layer.setTracerEnabled(false)))
