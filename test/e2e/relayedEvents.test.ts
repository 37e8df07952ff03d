/** Streams whose events are handed on as they came, through sockets: those of images and of sound. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { post } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const stack = (scripts: ReadonlyArray<Scripted.Script>, rest: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ base_url: url })),
        rest,
      ),
    )
    return { ...gateway, upstreams }
  })

const asked = { model: "gpt-image-1", prompt: "A lighthouse.", stream: true, partial_images: 1 }

const usage = { input_tokens: 4, output_tokens: 272, total_tokens: 276 }

const partial = (encoded: string) => ({
  type: "image_generation.partial_image",
  b64_json: encoded,
  partial_image_index: 0,
})

const completed = (encoded: string) => ({ type: "image_generation.completed", b64_json: encoded, usage })

const named = (events: ReadonlyArray<{ readonly type: string }>): Buffer =>
  Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""))

const small = [partial("iVBORw0KGgoA"), completed("iVBORw0KGgoB")]

describe("events of images", () => {
  it.scopedLive("are handed on byte for byte, their types included, and their usage recorded", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([Scripted.streamed(named(small))])
      const got = yield* within("the answer", post(port, "/v1/images/generations", asked))
      expect(got?.body.equals(named(small))).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        outcome: "ok",
        stream: true,
        usage: { inputTokens: 4, outputTokens: 272 },
      })
    }),
  )

  it.scopedLive("may have twenty megabytes each, of which a record keeps none", () =>
    Effect.gen(function* () {
      const encoded = `iVBORw0KGgo${"A".repeat(20 * 1024 * 1024)}`
      const bytes = named([partial(encoded), completed(encoded)])
      const { awaitRecords, baseUrl } = yield* stack([Scripted.streamed(bytes, { chunkSize: 1024 * 1024 })])
      const got = Buffer.from(
        yield* Effect.promise(async () =>
          (
            await fetch(`${baseUrl}/v1/images/generations`, {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify(asked),
            })
          ).arrayBuffer(),
        ),
      )
      expect(got.equals(bytes)).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", usage: { outputTokens: 272 } })
      expect(record?.response?.kind === "events" && record.response.packed.length).toBeLessThan(2_000)
      expect(record?.response).toMatchObject({ truncated: false })
    }),
  )

  it.scopedLive("that begin with an error are asked of the next", () =>
    Effect.gen(function* () {
      const failed = Scripted.streamed(
        Buffer.from('event: error\ndata: {"type":"error","error":{"message":"busy"}}\n\n'),
      )
      const { port } = yield* stack([failed, Scripted.streamed(named(small))])
      const got = yield* within("the answer", post(port, "/v1/images/generations", asked))
      expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      expect(got?.body.equals(named(small))).toBe(true)
    }),
  )

  it.scopedLive.each<readonly [string, Scripted.Ending]>([
    ["in good order", "end"],
    ["with a reset", "reset"],
  ])("that end %s before the last one end in an error", ([, ending]) =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([
        Scripted.streamed(named(small.slice(0, 1)), { ending }),
        Scripted.streamed(named(small)),
      ])
      const got = yield* within("the answer", post(port, "/v1/images/generations", asked))
      const text = got?.body.toString() ?? ""
      expect(text.startsWith(named(small.slice(0, 1)).toString())).toBe(true)
      expect(text.slice(named(small.slice(0, 1)).length)).toMatch(
        /^event: error\ndata: \{"error":\{"message":"The upstream's answer broke off.*\}\n\n$/,
      )
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "stream_broken", upstream: "first" })
      expect(upstreams[1]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("are made of an answer that came whole", () =>
    Effect.gen(function* () {
      const whole = {
        created: 7,
        size: "1024x1024",
        data: [{ b64_json: "iVBORw0KGgoA" }, { b64_json: "iVBORw0KGgoB" }],
        usage,
      }
      const { awaitRecords, port } = yield* stack([Scripted.json(whole)])
      const got = yield* within("the answer", post(port, "/v1/images/generations", { ...asked, n: 2 }))
      const shared = { type: "image_generation.completed", size: "1024x1024", created_at: 7 }
      const events = [
        { ...shared, b64_json: "iVBORw0KGgoA" },
        { ...shared, b64_json: "iVBORw0KGgoB", usage },
      ]
      expect(got?.body.toString()).toBe(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""))
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", usage: { outputTokens: 272 } })
    }),
  )
})

describe("events of sound", () => {
  const speech = { model: "gpt-tts", input: "Hello.", voice: "alloy", stream_format: "sse" }
  const delta = { type: "speech.audio.delta", audio: "SUQz".repeat(100) }
  const done = { type: "speech.audio.done", usage: { input_tokens: 4, output_tokens: 9, total_tokens: 13 } }

  it.scopedLive("are handed on, and what they used recorded", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([Scripted.sse([delta, delta, done], { done: false })])
      const got = yield* within("the answer", post(port, "/v1/audio/speech", speech))
      expect(got?.body.toString()).toBe(
        [delta, delta, done].map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
      )
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        outcome: "ok",
        usage: { inputTokens: 4, outputTokens: 9, totalTokens: 13 },
      })
    }),
  )

  const mp3 = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0xff, 0xfb])
  const sound = Scripted.status(200, mp3, { "content-type": "audio/mpeg" })
  const whole = Scripted.sse([delta, done], { done: false })

  it.scopedLive("are asked of the next where there are none", () =>
    Effect.gen(function* () {
      const object = Scripted.json({ text: "Hello." })
      for (const first of [Scripted.sse([done], { done: false }), object]) {
        const { port } = yield* stack([first, whole])
        const got = yield* within("the answer", post(port, "/v1/audio/speech", speech))
        expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      }
    }),
  )

  it.scopedLive("are sound all the same where the upstream knows of none", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([sound, whole])
      const got = yield* within("the answer", post(port, "/v1/audio/speech", speech))
      expect([got?.status, got?.headers["content-type"], got?.body]).toEqual([200, "audio/mpeg", mp3])
      expect(upstreams[1]?.requests.length).toBe(0)
      expect(yield* awaitRecords(1)).toMatchObject([{ outcome: "ok", status: 200 }])
    }),
  )

  it.scopedLive("cannot become sound where they have begun at once: the next is asked", () =>
    Effect.gen(function* () {
      const { port } = yield* stack([sound, whole], { stream_start: "at_once" })
      const got = yield* within("the answer", post(port, "/v1/audio/speech", speech))
      expect(got?.headers["content-type"]).toContain("text/event-stream")
      expect(got?.body.toString()).toContain(JSON.stringify(delta))
    }),
  )
})
