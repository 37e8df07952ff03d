/** The configuration of GPT_API's README works as it stands; only the addresses of its upstreams are the test's. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { startGateway } from "../support/gateway.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import { type Answer, chat, scriptedUpstream, status } from "../support/ScriptedUpstream.ts"
import { chatCompletion, openAiError } from "../support/Wire.ts"

const readme = readFileSync(new URL("../fixtures/gpt_api_config.yaml", import.meta.url), "utf8")

/** An environment variable for as long as the scope is open. */
const withVariable = (name: string, value: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env[name]
      process.env[name] = value
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env[name]
        else process.env[name] = before
      }),
  )

/** The README's gateway, its two hosts played by these answers. */
const stack = (openai: Answer, deepseek: Answer) =>
  Effect.gen(function* () {
    yield* withVariable("OPENAI_API_KEY", "sk-of-the-environment")
    const official = yield* scriptedUpstream(openai)
    const backup = yield* scriptedUpstream(deepseek)
    const gateway = yield* startGateway(
      readme
        .replace("https://api.openai.com/v1", official.url)
        .replaceAll("https://api.deepseek.com", backup.origin),
    )
    const ask = (model: string) =>
      post(gateway.port, "/v1/chat/completions", { model, messages: [{ role: "user", content: "你好" }] })
    return { official, backup, ask }
  })

describe("GPT_API's README configuration", () => {
  it.scopedLive("serves gpt-4 from the official client with the key of the environment", () =>
    Effect.gen(function* () {
      const { ask, backup, official } = yield* stack(chat("Hello."), chat("never asked"))
      expect(jsonOf(yield* ask("gpt-4-turbo"))).toEqual(chatCompletion("Hello."))
      expect(official.requests[0]?.headers.authorization).toBe("Bearer sk-of-the-environment")
      expect(official.requests[0]?.path).toBe("/v1/chat/completions")
      expect(backup.requests).toEqual([])
    }),
  )

  it.scopedLive("falls back to deepseek_backup under the model name that client knows", () =>
    Effect.gen(function* () {
      const { ask, backup, official } = yield* stack(
        status(500, openAiError("down")),
        chat("From the backup."),
      )
      const answer = yield* ask("gpt-4")
      expect(answer?.status).toBe(200)
      expect(jsonOf(answer)).toEqual(chatCompletion("From the backup."))
      expect(answer?.headers["x-sluice-upstream"]).toBe("deepseek_backup")
      expect(answer?.headers["x-sluice-attempts"]).toBe("2")
      expect(official.requests.length).toBe(1)
      const [asked] = backup.requests
      expect(asked?.path).toBe("/chat/completions")
      expect(asked?.headers.authorization).toBe("Bearer sk-yyyyyyyy")
      expect(asked?.body).toEqual({
        model: "deepseek-chat-fallback",
        messages: [{ role: "user", content: "你好" }],
      })
    }),
  )

  it.scopedLive("serves deepseek-chat with its prefix and stop words", () =>
    Effect.gen(function* () {
      const { ask, backup } = yield* stack(chat("never asked"), chat("你好。"))
      expect(jsonOf(yield* ask("deepseek-chat"))).toMatchObject({
        choices: [{ message: { content: "【DeepSeek 思考】\n你好。" } }],
      })
      expect(backup.requests[0]?.body).toMatchObject({ model: "deepseek-chat", stop: ["<|endoftext|>"] })
    }),
  )

  it.scopedLive("serves the backup by its own name too, and nothing else", () =>
    Effect.gen(function* () {
      const { ask } = yield* stack(chat("never asked"), chat("你好。"))
      expect((yield* ask("deepseek-chat-fallback"))?.status).toBe(200)
      expect((yield* ask("deepseek-chat-2"))?.status).toBe(404)
    }),
  )
})
