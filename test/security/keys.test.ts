/** Whose key goes where: a caller's to nobody who has one, an account's words beside its own key alone, an operator's to what operators see. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { jsonOf, post, request } from "../support/RawHttp.ts"
import { chat, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }
const callersKey = "sk-the-callers-own-key-0123456789"

type Settings = Readonly<Record<string, unknown>>

const stack = (entry: Settings, rest: Settings = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream((incoming) =>
      incoming.path.includes("/models") ? models(["gpt-4o"]) : chat("Hello."),
    )
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url, ...entry }], rest))
    return { ...gateway, upstream }
  })

describe("A caller's own key", () => {
  it.scopedLive("is not sent beside a key that a client has among its headers, whatever that is called", () =>
    Effect.gen(function* () {
      for (const name of [
        "api-key",
        "X-Api-Key",
        "Authorization",
        "x-goog-api-key",
        "Ocp-Apim-Subscription-Key",
        "x-functions-key",
        "x-auth-token",
        "x-authorization",
        "cookie",
      ]) {
        const { port, upstream } = yield* stack({ api_key: "", headers: { [name]: "key-of-the-client" } })
        const authorization = `Bearer ${callersKey}`
        expect((yield* post(port, "/v1/chat/completions", body, { authorization }))?.status).toBe(200)
        yield* request(port, "GET", "/v1/models", { authorization })
        expect(upstream.requests).toHaveLength(2)
        for (const { headers } of upstream.requests) {
          expect([name, JSON.stringify(headers).includes(callersKey)]).toEqual([name, false])
          expect(headers[name.toLowerCase()]).toBe("key-of-the-client")
        }
      }
    }),
  )

  it.scopedLive("goes to a client without one, unless pass_key says no", () =>
    Effect.gen(function* () {
      for (const [pass, expected] of [
        [true, `Bearer ${callersKey}`],
        [false, undefined],
      ] as const) {
        const { port, upstream } = yield* stack({ api_key: "", pass_key: pass })
        yield* post(port, "/v1/chat/completions", body, { authorization: `Bearer ${callersKey}` })
        expect(upstream.requests[0]?.headers["authorization"]).toBe(expected)
      }
    }),
  )
})

describe("An account", () => {
  const account = {
    "openai-organization": "org-of-the-caller",
    "openai-project": "proj-victim",
    "idempotency-key": "once",
  }

  it.scopedLive("is chosen by its own key's owner alone", () =>
    Effect.gen(function* () {
      const ours = yield* stack({})
      yield* post(ours.port, "/v1/chat/completions", body, account)
      yield* post(ours.port, "/v1/chat/completions", body, {
        ...account,
        authorization: `Bearer ${callersKey}`,
      })
      const shared = yield* stack(
        { headers: { "OpenAI-Organization": "org-of-the-gateway" } },
        { server: { access_keys: ["key-of-callers"] } },
      )
      yield* post(shared.port, "/v1/chat/completions", body, {
        ...account,
        authorization: "Bearer key-of-callers",
      })
      const keyless = yield* stack({ api_key: "", pass_key: false })
      yield* post(keyless.port, "/v1/chat/completions", body, {
        ...account,
        authorization: `Bearer ${callersKey}`,
      })
      const asked = [ours, shared, keyless].flatMap(({ upstream }) => upstream.requests)
      expect(asked).toHaveLength(4)
      for (const { headers } of asked) {
        expect(headers["openai-project"]).toBe(undefined)
        expect(headers["idempotency-key"]).toBe(undefined)
      }
      expect(asked.map(({ headers }) => headers["openai-organization"])).toEqual([
        undefined,
        undefined,
        "org-of-the-gateway",
        undefined,
      ])

      const theirs = yield* stack({ api_key: "" })
      yield* post(theirs.port, "/v1/chat/completions", body, {
        ...account,
        authorization: `Bearer ${callersKey}`,
      })
      expect(theirs.upstream.requests[0]?.headers).toMatchObject(account)
    }),
  )
})

describe("What only operators see", () => {
  const accessKey = "key-of-callers"
  const adminKey = "key-of-operators"
  const ways = (key: string): ReadonlyArray<Readonly<Record<string, string>>> => [
    { authorization: `Bearer ${key}` },
    { "x-api-key": key },
    { "api-key": key },
  ]

  it.scopedLive("opens to admin.keys, and to all only while nobody is asked for a key", () =>
    Effect.gen(function* () {
      const closed = [401, "invalid_admin_key"]
      const cases: ReadonlyArray<readonly [access: ReadonlyArray<string>, admin: ReadonlyArray<string>]> = [
        [[], []],
        [[accessKey], []],
        [[], [adminKey]],
        [[accessKey], [adminKey]],
      ]
      for (const [access, admin] of cases) {
        const { port } = yield* stack({}, { server: { access_keys: access }, admin: { keys: admin } })
        const ask = (headers: Readonly<Record<string, string>>) =>
          Effect.map(request(port, "GET", "/health?verbose", headers), (answer) => {
            const told = jsonOf(answer)
            const text = JSON.stringify(told)
            if (answer?.status === 200 && text.includes('"upstreams"')) return "all"
            expect(text).not.toContain("first")
            if (answer?.status === 200)
              return text.includes('"verbose":') ? "short" : "short, and does not say so"
            return [answer?.status, JSON.parse(JSON.stringify(told)).error.code]
          })
        const byAll = access.length === 0 && admin.length === 0
        expect(yield* ask({})).toBe(byAll ? "all" : "short")
        const byOthers = admin.length > 0 ? closed : byAll ? "all" : "short"
        for (const headers of ways(accessKey)) expect(yield* ask(headers)).toEqual(byOthers)
        for (const headers of ways(adminKey)) {
          expect(yield* ask(headers)).toBe(byAll || admin.length > 0 ? "all" : "short")
        }
        // What probes read says the version, as the contract has it, and no more.
        const short = yield* request(port, "GET", "/health")
        expect([short?.status, JSON.stringify(jsonOf(short)).includes('"upstreams"')]).toEqual([200, false])
        // An operator's key asks no model where callers need one.
        const asked = yield* post(port, "/v1/chat/completions", body, { authorization: `Bearer ${adminKey}` })
        expect(asked?.status).toBe(access.length > 0 ? 401 : 200)
      }
    }),
  )
})

describe("Thousands of access keys", () => {
  it.scopedLive("let in each of them and nobody else", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 5_000 }, (_, at) => `key-of-caller-${at}-${"x".repeat(20)}`)
      const { port } = yield* stack({}, { server: { access_keys: keys } })
      const status = (key: string) =>
        Effect.map(
          post(port, "/v1/chat/completions", body, { authorization: `Bearer ${key}` }),
          (answer) => answer?.status,
        )
      for (const at of [0, 2_500, 4_999]) expect(yield* status(keys[at] ?? "")).toBe(200)
      for (const wrong of ["key-of-caller-0", `${keys[7]}x`, configuredKey])
        expect(yield* status(wrong)).toBe(401)
    }),
  )
})

describe("The audit", () => {
  it.scopedLive("keeps no value of a header that may be a credential, under whatever name", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack({})
      const secrets = Object.fromEntries(
        [
          "authorization",
          "cookie",
          "x-access-key",
          "x-auth",
          "x-forwarded-authorization",
          "cf-access-jwt-assertion",
          "x-goog-iap-jwt-assertion",
          "x-amzn-oidc-data",
          "x-session-id",
          "x-credential",
          "x-passwd",
          "x-signature",
          "x-made-up",
        ].map((name, at) => [name, `planted-secret-${at}`]),
      )
      const referer = "https://app.example/page?token=planted-secret-99"
      yield* post(port, "/v1/chat/completions", body, { ...secrets, referer, "user-agent": "openai-node/6" })
      const [record] = yield* awaitRecords(1)
      expect(JSON.stringify(record)).not.toContain("planted-secret")
      expect(record?.headers).toMatchObject({
        "x-made-up": "[redacted]",
        "user-agent": "openai-node/6",
        referer: "https://app.example/page",
      })
    }),
  )
})
