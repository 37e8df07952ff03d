/** Signing in and out with a browser. */
import { randomBytes } from "node:crypto"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { holdsKey } from "../access/AccessKey.ts"
import { Strangers } from "../access/Strangers.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { AdminDenied } from "../errors/AccessErrors.ts"
import { asksKeys, visitorOf } from "./Access.ts"
import { doorsOf } from "./AdminQuestion.ts"
import { AdminApi } from "./api/AdminApi.ts"
import { notSignedIn } from "./api/ApiError.ts"
import { sessionFor, sessionMs, signingIn, signingOut } from "./Session.ts"

/** A proxy in front speaks TLS with the browser. One that lies only spares its own cookie. */
const isSecure = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["x-forwarded-proto"]?.split(",")[0]?.trim() === "https"

const withCookie = (cookie: string) =>
  HttpServerResponse.empty({ status: 204, headers: { "set-cookie": cookie } })

export const sessionHandlers = HttpApiBuilder.group(AdminApi, "session", (handlers) =>
  Effect.gen(function* () {
    const { snapshot } = yield* CurrentConfig
    const strangers = yield* Strangers
    return handlers
      .handle("signIn", ({ payload: { key: sent }, request }) =>
        Effect.gen(function* () {
          const key = Redacted.make(sent)
          if (!holdsKey(snapshot().adminKeys, key)) {
            strangers.isNoted()
            return yield* Effect.fail(notSignedIn(new AdminDenied({ reason: "wrong" }).declared.message))
          }
          const now = yield* Clock.currentTimeMillis
          const nonce = randomBytes(12).toString("base64url")
          return withCookie(signingIn(sessionFor(key, now + sessionMs, nonce), isSecure(request)))
        }),
      )
      .handle("signOut", ({ request }) => Effect.succeed(withCookie(signingOut(isSecure(request)))))
      .handle("session", ({ request }) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const doors = doorsOf(snapshot(), request.headers)
          return {
            asks_keys: asksKeys(doors),
            signed_in: visitorOf(doors, request.headers, now) === "operator",
          }
        }),
      )
  }),
)
