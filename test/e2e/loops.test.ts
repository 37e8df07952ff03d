/** Gateways that ask themselves or each other, through sockets: a circle ends, a chain does not. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isJsonObject } from "../../src/wire/Json.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const ask = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "gpt-4", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] }),
    })
    const body: unknown = await answer.json()
    return {
      status: answer.status,
      error: isJsonObject(body) ? (body["error"] ?? null) : null,
      by: answer.headers.get("x-sluice-upstream"),
      again: answer.headers.get("x-should-retry"),
    }
  })

const chats = "/v1/chat/completions"

/** Each pair of rounds would double what a circle costs. */
const rest = { retry: { rounds: 3, base_delay_ms: 1, max_delay_ms: 5 } }

describe("A gateway that asks itself", () => {
  it.scopedLive.each([
    [chats, ["chat"]],
    ["/v1/messages", ["messages"]],
    ["/v1/messages", ["chat"]],
  ])("ends after eight times, and says what to do: %s, asked in %j", ([path, dialects]) =>
    Effect.gen(function* () {
      const gateway = yield* startGateway(configOf([]))
      yield* gateway.reload(configOf([{ base_url: `${gateway.baseUrl}/v1`, dialects }], rest))
      expect(yield* ask(gateway.baseUrl + path)).toMatchObject({
        status: 508,
        error: { message: expect.stringContaining("corrects that base_url") },
        by: "first",
        again: "false",
      })
      const rows = yield* gateway.awaitRecords(9)
      expect(rows.map(({ attempts, status }) => [status, attempts.length])).toEqual([
        [508, 0],
        ...Array.from({ length: 8 }, () => [508, 1]),
      ])
    }),
  )

  it.scopedLive("is answered by another client, where there is one", () =>
    Effect.gen(function* () {
      const other = yield* Scripted.scriptedUpstream(Scripted.json(chatCompletion("Hello!")))
      const gateway = yield* startGateway(configOf([]))
      const own = { base_url: `${gateway.baseUrl}/v1`, fallback: "second" }
      yield* gateway.reload(configOf([own, { base_url: other.url }], rest))
      expect(yield* ask(gateway.baseUrl + chats)).toMatchObject({ status: 200, by: "first" })
      expect(other.requests).toHaveLength(1)
    }),
  )

  it.scopedLive("ends where a rule of passthrough leads back to it, too", () =>
    Effect.gen(function* () {
      const gateway = yield* startGateway(configOf([]))
      const passthrough = [{ path: "/v1/files", client: "first" }]
      yield* gateway.reload(configOf([{ base_url: `${gateway.baseUrl}/v1` }], { passthrough }))
      expect(yield* ask(`${gateway.baseUrl}/v1/files`)).toMatchObject({
        status: 508,
        error: { code: "loop_detected" },
      })
      expect(yield* gateway.awaitRecords(9)).toHaveLength(9)
    }),
  )
})

describe("A gateway behind a gateway", () => {
  it.scopedLive("is asked, and tells that it is one", () =>
    Effect.gen(function* () {
      const provider = yield* Scripted.scriptedUpstream(Scripted.json(chatCompletion("Hello!")))
      const behind = yield* startGateway(configOf([{ base_url: provider.url }]))
      const before = yield* startGateway(configOf([{ base_url: `${behind.baseUrl}/v1` }]))
      expect(yield* ask(before.baseUrl + chats)).toMatchObject({ status: 200, by: "first" })
      // What other proxies tell of themselves is not the provider's to know.
      yield* ask(behind.baseUrl + chats, { "cdn-loop": "cloudflare; loops=1" })
      expect(provider.requests.map(({ headers }) => headers["cdn-loop"])).toEqual([
        "sluice, sluice",
        "sluice",
      ])
    }),
  )
})
