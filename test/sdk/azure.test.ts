/** The official package's Azure client: its paths with a deployment in them, its `api-version` query, its key in `api-key`. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AzureOpenAI } from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { chat, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { call, callersKey, collect, rejection, textOf } from "../support/Sdk.ts"

const messages = [{ role: "user" as const, content: "Hello?" }]

const azure = (
  { baseUrl }: { readonly baseUrl: string },
  options: Partial<ConstructorParameters<typeof AzureOpenAI>[0]> = {},
): AzureOpenAI =>
  new AzureOpenAI({
    endpoint: baseUrl,
    apiKey: callersKey,
    apiVersion: "2024-10-21",
    maxRetries: 0,
    timeout: 20_000,
    ...options,
  })

const stack = (rest: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(({ path }) =>
      path.endsWith("/models") ? models(["gpt-4o"]) : chat("Hello."),
    )
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url }], rest))
    return { gateway, upstream }
  })

describe("AzureOpenAI", () => {
  it.scopedLive("is answered plain and as a stream, with the deployment of its path as the model", () =>
    Effect.gen(function* () {
      const { gateway, upstream } = yield* stack()
      const client = azure(gateway)
      const answer = yield* call(() => client.chat.completions.create({ model: "gpt-4o", messages }))
      expect(answer.choices[0]?.message.content).toBe("Hello.")
      const stream = yield* call(() =>
        client.chat.completions.create({ model: "gpt-4o", messages, stream: true }),
      )
      expect(textOf(yield* collect(stream))).toBe("Hello.")
      const deployed = azure(gateway, { deployment: "gpt-of-the-team" })
      yield* call(() => deployed.chat.completions.create({ model: "gpt-4o", messages }))
      expect(upstream.requests.map(({ path }) => path)).toEqual([
        "/v1/chat/completions",
        "/v1/chat/completions",
        "/v1/chat/completions",
      ])
      expect(upstream.requests[2]?.body).toMatchObject({ model: "gpt-of-the-team" })
    }),
  )

  it.scopedLive("is let in by its api-key, lists models, and raises its own errors", () =>
    Effect.gen(function* () {
      const { gateway } = yield* stack({ server: { access_keys: [callersKey] } })
      const client = azure(gateway)
      expect((yield* call(() => client.models.list())).data.map(({ id }) => id)).toEqual(["gpt-4o"])
      const unknown = yield* rejection(() => client.chat.completions.create({ model: "claude", messages }))
      expect([unknown.status, unknown.code]).toEqual([404, "model_not_found"])
      const stranger = azure(gateway, { apiKey: "sk-wrong" })
      const refused = yield* rejection(() => stranger.chat.completions.create({ model: "gpt-4o", messages }))
      expect([refused.status, refused.code]).toEqual([401, "invalid_api_key"])
    }),
  )
})
