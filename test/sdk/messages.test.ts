/** Anthropic's official package in both its generations, through a gateway: whole and streamed messages, tools, counts, lists, and every error raised. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { generations, raisedBy } from "../support/AnthropicSdk.ts"
import { configOf, configuredKey, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventsOf, framesOf, messageOf, saying, textBlock } from "../support/Messages.ts"
import {
  type Answer,
  json,
  type Script,
  scriptedUpstream,
  status,
  streamed,
} from "../support/ScriptedUpstream.ts"
import { call, callersKey } from "../support/Sdk.ts"

const asked = { model: "claude-x", text: "Hello?" }

const entry = { model_match: { type: "keyword", value: ["claude"] }, dialects: ["messages"] }

/** A gateway before upstreams that do this. */
const gatewayBefore = (
  scripts: ReadonlyArray<Script>,
  more: Partial<Entry> = {},
  rest: Readonly<Record<string, unknown>> = {},
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => scriptedUpstream(script))
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ ...entry, ...more, base_url: url })),
        rest,
      ),
    )
    return { gateway, upstreams, awaitRecords: gateway.awaitRecords }
  })

const calling = messageOf(
  [
    { type: "thinking", thinking: "Where?", signature: "c2ln" },
    textBlock("I look."),
    { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Zürich", n: 3 } },
  ],
  { stop_reason: "tool_use" },
)

/** Streams the events of a message, up to one of them. */
const stream = (message: Readonly<Record<string, unknown>>, until?: number): Answer =>
  streamed(framesOf(eventsOf(message).slice(0, until)))

/** Another of Anthropic's own errors. */
const anthropicError = (type: string, message: string) => ({ type: "error", error: { type, message } })

const decoder = new TextDecoder()

/** The events as a package gives them. */
const valuesOf = (message: Readonly<Record<string, unknown>>): ReadonlyArray<unknown> =>
  eventsOf(message).map(({ data }) => JSON.parse(decoder.decode(data)))

describe.each(generations)("@anthropic-ai/sdk %s", (_, sdk) => {
  it.scopedLive("gets a message whole and streamed, its key passed on or the client's sent", () =>
    Effect.gen(function* () {
      const script: Script = ({ body }) =>
        JSON.stringify(body).includes('"stream":true') ? stream(calling) : json(calling)
      const { awaitRecords, gateway, upstreams } = yield* gatewayBefore([script])
      for (const path of ["", "/anthropic"]) {
        const client = sdk(gateway, { path })
        expect(yield* call(() => client.create({ ...asked, tools: true }))).toMatchObject(calling)
        const { message, text } = yield* call(() => client.accumulated({ ...asked, tools: true }))
        expect(message).toMatchObject(calling)
        expect(text).toBe("I look.")
        const events: Array<unknown> = []
        yield* call(() => client.events(asked, events))
        expect(events).toEqual(valuesOf(calling))
      }
      const sent = upstreams[0]?.requests ?? []
      expect(new Set(sent.map(({ path }) => path))).toEqual(new Set(["/v1/messages"]))
      for (const { headers } of sent) {
        expect(headers["anthropic-version"]).toMatch(/^20\d\d-/)
        expect(JSON.stringify(headers)).toContain(configuredKey)
        expect(JSON.stringify(headers)).not.toContain(callersKey)
      }
      const records = yield* awaitRecords(6)
      for (const record of records) {
        expect(record).toMatchObject({
          endpoint: "messages",
          dialect: "messages",
          outcome: "ok",
          finishReason: "tool_use",
          toolCalls: true,
          usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10, cachedTokens: 2, cacheWriteTokens: 1 },
        })
      }
    }),
  )

  it.scopedLive("gets a message whole of one that only streams, and streamed of one that does not", () =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([
        ({ body }) => (JSON.stringify(body).includes('"stream":true') ? json(calling) : stream(calling)),
      ])
      const client = sdk(gateway)
      expect(yield* call(() => client.create(asked))).toMatchObject(calling)
      expect((yield* call(() => client.accumulated(asked))).message).toMatchObject(calling)
    }),
  )

  it.scopedLive("gets prefix and answer without thinking, whole and streamed alike", () =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore(
        [({ body }) => (JSON.stringify(body).includes('"stream":true') ? stream(calling) : json(calling))],
        { special_prefix: "Note: ", thinking_format: "strip" },
      )
      const client = sdk(gateway)
      const content = [textBlock("Note: I look."), { type: "tool_use", input: { city: "Zürich", n: 3 } }]
      expect(yield* call(() => client.create(asked))).toMatchObject({ content })
      const { message, text } = yield* call(() => client.accumulated(asked))
      expect(message).toMatchObject({ content })
      expect(text).toBe("Note: I look.")
    }),
  )

  it.scopedLive("fails over unseen, before anything was said of a stream too", () =>
    Effect.gen(function* () {
      const failing: Script = ({ body }) =>
        JSON.stringify(body).includes('"stream":true')
          ? streamed(
              Buffer.concat([
                framesOf(eventsOf(calling).slice(0, 2)),
                Buffer.from(
                  `event: error\ndata: ${JSON.stringify(anthropicError("overloaded_error", "busy"))}\n\n`,
                ),
              ]),
            )
          : status(529, anthropicError("overloaded_error", "busy"))
      const good: Script = ({ body }) =>
        JSON.stringify(body).includes('"stream":true') ? stream(saying("Hi.")) : json(saying("Hi."))
      const { awaitRecords, gateway } = yield* gatewayBefore([failing, good])
      const client = sdk(gateway)
      expect(yield* call(() => client.create(asked))).toMatchObject(saying("Hi."))
      expect((yield* call(() => client.accumulated(asked))).message).toMatchObject(saying("Hi."))
      const records = yield* awaitRecords(2)
      expect(records.map(({ attempts }) => attempts.length)).toEqual([2, 2])
    }),
  )

  it.scopedLive(
    "counts tokens where the client does, or vLLM's tokenizer, and is told 404 where neither is",
    () =>
      Effect.gen(function* () {
        const own = yield* gatewayBefore([json({ input_tokens: 12 })])
        expect(yield* call(() => sdk(own.gateway).count(asked))).toMatchObject({ input_tokens: 12 })
        expect(own.upstreams[0]?.requests[0]?.path).toBe("/v1/messages/count_tokens")

        const paths = { "messages.count_tokens": "//tokenize" }
        const vllm = yield* gatewayBefore([json({ count: 17, max_model_len: 4096, tokens: [1, 2] })], {
          paths,
        })
        expect(yield* call(() => sdk(vllm.gateway).count({ ...asked, tools: true }))).toMatchObject({
          input_tokens: 17,
        })
        expect(vllm.upstreams[0]?.requests[0]).toMatchObject({
          path: "/tokenize",
          body: {
            model: "claude-x",
            messages: [{ role: "user", content: "Hello?" }],
            tools: [{ type: "function", function: { name: "weather" } }],
          },
        })

        const none = yield* gatewayBefore([status(404, { detail: "Not Found" })])
        const client = sdk(none.gateway)
        expect(yield* raisedBy(client, () => client.count(asked))).toMatchObject({
          className: "NotFoundError",
          body: {
            type: "error",
            error: {
              type: "not_found_error",
              message:
                "No client of the model `claude-x` has /v1/messages/count_tokens (first answered 404).",
            },
          },
        })
        const zero = yield* gatewayBefore([json({ input_tokens: 0 })])
        const zeroed = sdk(zero.gateway)
        expect(yield* raisedBy(zeroed, () => zeroed.count(asked))).toMatchObject({ isApiError: true })
      }),
  )

  it.scopedLive("lists models page after page, of a client that has pages too", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 45 }, (_, at) => `claude-${at}`)
      const listed: Script = ({ path }) => {
        const query = new URL(path, "http://a").searchParams
        const after = query.get("after_id")
        const from = after === null ? 0 : ids.indexOf(after) + 1
        const page = ids.slice(from, from + 20)
        return json({
          data: page.map((id) => ({
            type: "model",
            id,
            display_name: id.toUpperCase(),
            created_at: "2026-01-02T03:04:05Z",
          })),
          has_more: from + 20 < ids.length,
          first_id: page[0],
          last_id: page.at(-1),
        })
      }
      const { gateway, upstreams } = yield* gatewayBefore([listed])
      const client = sdk(gateway)
      expect(yield* call(() => client.models(7))).toEqual(ids)
      expect(upstreams[0]?.requests.length).toBe(3)
      expect(yield* call(() => client.model("claude-3"))).toMatchObject({
        type: "model",
        id: "claude-3",
        display_name: "CLAUDE-3",
        created_at: "2026-01-02T03:04:05Z",
      })
      expect(yield* raisedBy(client, () => client.model("claude-none"))).toMatchObject({
        className: "NotFoundError",
        body: { error: { type: "not_found_error", message: expect.stringMatching(/^model: claude-none/) } },
      })
    }),
  )

  it.scopedLive.each<readonly [number, unknown, string | RegExp, string]>([
    [
      400,
      anthropicError("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
      "BadRequestError",
      "invalid_request_error",
    ],
    [
      404,
      { error: { message: "no such thing", type: "invalid_request_error", param: null, code: null } },
      "NotFoundError",
      "not_found_error",
    ],
    [413, "<html>too large</html>", /^(?:APIError|ContentTooLargeError)$/, "request_too_large"],
    [422, { detail: [{ loc: ["body"], msg: "no" }] }, "UnprocessableEntityError", "invalid_request_error"],
    [429, { error: { message: "slow down" } }, "RateLimitError", "rate_limit_error"],
    [500, "", "InternalServerError", "api_error"],
    [
      529,
      anthropicError("overloaded_error", "Overloaded"),
      /^(?:InternalServerError|OverloadedError)$/,
      "overloaded_error",
    ],
  ])("raises its class for %i, with type and id", ([code, body, className, type]) =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([
        status(code, body, { "anthropic-ratelimit-requests-remaining": "0" }),
      ])
      const client = sdk(gateway)
      const raised = yield* raisedBy(client, () => client.create(asked))
      expect(raised).toMatchObject({
        className: expect.stringMatching(className),
        isApiError: true,
        status: code,
        body: { type: "error", error: { type } },
        requestId: expect.any(String),
      })
    }),
  )

  it.scopedLive("raises its class for what this gateway refuses", () =>
    Effect.gen(function* () {
      const access = { server: { access_keys: ["sk-open-sesame-0123"] } }
      const { gateway, upstreams } = yield* gatewayBefore([json(saying("Hi."))], {}, access)
      const stranger = sdk(gateway)
      expect(yield* raisedBy(stranger, () => stranger.create(asked))).toMatchObject({
        className: "AuthenticationError",
        body: { error: { type: "authentication_error" } },
      })
      const client = sdk(gateway, { apiKey: "sk-open-sesame-0123" })
      expect(yield* call(() => client.create(asked))).toMatchObject(saying("Hi."))
      expect(yield* raisedBy(client, () => client.create({ ...asked, model: "gpt" }))).toMatchObject({
        className: "NotFoundError",
        body: { error: { type: "not_found_error", message: expect.stringMatching(/^model: gpt/) } },
      })
      expect(upstreams[0]?.requests.length).toBe(1)
    }),
  )

  it.scopedLive.each(
    eventsOf(calling)
      .map((_, at) => at + 1)
      .slice(2, -2),
  )("raises what breaks off after %i events, and never makes a call of half of one", (until) =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([stream(calling, until)])
      const client = sdk(gateway)
      const events: Array<unknown> = []
      expect(yield* raisedBy(client, () => client.events(asked, events))).toMatchObject({
        isApiError: true,
        body: { type: "error", error: { type: "api_error" }, request_id: expect.any(String) },
      })
      expect(events).toEqual(valuesOf(calling).slice(0, until))
      expect(yield* raisedBy(client, () => client.accumulated(asked))).toMatchObject({ isApiError: true })
    }),
  )
})
