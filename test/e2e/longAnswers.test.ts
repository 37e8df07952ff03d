/** Answers in JSON of any length, and those that are bytes in place of it, through sockets: vectors by the thousand. */
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const asked = { model: "gpt-embed", input: ["Hello"], encoding_format: "base64" }

const usage = { prompt_tokens: 8, total_tokens: 8 }

/** An answer with a vector of so many bytes in it. */
const vectors = (bytes: number): Buffer =>
  Buffer.from(
    `{"object":"list","model":"m-1","data":[{"index":0,"embedding":"${"A".repeat(bytes)}"}],"usage":${JSON.stringify(usage)}}`,
  )

const json = { "content-type": "application/json" }

const inChunks = (bytes: Buffer, ending: Scripted.Ending = "end"): Scripted.Answer =>
  Scripted.streamed(bytes, { headers: json, chunkSize: 256 * 1024, ending })

const small = Scripted.json({ object: "list", data: [{ index: 0, embedding: "AAAA" }], usage })

const stack = (...scripts: ReadonlyArray<Scripted.Script>) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const gateway = yield* startGateway(configOf(upstreams.map(({ url }) => ({ base_url: url }))))
    return { ...gateway, upstreams }
  })

const embed = (baseUrl: string): Effect.Effect<Buffer> =>
  Effect.promise(async () => {
    const init = { method: "POST", headers: json, body: JSON.stringify(asked) }
    return Buffer.from(await (await fetch(`${baseUrl}/v1/embeddings`, init)).arrayBuffer())
  })

describe("A long answer in JSON", () => {
  it.scopedLive("is given out whatever its length, asked for once, and its usage recorded", () =>
    Effect.gen(function* () {
      const long = vectors(72 * 1024 * 1024)
      const { awaitRecords, baseUrl, upstreams } = yield* stack(inChunks(long), small)
      expect((yield* embed(baseUrl)).equals(long)).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", upstream: "first", usage: { inputTokens: 8 } })
      // Its outline, and not the vectors.
      const kept = record?.response?.kind === "plain" ? record.response.bytes : new Uint8Array()
      expect(kept.length).toBeLessThan(100_000)
      expect(JSON.parse(Buffer.from(kept).toString())).toMatchObject({
        model: "m-1",
        usage,
        bytes: long.length,
      })
      expect(upstreams[1]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive(
    "is asked of the next where it breaks off before a megabyte, and cut where it does later",
    () =>
      Effect.gen(function* () {
        const long = vectors(3 * 1024 * 1024)
        const early = yield* stack(inChunks(long.subarray(0, 900_000), "reset"), small)
        const got = yield* within("the answer", post(early.port, "/v1/embeddings", asked))
        expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])

        for (const ending of ["reset", "end"] as const) {
          const late = yield* stack(inChunks(long.subarray(0, 2_000_000), ending), small)
          const cut = yield* within("the end", post(late.port, "/v1/embeddings", asked))
          expect(cut?.whole).toBe(false)
          const [record] = yield* late.awaitRecords(1)
          expect(record).toMatchObject({ outcome: "stream_broken", upstream: "first" })
          expect(late.upstreams[1]?.requests.length).toBe(0)
        }
      }),
  )

  it.scopedLive("may come packed, and packed without saying so", () =>
    Effect.gen(function* () {
      const long = vectors(2 * 1024 * 1024)
      const packed = gzipSync(long)
      for (const encoding of [{ "content-encoding": "gzip" }, {}]) {
        const { baseUrl } = yield* stack(Scripted.status(200, packed, { ...json, ...encoding }))
        expect((yield* embed(baseUrl)).equals(long)).toBe(true)
      }
    }),
  )

  it.scopedLive.each([{ object: "list" }, { object: "list", data: [] }, { error: { message: "busy" } }])(
    "that is short is asked of the next where it says nothing: %j",
    (nothing) =>
      Effect.gen(function* () {
        const { port } = yield* stack(Scripted.json(nothing), small)
        const got = yield* within("the answer", post(port, "/v1/embeddings", asked))
        expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      }),
  )
})

describe("Vectors that are bytes", () => {
  const metadata = JSON.stringify({ model: "m-1", data: [{ index: 0, start: 0, end: 4_096 }], usage })
  // They begin as events, an object and something packed do.
  const bytes = Buffer.concat([Buffer.from(':{"'), Buffer.from([0x1f, 0x8b]), Buffer.alloc(4_091, 0x3e)])
  const type = { "content-type": "application/octet-stream" }

  it.scopedLive("are given out as they came, with what is said of them beside", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack(Scripted.status(200, bytes, { ...type, metadata }))
      for (const [path, request] of [
        ["/v1/embeddings", { ...asked, encoding_format: "bytes" }],
        ["/v1/pooling", { ...asked, encoding_format: "bytes" }],
      ] as const) {
        const got = yield* within("the answer", post(port, path, request))
        expect(got?.body.equals(bytes)).toBe(true)
        expect(got?.headers).toMatchObject({ ...type, metadata, "content-length": String(bytes.length) })
      }
      const [record] = yield* awaitRecords(2)
      expect(record).toMatchObject({ outcome: "ok", usage: { inputTokens: 8 } })
    }),
  )

  it.scopedLive("are none where they are an error, a page or nothing, or are called something else", () =>
    Effect.gen(function* () {
      const none = [
        Scripted.status(200, Buffer.from('{"error":{"message":"busy"}}'), type),
        Scripted.status(200, Buffer.from("<!doctype html>"), type),
        Scripted.status(200, Buffer.alloc(0), type),
        Scripted.status(200, bytes, { "content-type": "text/plain" }),
      ]
      for (const answer of none) {
        const { port } = yield* stack(answer, small)
        const got = yield* within("the answer", post(port, "/v1/embeddings", asked))
        expect([got?.status, jsonOf(got)]).toMatchObject([200, { usage }])
      }
    }),
  )
})
