/** The routes: which path and method leads where. Proxied operations come from the table in `domain/Endpoint.ts`. */
import { randomUUID } from "node:crypto"
import { isIP } from "node:net"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Endpoint, endpoints } from "../domain/Endpoint.ts"
import {
  answerOf,
  InternalError,
  MethodNotAllowed,
  ShuttingDown,
  UnknownPath,
} from "../domain/GatewayError.ts"
import { sanitizeRequestId } from "../domain/RequestHeaders.ts"
import { type ClientAnswer, type ClientCall, Gateway } from "../Gateway.ts"
import * as ClientBody from "./ClientBody.ts"
import { corsHeaders, preflight } from "./Cors.ts"
import { alive, health } from "./Health.ts"
import { Models } from "./Models.ts"
import { Draining } from "./NodeServer.ts"
import { send } from "./Respond.ts"

const requestIdHeader = "x-request-id"

/** A gateway may be reached with or without `/v1`. */
const spellings = (path: `/${string}`): ReadonlyArray<`/${string}`> => [path, `/v1${path}`]

const probePaths = ["/health", "/livez", "/readyz"]

/** Paths whose other methods are answered 405, with what they do take. */
const allowed: ReadonlyMap<string, string> = new Map([
  ...endpoints.flatMap(({ path }) => spellings(path).map((spelled) => [spelled, "POST, OPTIONS"] as const)),
  ...spellings("/models").map((path) => [path, "GET, HEAD, OPTIONS"] as const),
  ...probePaths.map((path) => [path, "GET, HEAD, OPTIONS"] as const),
])

const modelPath = /^(?:\/v1)?\/models\/(?=.)/

const pathOf = (url: string): string => {
  const query = url.indexOf("?")
  return query === -1 ? url : url.slice(0, query)
}

const allowOf = (path: string): string | undefined =>
  allowed.get(path) ?? (modelPath.test(path) ? "GET, HEAD, OPTIONS" : undefined)

/** The first address a trusted proxy forwarded, where it is one. */
const forwardedFor = (headers: ClientCall["headers"]): string | undefined => {
  const first = headers["x-forwarded-for"]?.split(",", 1)[0]?.trim()
  return first !== undefined && isIP(first) !== 0 ? first : undefined
}

/** IPv4 clients of a dual-stack socket look like `::ffff:127.0.0.1`. */
const plainAddress = (address: string | undefined): string => (address ?? "").replace(/^::ffff:(?=\d+\.)/, "")

const accept = (request: HttpServerRequest.HttpServerRequest): ClientCall => {
  const message = NodeHttpServerRequest.toIncomingMessage(request)
  const { headers } = request
  return {
    id: sanitizeRequestId(headers[requestIdHeader]) ?? randomUUID(),
    headers,
    remoteAddress: plainAddress(message.socket.remoteAddress),
    forwardedFor: forwardedFor(headers),
    body: (limitBytes, hold) => ClientBody.read(message, limitBytes, hold),
  }
}

/**
 * Runs a handler on an accepted call and sends its answer; every answer names its request. A defect is logged and answered, never
 * shown.
 */
const handled = <R>(
  handler: (
    call: ClientCall,
    request: HttpServerRequest.HttpServerRequest,
  ) => Effect.Effect<ClientAnswer, never, R>,
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const call = accept(request)
    return handler(call, request).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.as(
          Effect.logError("request failed inside the gateway", { id: call.id }, defect),
          answerOf(new InternalError({ requestId: call.id })),
        ),
      ),
      Effect.flatMap(({ body, headers, status }) =>
        send(
          { status, headers: { ...headers, ...corsHeaders, [requestIdHeader]: call.id }, body },
          NodeHttpServerRequest.toIncomingMessage(request),
          NodeHttpServerRequest.toServerResponse(request),
        ),
      ),
      Effect.as(HttpServerResponse.empty()),
    )
  })

/** Gives a probe's response the request's id. */
const identified = <E, R>(response: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    return HttpServerResponse.setHeaders(yield* response, {
      ...corsHeaders,
      [requestIdHeader]: accept(request).id,
    })
  })

/** The answer of a gateway that takes nothing new; the request leaves its record all the same. */
const refused = (endpointName: string, call: ClientCall) =>
  Effect.flatMap(Gateway, (gateway) =>
    gateway.serve(endpointName, call, () => Effect.fail(new ShuttingDown({ retryAfterSeconds: 1 }))),
  )

const unlessDraining = <R>(
  endpointName: string,
  answer: (call: ClientCall) => Effect.Effect<ClientAnswer, never, R>,
) =>
  handled((call) =>
    Effect.if(
      Effect.map(Draining, (draining) => draining.hasBegun()),
      { onTrue: () => refused(endpointName, call), onFalse: () => answer(call) },
    ),
  )

const proxied = (endpoint: Endpoint) =>
  unlessDraining(endpoint.name, (call) => Effect.flatMap(Gateway, (gateway) => gateway.proxy(endpoint, call)))

const listModels = unlessDraining("models", (call) => Effect.flatMap(Models, (models) => models.list(call)))

/** A model's id may hold slashes, encoded or not, so it is cut from the path rather than matched as a segment. */
const retrieve = (call: ClientCall, path: string) =>
  Effect.flatMap(Models, (models) => models.retrieve(call, path.replace(modelPath, "")))

const retrieveModel = handled((call, request) => retrieve(call, pathOf(request.url)))

const ready = Effect.flatMap(Draining, (draining) =>
  draining.hasBegun()
    ? handled(() => Effect.succeed(answerOf(new ShuttingDown({ retryAfterSeconds: 1 }))))
    : identified(alive),
)

/** Wrong paths and wrong methods, and the ids of models that the router cannot decode. */
const unrouted = handled((call, request) => {
  const path = pathOf(request.url)
  const { method } = request
  const allow = allowOf(path)
  if ((method === "GET" || method === "HEAD") && modelPath.test(path)) return retrieve(call, path)
  return Effect.succeed(
    answerOf(
      allow === undefined
        ? new UnknownPath({ method, path: path.slice(0, 200) })
        : new MethodNotAllowed({ method, path: path.slice(0, 200), allow }),
    ),
  )
})

const router = (startedAt: number) =>
  HttpRouter.fromIterable([
    ...endpoints.flatMap((endpoint) => {
      const handler = proxied(endpoint)
      return spellings(endpoint.path).map((path) => HttpRouter.makeRoute("POST", path, handler))
    }),
    ...spellings("/models").map((path) => HttpRouter.makeRoute("GET", path, listModels)),
    ...spellings("/models/*").map((path) => HttpRouter.makeRoute("GET", path, retrieveModel)),
    HttpRouter.makeRoute(
      "OPTIONS",
      "*",
      handled((call) => Effect.succeed(preflight(call.headers))),
    ),
    HttpRouter.makeRoute("GET", "/health", identified(health(startedAt))),
    HttpRouter.makeRoute("GET", "/livez", identified(alive)),
    HttpRouter.makeRoute("GET", "/readyz", ready),
  ])

/**
 * Serves the routes on the server beneath, and when it ends, drains that server before the routes let go of it. Tracing is off:
 * without an exporter it costs spans per request and would send `traceparent` of its own to every upstream.
 */
export const layer = Layer.scopedDiscard(
  Effect.flatMap(Draining, ({ drain }) => Effect.addFinalizer(() => drain)),
).pipe(
  Layer.provideMerge(
    Layer.unwrapEffect(
      Effect.map(Clock.currentTimeMillis, (startedAt) =>
        HttpServer.serve(Effect.catchTag(router(startedAt), "RouteNotFound", () => unrouted)).pipe(
          Layer.provide(Layer.setTracerEnabled(false)),
        ),
      ),
    ),
  ),
)
