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

  it.scopedLive("takes no list for the last good one that was asked for in another way", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const elsewhere = yield* Scripted.closedPort
      const known = client("a", a.url, `api_key: own, ${gpt}`)
      const gateway = yield* startGateway(`openai_clients:\n${known}`)
      for (const other of [
        client("a", `${a.url}?api-version=2`, `api_key: own, ${gpt}`),
        client("a", a.url, `api_key: own, auth: api-key, ${gpt}`),
        client("a", a.url, `api_key: other, ${gpt}`),
        client("a", a.url, `api_key: own, headers: { x-org: b }, ${gpt}`),
        client("a", a.url, `api_key: own, proxy_url: "http://127.0.0.1:${elsewhere}", ${gpt}`),
      ]) {
        a.setScript(Scripted.models(["gpt-4"]))
        yield* gateway.reload(`openai_clients:\n${known}`)
        expect(yield* idsOf((yield* list(gateway.baseUrl, "k")).text)).toEqual(["gpt-4"])
        a.setScript(Scripted.status(500, "no"))
        yield* gateway.reload(`openai_clients:\n${other}`)
        const status = (yield* list(gateway.baseUrl, "k")).status
        expect([other, status >= 500]).toEqual([other, true])
      }
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

  const cannot = [
    { what: "refuses connections", cause: /could not connect/ },
    { what: "answers 401", answer: Scripted.status(401, "no"), status: 401 },
    { what: "answers 500", answer: Scripted.status(500, "no"), status: 500 },
    { what: "answers with a page", answer: Scripted.status(200, "<html>"), cause: /is not JSON/ },
    { what: "answers with no list", answer: Scripted.json({ ok: true }), cause: /has no entries/ },
    { what: "answers with too much", answer: Scripted.json("x".repeat(9_000_000)), cause: /a body of over/ },
    { what: "hangs", answer: Scripted.hang(), cause: /timed out \(total after 3000 ms\)/ },
    {
      what: "hangs after its head",
      answer: Scripted.raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "silence"),
      cause: /timed out \(total after 3000 ms\)/,
    },
  ]
  it.scopedLive.each(cannot)(
    "holds nobody up for one that $what, does not ask it again at once, and says in the row who it was",
    ({ answer, cause, status }) =>
      Effect.gen(function* () {
        const well = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
        const ill = yield* Scripted.scriptedUpstream(answer ?? Scripted.hang())
        const closed = `http://127.0.0.1:${yield* Scripted.closedPort}/v1`
        const gateway = yield* startGateway(
          [
            "openai_clients:",
            client("ill", answer === undefined ? closed : ill.url, `api_key: own, ${gpt}`),
            client("well", well.url, `api_key: own, ${gpt}`),
          ].join("\n"),
        )
        for (let i = 0; i < 3; i++)
          expect(yield* idsOf((yield* list(gateway.baseUrl, "k")).text)).toEqual(["gpt-4"])
        expect(well.requests).toHaveLength(1)
        if (answer !== undefined) expect(ill.requests).toHaveLength(1)
        const [first, second] = yield* gateway.awaitRecords(3)
        expect(first?.attempts.find(({ upstream }) => upstream === "ill")).toMatchObject({
          status,
          cause: cause === undefined ? undefined : expect.stringMatching(cause),
        })
        expect([first?.status, first?.outcome, first?.attempts.length]).toEqual([200, "ok", 2])
        expect([second?.status, second?.outcome, second?.attempts]).toEqual([200, "ok", []])
      }),
  )

  it.scopedLive(
    "knows exact names without an upstream that hangs, and asks none that cannot serve the model",
    () =>
      Effect.gen(function* () {
        const well = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
        const hung = yield* Scripted.scriptedUpstream(Scripted.hang())
        const gateway = yield* startGateway(
          [
            "openai_clients:",
            client("named", hung.url, "model_match: { type: exact, value: [mine] }"),
            client("hung", hung.url, "model_match: { type: keyword, value: [gpt, llama] }"),
            client("well", well.url, gpt),
          ].join("\n"),
        )
        const get = (id: string) =>
          Effect.promise(() => fetch(`${gateway.baseUrl}/v1/models/${id}`).then((got) => got.status))
        expect(yield* get("mine")).toBe(200)
        expect(hung.requests).toHaveLength(1)
        expect(yield* get("gpt-4")).toBe(200)
        expect(yield* get("claude")).toBe(404)
        expect(hung.requests).toHaveLength(2)
        expect(yield* get("llama")).toBe(504)
        const rows = yield* gateway.awaitRecords(4)
        expect(rows.map(({ attempts }) => attempts.map(({ upstream }) => upstream))).toEqual([
          [],
          ["well"],
          [],
          ["hung"],
        ])
      }),
  )

  it.scopedLive("has the list of one upstream though many wait for that of another that hangs", () =>
    Effect.gen(function* () {
      const well = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4"]))
      const hung = yield* Scripted.scriptedUpstream(Scripted.hang())
      const gateway = yield* startGateway(
        `openai_clients:\n${client("hung", hung.url, gpt)}\n${client("well", well.url, gpt)}`,
      )
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, (_, i) => list(gateway.baseUrl, `key-${i}`)),
        { concurrency: "unbounded" },
      )
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(well.requests).toHaveLength(100)
      // No more than have a place there.
      expect(hung.requests.length).toBeLessThan(50)
    }),
  )

  it.scopedLive("does not ask an upstream that is set aside", () =>
    Effect.gen(function* () {
      const a = yield* Scripted.scriptedUpstream(Scripted.status(500, "no"))
      const gateway = yield* startGateway(
        `retry: { rounds: 1 }\nbreaker: { failures: 1 }\nopenai_clients:\n${client("a", a.url, `api_key: own, ${gpt}`)}`,
      )
      yield* Effect.promise(() =>
        fetch(`${gateway.baseUrl}/v1/chat/completions`, {
          method: "POST",
          body: JSON.stringify({ model: "gpt-4", messages: [{ role: "user", content: "hi" }] }),
        }),
      )
      const { status, text } = yield* list(gateway.baseUrl, "k")
      expect([status, text]).toEqual([502, expect.stringContaining("a: is set aside")])
      expect(a.requests).toHaveLength(1)
    }),
  )
})
