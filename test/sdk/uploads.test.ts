/** Sounds and images that the official package uploads, plain and streamed, through a whole gateway. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { toFile } from "openai"
import { fieldsIn } from "../support/Forms.ts"
import { configOf, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { madeUpBytes } from "../support/MadeUpBytes.ts"
import { within } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { call, collect, collectUntilError, rejection, sdk } from "../support/Sdk.ts"

const stack = (script: Scripted.Script, entry: Partial<Entry> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(script)
    const gateway = yield* startGateway(configOf([{ ...entry, base_url: upstream.url }]))
    const asked = (at = 0) => {
      const { bytes, headers, path } = upstream.requests[at] ?? {}
      return { path, fields: fieldsIn(bytes ?? Buffer.from(""), headers?.["content-type"]) }
    }
    return { ...gateway, asked, client: sdk(gateway, { maxRetries: 0 }), upstream }
  })

const usage = { type: "tokens", input_tokens: 14, output_tokens: 4, total_tokens: 18 } as const
const done = { type: "transcript.text.done", text: "Hello there.", usage }
const events = [
  { type: "transcript.text.delta", delta: "Hello" },
  { type: "transcript.text.delta", delta: " there." },
  done,
]
const sound = (length = 2_000_000) => toFile(madeUpBytes(length), "speech.mp3", { type: "audio/mpeg" })
const image = (name: string) => toFile(Buffer.from(`image ${name}`), `${name}.png`, { type: "image/png" })
const images = {
  created: 1,
  data: [{ b64_json: "aGF0" }],
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
}

describe("audio", () => {
  it.scopedLive("is transcribed, with all that was asked, by a model of another name", () =>
    Effect.gen(function* () {
      const { asked, awaitRecords, client } = yield* stack(Scripted.json({ text: "Hello.", usage }), {
        model: "gpt-4o-transcribe",
      })
      const got = yield* call(async () =>
        client.audio.transcriptions.create({
          file: await sound(),
          model: "gpt-t",
          language: "en",
          timestamp_granularities: ["word", "segment"],
        }),
      )
      expect(got).toMatchObject({ text: "Hello.", usage })
      const { fields, path } = asked()
      expect(path).toBe("/v1/audio/transcriptions")
      expect(fields).toMatchObject({
        model: "gpt-4o-transcribe",
        language: "en",
        "timestamp_granularities[]": ["word", "segment"],
      })
      expect(String(fields["file"]).length).toBe(2_000_000)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        model: "gpt-t",
        upstreamModel: "gpt-4o-transcribe",
        usage: { totalTokens: 18 },
      })
    }),
  )

  it.scopedLive("is transcribed to a text, and translated", () =>
    Effect.gen(function* () {
      const text = Scripted.status(200, Buffer.from("Hello.\n"), {
        "content-type": "text/plain; charset=utf-8",
      })
      const { client, upstream } = yield* stack(({ path }) =>
        path.endsWith("/transcriptions") ? text : Scripted.json({ text: "Good day." }),
      )
      const plain = yield* call(async () =>
        client.audio.transcriptions.create({
          file: await sound(10),
          model: "gpt-t",
          response_format: "text",
        }),
      )
      expect(plain).toBe("Hello.\n")
      const translated = yield* call(async () =>
        client.audio.translations.create({ file: await sound(10), model: "gpt-t" }),
      )
      expect(translated.text).toBe("Good day.")
      expect(upstream.requests.map(({ path }) => path)).toEqual([
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
      ])
    }),
  )

  const streamed = (client: ReturnType<typeof sdk>, signal?: AbortSignal) =>
    call(async () =>
      client.audio.transcriptions.create(
        { file: await sound(), model: "gpt-t", stream: true },
        signal === undefined ? {} : { signal },
      ),
    )

  it.scopedLive("is transcribed in events, of which usage and text are known", () =>
    Effect.gen(function* () {
      const { asked, awaitRecords, client } = yield* stack(Scripted.sse(events, { done: false }))
      expect(yield* Effect.flatMap(streamed(client), collect)).toEqual(events)
      expect(asked().fields).toMatchObject({ stream: "true", model: "gpt-t" })
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        stream: true,
        outcome: "ok",
        usage: { inputTokens: 14, outputTokens: 4 },
      })
    }),
  )

  it.scopedLive("is transcribed in events also where the upstream answers whole", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(Scripted.json({ text: "Hello there.", usage }))
      const got = yield* Effect.flatMap(streamed(client), collect)
      expect(got.at(-1)).toEqual(done)
      expect(got.slice(0, -1)).toEqual([{ type: "transcript.text.delta", delta: "Hello there." }])
    }),
  )

  it.scopedLive("raises where the events break off, whichever way", () =>
    Effect.gen(function* () {
      for (const ending of ["end", "reset"] as const) {
        const { client } = yield* stack(Scripted.sse(events.slice(0, 2), { done: false, ending }))
        const { error, items } = yield* Effect.flatMap(streamed(client), collectUntilError)
        expect(items.length).toBe(2)
        expect(error.message).toMatch(/broke off|ended before/)
      }
    }),
  )

  it.scopedLive("is given up where the package aborts, plain and streamed", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* stack(Scripted.hang())
      for (const stream of [false, true]) {
        const abort = new AbortController()
        const asked = upstream.awaitRequest(upstream.requests.length + 1)
        const failed = yield* Effect.fork(
          rejection(async () => {
            const asking = { file: await sound(), model: "gpt-t" }
            const { signal } = abort
            return stream
              ? client.audio.transcriptions.create({ ...asking, stream }, { signal })
              : client.audio.transcriptions.create(asking, { signal })
          }),
        )
        const request = yield* within("the request", asked)
        abort.abort()
        yield* within("that it is given up", request.abandoned)
        expect((yield* failed).message).toContain("aborted")
      }
    }),
  )

  it.scopedLive("raises the package's own errors", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(Scripted.json({ text: "Hello." }))
      const unknown = yield* rejection(async () =>
        client.audio.transcriptions.create({ file: await sound(10), model: "whisper-1" }),
      )
      expect([unknown.status, unknown.code]).toEqual([404, "model_not_found"])
    }),
  )
})

describe("images", () => {
  it.scopedLive("are edited, two of them and a mask, and varied", () =>
    Effect.gen(function* () {
      const { asked, client } = yield* stack(Scripted.json(images), {
        model_match: { type: "keyword", value: ["gpt", "dall-e"] },
      })
      const edited = yield* call(async () =>
        client.images.edit({
          image: [await image("one"), await image("two")],
          mask: await image("mask"),
          prompt: "A hat on both",
          model: "gpt-image-1",
        }),
      )
      expect(edited.data?.[0]?.b64_json).toBe("aGF0")
      expect(asked(0)).toMatchObject({
        path: "/v1/images/edits",
        fields: { "image[]": ["image one", "image two"], mask: "image mask", prompt: "A hat on both" },
      })
      const varied = yield* call(async () =>
        client.images.createVariation({ image: await image("one"), n: 1 }),
      )
      expect(varied.data?.length).toBe(1)
      expect(asked(1)).toMatchObject({
        path: "/v1/images/variations",
        fields: { image: "image one", n: "1" },
      })
    }),
  )

  it.scopedLive("are edited in events", () =>
    Effect.gen(function* () {
      const parts = [
        { type: "image_edit.partial_image", b64_json: "aGE=", partial_image_index: 0 },
        { type: "image_edit.completed", b64_json: "aGF0", usage: images.usage },
      ]
      const { awaitRecords, client } = yield* stack(Scripted.sse(parts, { done: false }))
      const stream = yield* call(async () =>
        client.images.edit({
          image: await image("one"),
          prompt: "A hat",
          model: "gpt-image-1",
          stream: true,
        }),
      )
      expect(yield* collect(stream)).toEqual(parts)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "images.edits", stream: true, usage: { totalTokens: 3 } })
    }),
  )
})
