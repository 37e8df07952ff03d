/** The HTTP surface by hand: paths, methods, CORS, headers that every answer carries, probes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { jsonOf, post, request } from "../support/RawHttp.ts"
import { chat, models, scriptedUpstream, status } from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

const stack = Effect.gen(function* () {
  const upstream = yield* scriptedUpstream((incoming) =>
    incoming.path.endsWith("/models") ? models(["gpt-4o", "org/gpt-oss"]) : chat("Hello."),
  )
  const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
  return { upstream, gateway, port: gateway.port }
})

describe("Paths", () => {
  it.scopedLive("answer with and without /v1, and with a query", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      for (const path of ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions?beta=true"]) {
        expect(jsonOf(yield* post(port, path, body))).toEqual(chatCompletion("Hello."))
      }
      for (const path of ["/v1/completions", "/completions"]) {
        expect((yield* post(port, path, { model: "gpt-4o", prompt: "Once" }))?.status).toBe(200)
      }
      for (const path of ["/v1/models", "/models"]) {
        expect(jsonOf(yield* request(port, "GET", path))).toMatchObject({ object: "list" })
      }
      for (const path of ["/v1/models/org/gpt-oss", "/models/org%2Fgpt-oss"]) {
        expect(jsonOf(yield* request(port, "GET", path))).toMatchObject({ id: "org/gpt-oss" })
      }
      const asked = upstream.requests.map(({ path }) => path)
      expect(new Set(asked)).toEqual(
        new Set(["/v1/chat/completions", "/v1/chat/completions?beta=true", "/v1/completions", "/v1/models"]),
      )
    }),
  )

  it.scopedLive(
    "answer with slashes doubled and behind them, in absolute form, and below Azure's bases",
    () =>
      Effect.gen(function* () {
        const { port, upstream } = yield* stack
        for (const path of [
          "/v1//chat/completions",
          "//v1/chat/completions",
          "//chat/completions",
          "/v1/chat/completions/",
          "http://gateway.test/v1/chat/completions?api-version=2024-10-21",
          "/openai/v1/chat/completions?api-version=preview",
        ]) {
          expect([path, (yield* post(port, path, body))?.status]).toEqual([path, 200])
        }
        for (const path of ["/v1//models", "//models", "/v1/models/", "https://gateway.test/openai/models"]) {
          expect(jsonOf(yield* request(port, "GET", path))).toMatchObject({ object: "list" })
        }
        for (const path of ["//v1//models//org/gpt-oss/", "/v1/models/org%2Fgpt-oss/?x=1"]) {
          expect(jsonOf(yield* request(port, "GET", path))).toMatchObject({ id: "org/gpt-oss" })
        }
        expect((yield* request(port, "OPTIONS", "*"))?.status).toBe(204)
        for (const path of ["/livez/", "//readyz"]) {
          expect([path, (yield* request(port, "GET", path))?.status]).toEqual([path, 200])
        }
        const asked = upstream.requests.map(({ path }) => path)
        expect(new Set(asked)).toEqual(new Set(["/v1/chat/completions", "/v1/models"]))
      }),
  )

  it.scopedLive("that name a deployment ask for it as the model, whatever the body says", () =>
    Effect.gen(function* () {
      const { gateway, port, upstream } = yield* stack
      const { messages } = body
      for (const sent of [{ messages }, { model: "another", messages }, { model: 5, messages }]) {
        const path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21&beta=true"
        expect(jsonOf(yield* post(port, path, sent))).toEqual(chatCompletion("Hello."))
      }
      expect(new Set(upstream.requests.map(({ path }) => path))).toEqual(
        new Set(["/v1/chat/completions?beta=true"]),
      )
      expect(upstream.requests.map((one) => one.body)).toEqual([
        { messages, model: "gpt-4o" },
        { messages, model: "gpt-4o" },
        { messages, model: "gpt-4o" },
      ])
      const unknown = yield* post(port, "/openai/deployments/claude/chat/completions", body)
      expect(unknown?.status).toBe(404)
      expect(jsonOf(unknown)).toMatchObject({ error: { code: "model_not_found" } })
      expect((yield* gateway.awaitRecords(4)).map(({ model }) => model)).toEqual([
        "gpt-4o",
        "gpt-4o",
        "gpt-4o",
        "claude",
      ])
    }),
  )

  it.scopedLive("with too much in them are answered with the one that was meant", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      const answer = yield* post(port, "/v1/v1/chat/completions", body)
      expect(answer?.status).toBe(404)
      expect(answer?.body.toString()).toMatch(
        /Did you mean \/v1\/chat\/completions\? A base URL ends with \/v1/,
      )
      const anthropic = yield* post(port, "/v1/v1/messages", body)
      expect(anthropic?.body.toString()).toMatch(
        /Did you mean \/v1\/messages\? Anthropic's SDKs .* base URL ends before \/v1\./,
      )
      const mixed = yield* post(port, "/anthropic/chat/completions", body)
      expect(mixed?.body.toString()).toMatch(
        /Did you mean \/v1\/chat\/completions\? A base URL ends with \/v1/,
      )
      const mistyped = yield* post(port, "/v1/message", body)
      expect(mistyped?.body.toString()).toMatch(/Did you mean \/v1\/messages\?"/)
      const handed = yield* request(port, "GET", "/v1/vector_stores")
      expect(handed?.body.toString()).toContain("A rule of `passthrough`")
    }),
  )

  it.scopedLive("that nothing is served at are 404, in OpenAI's shape", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      for (const path of [
        "/",
        "/v1",
        "/v1/assistants",
        "/v2/chat/completions",
        "/v1/chat/completions/x",
        "/%00",
      ]) {
        const answer = yield* request(port, "GET", path)
        expect([path, answer?.status]).toEqual([path, 404])
        expect(jsonOf(answer)).toMatchObject({ error: { type: "invalid_request_error", param: null } })
        expect(answer?.headers["x-request-id"]).toBeTruthy()
      }
    }),
  )

  it.scopedLive("asked with another method are 405 and name those allowed", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      const wrong = [
        ["GET", "/v1/chat/completions", "POST"],
        ["DELETE", "/completions", "POST"],
        ["POST", "/v1/models", "GET"],
        ["DELETE", "/v1/models/gpt-4o", "GET"],
        ["POST", "/health", "GET"],
      ] as const
      for (const [method, path, allowed] of wrong) {
        const answer = yield* request(port, method, path)
        expect([method, path, answer?.status]).toEqual([method, path, 405])
        expect(answer?.headers["allow"]).toMatch(new RegExp(`\\b${allowed}\\b`))
        expect(jsonOf(answer)).toMatchObject({ error: { type: "invalid_request_error" } })
      }
    }),
  )
})

describe("CORS", () => {
  it.scopedLive("a preflight is granted, for any origin, method served and header asked for", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      for (const path of ["/v1/chat/completions", "/v1/models"]) {
        const answer = yield* request(port, "OPTIONS", path, {
          origin: "https://chat.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,x-stainless-os",
        })
        expect(answer?.status).toBe(204)
        expect(answer?.headers["access-control-allow-origin"]).toBe("*")
        expect(answer?.headers["access-control-allow-methods"]).toContain("POST")
        const granted = answer?.headers["access-control-allow-headers"] ?? ""
        for (const name of ["authorization", "content-type", "x-stainless-os"])
          expect(granted).toContain(name)
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive(
    "every answer, errors too, may be read by any origin, together with the headers that say more",
    () =>
      Effect.gen(function* () {
        const { port } = yield* stack
        const origin = { origin: "https://chat.example" }
        const answers = [
          yield* post(port, "/v1/chat/completions", body, origin),
          yield* post(port, "/v1/chat/completions", { ...body, stream: true }, origin),
          yield* post(port, "/v1/chat/completions", {}, origin),
          yield* request(port, "GET", "/v1/models", origin),
          yield* request(port, "GET", "/nowhere", origin),
          yield* request(port, "GET", "/health", origin),
        ]
        for (const answer of answers) {
          expect(answer?.headers["access-control-allow-origin"]).toBe("*")
          expect(answer?.headers["access-control-expose-headers"]).toMatch(/^x-request-id, .*, \*$/)
        }
      }),
  )
})

describe("Headers", () => {
  it.scopedLive("x-request-id is the caller's where it is sane, and a new one where it is not", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      const idFor = (sent: string | undefined) =>
        Effect.map(
          post(port, "/v1/chat/completions", body, sent === undefined ? {} : { "x-request-id": sent }),
          (answer) => answer?.headers["x-request-id"] ?? "",
        )
      expect(yield* idFor("req-2026.11_22:A")).toBe("req-2026.11_22:A")
      const fresh = yield* idFor(undefined)
      expect(fresh).not.toBe("")
      expect(yield* idFor(undefined)).not.toBe(fresh)
      for (const insane of ["two words", "<script>", "x".repeat(5000), "", 'quo"te']) {
        const replaced = yield* idFor(insane)
        expect(replaced).toMatch(/^[A-Za-z0-9-]{8,64}$/)
      }
    }),
  )

  it.scopedLive("that name a session keep it at one upstream under `deterministic`, whatever is asked", () =>
    Effect.gen(function* () {
      const upstreams = yield* Effect.forEach(["a", "b", "c", "d"], () => scriptedUpstream(chat("Hello.")))
      const { port } = yield* startGateway(
        configOf(
          upstreams.map(({ url }) => ({ base_url: url, priority: 1 })),
          { load_balancing: { strategy: "deterministic" } },
        ),
      )
      const askedIn = (session: string) =>
        Effect.gen(function* () {
          const names = new Set<string | undefined>()
          for (let turn = 0; turn < 4; turn++) {
            const messages = [{ role: "user", content: `${session} ${turn}` }]
            const sent = { model: "gpt-4o", messages }
            const answer = yield* post(port, "/v1/chat/completions", sent, { "x-session-id": session })
            names.add(answer?.headers["x-sluice-upstream"])
          }
          return [...names]
        })
      const asked = yield* Effect.forEach(["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"], askedIn)
      for (const names of asked) expect(names).toHaveLength(1)
      expect(new Set(asked.flat()).size).toBeGreaterThan(1)
    }),
  )

  it.scopedLive("of trusted proxies tell the caller's address", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("Hello."))
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: upstream.url }], { server: { trust_proxy: ["127.0.0.0/8"] } }),
      )
      yield* post(port, "/v1/chat/completions", body, { "x-forwarded-for": "8.8.8.8, 203.0.113.9" })
      yield* post(port, "/v1/chat/completions", body, { "x-real-ip": "203.0.113.8" })
      expect((yield* awaitRecords(2)).map(({ clientIp }) => clientIp)).toEqual(["203.0.113.9", "203.0.113.8"])
    }),
  )

  it.scopedLive("cross towards the upstream by the allow-list alone", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      yield* post(port, "/v1/chat/completions", body, {
        authorization: "Bearer sk-of-the-caller",
        "x-api-key": "sk-of-the-caller",
        cookie: "session=secret",
        "x-forwarded-for": "203.0.113.9",
        "x-real-ip": "203.0.113.9",
        "openai-organization": "org-1",
        "openai-beta": "assistants=v2",
        "x-stainless-lang": "js",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "user-agent": "agent/1",
        "x-anything": "else",
        connection: "keep-alive, x-stainless-lang",
      })
      const sent = upstream.requests[0]?.headers ?? {}
      expect(sent).toMatchObject({
        authorization: "Bearer sk-configured-secret",
        "content-type": "application/json",
        "openai-beta": "assistants=v2",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "user-agent": "agent/1",
      })
      for (const name of [
        "x-api-key",
        "cookie",
        "x-forwarded-for",
        "x-real-ip",
        "x-anything",
        "openai-organization",
        "x-stainless-lang",
        "b3",
      ]) {
        expect([name, sent[name]]).toEqual([name, undefined])
      }
    }),
  )

  it.scopedLive(
    "cross back from the upstream where they tell something, and not where they belong to a connection",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(
          chat("Hello.", {
            headers: {
              "x-ratelimit-remaining-tokens": "149984",
              "openai-version": "2020-10-01",
              "openai-processing-ms": "88",
              "x-request-id": "req_of_the_upstream",
              "set-cookie": "__cf_bm=secret",
              server: "cloudflare",
              "x-should-retry": "true",
              "keep-alive": "timeout=1",
            },
          }),
        )
        const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
        for (const stream of [false, true]) {
          const answer = yield* post(port, "/v1/chat/completions", { ...body, stream })
          expect(answer?.headers).toMatchObject({
            "x-ratelimit-remaining-tokens": "149984",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "88",
            "x-sluice-upstream": "first",
            "x-sluice-attempts": "1",
          })
          expect(answer?.headers["x-request-id"]).not.toBe("req_of_the_upstream")
          expect(answer?.headers["keep-alive"]).not.toBe("timeout=1")
          for (const name of ["set-cookie", "server", "x-should-retry"]) {
            expect([name, answer?.headers[name]]).toEqual([name, undefined])
          }
        }
      }),
  )

  it.scopedLive("say who failed and how often was tried, on errors too", () =>
    Effect.gen(function* () {
      const first = yield* scriptedUpstream(status(500))
      const second = yield* scriptedUpstream(status(502))
      const { port } = yield* startGateway(
        configOf([{ base_url: first.url }, { base_url: second.url }], {
          retry: { rounds: 3, base_delay_ms: 1, max_delay_ms: 2 },
        }),
      )
      const answer = yield* post(port, "/v1/chat/completions", body)
      expect(answer?.status).toBe(502)
      expect(answer?.headers).toMatchObject({
        "x-sluice-upstream": "second",
        "x-sluice-attempts": "6",
        "x-should-retry": "false",
      })
      expect([first.requests.length, second.requests.length]).toEqual([3, 3])
    }),
  )
})

describe("Probes", () => {
  it.scopedLive("/health tells version, uptime, configuration and audit; /livez and /readyz answer 200", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* stack
      const health = yield* request(port, "GET", "/health")
      expect(health?.status).toBe(200)
      expect(jsonOf(health)).toEqual({
        status: "ok",
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        uptime_seconds: expect.any(Number),
        config: {
          generation: 1,
          loaded_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          last_error: null,
        },
        audit: { queued: expect.any(Number), spilled: 0, lost: 0 },
        log: { dropped: 0 },
        requests: { in_flight: expect.any(Number), buffered_bytes: expect.any(Number) },
      })
      for (const path of ["/livez", "/readyz"]) {
        expect((yield* request(port, "GET", path))?.status).toBe(200)
      }

      yield* gateway.reload("openai_clients: 7\n")
      const after = jsonOf(yield* request(port, "GET", "/health"))
      expect(after).toMatchObject({ status: "ok", config: { generation: 1 } })
      expect(JSON.stringify(after)).toMatch(/"last_error":.*openai_clients/)
      expect((yield* request(port, "GET", "/readyz"))?.status).toBe(200)
    }),
  )

  it.scopedLive("never show a secret, not even of a broken configuration", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* stack
      yield* gateway.reload(
        configOf([
          {
            base_url: "not a url",
            api_key: ["sk-very-secret"],
            headers: { authorization: 5, k: "sk-very-secret" },
          },
        ]),
      )
      const health = (yield* request(port, "GET", "/health"))?.body.toString() ?? ""
      expect(health).toContain("base_url")
      expect(health).not.toContain("sk-very-secret")
      expect(health).not.toContain("sk-configured-secret")
    }),
  )
})
