/** The admin API as it runs: a question in, an answer out, in the values of the gateway. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import * as HttpServer from "@effect/platform/HttpServer"
import { RequestError, RouteNotFound } from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { ClientAnswer } from "../gateway/Exchange.ts"
import { type AdminQuestion, ownPortHeader } from "./AdminQuestion.ts"
import { AdminApi } from "./api/AdminApi.ts"
import { type BadQuestion, badQuestion, type NotThere, notThere } from "./api/ApiError.ts"
import { overviewHandlers } from "./OverviewHandlers.ts"
import { requestHandlers } from "./RequestHandlers.ts"
import { sessionHandlers } from "./SessionHandlers.ts"
import { StreamRelay } from "./StreamRelay.ts"

export class AdminApp extends Context.Tag("sluice/AdminApp")<
  AdminApp,
  { readonly answer: (question: AdminQuestion) => Effect.Effect<ClientAnswer> }
>() {}

/** Headers that decide on an answer. */
const passed = ["authorization", "cookie", "x-api-key", "api-key", "x-forwarded-proto"]

const requestOf = ({ body, call, isOwnPort, method, target }: AdminQuestion): Request => {
  const headers = new Headers()
  for (const name of passed) {
    const value = call.headers[name]
    if (value !== undefined) headers.set(name, value)
  }
  // Whatever a body is said to be, it is read as what alone is taken.
  headers.set("content-type", "application/json")
  if (isOwnPort) headers.set(ownPortHeader, "yes")
  const isRead = method === "GET" || method === "HEAD"
  return new Request(new URL(target, "http://admin.invalid"), {
    method: isRead ? "GET" : method,
    headers,
    ...(isRead ? {} : { body: new Uint8Array(body) }),
  })
}

const answerOf = ({ body, headers, status }: HttpServerResponse.HttpServerResponse): ClientAnswer => {
  // The edge says how long the body is.
  const { "content-length": _, ...told } = headers
  switch (body._tag) {
    case "Uint8Array":
      return { status, headers: { ...told, "content-type": body.contentType }, body: body.body }
    case "Stream":
      return {
        status,
        headers: { ...told, "content-type": body.contentType },
        body: new StreamRelay(body.stream),
      }
    default:
      return { status, headers: told, body: new Uint8Array() }
  }
}

/** What is wrong with a question, in a line for each parameter. */
const faultOf = ({ issues }: HttpApiDecodeError) => {
  const [first] = issues
  const param = first?.path.map(String).join(".") ?? ""
  return badQuestion(
    param,
    issues.map(({ message, path }) => `${path.map(String).join(".")}: ${message}`).join("; "),
  )
}

const noJson = badQuestion("body", "body: expected JSON")

const unknownPath = notThere(
  "unknown_path",
  "the admin API has no such path or method; /admin/api/openapi.json lists what it has",
)

type Fault = Schema.Schema.Type<typeof BadQuestion> | Schema.Schema.Type<typeof NotThere>

/** Why a question reached no handler, in the shape of all errors. */
const faultIn = (cause: Cause.Cause<never>): Effect.Effect<never, Fault> => {
  const fault: unknown = Cause.squash(cause)
  if (fault instanceof HttpApiDecodeError) return Effect.fail(faultOf(fault))
  if (fault instanceof RequestError && fault.reason === "Decode") return Effect.fail(noJson)
  return fault instanceof RouteNotFound ? Effect.fail(unknownPath) : Effect.failCause(cause)
}

/** Faults that no handler foresaw. */
const shaped = HttpApiBuilder.middleware(AdminApi, (app) => Effect.catchAllCause(app, faultIn))

const handlers = Layer.provide(
  HttpApiBuilder.api(AdminApi),
  Layer.mergeAll(sessionHandlers, requestHandlers, overviewHandlers),
)

export const layer = Layer.effect(
  AdminApp,
  Effect.gen(function* () {
    const app = yield* HttpApiBuilder.httpApp
    const context = yield* Effect.context<Layer.Layer.Success<typeof HttpServer.layerContext>>()
    return AdminApp.of({
      answer: (question) =>
        Effect.suspend(() =>
          app.pipe(
            Effect.provideService(
              HttpServerRequest.HttpServerRequest,
              HttpServerRequest.fromWeb(requestOf(question)),
            ),
            Effect.provide(context),
            Effect.scoped,
            Effect.map(answerOf),
          ),
        ),
    })
  }),
).pipe(
  Layer.provide([shaped, HttpApiBuilder.Router.Live]),
  Layer.provide([handlers, HttpApiBuilder.Middleware.layer, HttpServer.layerContext]),
)
