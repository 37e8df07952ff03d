/** What the audit's newer columns say of requests over real sockets. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as GatewayConfig from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatChunks, chatCompletion, openAiError } from "../support/Wire.ts"

const configOf = (...urls: ReadonlyArray<string>): string =>
  [
    "retry: { rounds: 1 }",
    "openai_clients:",
    ...urls.map((url, at) => {
      const fallback = at + 1 < urls.length ? `fallback: u${at + 1}, ` : ""
      const match = `model_match: { type: ${at === 0 ? "keyword, value: [gpt]" : "exact, value: [spare]"} }`
      return `  - { name: u${at}, base_url: "${url}", pass_key: false, ${fallback}${match} }`
    }),
  ].join("\n")

const post = (baseUrl: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hello" }], ...body }),
    })
    await response.text()
    return response
  })

/** Answers when so much time has passed. */
const after = (ms: number, answer: Scripted.Answer): Scripted.Answer => ({
  give: (exchange) => {
    setTimeout(() => answer.give(exchange), ms)
  },
})

/** What streams say of themselves, in the dialects of conversations. */
const streams: ReadonlyArray<readonly [path: string, events: ReadonlyArray<object>, responseId: RegExp]> = [
  [
    "/v1/chat/completions",
    chatChunks(["a", "b"]).map((chunk) => ({
      ...Object(chunk),
      id: "chatcmpl-77",
      service_tier: "flex",
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    })),
    /^chatcmpl-77$/,
  ],
  [
    "/v1/messages",
    [
      {
        type: "message_start",
        message: {
          id: "msg_77",
          type: "message",
          role: "assistant",
          content: [],
          model: "m",
          stop_reason: null,
          usage: { input_tokens: 1, output_tokens: 1, service_tier: "flex" },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
      { type: "message_stop" },
    ],
    /^msg_77$/,
  ],
  [
    "/v1/responses",
    [
      {
        type: "response.created",
        response: {
          id: "resp_77",
          object: "response",
          status: "in_progress",
          service_tier: "auto",
          output: [],
        },
      },
      { type: "response.output_text.delta", item_id: "i", output_index: 0, content_index: 0, delta: "a" },
      {
        type: "response.completed",
        response: {
          id: "resp_77",
          object: "response",
          status: "completed",
          service_tier: "flex",
          metadata: { long: "x".repeat(100_000) },
          output: [],
          usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
        },
      },
    ],
    /^resp_77/,
  ],
]

describe("a record", () => {
  it.scopedLive.each(streams)(
    "of a stream of %s knows what it says of itself where no bodies are kept",
    ([path, events, id]) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.sse(events))
        const config = GatewayConfig.configOf(
          [
            {
              base_url: upstream.url,
              dialects: ["chat", "messages", "responses"],
              model_match: { type: "keyword", value: ["m"] },
            },
          ],
          { audit: { bodies: "none" } },
        )
        const gateway = yield* startGateway(config)
        const body = {
          model: "m",
          max_tokens: 9,
          stream: true,
          input: "a",
          messages: [{ role: "user", content: "a" }],
        }
        yield* Effect.promise(async () => {
          const headers = { "content-type": "application/json" }
          await (
            await fetch(`${gateway.baseUrl}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
          ).text()
        })
        const [record] = yield* gateway.awaitRecords(1)
        expect(record).toMatchObject({ outcome: "ok", serviceTier: "flex", response: undefined })
        expect(record?.responseId).toMatch(id)
        expect(record?.usage.outputTokens).toBeDefined()
      }),
  )

  it.scopedLive(
    "has what the upstream calls the request, what the answer calls itself, and what the caller calls its conversation",
    () =>
      Effect.gen(function* () {
        const answer = { ...chatCompletion("hi", { id: "chatcmpl-77" }), service_tier: "flex" }
        const upstream = yield* Scripted.scriptedUpstream(Scripted.json(answer, { "request-id": "req_77" }))
        const gateway = yield* startGateway(configOf(upstream.url))
        const response = yield* post(gateway.baseUrl, {}, { "x-session-id": "talk of the town" })
        expect(response.headers.get("x-upstream-request-id")).toBe("req_77")
        yield* post(gateway.baseUrl, {})
        const [one, other] = yield* gateway.awaitRecords(2)
        expect(one).toMatchObject({
          dialect: "chat",
          upstreamRequestId: "req_77",
          responseId: "chatcmpl-77",
          serviceTier: "flex",
          configHash: gateway.config.snapshot().hash,
        })
        expect(one?.conversation).toContain("fingerprint")
        expect(JSON.stringify(one)).not.toContain("talk of the town")
        expect(other?.conversation).toBeUndefined()
      }),
  )

  it.scopedLive.each(streams)(
    "of a stream of %s has its first content as its first token",
    ([path, events]) =>
      Effect.gen(function* () {
        const betweenMs = 60
        const upstream = yield* Scripted.scriptedUpstream(Scripted.sse(events, { delayBetweenMs: betweenMs }))
        const config = GatewayConfig.configOf([
          {
            base_url: upstream.url,
            dialects: ["chat", "messages", "responses"],
            model_match: { type: "keyword", value: ["m"] },
          },
        ])
        const gateway = yield* startGateway(config)
        const body = {
          model: "m",
          max_tokens: 9,
          stream: true,
          input: "a",
          messages: [{ role: "user", content: "a" }],
        }
        yield* Effect.promise(async () => {
          const headers = { "content-type": "application/json" }
          const answer = await fetch(`${gateway.baseUrl}${path}`, {
            method: "POST",
            headers,
            body: JSON.stringify(body),
          })
          await answer.text()
        })
        const [record] = yield* gateway.awaitRecords(1)
        const before = events.findIndex((event) => /"(content|text|delta)":"a"/.test(JSON.stringify(event)))
        expect(before).toBeGreaterThan(0)
        // Timers may be a millisecond early by the other clock.
        expect(record?.ttftMs).toBeGreaterThan(before * betweenMs - 5)
      }),
  )

  it.scopedLive(
    "counts as overhead no time in which an upstream was waited for, be it one that fails or one that streams",
    () =>
      Effect.gen(function* () {
        const slow = yield* Scripted.scriptedUpstream(after(60, Scripted.status(500, openAiError("no"))))
        const events = chatChunks(["a", "b", "c"])
        const streaming = yield* Scripted.scriptedUpstream(Scripted.sse(events, { delayBetweenMs: 30 }))
        const gateway = yield* startGateway(configOf(slow.url, streaming.url))
        yield* post(gateway.baseUrl, { stream: true })
        const [record] = yield* gateway.awaitRecords(1)
        expect(record?.attempts).toHaveLength(2)
        const overhead = record?.overheadMs ?? Number.NaN
        // Timers may be a millisecond early by the other clock.
        expect((record?.latencyMs ?? 0) - overhead).toBeGreaterThan(60 + 30 * (events.length - 1) - 5)
        expect(overhead).toBeGreaterThan(0)
      }),
  )

  it.scopedLive(
    "of a request that no upstream was asked for has all its time as overhead; of a list of models none is known",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.models(["gpt-4o"]))
        const gateway = yield* startGateway(configOf(upstream.url))
        yield* post(gateway.baseUrl, { model: "nobody" })
        yield* Effect.promise(async () => (await fetch(`${gateway.baseUrl}/v1/models`)).text())
        const [rejected, models] = yield* gateway.awaitRecords(2)
        expect(rejected).toMatchObject({ outcome: "rejected", dialect: "chat", upstreamRequestId: undefined })
        expect(rejected?.overheadMs).toBe(rejected?.latencyMs)
        expect(models).toMatchObject({ endpoint: "models", dialect: undefined, overheadMs: undefined })
      }),
  )

  it.scopedLive("of a refusal has what the upstream calls the request", () =>
    Effect.gen(function* () {
      const refusing = Scripted.status(400, openAiError("bad"), { "x-request-id": "req_bad" })
      const upstream = yield* Scripted.scriptedUpstream(refusing)
      const gateway = yield* startGateway(configOf(upstream.url))
      const response = yield* post(gateway.baseUrl, {})
      const [record] = yield* gateway.awaitRecords(1)
      expect(record?.upstreamRequestId).toBe(response.headers.get("x-upstream-request-id") ?? undefined)
      expect(record?.upstreamRequestId).toBe("req_bad")
    }),
  )

  it.scopedLive("of a refusal that another client made good has what it said, clean and short", () =>
    Effect.gen(function* () {
      const words = `Limit 500 of key sk-of-the-provider-1234567890.\u001b[31m\n${"Buy more. ".repeat(50)}`
      const limited = yield* Scripted.scriptedUpstream(Scripted.status(429, openAiError(words)))
      const wordless = yield* Scripted.scriptedUpstream(Scripted.status(503, "<html>no</html>"))
      const answering = yield* Scripted.scriptedUpstream(Scripted.json(chatCompletion("hi")))
      const urls = [limited.url, wordless.url, answering.url]
      const config = configOf(...urls).replaceAll("pass_key: false", "api_key: sk-of-the-provider-1234567890")
      const gateway = yield* startGateway(config)
      yield* post(gateway.baseUrl, {})
      const [record] = yield* gateway.awaitRecords(1)
      expect(record?.attempts.map(({ status }) => status)).toEqual([429, 503, 200])
      const said = record?.attempts.map((attempt) => attempt.said)
      expect(said?.[0]).toMatch(/^Limit 500 of key \[redacted\]\.[^\p{Cc}]{1,180}$/u)
      expect(said?.slice(1)).toEqual([undefined, undefined])
      const told = yield* Effect.promise(async () =>
        (await fetch(`${gateway.baseUrl}/admin/api/upstreams`)).text(),
      )
      expect(told).toMatch(/"last_error":\{[^}]*"status":429,"cause":"Limit 500 of key \[redacted\]/)
    }),
  )
})
