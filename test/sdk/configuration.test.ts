/** Routing and hot reload as users of the official package see them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually, within } from "../support/Patience.ts"
import { chat, controlled, scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { call, next, sdk } from "../support/Sdk.ts"
import { finishChunk, textChunk } from "../support/Wire.ts"

const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello?" }] }

const answerTo = (
  client: OpenAI,
  messages: ReadonlyArray<OpenAI.ChatCompletionMessageParam> = request.messages,
) =>
  Effect.map(
    call(() => client.chat.completions.create({ ...request, messages: [...messages] }).withResponse()),
    ({ data, response }) => ({
      text: data.choices[0]?.message.content ?? "",
      upstream: response.headers.get("x-sluice-upstream") ?? "",
    }),
  )

describe("Hot reload", () => {
  it.scopedLive("moves new requests at once, while a stream under way finishes where it began", () =>
    Effect.gen(function* () {
      const old = controlled()
      const before = yield* scriptedUpstream(old.answer)
      const after = yield* scriptedUpstream(chat("From the new one."))
      const gateway = yield* startGateway(configOf([{ base_url: before.url, special_prefix: "old: " }]))
      const client = sdk(gateway)
      yield* Effect.fork(old.push(textChunk("One")))
      const stream = yield* call(() => client.chat.completions.create({ ...request, stream: true }))
      const chunks = stream[Symbol.asyncIterator]()
      expect((yield* next(chunks))?.choices[0]?.delta.content).toBe("old: One")

      yield* gateway.writeConfig(configOf([{ base_url: after.url, special_prefix: "new: " }]))
      yield* eventually(
        "the new configuration's answer",
        healthOf(gateway),
        ({ generation }) => generation === 2,
      )
      expect((yield* answerTo(client)).text).toBe("new: From the new one.")

      yield* old.push(textChunk(", two"))
      expect((yield* next(chunks))?.choices[0]?.delta.content).toBe(", two")
      yield* old.push(finishChunk())
      yield* old.end()
      expect((yield* next(chunks))?.choices[0]?.finish_reason).toBe("stop")
      expect(yield* next(chunks)).toBeUndefined()
      expect(after.requests.length).toBe(1)
    }),
  )

  it.scopedLive(
    "keeps the last good configuration when an edit is bad, says what is wrong, and recovers",
    () =>
      Effect.gen(function* () {
        const one = yield* scriptedUpstream(chat("One."))
        const two = yield* scriptedUpstream(chat("Two."))
        const gateway = yield* startGateway(configOf([{ base_url: one.url }]))
        const client = sdk(gateway)
        yield* gateway.writeConfig(configOf([{ base_url: two.url, fallbak: "first" }]))
        const { lastError } = yield* eventually(
          "the report of the bad edit",
          healthOf(gateway),
          (health) => health.lastError !== null,
        )
        expect(String(lastError)).toMatch(/unknown key.*fallback/)
        expect((yield* answerTo(client)).text).toBe("One.")

        yield* gateway.writeConfig(configOf([{ base_url: two.url }]))
        yield* eventually(
          "the repaired configuration",
          healthOf(gateway),
          (health) => health.lastError === null,
        )
        expect((yield* answerTo(client)).text).toBe("Two.")
      }),
  )
})

const healthOf = (gateway: { readonly baseUrl: string }) =>
  Effect.map(
    call(() => fetch(`${gateway.baseUrl}/health`).then((response) => response.json())),
    (health: unknown) => {
      const config: unknown = Object(health).config
      return { generation: Number(Object(config).generation), lastError: Object(config).last_error }
    },
  )

describe("Deterministic routing", () => {
  it.scopedLive(
    "keeps a growing conversation on one upstream, after a restart too, and spreads conversations",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(chat("Go on."))
        const config = configOf(
          ["a", "b", "c"].map((name) => ({ name, base_url: upstream.url, priority: 1 })),
          { load_balancing: { strategy: "deterministic" } },
        )
        const conversations = Array.from({ length: 24 }, (_, index) => [
          { role: "system" as const, content: "You are brief." },
          { role: "user" as const, content: `Conversation ${index}: hello?` },
        ])
        const placesIn = Effect.scoped(
          Effect.gen(function* () {
            const client = sdk(yield* startGateway(config))
            return yield* Effect.forEach(conversations, (opening) =>
              Effect.gen(function* () {
                const { upstream: place } = yield* answerTo(client, opening)
                const grown = yield* answerTo(client, [
                  ...opening,
                  { role: "assistant", content: "Go on." },
                  { role: "user", content: "And then?" },
                ])
                expect(grown.upstream).toBe(place)
                return place
              }),
            )
          }),
        )
        const places = yield* placesIn
        expect(new Set(places)).toEqual(new Set(["a", "b", "c"]))
        expect(yield* placesIn).toEqual(places)
      }),
  )
})

describe("Routing", () => {
  it.scopedLive("sends a model to the clients that match it, under the name they give it", () =>
    Effect.gen(function* () {
      const exact = yield* scriptedUpstream(chat("Exact."))
      const keyword = yield* scriptedUpstream(chat("Keyword."))
      const gateway = yield* startGateway(
        configOf([
          { base_url: exact.url, model_match: { type: "exact", value: ["o1"] }, model: "o1-2024-12-17" },
          { base_url: keyword.url, model_match: { type: "keyword", value: ["mini"] } },
        ]),
      )
      const client = sdk(gateway)
      const asked = (model: string) =>
        Effect.map(
          call(() => client.chat.completions.create({ ...request, model })),
          ({ choices }) => choices[0]?.message.content,
        )
      expect(yield* asked("o1")).toBe("Exact.")
      expect(yield* asked("o1-mini")).toBe("Keyword.")
      expect(exact.requests.map(({ body }) => Object(body).model)).toEqual(["o1-2024-12-17"])
      expect(keyword.requests.map(({ body }) => Object(body).model)).toEqual(["o1-mini"])
      const records = yield* within("the audit records", gateway.awaitRecords(2))
      expect(records.map((record) => [record.model, record.upstreamModel])).toEqual([
        ["o1", "o1-2024-12-17"],
        ["o1-mini", "o1-mini"],
      ])
    }),
  )

  it.scopedLive("adds what a client's configuration says: stop words, cap, headers, extra body", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("Yes."))
      const gateway = yield* startGateway(
        configOf([
          {
            base_url: upstream.url,
            stop: ["<|end|>"],
            max_tokens: 100,
            headers: { "X-Custom": "v", "OpenAI-Organization": "org-ours" },
            extra_body: '{"top_k": 40, "temperature": 0}',
          },
        ]),
      )
      yield* call(() =>
        sdk(gateway).chat.completions.create({
          ...request,
          stop: ["END", "<|end|>"],
          max_completion_tokens: 4000,
          temperature: 1,
        }),
      )
      expect(upstream.requests[0]?.body).toEqual({
        ...request,
        stop: ["<|end|>", "END"],
        max_completion_tokens: 100,
        temperature: 1,
        top_k: 40,
      })
      expect(upstream.requests[0]?.headers).toMatchObject({
        "x-custom": "v",
        "openai-organization": "org-ours",
      })
    }),
  )
})
