/** What the official package raises for each failure of the gateway's contract: its own matching class, and one request only. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { chat, closedPort, hang, reset, scriptedUpstream, status } from "../support/ScriptedUpstream.ts"
import { call, callersKey, rejection, sdk } from "../support/Sdk.ts"
import { openAiError } from "../support/Wire.ts"

const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello?" }] }

/** Plain and streamed answers fail alike before they have begun. */
const bothWays = (client: OpenAI) => [
  () => client.chat.completions.create(request),
  () => client.chat.completions.create({ ...request, stream: true }),
]

describe("BadRequestError", () => {
  it.scopedLive("is raised for a body that cannot be served, and names the member at fault", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("never asked"))
      const client = sdk(yield* startGateway(configOf([{ base_url: upstream.url }])))
      const { messages, model } = request
      const faults: ReadonlyArray<readonly [body: object, param: string]> = [
        [{ messages }, "model"],
        [{ messages, model: 4 }, "model"],
        [{ model }, "messages"],
        [{ model, messages: [] }, "messages"],
        [{ model, messages: "Hello?" }, "messages"],
      ]
      for (const [body, param] of faults) {
        const error = yield* rejection(() => client.post("/chat/completions", { body }))
        expect(error).toBeInstanceOf(OpenAI.BadRequestError)
        expect([error.type, error.param]).toEqual(["invalid_request_error", param])
        expect(error.message).toContain(param)
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("is the upstream's own where the upstream raises it, and no other upstream is asked", () =>
    Effect.gen(function* () {
      const refusal = openAiError("temperature is beyond 2", {
        type: "invalid_request_error",
        code: "decimal_above_max_value",
      })
      const upstream = yield* scriptedUpstream(status(400, refusal))
      const standby = yield* scriptedUpstream(chat("never asked"))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }, { base_url: standby.url }]))
      for (const way of bothWays(sdk(gateway))) {
        const error = yield* rejection(way)
        expect(error).toBeInstanceOf(OpenAI.BadRequestError)
        expect(error.error).toEqual(refusal.error)
        expect(error.headers?.get("x-sluice-upstream")).toBe("first")
      }
      expect(upstream.requests.length).toBe(2)
      expect(standby.requests).toEqual([])
    }),
  )
})

describe("AuthenticationError", () => {
  it.scopedLive("is raised where access keys are configured and the caller's is none of them", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("Come in."))
      const gateway = yield* startGateway(
        configOf([{ base_url: upstream.url, api_key: "" }], {
          server: { access_keys: ["access-one", "access-two"] },
        }),
      )
      for (const wrong of [callersKey, "access-on", "access-one2"]) {
        const error = yield* rejection(() => sdk(gateway, { apiKey: wrong }).chat.completions.create(request))
        expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
        expect([error.type, error.code]).toEqual(["invalid_request_error", "invalid_api_key"])
        expect(error.message).not.toContain("access-one")
      }
      const listing = yield* rejection(() => sdk(gateway).models.list())
      expect(listing).toBeInstanceOf(OpenAI.AuthenticationError)
      expect(upstream.requests).toEqual([])

      const answer = yield* call(() =>
        sdk(gateway, { apiKey: "access-two" }).chat.completions.create(request),
      )
      expect(answer.choices[0]?.message.content).toBe("Come in.")
      expect(upstream.requests[0]?.headers.authorization).toBeUndefined()
    }),
  )

  it.scopedLive("is the upstream's own where the caller's key was passed through", () =>
    Effect.gen(function* () {
      const refusal = openAiError("Incorrect API key provided.", {
        type: "invalid_request_error",
        code: "invalid_api_key",
      })
      const upstream = yield* scriptedUpstream(status(401, refusal))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url, api_key: "" }]))
      const error = yield* rejection(() => sdk(gateway).chat.completions.create(request))
      expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
      expect(error.error).toEqual(refusal.error)
      expect(upstream.requests[0]?.headers.authorization).toBe(`Bearer ${callersKey}`)
    }),
  )

  it.scopedLive(
    "never comes of a passed-through key that failed over to an upstream with a key of its own",
    () =>
      Effect.gen(function* () {
        const passing = yield* scriptedUpstream(status(401, openAiError("no")))
        const own = yield* scriptedUpstream(chat("Yes."))
        const gateway = yield* startGateway(
          configOf([{ base_url: passing.url, api_key: "" }, { base_url: own.url }]),
        )
        const answer = yield* call(() => sdk(gateway).chat.completions.create(request))
        expect(answer.choices[0]?.message.content).toBe("Yes.")
        expect(own.requests[0]?.headers.authorization).toBe(`Bearer ${configuredKey}`)
      }),
  )
})

describe("NotFoundError", () => {
  it.scopedLive("is raised for a model that no client serves", () =>
    Effect.gen(function* () {
      const gateway = yield* startGateway(configOf([{ base_url: "http://127.0.0.1:9/v1" }]))
      for (const way of [
        () => sdk(gateway).chat.completions.create({ ...request, model: "claude" }),
        () => sdk(gateway).completions.create({ model: "claude", prompt: "Hello?" }),
      ]) {
        const error = yield* rejection(way)
        expect(error).toBeInstanceOf(OpenAI.NotFoundError)
        expect([error.type, error.param, error.code]).toEqual([
          "invalid_request_error",
          "model",
          "model_not_found",
        ])
        expect(error.message).toContain("claude")
      }
    }),
  )
})

describe("RateLimitError", () => {
  it.scopedLive(
    "is raised after Sluice retried in vain; the package does not send its request again on top",
    () =>
      Effect.gen(function* () {
        const refusal = openAiError("Slow down.", { type: "rate_limit_error", code: "rate_limit_exceeded" })
        for (const streamed of [false, true]) {
          const upstream = yield* scriptedUpstream(
            status(429, refusal, {
              "retry-after": "7",
              "x-ratelimit-remaining-requests": "0",
              "openai-processing-ms": "12",
            }),
          )
          const gateway = yield* startGateway(
            configOf([{ base_url: upstream.url }], {
              retry: { rounds: 2, base_delay_ms: 1, max_delay_ms: 5 },
            }),
          )
          const error = yield* rejection(() =>
            sdk(gateway).chat.completions.create({ ...request, stream: streamed }),
          )
          expect(error).toBeInstanceOf(OpenAI.RateLimitError)
          expect(error.error).toEqual(refusal.error)
          expect(Object.fromEntries(error.headers ?? [])).toMatchObject({
            "x-should-retry": "false",
            "retry-after": "7",
            "x-ratelimit-remaining-requests": "0",
            "openai-processing-ms": "12",
            "x-sluice-attempts": "2",
          })
          expect(upstream.requests.length).toBe(2)
          const records = yield* within("the audit record", gateway.awaitRecords(1))
          expect(records.length).toBe(1)
        }
      }),
  )
})

describe("InternalServerError", () => {
  it.scopedLive("is an upstream's own 5xx as it came, or wrapped where it is not OpenAI's shape", () =>
    Effect.gen(function* () {
      const own = openAiError("The engine is overloaded.", { code: "overloaded" })
      const upstream = yield* scriptedUpstream(status(503, own))
      const shapeless = yield* scriptedUpstream(
        status(500, "<html>nginx</html>", { "content-type": "text/html" }),
      )
      const client = sdk(
        yield* startGateway(
          configOf([
            { base_url: upstream.url },
            { base_url: shapeless.url, model_match: { type: "exact", value: ["o1"] } },
          ]),
        ),
        { maxRetries: 0 },
      )
      const asItCame = yield* rejection(() => client.chat.completions.create(request))
      expect(asItCame).toBeInstanceOf(OpenAI.InternalServerError)
      expect([asItCame.status, asItCame.error]).toEqual([503, own.error])
      const wrapped = yield* rejection(() => client.chat.completions.create({ ...request, model: "o1" }))
      expect(wrapped).toBeInstanceOf(OpenAI.InternalServerError)
      expect([wrapped.status, wrapped.type]).toEqual([500, "upstream_error"])
      expect(wrapped.message).toContain("second")
    }),
  )

  it.scopedLive("says that Sluice's own key was refused, which is not the caller's fault", () =>
    Effect.gen(function* () {
      for (const code of [401, 403]) {
        const upstream = yield* scriptedUpstream(status(code, openAiError(`bad key ${configuredKey}`)))
        const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
        for (const way of bothWays(sdk(gateway, { maxRetries: 0 }))) {
          const error = yield* rejection(way)
          expect(error).toBeInstanceOf(OpenAI.InternalServerError)
          expect([error.status, error.type, error.code]).toEqual([
            502,
            "upstream_error",
            "upstream_credentials_rejected",
          ])
          expect(error.message).toContain("first")
          expect(JSON.stringify(error.error)).not.toContain(configuredKey)
        }
      }
    }),
  )

  it.scopedLive("lists each upstream that could not be reached and why", () =>
    Effect.gen(function* () {
      const port = yield* closedPort
      const breaking = yield* scriptedUpstream(reset("before"))
      const gateway = yield* startGateway(
        configOf([
          { name: "refusing", base_url: `http://127.0.0.1:${port}/v1` },
          { name: "breaking", base_url: breaking.url },
        ]),
      )
      for (const way of bothWays(sdk(gateway))) {
        const error = yield* rejection(way)
        expect(error).toBeInstanceOf(OpenAI.InternalServerError)
        expect([error.status, error.type, error.code]).toEqual([
          502,
          "upstream_error",
          "upstream_unreachable",
        ])
        expect(error.message).toMatch(/refusing: .*ECONNREFUSED.*breaking: \S+/)
        expect(error.headers?.get("x-should-retry")).toBe("false")
      }
      expect(breaking.requests.length).toBe(2)
    }),
  )

  it.scopedLive("is 504 when every upstream timed out", () =>
    Effect.gen(function* () {
      const first = yield* scriptedUpstream(hang())
      const second = yield* scriptedUpstream(hang())
      const gateway = yield* startGateway(
        configOf([{ base_url: first.url }, { base_url: second.url }], {
          timeouts: { first_byte_ms: 60, answer_ms: 60 },
        }),
      )
      for (const way of bothWays(sdk(gateway))) {
        const error = yield* rejection(way)
        expect(error).toBeInstanceOf(OpenAI.InternalServerError)
        expect([error.status, error.type, error.code]).toEqual([504, "upstream_error", "upstream_timeout"])
        expect(error.message).toMatch(/first: .*60 ms.*second: .*60 ms/)
      }
      for (const { requests } of [first, second]) {
        yield* within(
          "the ends of connections given up",
          Effect.forEach(requests, (one) => one.abandoned),
        )
      }
    }),
  )
})

describe("Other failures", () => {
  it.scopedLive("a body over the limit is APIError 413", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("never asked"))
      const gateway = yield* startGateway(
        configOf([{ base_url: upstream.url }], { server: { max_body_bytes: 100_000 } }),
      )
      const error = yield* rejection(() =>
        sdk(gateway).chat.completions.create({
          ...request,
          messages: [{ role: "user", content: "x".repeat(8_000_000) }],
        }),
      )
      expect([error.status, error.type, error.code]).toEqual([
        413,
        "invalid_request_error",
        "request_too_large",
      ])
      expect(error.message).toContain("100000")
      expect(upstream.requests).toEqual([])
      const small = yield* call(() => sdk(gateway).chat.completions.create(request))
      expect(small.choices[0]?.message.content).toBe("never asked")
    }),
  )

  it.scopedLive("a gateway that is gone is APIConnectionError", () =>
    Effect.gen(function* () {
      const gateway = yield* Effect.scoped(startGateway(configOf([{ base_url: "http://127.0.0.1:9/v1" }])))
      const error = yield* rejection(() => sdk(gateway, { maxRetries: 0 }).chat.completions.create(request))
      expect(error).toBeInstanceOf(OpenAI.APIConnectionError)
    }),
  )
})
