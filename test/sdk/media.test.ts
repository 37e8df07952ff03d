/** Sound and images through the official package: plain, streamed and cut. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { call, rejection, sdk } from "../support/Sdk.ts"

const clientOf = (answer: Scripted.Script) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(answer)
    return sdk(yield* startGateway(configOf([{ base_url: upstream.url }])), { maxRetries: 0 })
  })

const sound = Buffer.from(Uint8Array.from({ length: 50_000 }, (_, at) => (at * 7) % 256))
const speech = { model: "gpt-tts", input: "Hello.", voice: "alloy" } as const

const usage = { input_tokens: 4, output_tokens: 9, total_tokens: 13 }
const partial = { type: "image_generation.partial_image", b64_json: "iVBORw0KGgoA", partial_image_index: 0 }
const completed = { type: "image_generation.completed", b64_json: "iVBORw0KGgoB", usage }
const images = { model: "gpt-image-1", prompt: "A lighthouse." } as const

describe("audio.speech.create", () => {
  it.scopedLive("gives the sound", () =>
    Effect.gen(function* () {
      const client = yield* clientOf(Scripted.status(200, sound, { "content-type": "audio/mpeg" }))
      const got = yield* call(async () => (await client.audio.speech.create(speech)).arrayBuffer())
      expect(Buffer.from(got).equals(sound)).toBe(true)
    }),
  )

  it.scopedLive("fails where the sound breaks off", () =>
    Effect.gen(function* () {
      const cut = Scripted.streamed(sound, { headers: { "content-type": "audio/mpeg" }, ending: "reset" })
      const client = yield* clientOf(cut)
      const got = yield* Effect.promise(() =>
        client.audio.speech
          .create(speech)
          .then((answer) => answer.arrayBuffer())
          .then(
            () => "whole",
            () => "raised",
          ),
      )
      expect(got).toBe("raised")
    }),
  )
})

describe("images.generate", () => {
  it.scopedLive("gives images", () =>
    Effect.gen(function* () {
      const answer = { created: 1, data: [{ b64_json: "iVBORw0KGgoA" }], usage }
      const client = yield* clientOf(Scripted.json(answer))
      expect(yield* call(() => client.images.generate(images))).toMatchObject(answer)
    }),
  )

  it.scopedLive("streams them, and raises what is cut", () =>
    Effect.gen(function* () {
      const read = async (client: ReturnType<typeof sdk>, seen: Array<unknown>) => {
        for await (const event of await client.images.generate({ ...images, stream: true })) seen.push(event)
      }
      const whole: Array<unknown> = []
      const client = yield* clientOf(Scripted.sse([partial, completed], { done: false }))
      yield* call(() => read(client, whole))
      expect(whole).toEqual([partial, completed])
      const half: Array<unknown> = []
      const cut = yield* clientOf(Scripted.sse([partial], { done: false, ending: "reset" }))
      const raised = yield* rejection(() => read(cut, half))
      expect(half).toEqual([partial])
      expect(raised.message).toContain("broke off")
    }),
  )
})
