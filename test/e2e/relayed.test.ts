/** Answers that are handed on as their bytes come, through sockets: sound, and objects of many megabytes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { head, parseAnswer, post, postBytes, rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const speech = { model: "gpt-tts", input: "Hello.", voice: "alloy" }

const frame = Buffer.from(Uint8Array.from({ length: 4_096 }, (_, at) => (at * 31) % 251))
const sound = Buffer.concat(Array.from({ length: 64 }, () => frame))

const stack = (
  scripts: ReadonlyArray<Scripted.Script>,
  entry: Partial<Entry> = {},
  rest: Readonly<Record<string, unknown>> = {},
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const entries = upstreams.map(({ url }) => ({ ...entry, base_url: url }))
    const gateway = yield* startGateway(configOf(entries, rest))
    return { ...gateway, upstreams }
  })

const chunked = (bytes: Buffer, ending: Scripted.Ending): Scripted.Answer =>
  Scripted.streamed(bytes, { headers: { "content-type": "audio/mpeg" }, chunkSize: 16_384, ending })

const cutByLength = Scripted.raw(
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: ${sound.length + 1}\r\n\r\n`),
    sound,
  ]),
  "end",
)

describe("sound", () => {
  it.scopedLive("is given out as it came, under the headers that are about it", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([
        Scripted.status(200, sound, {
          "content-type": "audio/mpeg",
          "content-disposition": 'attachment; filename="speech.mp3"',
          "x-request-id": "req_1",
          "set-cookie": "a=b",
        }),
      ])
      const got = yield* post(port, "/v1/audio/speech", speech)
      expect(got?.body.equals(sound)).toBe(true)
      expect(got?.headers).toMatchObject({
        "content-type": "audio/mpeg",
        "content-length": String(sound.length),
        "content-disposition": 'attachment; filename="speech.mp3"',
        "x-content-type-options": "nosniff",
        "x-upstream-request-id": "req_1",
        "cache-control": "no-store",
      })
      expect(got?.headers["set-cookie"]).toBeUndefined()
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "audio.speech", outcome: "ok", upstreamRequestId: "req_1" })
      expect(record?.ttftMs).toBeTypeOf("number")
      expect(
        JSON.parse(Buffer.from(record?.response?.kind === "plain" ? record.response.bytes : []).toString()),
      ).toEqual({
        content_type: "audio/mpeg",
        bytes: sound.length,
      })
    }),
  )

  it.scopedLive("begins towards its caller before its upstream has all of it", () =>
    Effect.gen(function* () {
      const voice = Scripted.controlled("audio/pcm")
      const { port } = yield* stack([voice.answer])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes("/v1/audio/speech", speech))
      yield* voice.write(frame)
      const begun = yield* within(
        "the first bytes",
        connection.until((text) => (parseAnswer(text)?.body.length ?? 0) >= frame.length),
      )
      expect(parseAnswer(begun)?.headers).toMatchObject({
        "content-type": "audio/pcm",
        "transfer-encoding": "chunked",
      })
      yield* voice.write(frame)
      yield* voice.end("cut")
      const all = yield* within(
        "all bytes",
        connection.until((text) => parseAnswer(text)?.whole === true),
      )
      expect(parseAnswer(all)?.body.equals(Buffer.concat([frame, frame]))).toBe(true)
    }),
  )

  it.scopedLive.each<readonly [string, Scripted.Answer, string]>([
    ["its length", cutByLength, "HTTP/1.1"],
    ["its last chunk", chunked(sound, "reset"), "HTTP/1.1"],
    ["its end, towards HTTP/1.0", chunked(sound, "reset"), "HTTP/1.0"],
  ])("that breaks off lacks %s, and is recorded so", ([, answer, version]) =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([answer, chunked(sound, "end")])
      const connection = yield* rawConnection(port)
      yield* connection.send(
        Buffer.from(
          postBytes("/v1/audio/speech", speech).toString("latin1").replace("HTTP/1.1", version),
          "latin1",
        ),
      )
      const how = yield* within("the end", connection.closed)
      if (version === "HTTP/1.0") expect(how).toBe("ECONNRESET")
      else expect(parseAnswer(connection.received().toString("latin1"))?.whole).toBe(false)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ status: 200, outcome: "stream_broken", upstream: "first" })
      expect(record?.error).toContain("broke off")
      expect(upstreams[1]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is read no faster than its caller takes it, and left with its caller", () =>
    Effect.gen(function* () {
      const piece = Buffer.alloc(65_536, 1)
      const pour = Scripted.pour(
        "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\n\r\n",
        piece,
        256 * 1024 * 1024,
      )
      const { awaitRecords, port, upstreams } = yield* stack([pour.answer])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes("/v1/audio/speech", speech))
      yield* within(
        "the beginning",
        connection.until((text) => text.length > piece.length),
      )
      connection.socket.pause()
      const sent = yield* within("that all buffers are full", stalled(pour))
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      connection.socket.destroy()
      yield* within("that it is left", upstreams[0]?.requests[0]?.abandoned ?? Effect.never)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ status: 200, outcome: "client_closed" })
    }),
  )

  it.scopedLive("is cut where its upstream falls silent, or takes longer than it may", () =>
    Effect.gen(function* () {
      const silent = chunked(sound, "silence")
      for (const [timeouts, words] of [
        [{ idle_ms: 300 }, "300 ms"],
        [{ total_ms: 400 }, "400 ms"],
      ] as const) {
        const { awaitRecords, port } = yield* stack([silent], { timeouts })
        const got = yield* within("the end", post(port, "/v1/audio/speech", speech))
        expect(got?.whole).toBe(false)
        const [record] = yield* awaitRecords(1)
        expect(record?.outcome).toBe("stream_broken")
        expect(record?.error).toContain(words)
      }
    }),
  )

  it.scopedLive("of which no byte comes is asked of the next in an answer's time, not in a stream's", () =>
    Effect.gen(function* () {
      const { port } = yield* stack([Scripted.controlled("audio/mpeg").answer, chunked(sound, "end")], {
        timeouts: { answer_ms: 300, first_byte_ms: 5 },
      })
      const got = yield* within("the answer", post(port, "/v1/audio/speech", speech))
      expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      expect(got?.body.equals(sound)).toBe(true)
    }),
  )

  it.scopedLive("goes to who asks for its head alone nowhere, since it is asked for by POST", () =>
    Effect.gen(function* () {
      const { port } = yield* stack([chunked(sound, "end")])
      const connection = yield* rawConnection(port)
      yield* connection.send(head("HEAD", "/v1/audio/speech"))
      expect(
        yield* within(
          "the answer",
          connection.until((text) => text.includes("\r\n\r\n")),
        ),
      ).toContain(" 405 ")
    }),
  )
})

/** How much was poured when no more is taken: the same twice, with some turns between. */
const stalled = ({ sentBytes }: Scripted.Pour): Effect.Effect<number> =>
  Effect.gen(function* () {
    let before = -1
    while (sentBytes() === 0 || sentBytes() !== before) {
      before = sentBytes()
      yield* Effect.sleep(300)
    }
    return before
  })

describe("images", () => {
  const encoded = `iVBORw0KGgo${"A".repeat(12 * 1024 * 1024)}`
  const images = {
    created: 1,
    data: [{ b64_json: encoded, revised_prompt: "A lighthouse at night." }],
    usage: { input_tokens: 4, output_tokens: 272, total_tokens: 276 },
  }

  it.scopedLive("of many megabytes are handed on, and recorded without them", () =>
    Effect.gen(function* () {
      const { awaitRecords, baseUrl } = yield* stack([Scripted.json(images)])
      const asked = {
        method: "POST",
        body: JSON.stringify({ model: "gpt-image-1", prompt: "A lighthouse." }),
      }
      const got = Buffer.from(
        yield* Effect.promise(async () =>
          (
            await fetch(`${baseUrl}/v1/images/generations`, {
              ...asked,
              headers: { "content-type": "application/json" },
            })
          ).arrayBuffer(),
        ),
      )
      expect(got.equals(Buffer.from(JSON.stringify(images)))).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", usage: { inputTokens: 4, outputTokens: 272 } })
      expect(
        JSON.parse(Buffer.from(record?.response?.kind === "plain" ? record.response.bytes : []).toString()),
      ).toEqual({
        ...images,
        data: [{ b64_json: "[image/png in base64]", revised_prompt: "A lighthouse at night." }],
        bytes: got.length,
      })
    }),
  )

  it.scopedLive("that end before they are whole cut the connection, however well it ended", () =>
    Effect.gen(function* () {
      const half = Buffer.from(JSON.stringify(images)).subarray(0, 200_000)
      const { awaitRecords, port } = yield* stack([
        Scripted.raw(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), half]), "end"),
      ])
      const got = yield* within(
        "the end",
        post(port, "/v1/images/generations", { model: "gpt-image-1", prompt: "A lighthouse." }),
      )
      expect(got?.whole).toBe(false)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "stream_broken" })
    }),
  )

  it.scopedLive("are asked of the model that OpenAI would ask where none is named", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack(
        [Scripted.json({ created: 1, data: [{ url: "https://a.example/1" }] })],
        { model_match: { type: "keyword", value: ["gpt-image", "dall-e"] } },
      )
      const asked = [{ prompt: "A lighthouse." }, { prompt: "A lighthouse.", background: "transparent" }]
      for (const body of asked) yield* post(port, "/v1/images/generations", body)
      expect(upstreams[0]?.requests.map(({ body }) => body)).toEqual(asked)
      const records = yield* awaitRecords(2)
      expect(records.map(({ model }) => model)).toEqual(["dall-e-2", "gpt-image-1"])
    }),
  )
})
