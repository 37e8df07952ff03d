/** The routes: which path and method leads where. Proxied operations come from the table in `operations/Operations.ts`. */
import * as Effect from "effect/Effect"
import { adminPlaceOf } from "../admin/AdminPaths.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { answerOf } from "../errors/GatewayError.ts"
import { InvalidRequest, MethodNotAllowed, NoUpgrade, UnknownPath } from "../errors/RequestErrors.ts"
import { ShuttingDown } from "../errors/ServerErrors.ts"
import type { ClientAnswer, ClientCall, Served } from "../gateway/Exchange.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { Models } from "../gateway/Models.ts"
import { passthroughName } from "../gateway/Passthrough.ts"
import type { ServedPath } from "../operations/Operation.ts"
import { allOperations } from "../operations/Operations.ts"
import { meantPath } from "../operations/paths/MeantPath.ts"
import { isModelPath, modelIn } from "../operations/paths/ModelPath.ts"
import { type NamedPath, namedIn } from "../operations/paths/NamedPath.ts"
import { passedQuery, pathOf } from "../operations/paths/RequestTarget.ts"
import { servedPaths } from "../operations/paths/ServedPaths.ts"
import { spellingsOf } from "../operations/paths/Spellings.ts"
import { type Passed, passedBy } from "../routing/Passthrough.ts"
import { preflight } from "./Cors.ts"
import { alive, health } from "./Health.ts"
import { NodeServer } from "./NodeServer.ts"
import { unrecorded } from "./Unrecorded.ts"

/** Takes a call on. `target` is what the client asked for as it came: a path, or a whole URL, with its query. */
export type Route = (call: ClientCall, target: string) => Served

/** What is served at a path, by its methods. `GET` answers `HEAD` too. */
interface Place extends Readonly<Partial<Record<"DELETE" | "GET" | "POST", Route>>> {
  /** Who asks for another protocol there is told that there is none. */
  readonly refusesUpgrade?: boolean
}

const routeOf = (place: Place, method: string): Route | undefined => {
  switch (method) {
    case "GET":
    case "HEAD":
      return place.GET
    case "POST":
      return place.POST
    case "DELETE":
      return place.DELETE
    default:
      return undefined
  }
}

/** The methods of a place, as `allow` tells them. */
const allowedAt = ({ DELETE, GET, POST }: Place): string =>
  [
    ...(GET === undefined ? [] : ["GET", "HEAD"]),
    ...(POST === undefined ? [] : ["POST"]),
    ...(DELETE === undefined ? [] : ["DELETE"]),
    "OPTIONS",
  ].join(", ")

/** Where the routes lead, beside what any process knows of itself. */
interface Destinations {
  readonly gateway: Gateway["Type"]
  readonly models: Models["Type"]
  readonly server: NodeServer["Type"]
  readonly snapshot: CurrentConfig["Type"]["snapshot"]
  readonly health: (call: ClientCall, target: string) => Effect.Effect<ClientAnswer>
}

const unclearPath =
  "The path could be read as another: it has dots for a segment, an escaped slash, or characters that do not stand in a path. Write it without."

const atAdminPort = "It is for operators, who ask at `admin.port` of the configuration."

const shuttingDown = new ShuttingDown({ retryAfterSeconds: 1 })

const spelled = (paths: ReadonlyArray<ServedPath>, place: Place): ReadonlyArray<readonly [string, Place]> =>
  paths.flatMap(spellingsOf).map((spelling) => [spelling, place] as const)

/** Every path that is served, with what it does for each method. */
class Routes {
  readonly #to: Destinations
  readonly #byPath: ReadonlyMap<string, Place>
  readonly #ofModel: Place

  constructor(to: Destinations) {
    this.#to = to
    const listed = this.#unlessDraining("models", (call, target) => to.models.list(call, target))
    const retrieved = this.#unlessDraining("models", (call, target) =>
      to.models.retrieve(call, modelIn(target)),
    )
    this.#ofModel = { GET: retrieved }
    this.#byPath = new Map([
      ...allOperations.flatMap((operation) =>
        spelled(operation.paths, this.#proxied({ operations: [operation], names: {} })),
      ),
      ...spelled(["/models", "//anthropic/v1/models"], { GET: listed }),
      ...this.#own(),
    ])
  }

  /** The route of a request; one that is not served leads to the answer that says so. */
  find(method: string, target: string): Route {
    const path = pathOf(target)
    const place = this.#byPath.get(path) ?? this.#named(path)
    const route = place === undefined ? undefined : routeOf(place, method)
    if (route !== undefined) return route
    const { gateway, snapshot } = this.#to
    if (place === undefined) {
      const passed = passedBy(snapshot().passthrough, target)
      if (passed !== undefined && method !== "OPTIONS") return this.#passing(passed, method, path)
    }
    if (method === "OPTIONS") {
      return (call) => unrecorded(call, Effect.succeed(preflight(snapshot(), call.headers)))
    }
    const error = this.#misdirected(method, path, place)
    const refusesUpgrade = place?.refusesUpgrade === true && method === "GET"
    return (call) => {
      const asksUpgrade = refusesUpgrade && call.headers["upgrade"] !== undefined
      return gateway.unserved({ method, path }, call, asksUpgrade ? new NoUpgrade() : error)
    }
  }

  /** Where a rule of the configuration leads; what it does not let through leads to the answer that says so. */
  #passing(passed: Passed, method: string, path: string): Route {
    const { gateway } = this.#to
    const { methods } = passed.rule
    const asked = [...methods, ...(methods.includes("GET") ? (["HEAD"] as const) : [])].find(
      (one) => one === method,
    )
    const shown = path.slice(0, 200)
    if (asked === undefined) {
      const error = new MethodNotAllowed({ method, path: shown, allow: [...methods, "OPTIONS"].join(", ") })
      return (call) => gateway.unserved({ method, path }, call, error)
    }
    if (passed.kind === "refused") {
      const error = new InvalidRequest({ message: unclearPath, param: null })
      return (call) => gateway.unserved({ method, path }, call, error)
    }
    return this.#unlessDraining(passthroughName, (call) =>
      call.headers["upgrade"]?.toLowerCase() === "websocket"
        ? gateway.serve(passthroughName, call, () => Effect.fail(new NoUpgrade()))
        : gateway.passOn({ method: asked, passed }, call),
    )
  }

  #misdirected(method: string, path: string, place: Place | undefined): UnknownPath | MethodNotAllowed {
    const shown = path.slice(0, 200)
    return place === undefined
      ? new UnknownPath({
          method,
          path: shown,
          meant: meantPath(path),
          served: servedPaths,
          ...(adminPlaceOf(path) === undefined ? {} : { instead: atAdminPort }),
        })
      : new MethodNotAllowed({ method, path: shown, allow: allowedAt(place) })
  }

  /** What is served at paths with a name in them. */
  #named(path: string): Place | undefined {
    if (isModelPath(path)) return this.#ofModel
    const named = namedIn(path)
    return named === undefined ? undefined : this.#proxied(named)
  }

  #proxied({ names, operations }: NamedPath): Place {
    const { gateway } = this.#to
    const { deployment, id } = names
    const routes = operations.map((operation) => {
      const proxy: Route = (call, target) =>
        gateway.proxy(operation, call, { deployment, id, query: passedQuery(target) })
      return [operation.method, this.#unlessDraining(operation.name, proxy)] as const
    })
    return {
      ...Object.fromEntries(routes),
      refusesUpgrade: operations.some((operation) => operation.refusesUpgrade === true),
    }
  }

  /** What is told of this gateway itself. */
  #own(): ReadonlyArray<readonly [string, Place]> {
    const { health, server } = this.#to
    const get = (answer: (call: ClientCall, target: string) => Effect.Effect<ClientAnswer>): Place => ({
      GET: (call, target) => unrecorded(call, answer(call, target)),
    })
    return [
      ["/health", get(health)],
      ["/livez", get(() => Effect.succeed(alive))],
      [
        "/readyz",
        get((call) => Effect.sync(() => (server.isLeaving() ? answerOf(shuttingDown, call) : alive))),
      ],
    ]
  }

  /** A gateway that drains takes nothing new; the request leaves its record all the same. */
  #unlessDraining(endpointName: string, answer: Route): Route {
    const { gateway, server } = this.#to
    const refused = Effect.fail(shuttingDown)
    return (call, target) =>
      server.isDraining() ? gateway.serve(endpointName, call, () => refused) : answer(call, target)
  }
}

/** The routes of this gateway. */
export const makeRoutes = Effect.gen(function* () {
  const { snapshot } = yield* CurrentConfig
  const context = yield* Effect.context<Effect.Effect.Context<ReturnType<typeof health>>>()
  return new Routes({
    gateway: yield* Gateway,
    models: yield* Models,
    server: yield* NodeServer,
    snapshot,
    health: (call, target) => Effect.provide(health(call, target), context),
  })
})
