/** The routes: which path and method leads where. Proxied operations come from the table in `operations/Operations.ts`. */
import { randomUUID } from "node:crypto"
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type { ServerLimits } from "../access/ServerLimits.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { answerOf } from "../errors/GatewayError.ts"
import { MethodNotAllowed, UnknownPath } from "../errors/RequestErrors.ts"
import { InternalError, ShuttingDown } from "../errors/ServerErrors.ts"
import type { ClientAnswer, ClientCall, Served } from "../gateway/Exchange.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { Models } from "../gateway/Models.ts"
import { allOperations, type ServedOperation } from "../operations/Operations.ts"
import {
  deploymentIn,
  isModelPath,
  meantPath,
  modelIn,
  pathOf,
  servedPaths,
  spellingsOf,
} from "../operations/RequestPath.ts"
import { sanitizeRequestId } from "../wire/RequestId.ts"
import { Connections } from "./Connections.ts"
import { pageRefusal, preflight } from "./Cors.ts"
import { Handling, type Surroundings } from "./Handling.ts"
import { alive, health } from "./Health.ts"
import { makeLingerForStranger } from "./Lingering.ts"
import { NodeServer } from "./NodeServer.ts"
import { refuseHead } from "./RequestHead.ts"

const requestIdHeader = "x-request-id"

/** Takes a call on. `target` is what the client asked for as it came: a path, or a whole URL, with its query. */
type Route = (call: ClientCall, target: string) => Served

/** What needs no frame of the gateway, and leaves no record. */
const unrecorded = (call: ClientCall, answer: Effect.Effect<ClientAnswer>): Served => ({
  wanted: undefined,
  answer: () =>
    Effect.catchAllDefect(answer, (defect) =>
      Effect.as(
        Effect.logError("request failed inside the gateway", { id: call.id }, defect),
        answerOf(new InternalError({ requestId: call.id })),
      ),
    ),
  isStranger: true,
  deadline: undefined,
  ends: undefined,
})

/** `set-cookie`, which no client has to send, is the only header that Node gives as an array. */
const areJoined = (headers: IncomingHttpHeaders): headers is ClientCall["headers"] =>
  headers["set-cookie"] === undefined

/** Of a header that came several times, all values, as RFC 9110 §5.3 joins them. */
const headersOf = ({ headers }: IncomingMessage): ClientCall["headers"] =>
  areJoined(headers)
    ? headers
    : Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === "object" ? value.join(", ") : value,
        ]),
      )

const millisecondDigits = 12

/**
 * An id that later ones sort behind (UUID version 7, RFC 9562 §5.7): rows of requests lie side by side in the audit's index of ids, which random
 * ones would write all over, for half the cost of a row.
 */
const newId = (now: number): string => {
  const time = now.toString(16).padStart(millisecondDigits, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const accept = (message: IncomingMessage, now: number): ClientCall => {
  const headers = headersOf(message)
  return {
    id: sanitizeRequestId(headers[requestIdHeader]) ?? newId(now),
    headers,
    remoteAddress: message.socket.remoteAddress ?? "",
  }
}

const shuttingDown = answerOf(new ShuttingDown({ retryAfterSeconds: 1 }))

/** Every path that is served, with what it does for each method; `GET` answers `HEAD` too. */
const makeRoutes = Effect.gen(function* () {
  const gateway = yield* Gateway
  const models = yield* Models
  const server = yield* NodeServer
  const { snapshot } = yield* CurrentConfig
  const healthContext = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof health>>>()
  const startedAt = yield* Clock.currentTimeMillis

  /** A gateway that drains takes nothing new; the request leaves its record all the same. */
  const unlessDraining =
    (endpointName: string, answer: Route): Route =>
    (call, target) =>
      server.isDraining()
        ? gateway.serve(endpointName, call, () => Effect.fail(new ShuttingDown({ retryAfterSeconds: 1 })))
        : answer(call, target)

  const proxied = (operation: ServedOperation, deployment?: string): Route =>
    unlessDraining(operation.name, (call) => gateway.proxy(operation, call, deployment))
  const listModels = unlessDraining("models", (call) => models.list(call))
  const retrieveModel = unlessDraining("models", (call, target) => models.retrieve(call, modelIn(target)))
  const healthy: Route = (call, target) =>
    unrecorded(call, Effect.provide(health(startedAt, call, target), healthContext))
  const ready: Route = (call) =>
    unrecorded(
      call,
      Effect.sync(() => (server.isLeaving() ? shuttingDown : alive)),
    )

  const byPath = new Map<string, { readonly method: "GET" | "POST"; readonly route: Route }>([
    ...allOperations.flatMap((operation) => {
      const { method, path } = operation
      const served = { method, route: proxied(operation) }
      return spellingsOf(path).map((spelling) => [spelling, served] as const)
    }),
    ...spellingsOf("/models").map((path) => [path, { method: "GET", route: listModels }] as const),
    ["/health", { method: "GET", route: healthy }],
    ["/livez", { method: "GET", route: (call) => unrecorded(call, Effect.succeed(alive)) }],
    ["/readyz", { method: "GET", route: ready }],
  ])
  const ofModel = { method: "GET", route: retrieveModel } as const

  /** What is served at paths with a name in them. */
  const named = (path: string) => {
    if (isModelPath(path)) return ofModel
    const deployment = deploymentIn(path)
    return deployment === undefined
      ? undefined
      : {
          method: deployment.operation.method,
          route: proxied(deployment.operation, deployment.name),
        }
  }

  return (method: string, target: string): Route => {
    const path = pathOf(target)
    const served = byPath.get(path) ?? named(path)
    if (served?.method === method || (served?.method === "GET" && method === "HEAD")) return served.route
    if (method === "OPTIONS") {
      return (call) => unrecorded(call, Effect.succeed(preflight(snapshot(), call.headers)))
    }
    const shown = path.slice(0, 200)
    const error =
      served === undefined
        ? new UnknownPath({
            method,
            path: shown,
            meant: meantPath(path),
            served: servedPaths,
          })
        : new MethodNotAllowed({
            method,
            path: shown,
            allow: served.method === "POST" ? "POST, OPTIONS" : "GET, HEAD, OPTIONS",
          })
    return (call) => gateway.unserved({ method, path }, call, error)
  }
})

/**
 * Serves each request in one fiber, and interrupts it when its client leaves. Every answer names its request.
 */
const makeListener = Effect.gen(function* () {
  const gateway = yield* Gateway
  const routeOf = yield* makeRoutes
  const { snapshot } = yield* CurrentConfig
  const connections = yield* Connections
  const clock = yield* Effect.clock
  const { runtimeFlags, ...runtime } = yield* Effect.runtime<never>()
  const runFork = Runtime.runFork({
    ...runtime,
    // A histogram of the life of every fiber, that nobody reads.
    runtimeFlags: RuntimeFlags.disable(runtimeFlags, RuntimeFlags.RuntimeMetrics),
  })

  /** Takes a call on; a defect in that is answered as one in answering. */
  const take = (method: string, target: string, call: ClientCall, { socket }: IncomingMessage): Served => {
    try {
      const refused = pageRefusal(snapshot(), method, target, call, socket)
      return refused === undefined
        ? routeOf(method, target)(call, target)
        : gateway.unserved({ method, path: pathOf(target) }, call, refused)
    } catch (defect) {
      return unrecorded(call, Effect.die(defect))
    }
  }

  const onDefect = (id: string, defect: unknown) =>
    void runFork(Effect.logError("a request could not be closed", { id }, defect))
  const surroundings: Surroundings = {
    fork: (effect) => runFork(effect),
    forkAnswer: (answer, send) => runFork(Effect.flatMap(answer, send)),
    snapshot,
    lingerForStranger: makeLingerForStranger(),
    onDefect,
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
    const handling = new Handling(surroundings, connection, call, served, message, response)
    connection.usedAt = now
    if (!served.isStranger) connection.isKnown = true
    connection.add(handling)
    response.on("finish", onFinish)
    handling.start()
  }
  return listener
})

/** How often connections are looked at: often enough for the shortest time that is set, and seldom where thousands are open. */
const lookEveryMs = ({ receiveMs, sendMs }: ServerLimits): number =>
  Math.min(1_000, Math.max(20, Math.min(receiveMs, sendMs) / 4))

/** How often refused connections are told of. */
const tellRefusedMs = 10_000

/** Looks at all connections, again and again, so that none needs a timer. */
const lookAfterConnections = Effect.gen(function* () {
  const connections = yield* Connections
  const { snapshot } = yield* CurrentConfig
  let lookedAt = yield* Clock.currentTimeMillis
  let told = 0
  let toldAt = Number.NEGATIVE_INFINITY
  const look = Effect.gen(function* () {
    const { server } = snapshot()
    const everyMs = lookEveryMs(server)
    yield* Effect.sleep(everyMs)
    const now = yield* Clock.currentTimeMillis
    const { receiveMs, sendMs } = server
    // What passed while the process stood still, or the machine slept, was nobody's silence.
    connections.look({ now, stepMs: Math.min(now - lookedAt, 2 * everyMs), sendMs, receiveMs })
    lookedAt = now
    const { open, refused } = connections.status
    if (refused === told || now - toldAt < tellRefusedMs) return
    yield* Effect.logWarning(
      "connections were refused: server.max_connections, max_connections_per_address, or the system had no room",
      {
        refused: refused - told,
        open,
      },
    )
    told = refused
    toldAt = now
    // One look that fails is not the last.
  }).pipe(Effect.catchAllDefect((defect) => Effect.logError("connections could not be looked at", defect)))
  yield* Effect.forkScoped(Effect.forever(look))
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
