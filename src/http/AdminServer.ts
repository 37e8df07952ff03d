/**
 * The operators' own port, while the configuration names one. A reload may move it, give it up or bring it; where the new one cannot be had, that is
 * told in the log, and what only operators see is nowhere until the next reload: never on the callers' port.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Leaving } from "../admin/AdminQuestion.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { AdminAddress } from "../config/Snapshot.ts"
import { answerOf } from "../errors/GatewayError.ts"
import { UnknownPath } from "../errors/RequestErrors.ts"
import { ShuttingDown } from "../errors/ServerErrors.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { jsonAnswer } from "../gateway/JsonAnswer.ts"
import { pathOf } from "../operations/paths/RequestTarget.ts"
import { makeAdminRoutes, servedToOperators } from "./AdminRoutes.ts"
import { Connections, ConnectionTable } from "./Connections.ts"
import { alive, gatewayHealth } from "./Health.ts"
import { guarded, makeListener } from "./Listener.ts"
import { lookAfterConnections } from "./LookAfter.ts"
import * as NodeServer from "./NodeServer.ts"
import { forOperators } from "./Unrecorded.ts"

/** Operators are few. */
const limits = { most: 256, mostPerAddress: 0 }

/** What is live ends by itself when the gateway is told to. */
const shutdownGrace = Duration.seconds(1)

/** Where the address was just given up, by this gateway or its like, it may be had in a moment. */
const retries = Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(10))

const toDashboard: ClientAnswer = { status: 302, headers: { location: "/dashboard" }, body: new Uint8Array() }

/** What anybody may ask there who reaches the port. */
const makePlain = Effect.gen(function* () {
  const isLeaving = yield* Leaving
  const context = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof gatewayHealth>>>()
  const health = Effect.map(Effect.provide(gatewayHealth("brief"), context), jsonAnswer)
  return (method: string, path: string, call: ClientCall): Effect.Effect<ClientAnswer> => {
    if (method === "GET" || method === "HEAD") {
      if (path === "/") return Effect.succeed(toDashboard)
      if (path === "/health") return health
      if (path === "/livez") return Effect.succeed(alive)
      if (path === "/readyz")
        return Effect.sync(() =>
          isLeaving() ? answerOf(new ShuttingDown({ retryAfterSeconds: 1 }), call) : alive,
        )
    }
    const shown = path.slice(0, 200)
    const unknown = new UnknownPath({ method, path: shown, meant: undefined, served: servedToOperators })
    return Effect.succeed(answerOf(unknown, call))
  }
})

const makeTake = Effect.gen(function* () {
  const admin = yield* makeAdminRoutes
  const plain = yield* makePlain
  return guarded(
    (method, target, call) =>
      admin.take(call, method, target, true) ??
      forOperators(call, undefined, () => plain(method, pathOf(target), call)),
  )
})

const serving = Layer.scopedDiscard(
  Effect.gen(function* () {
    const server = yield* NodeServer.NodeServer
    const listener = yield* makeListener(yield* makeTake)
    yield* lookAfterConnections
    yield* server.serve(listener)
    yield* Effect.addFinalizer(() => server.drain(() => Effect.void))
  }),
)

const connections = Layer.effect(
  Connections,
  Effect.map(
    Effect.clock,
    (clock) =>
      new ConnectionTable(
        () => limits,
        () => clock.unsafeCurrentTimeMillis(),
      ),
  ),
)

/** Serves at an address for as long as the scope is open. */
const listenAt = ({ host, port }: AdminAddress) =>
  serving.pipe(
    Layer.provide(
      NodeServer.layer({ host, port, shutdownGrace, shutdownDelay: Duration.zero, setBy: "admin" }),
    ),
    Layer.provide(Layer.fresh(connections)),
  )

const isSame = (a: AdminAddress | undefined, b: AdminAddress | undefined): boolean =>
  a?.host === b?.host && a?.port === b?.port

export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { changes, snapshot } = yield* CurrentConfig
    const outer = yield* Effect.scope
    let address = snapshot().adminAddress
    let scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
    if (address !== undefined) yield* Layer.buildWithScope(listenAt(address), scope)
    const move = (next: AdminAddress | undefined) =>
      Effect.gen(function* () {
        yield* Effect.forkIn(Scope.close(scope, Exit.void), outer)
        address = next
        scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
        if (next === undefined) return
        yield* Layer.buildWithScope(listenAt(next), scope).pipe(Effect.retry(retries))
        yield* Effect.logInfo("the operators' port is another now", next)
      }).pipe(
        Effect.catchAll(({ message }) =>
          Effect.logError(`what only operators see is nowhere until the next reload: ${message}`),
        ),
      )
    yield* Effect.forkScoped(
      Stream.runForEach(changes, ({ adminAddress }) =>
        isSame(adminAddress, address) ? Effect.void : move(adminAddress),
      ),
    )
  }),
)
