/** Upstreams that refuse what the gateway adds of its own accord, and what can be switched off for them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isJsonObject, type JsonObject } from "../../src/wire/Json.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chunk, finishChunk, usageChunk } from "../support/Wire.ts"

const ask = (baseUrl: string, more: JsonObject = {}, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "gpt-4", messages: [{ role: "user", content: "hello" }], ...more }),
    })
    const text = await answer.text()
    return { status: answer.status, text, attempts: answer.headers.get("x-sluice-attempts") }
  })

const says = (body: unknown, member: string): boolean => isJsonObject(body) && body[member] !== undefined

/** Refuses these members as a strict server does, all others are fine. */
const strict = (...refused: ReadonlyArray<string>) =>
  Scripted.scriptedUpstream(({ body }) => {
    const member = refused.find((name) => says(body, name))
    if (member !== undefined) {
      return Scripted.status(400, { error: { message: `Unsupported parameter: '${member}'`, param: member } })
    }
    return Scripted.chat("Hello")
  })

const membersSent = (requests: ReadonlyArray<{ readonly body: unknown }>) =>
  requests.map(({ body }) =>
    ["stream_options", "max_tokens", "max_completion_tokens"].filter((name) => says(body, name)),
  )

describe("An upstream that refuses what only the gateway said", () => {
  it.scopedLive(
    "is asked again without, at once; what helped is remembered until the configuration is loaded anew",
    () =>
      Effect.gen(function* () {
        const upstream = yield* strict("stream_options", "max_tokens")
        const config = configOf([{ base_url: upstream.url, max_tokens: 50 }])
        const { awaitRecords, baseUrl, reload } = yield* startGateway(config)

        const first = yield* ask(baseUrl, { stream: true })
        expect(first).toMatchObject({ status: 200, attempts: "3" })
        expect(first.text).toContain("Hello")
        expect(membersSent(upstream.requests)).toEqual([
          ["stream_options", "max_tokens"],
          ["max_tokens"],
          ["max_completion_tokens"],
        ])
        const [record] = yield* awaitRecords(1)
        expect(record?.outcome).toBe("ok")
        expect(record?.attempts.map(({ cause, status }) => [status, cause])).toEqual([
          [400, "refused stream_options, which the gateway had added; asked again without"],
          [400, "refused max_tokens, which the gateway had added; asked again without"],
          [200, undefined],
        ])

        expect(yield* ask(baseUrl, { stream: true })).toMatchObject({ status: 200, attempts: "1" })
        expect(yield* ask(baseUrl)).toMatchObject({ status: 200, attempts: "1" })
        // Of another model nothing is known, nor after a reload.
        expect(yield* ask(baseUrl, { model: "gpt-5" })).toMatchObject({ status: 200, attempts: "2" })
        yield* reload(`${config}\n# another\nmodels_cache: { ttl_seconds: 5 }\n`)
        expect(yield* ask(baseUrl)).toMatchObject({ status: 200, attempts: "2" })
      }),
  )

  it.scopedLive(
    "is asked without a wish to think that came in another dialect, which is told and remembered",
    () =>
      Effect.gen(function* () {
        const upstream = yield* strict("reasoning_effort")
        const { baseUrl } = yield* startGateway(
          configOf([
            { base_url: upstream.url, dialects: ["chat"], model_match: { type: "exact", value: ["mine"] } },
          ]),
        )
        const think = Effect.promise(async () => {
          const answer = await fetch(`${baseUrl}/v1/messages`, {
            method: "POST",
            body: JSON.stringify({
              model: "mine",
              max_tokens: 4_000,
              thinking: { type: "enabled", budget_tokens: 2_048 },
              messages: [{ role: "user", content: "hello" }],
            }),
          })
          await answer.text()
          return [
            answer.status,
            ...["x-sluice-attempts", "x-sluice-dropped"].map((name) => answer.headers.get(name)),
          ]
        })
        expect(yield* think).toEqual([200, "2", "thinking"])
        expect(yield* think).toEqual([200, "1", "thinking"])
        expect(upstream.requests.map(({ body }) => says(body, "reasoning_effort"))).toEqual([
          true,
          false,
          false,
        ])
        // In its own dialect the caller asks for itself.
        expect(yield* ask(baseUrl, { model: "mine", reasoning_effort: "low" })).toMatchObject({ status: 400 })
      }),
  )

  it.scopedLive("is asked without marks for a cache of the gateway's, which is remembered", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        JSON.stringify(body).includes("cache_control")
          ? Scripted.status(400, {
              type: "error",
              error: {
                type: "invalid_request_error",
                message: "messages.0.content.0.text.cache_control: Extra inputs are not permitted",
              },
            })
          : Scripted.status(200, {
              id: "msg_1",
              type: "message",
              role: "assistant",
              model: "mine",
              content: [{ type: "text", text: "Hello" }],
              stop_reason: "end_turn",
              usage: { input_tokens: 1, output_tokens: 1 },
            }),
      )
      const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url, dialects: ["messages"] }]))
      const tools = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }]
      expect(yield* ask(baseUrl, { tools })).toMatchObject({ status: 200, attempts: "2" })
      expect(yield* ask(baseUrl, { tools })).toMatchObject({ status: 200, attempts: "1" })
    }),
  )

  it.scopedLive("is not blamed: the breaker does not count it, and a fallback is not asked", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        says(body, "max_tokens") || says(body, "max_completion_tokens")
          ? Scripted.status(500, "unexpected keyword argument 'max_tokens' or 'max_completion_tokens'")
          : Scripted.chat("Hello"),
      )
      const spare = yield* Scripted.scriptedUpstream(Scripted.chat("spare"))
      const config = configOf([{ base_url: upstream.url, max_tokens: 50 }, { base_url: spare.url }], {
        breaker: { failures: 1 },
      })
      const { baseUrl } = yield* startGateway(config)
      expect(yield* ask(baseUrl)).toMatchObject({ status: 200, attempts: "3" })
      expect(yield* ask(baseUrl)).toMatchObject({ status: 200, attempts: "1" })
      expect(spare.requests).toEqual([])
    }),
  )

  it.scopedLive("is believed where the caller or the operator said it", () =>
    Effect.gen(function* () {
      const upstream = yield* strict("stream_options", "max_tokens")
      const config = configOf([
        { base_url: upstream.url },
        {
          base_url: upstream.url,
          extra_body: { max_tokens: 5 },
          model_match: { type: "exact", value: ["o"] },
        },
      ])
      const { baseUrl } = yield* startGateway(config)
      const said = { stream: true, stream_options: { include_usage: true } }
      expect(yield* ask(baseUrl, said)).toMatchObject({ status: 400, attempts: "1" })
      expect(yield* ask(baseUrl, { max_tokens: 5 })).toMatchObject({ status: 400, attempts: "1" })
      expect(yield* ask(baseUrl, { model: "o" })).toMatchObject({ status: 400, attempts: "1" })
    }),
  )

  it.scopedLive("is told as it is where asking with less does not help, and nothing is remembered", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(() =>
        Scripted.status(400, { error: { message: "foo is unknown, expected one of: model, max_tokens" } }),
      )
      const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url, max_tokens: 50 }]))
      for (let i = 0; i < 2; i++) {
        const { status, text } = yield* ask(baseUrl, { foo: 1 })
        expect(status).toBe(400)
        expect(text).toContain("foo is unknown")
      }
      expect(membersSent(upstream.requests)).toEqual([
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_tokens"],
        ["max_completion_tokens"],
      ])
    }),
  )

  it.scopedLive("gets a request whose cap was too much without it, this once", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        says(body, "max_tokens")
          ? Scripted.status(400, { error: { message: "max_tokens is too large: 50. At most 10." } })
          : Scripted.chat("Hello"),
      )
      const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url, max_tokens: 50 }]))
      for (let i = 0; i < 2; i++) expect(yield* ask(baseUrl)).toMatchObject({ status: 200, attempts: "2" })
      expect(membersSent(upstream.requests)).toEqual([["max_tokens"], [], ["max_tokens"], []])
    }),
  )
})

describe("What a client's entry switches off", () => {
  it.scopedLive("is not sent: usage of streams, a name of the cap, cleanings, the caller's key", () =>
    Effect.gen(function* () {
      const upstream = yield* strict()
      const config = configOf([
        {
          base_url: upstream.url,
          api_key: "",
          pass_key: false,
          stream_usage: false,
          max_tokens: 50,
          max_tokens_member: "max_completion_tokens",
          request_cleaning: { merge_user_messages: false },
        },
      ])
      const { baseUrl } = yield* startGateway(config)
      const messages = [
        { role: "user", content: "a" },
        { role: "user", content: "" },
        { role: "user", content: "b" },
      ]
      yield* ask(baseUrl, { stream: true, messages }, { authorization: "Bearer sk-callers" })
      expect(upstream.requests.map(({ body, headers }) => [body, headers["authorization"]])).toEqual([
        [
          {
            model: "gpt-4",
            messages: [messages[0], messages[2]],
            stream: true,
            max_completion_tokens: 50,
          },
          undefined,
        ],
      ])
    }),
  )
})

describe("Usage of a stream, for a caller that did not ask", () => {
  const timings = { predicted_per_second: 12.5 }
  const script = Scripted.streamed(
    Buffer.from(
      [
        chunk({ role: "assistant", content: "Hello" }),
        finishChunk(),
        { ...usageChunk({ prompt: 5, completion: 6 }), timings },
      ]
        .map((one) => `data: ${JSON.stringify(one)}\n\n`)
        .concat("data: [DONE]\n\n")
        .join(""),
    ),
  )

  it.scopedLive("is audited and not told, but what came with it is; and told where it is given always", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(script)
      const entries = [{ base_url: upstream.url }]
      const { awaitRecords, baseUrl, reload } = yield* startGateway(configOf(entries))
      const asked = yield* ask(baseUrl, { stream: true })
      expect(asked.text).not.toContain("usage")
      expect(asked.text).toContain('"timings":{"predicted_per_second":12.5}')
      expect(asked.text).not.toContain('"choices":[]')
      const [record] = yield* awaitRecords(1)
      expect(record?.usage).toMatchObject({ inputTokens: 5, outputTokens: 6 })

      yield* reload(configOf(entries, { usage: "always" }))
      expect((yield* ask(baseUrl, { stream: true })).text).toContain('"prompt_tokens":5')
    }),
  )
})
