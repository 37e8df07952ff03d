/** Legacy text completions through the official package. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { type Answer, json, scriptedUpstream, sse } from "../support/ScriptedUpstream.ts"
import { call, collect, collectUntilError, sdk } from "../support/Sdk.ts"
import { textCompletion, textCompletionChunk } from "../support/Wire.ts"

const stack = (script: Answer, settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(script)
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url, ...settings }]))
    return { upstream, client: sdk(gateway) }
  })

const request = { model: "gpt-3.5-turbo-instruct", prompt: "Once upon" }

const textOf = (chunks: ReadonlyArray<OpenAI.Completions.Completion>) =>
  chunks.map(({ choices }) => choices[0]?.text ?? "").join("")

describe("A legacy completion", () => {
  it.scopedLive("arrives whole", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* stack(json(textCompletion(" a time.")))
      const answer = yield* call(() => client.completions.create({ ...request, echo: false, best_of: 2 }))
      expect(answer).toEqual(textCompletion(" a time."))
      expect(upstream.requests[0]?.path).toBe("/v1/completions")
      expect(upstream.requests[0]?.body).toEqual({ ...request, echo: false, best_of: 2 })
    }),
  )

  it.scopedLive("streams", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(
        sse([textCompletionChunk(" a"), textCompletionChunk(" time."), textCompletionChunk("", "stop")]),
      )
      const chunks = yield* Effect.flatMap(
        call(() => client.completions.create({ ...request, stream: true })),
        collect,
      )
      expect(textOf(chunks)).toBe(" a time.")
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop")
    }),
  )

  it.scopedLive("gets its prefix and loses its thinking like a chat does, plain and streamed", () =>
    Effect.gen(function* () {
      const settings = { special_prefix: "<think>\n", thinking_format: "strip" }
      const plain = yield* stack(json(textCompletion("hm\n</think>\n\n a time.")), settings)
      const answer = yield* call(() => plain.client.completions.create(request))
      expect(answer.choices[0]?.text).toBe("a time.")

      const streamed = yield* stack(
        sse(
          [..."hm\n</think>\n\n a time."]
            .map((piece) => textCompletionChunk(piece))
            .concat(textCompletionChunk("", "stop")),
        ),
        settings,
      )
      const chunks = yield* Effect.flatMap(
        call(() => streamed.client.completions.create({ ...request, stream: true })),
        collect,
      )
      expect(textOf(chunks)).toBe("a time.")
    }),
  )

  it.scopedLive("raises when its stream ends before it is complete", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(sse([textCompletionChunk(" a")], { done: false }))
      const stream = yield* call(() => client.completions.create({ ...request, stream: true }))
      const { error, items } = yield* collectUntilError(stream)
      expect(textOf(items)).toBe(" a")
      expect(error).toBeInstanceOf(OpenAI.APIError)
    }),
  )
})
