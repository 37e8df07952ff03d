/** Forms on their way through the gateway: what upstreams are sent of them, and what happens where something fails meanwhile. */
import { readdirSync, readlinkSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type FormEntry, file, formOf, type SentForm } from "../support/Forms.ts"
import { configOf, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { madeUpBytes } from "../support/MadeUpBytes.ts"
import { eventually, within } from "../support/Patience.ts"
import { exchange, head, jsonOf, postBytes, rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const path = "/v1/audio/transcriptions"
const said = { text: "Hello." }
const good = Scripted.json(said)

const stack = (
  scripts: ReadonlyArray<Scripted.Script>,
  entry: Partial<Entry> = {},
  rest: Readonly<Record<string, unknown>> = {},
  onLine?: (line: string) => void,
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const entries = upstreams.map(({ url }) => ({ ...entry, base_url: url }))
    return { ...(yield* startGateway(configOf(entries, rest), {}, onLine)), upstreams }
  })

const upload = ({ bytes, type }: SentForm, where = path, headers: Readonly<Record<string, string>> = {}) =>
  postBytes(where, bytes, { "content-type": type, ...headers })

const sound = (length: number): FormEntry => [
  "file",
  { filename: "long.mp3", type: "audio/mpeg", bytes: madeUpBytes(length) },
]

const form = (model: string, ...more: ReadonlyArray<FormEntry>): SentForm =>
  formOf([
    ...more,
    ["timestamp_granularities[]", "word"],
    ["model", model],
    ["timestamp_granularities[]", "segment"],
  ])

/** Files of this process that are open and have no name any more. */
const nameless = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("sluice-upload-")
    } catch {
      return false
    }
  }).length

/** They are closed behind the answer, which nobody waits for. */
const letGo =
  process.platform === "linux"
    ? eventually("that no file of an upload is open", Effect.sync(nameless), (open) => open === 0)
    : Effect.void

/** In chunks, without saying how long it is. */
const chunked = ({ bytes, type }: SentForm, size = 10_000): Buffer => {
  const chunks: Array<Buffer> = [head("POST", path, { "content-type": type, "transfer-encoding": "chunked" })]
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    chunks.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"))
  }
  return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")])
}

/** An upstream that refuses at once, and reads no more than the beginning. */
const earlyRefusal = Effect.map(
  Effect.acquireRelease(
    Effect.async<Server>((resume) => {
      const server = createServer((socket) => {
        socket.on("error", () => {})
        socket.once("data", () => {
          socket.pause()
          socket.write("HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        })
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close()),
  ),
  (server) => {
    const address = server.address()
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/v1`
  },
)

describe("An upload", () => {
  it.scopedLive("reaches its upstream as it came, the file before the model, however long it is", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([good])
      for (const [at, length] of [10, 1_000_000, 3_000_000].entries()) {
        const sent = form("gpt-transcribe", sound(length))
        const bytes = at === 1 ? chunked(sent) : upload(sent)
        const got = yield* exchange(port, bytes)
        expect([got?.status, jsonOf(got)]).toEqual([200, said])
        const received = upstreams[0]?.requests[at]
        expect(received?.bytes.equals(sent.bytes)).toBe(true)
        expect(received?.headers).toMatchObject({
          "content-type": sent.type,
          "content-length": `${sent.bytes.length}`,
        })
      }
      const [, , record] = yield* awaitRecords(3)
      expect(record).toMatchObject({
        endpoint: "audio.transcriptions",
        model: "gpt-transcribe",
        multimodal: true,
      })
      expect(JSON.parse(Buffer.from(record?.request ?? []).toString())).toEqual({
        file: {
          filename: "long.mp3",
          content_type: "audio/mpeg",
          bytes: 3_000_000,
          sha256: expect.any(String),
        },
        "timestamp_granularities[]": ["word", "segment"],
        model: "gpt-transcribe",
      })
    }),
  )

  it.scopedLive(
    "has another model's name in it and is otherwise the same, to each that is asked in turn",
    () =>
      Effect.gen(function* () {
        const refuses = Scripted.status(500, { error: { message: "out of order" } })
        const { port, upstreams } = yield* stack([refuses, good], { model: "gpt-o" })
        const file = sound(2_500_000)
        const got = yield* exchange(port, upload(form("gpt-transcribe", file)))
        expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
        for (const { requests } of upstreams) {
          expect(requests[0]?.bytes.equals(form("gpt-o", file).bytes)).toBe(true)
        }
        yield* letGo
      }),
  )

  it.scopedLive("goes to the next where one answers before it has taken all of it", () =>
    Effect.gen(function* () {
      const url = yield* earlyRefusal
      const next = yield* Scripted.scriptedUpstream(good)
      const config = configOf([{ base_url: url }, { base_url: next.url }])
      const { port } = yield* startGateway(config)
      const sent = form("gpt-transcribe", sound(8_000_000))
      const got = yield* exchange(port, upload(sent))
      expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      expect(next.requests[0]?.bytes.equals(sent.bytes)).toBe(true)
    }),
  )

  it.scopedLive("may come packed, and is bounded by what it unpacks to", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([good], {}, { server: { max_upload_bytes: 3_000_000 } })
      const packed = ({ bytes, type }: SentForm) =>
        upload({ type, bytes: gzipSync(bytes) }, path, { "content-encoding": "gzip" })
      const sent = form("gpt-transcribe", sound(2_000_000))
      expect((yield* exchange(port, packed(sent)))?.status).toBe(200)
      expect(upstreams[0]?.requests[0]?.bytes.equals(sent.bytes)).toBe(true)
      expect(upstreams[0]?.requests[0]?.headers["content-encoding"]).toBeUndefined()
      const bomb = form("gpt-transcribe", ["file", { ...file("a", "b/c"), bytes: Buffer.alloc(4_000_000) }])
      const got = yield* exchange(port, packed(bomb))
      expect([got?.status, jsonOf(got)]).toMatchObject([
        413,
        { error: { message: expect.stringContaining("server.max_upload_bytes") } },
      ])
    }),
  )

  it.scopedLive("is refused where it is too long, said beforehand or not, and where there is no disk", () =>
    Effect.gen(function* () {
      const server = { max_upload_bytes: 3_000_000, max_spooled_bytes: 5_000_000 }
      const { awaitRecords, port, reload, upstreams } = yield* stack([good], {}, { server })
      const long = form("gpt-transcribe", sound(4_000_000))
      for (const bytes of [upload(long), chunked(long)]) {
        const got = yield* exchange(port, bytes)
        expect([got?.status, jsonOf(got)]).toMatchObject([413, { error: { code: "request_too_large" } }])
      }
      // Four fifths of it are one caller's.
      yield* reload(
        configOf([{ base_url: upstreams[0]?.url ?? "" }], { server: { max_spooled_bytes: 1_000_000 } }),
      )
      const got = yield* exchange(port, upload(form("gpt-transcribe", sound(2_500_000))))
      expect([got?.status, jsonOf(got)]).toMatchObject([429, { error: { code: "caller_share_taken" } }])
      expect((yield* exchange(port, upload(form("gpt-transcribe", sound(1_100_000)))))?.status).toBe(200)
      expect(upstreams[0]?.requests.length).toBe(1)
      expect((yield* awaitRecords(4)).map(({ status }) => status)).toEqual([413, 413, 429, 200])
      yield* letGo
    }),
  )

  it.scopedLive("is let go of where its caller leaves amid it", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([good])
      const bytes = upload(form("gpt-transcribe", sound(5_000_000)))
      const connection = yield* rawConnection(port)
      yield* connection.send(bytes.subarray(0, 4_000_000))
      connection.socket.destroy()
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "audio.transcriptions", outcome: "client_closed" })
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is stopped at its upstream within a moment where its caller leaves", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([Scripted.hang()])
      const connection = yield* rawConnection(port)
      yield* connection.send(upload(form("gpt-transcribe", sound(2_000_000))))
      const asked = yield* within("the request", upstreams[0]?.awaitRequest(1) ?? Effect.never)
      connection.socket.destroy()
      yield* within("that it is given up", asked.abandoned)
    }),
  )

  const transcript = "1\n00:00:00,000 --> 00:00:01,000\nHello.\n"
  const texts: ReadonlyArray<readonly [format: string, type: string, text: string]> = [
    ["text", "text/plain; charset=utf-8", "Hello.\n"],
    ["srt", "text/plain; charset=utf-8", transcript],
    ["vtt", "text/vtt", `WEBVTT\n\n${transcript}`],
  ]
  it.scopedLive.each(texts)("is answered in %s as its upstream does", ([format, type, text]) =>
    Effect.gen(function* () {
      const answer = Scripted.status(200, Buffer.from(text), { "content-type": type })
      const { awaitRecords, port } = yield* stack([answer])
      const sent = form("gpt-transcribe", ["response_format", format], sound(10))
      const got = yield* exchange(port, upload(sent))
      expect([got?.status, got?.headers["content-type"], got?.body.toString()]).toEqual([200, type, text])
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ status: 200, outcome: "ok" })
    }),
  )

  it.scopedLive("that asks for events is given those of a text, where its upstream answers with one", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([
        Scripted.status(200, Buffer.from("<html>"), { "content-type": "text/html" }),
        Scripted.status(200, Buffer.from("Hello.\n"), { "content-type": "text/plain" }),
      ])
      const sent = form("gpt-transcribe", ["response_format", "text"], ["stream", "true"], sound(10))
      const got = yield* exchange(port, upload(sent))
      const events = [
        { type: "transcript.text.delta", delta: "Hello.\n" },
        { type: "transcript.text.done", text: "Hello.\n" },
      ]
      expect(got?.body.toString()).toBe(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""))
      expect(yield* awaitRecords(1)).toMatchObject([{ outcome: "ok", upstream: "second" }])
    }),
  )

  const wrong: ReadonlyArray<readonly [what: string, bytes: Buffer, status: number, message: RegExp]> = [
    ["without a boundary", upload({ ...form("gpt-x"), type: "multipart/form-data" }), 400, /boundary/],
    ["that is JSON", postBytes(path, { model: "gpt-x" }), 400, /takes a form/],
    ["with two models", upload(form("gpt-x", ["model", "gpt-y"])), 400, /more than once/],
    [
      "that ends too soon",
      upload({ ...form("gpt-x"), bytes: form("gpt-x").bytes.subarray(0, -4) }),
      400,
      /complete/,
    ],
    ["without a model", upload(formOf([sound(10)])), 400, /`model` is missing/],
    ["with a flag that is none", upload(form("gpt-x", ["stream", "maybe"])), 400, /true or false/],
  ]
  it.scopedLive("that nobody could read alike is refused, and nobody asked", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([good])
      for (const [what, bytes, status, message] of wrong) {
        const got = yield* exchange(port, bytes)
        expect([what, got?.status, jsonOf(got)]).toMatchObject([
          what,
          status,
          { error: { message: expect.stringMatching(message), type: "invalid_request_error" } },
        ])
      }
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is told that JSON is taken, where it is sent to what takes no form", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([good])
      for (const path of ["/v1/chat/completions", "/v1/embeddings", "/v1/messages"]) {
        const got = yield* exchange(port, upload(form("gpt-x", sound(10)), path))
        expect([got?.status, jsonOf(got)]).toMatchObject([
          400,
          {
            error: {
              message: expect.stringContaining(
                "takes JSON, and the request's content-type is multipart/form-data",
              ),
            },
          },
        ])
      }
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive(
    "takes its model from the path of a deployment, and says it to an upstream that needs it",
    () =>
      Effect.gen(function* () {
        const { port, upstreams } = yield* stack([good])
        const sent = formOf([sound(10)])
        const got = yield* exchange(port, upload(sent, "/openai/deployments/gpt-t/audio/transcriptions"))
        expect(got?.status).toBe(200)
        const added = formOf([["model", "gpt-t"]]).bytes
        expect(upstreams[0]?.requests[0]?.bytes.subarray(-added.length).equals(added)).toBe(true)
      }),
  )
})
