/** What only operators see: where it is served, who is let in, and which headers are on its answers. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Strangers } from "../access/Strangers.ts"
import { type Doors, pageFaultOf, visitorOf } from "../admin/Access.ts"
import { AdminApp } from "../admin/AdminApp.ts"
import { type AdminPlace, adminPlaceOf, openApiPath, sessionPath } from "../admin/AdminPaths.ts"
import { openApi } from "../admin/api/OpenApiDocument.ts"
import { Dashboard } from "../admin/Dashboard.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { AdminDenied, AdminRefused } from "../errors/AccessErrors.ts"
import { answerOf, type GatewayError } from "../errors/GatewayError.ts"
import { MethodNotAllowed, UnknownPath } from "../errors/RequestErrors.ts"
import type { ClientAnswer, ClientCall, ReadBody, Served, WantedBody } from "../gateway/Exchange.ts"
import { jsonAnswer } from "../gateway/JsonAnswer.ts"
import { askedQuery, pathOf } from "../operations/paths/RequestTarget.ts"
import { gatewayHealth, isVerbose } from "./Health.ts"
import { metricsPage } from "./MetricsPage.ts"
import { forOperators } from "./Unrecorded.ts"

/** On every answer of these: no page of another site frames, reads or keeps it. */
const onEvery = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const

/** A body longer than this is no key. It is held for no longer than its own request. */
const wantedKey: WantedBody = {
  limit: { limitBytes: 16_384, setBy: "max_body_bytes" },
  hold: () => true,
  form: undefined,
}

/** How a question came. */
interface Asked {
  readonly call: ClientCall
  readonly method: string
  readonly target: string
  readonly path: string
  readonly place: AdminPlace
  readonly isOwnPort: boolean
}

/** Somebody opens the page: typed, or by a link from anywhere. What it then asks for is asked by the page. */
const isVisit = ({ call: { headers }, method, place }: Asked): boolean =>
  place === "dashboard" && method === "GET" && headers["sec-fetch-mode"] === "navigate"

/** What needs no key: the page itself, which holds nothing, and signing in. */
const isOpen = ({ path, place }: Asked): boolean => place === "dashboard" || path === sessionPath

const bytesOf = (body: ReadBody): Either.Either<Uint8Array, GatewayError> =>
  Either.map(body, (read) =>
    read instanceof Uint8Array ? read : "pieces" in read ? Buffer.concat(read.pieces) : new Uint8Array(),
  )

/** What operators find, for those of whom it cannot be told what they meant. */
export const servedToOperators = ["/dashboard", openApiPath, "/health?verbose", "/metrics"]

const notHere = ({ call, method, path }: Asked): ClientAnswer =>
  answerOf(
    new UnknownPath({ method, path: path.slice(0, 200), meant: undefined, served: servedToOperators }),
    call,
  )

/** Methods that the API has. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "DELETE"])

const notTaken = ({ call, method, path }: Asked, allow: string): ClientAnswer =>
  answerOf(new MethodNotAllowed({ method, path: path.slice(0, 200), allow }), call)

/** The head of what `GET` answers. What is live would begin with its first event, and never end. */
const headOf = (answer: ClientAnswer): ClientAnswer =>
  answer.body instanceof Uint8Array ? answer : { ...answer, body: new Uint8Array() }

interface Destinations {
  readonly app: AdminApp["Type"]
  readonly dashboard: Dashboard["Type"]
  readonly strangers: Strangers["Type"]
  readonly snapshot: CurrentConfig["Type"]["snapshot"]
  /** What `/health?verbose` says. */
  readonly health: Effect.Effect<ClientAnswer>
  readonly metrics: (call: ClientCall) => Effect.Effect<ClientAnswer>
}

export class AdminRoutes {
  readonly #to: Destinations

  constructor(destinations: Destinations) {
    this.#to = destinations
  }

  /** Takes a question on; nothing where it is not about what only operators see, or not here. */
  take(call: ClientCall, method: string, target: string, isOwnPort: boolean): Served | undefined {
    const path = pathOf(target)
    const place =
      adminPlaceOf(path) ?? (isOwnPort && path === "/health" && isVerbose(target) ? "health" : undefined)
    if (place === undefined || (!isOwnPort && this.#to.snapshot().adminAddress !== undefined))
      return undefined
    const asked = { call, method, target, path, place, isOwnPort }
    return forOperators(call, method === "POST" ? wantedKey : undefined, (body) =>
      Effect.map(this.#answer(asked, bytesOf(body)), (answer) => ({
        ...answer,
        headers: { ...onEvery, ...answer.headers },
      })),
    )
  }

  #doors(isOwnPort: boolean): Doors {
    const { adminKeys, server } = this.#to.snapshot()
    return { accessKeys: server.accessKeys, adminKeys, origins: server.origins, isOwnPort }
  }

  /** Why it is not answered, if it is not. */
  #refusal(asked: Asked, now: number): AdminDenied | AdminRefused | undefined {
    const { call, isOwnPort } = asked
    const doors = this.#doors(isOwnPort)
    const fault = pageFaultOf(doors, call.headers, isVisit(asked))
    if (fault !== undefined) return new AdminRefused({ reason: fault })
    if (isOpen(asked)) return undefined
    switch (visitorOf(doors, call.headers, now)) {
      case "operator":
        return undefined
      case "shut":
        return new AdminRefused({ reason: "shut" })
      case "unknown":
        return new AdminDenied({ reason: "missing" })
      case "impostor":
        this.#to.strangers.isNoted()
        return new AdminDenied({ reason: "wrong" })
    }
  }

  /** The dashboard's page, or a file of it. */
  #page(asked: Asked): Effect.Effect<ClientAnswer> {
    const { call, method, path, target } = asked
    if (method !== "GET" && method !== "HEAD") {
      return Effect.succeed(notTaken(asked, "GET, HEAD"))
    }
    return Effect.map(
      this.#to.dashboard.answer({ path, target, headers: call.headers }),
      (answer) => answer ?? notHere(asked),
    )
  }

  #answer(asked: Asked, body: Either.Either<Uint8Array, GatewayError>): Effect.Effect<ClientAnswer> {
    return Effect.gen(this, function* () {
      const { call, isOwnPort, method, path, place, target } = asked
      const refusal = this.#refusal(asked, yield* Clock.currentTimeMillis)
      if (refusal !== undefined) return answerOf(refusal, call)
      if (Either.isLeft(body)) return answerOf(body.left, call)
      if (place === "health") return yield* this.#to.health
      if (place === "dashboard") return yield* this.#page(asked)
      const isRead = method === "GET" || method === "HEAD"
      if (place === "metrics" && isRead) return yield* this.#to.metrics(call)
      if (place !== "api") return notHere(asked)
      if (path === openApiPath && isRead) return jsonAnswer(openApi)
      if (!methods.has(method)) return notTaken(asked, [...methods].join(", "))
      const question = { call, method, target: `${path}${askedQuery(target)}`, body: body.right, isOwnPort }
      const answer = yield* this.#to.app.answer(question)
      return method === "HEAD" ? headOf(answer) : answer
    })
  }
}

export const makeAdminRoutes = Effect.gen(function* () {
  const { snapshot } = yield* CurrentConfig
  const context =
    yield* Effect.context<
      Effect.Effect.Context<ReturnType<typeof gatewayHealth> | ReturnType<typeof metricsPage>>
    >()
  return new AdminRoutes({
    app: yield* AdminApp,
    dashboard: yield* Dashboard,
    strangers: yield* Strangers,
    snapshot,
    health: Effect.map(Effect.provide(gatewayHealth("verbose"), context), jsonAnswer),
    metrics: (call) => Effect.provide(metricsPage(call), context),
  })
})
