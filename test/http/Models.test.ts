/** Model lists over real sockets: what is cached for whom, and what happens while an upstream is down. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const Listed = Schema.parseJson(Schema.Struct({ data: Schema.Array(Schema.Struct({ id: Schema.String })) }))

/** What a client with this key is listed. */
const list = (baseUrl: string, key: string) =>
  Effect.gen(function* () {
    const response = yield* Effect.promise(() =>
      fetch(`${baseUrl}/v1/models`, { headers: { authorization: `Bearer ${key}` } }),
    )
    const text = yield* Effect.promise(() => response.text())
    return { status: response.status, text }
  })

const idsOf = (text: string) =>
  Effect.map(Schema.decodeUnknown(Listed)(text), ({ data }) => data.map(({ id }) => id))

const client = (name: string, url: string, more: string) =>
  `  - { name: ${name}, base_url: "${url}", ${more} }`

const gpt = "model_match: { type: keyword, value: [gpt] }"

describe("GET /v1/models", () => {
  it.scopedLive("joins what the upstreams list, as far as their match admits it, with the exact names", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4", "whisper-1"]))
      const b = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4", "gpt-5", "org/own"]))
      const gateway = yield* startGateway(
        [
          "openai_clients:",
          client("a", a.url, gpt),
          client("b", b.url, gpt),
          client("c", b.url, "model_match: { type: exact, value: [org/own, unlisted] }"),
        ].join("\n"),
      )
      const { text } = yield* list(gateway.baseUrl, "k")
      expect(yield* idsOf(text)).toEqual(["gpt-4", "gpt-5", "org/own", "unlisted"])
    }),
  )

  it.scopedLive("asks once for all who ask at once, keeps the list, and asks anew after a reload", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const text = `openai_clients:\n${client("a", a.url, `api_key: own, ${gpt}`)}`
      const gateway = yield* startGateway(text)
      yield* Effect.all(
        Array.from({ length: 20 }, (_, i) => list(gateway.baseUrl, `key-${i}`)),
        {
          concurrency: "unbounded",
        },
      )
      expect(a.requests).toHaveLength(1)
      yield* list(gateway.baseUrl, "later")
      expect(a.requests).toHaveLength(1)
      yield* gateway.reload(`thinking_format: strip\n${text}`)
      yield* list(gateway.baseUrl, "after the reload")
      expect(a.requests).toHaveLength(2)
    }),
  )

  it.scopedLive("keeps the lists of clients with keys of their own apart", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream((request) =>
        Scripted.models([request.headers["authorization"] === "Bearer rich" ? "gpt-large" : "gpt-small"]),
      )
      const gateway = yield* startGateway(`openai_clients:\n${client("a", a.url, gpt)}`)
      for (let i = 0; i < 2; i++) {
        expect(yield* idsOf((yield* list(gateway.baseUrl, "rich")).text)).toEqual(["gpt-large"])
        expect(yield* idsOf((yield* list(gateway.baseUrl, "poor")).text)).toEqual(["gpt-small"])
      }
      expect(a.requests).toHaveLength(2)
    }),
  )

  it.scopedLive("serves the last good list while an upstream is down", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(
        Scripted.sequence(Scripted.models(["gpt-4"]), Scripted.status(500, "no")),
      )
      const gateway = yield* startGateway(
        `models_cache: { ttl_seconds: 0 }\nopenai_clients:\n${client("a", a.url, `api_key: own, ${gpt}`)}`,
      )
      for (let i = 0; i < 3; i++)
        expect(yield* idsOf((yield* list(gateway.baseUrl, "k")).text)).toEqual(["gpt-4"])
      expect(a.requests.length).toBeGreaterThan(1)
    }),
  )

  it.scopedLive("lists what is left when one upstream is down, and says why when nothing is", () =>
    Effect.gen(function* () {
      const port = yield* Scripted.closedPort
      const dead = `http://127.0.0.1:${port}/v1`
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const gateway = yield* startGateway(
        `openai_clients:\n${client("dead", dead, gpt)}\n${client("a", a.url, gpt)}`,
      )
      expect(yield* idsOf((yield* list(gateway.baseUrl, "k")).text)).toEqual(["gpt-4"])
      yield* gateway.reload(`openai_clients:\n${client("dead", dead, gpt)}`)
      const { status, text } = yield* list(gateway.baseUrl, "k")
      expect([status, text]).toEqual([502, expect.stringContaining("dead: could not connect")])
    }),
  )

  it.scopedLive("gives a client its own key's refusal", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(
        Scripted.status(401, {
          error: { message: "bad key", type: "invalid_request_error", code: "invalid_api_key" },
        }),
      )
      const gateway = yield* startGateway(`openai_clients:\n${client("a", a.url, gpt)}`)
      const { status, text } = yield* list(gateway.baseUrl, "bad")
      expect([status, text]).toEqual([401, expect.stringContaining("bad key")])
    }),
  )

  it.scopedLive("never sends an access key of this gateway to an upstream", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const gateway = yield* startGateway(
        `server: { access_keys: [gateway-key] }\nopenai_clients:\n${client("a", a.url, gpt)}`,
      )
      expect((yield* list(gateway.baseUrl, "wrong")).status).toBe(401)
      expect((yield* list(gateway.baseUrl, "gateway-key")).status).toBe(200)
      expect(a.requests.map(({ headers }) => headers["authorization"])).toEqual([undefined])
    }),
  )

  it.scopedLive("leaves a row that says how it was answered, be it the list, one model or none", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const gateway = yield* startGateway(`openai_clients:\n${client("a", a.url, `api_key: own, ${gpt}`)}`)
      const get = (path: string, method = "GET") =>
        Effect.promise(() => fetch(`${gateway.baseUrl}${path}`, { method }).then((got) => got.text()))
      const text = yield* get("/v1/models")
      yield* get("/v1/models/gpt-4")
      yield* get("/v1/models/claude")
      yield* get("/models", "HEAD")
      const rows = yield* gateway.awaitRecords(4)
      expect(
        rows.map(({ endpoint, error, model, outcome, status, upstream }) => [
          endpoint,
          model,
          status,
          outcome,
          error === undefined,
          upstream,
        ]),
      ).toEqual([
        ["models", undefined, 200, "ok", true, undefined],
        ["models", "gpt-4", 200, "ok", true, undefined],
        ["models", "claude", 404, "rejected", false, undefined],
        ["models", undefined, 200, "ok", true, undefined],
      ])
      const kept = rows[0]?.response
      expect(kept?.kind === "plain" ? Buffer.from(kept.bytes).toString() : undefined).toBe(text)
    }),
  )
})
