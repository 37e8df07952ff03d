/** Request bodies that come packed, over real sockets. */
import * as Zlib from "node:zlib"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { codingsOf } from "../../src/http/PackedBody.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { head, jsonOf, post, rawConnection } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const limitBytes = 100_000
const body = JSON.stringify({
  model: "gpt-4o",
  messages: [{ role: "user", content: "long ".repeat(10_000) }],
})
const plain = Buffer.from(body)

const hasZstd = "zstdCompressSync" in Zlib

const stack = Effect.gen(function* () {
  const upstream = yield* scriptedUpstream(chat("Hello."))
  const gateway = yield* startGateway(
    configOf([{ base_url: upstream.url }], { server: { max_body_bytes: limitBytes } }),
  )
  const send = (encoding: string, bytes: Buffer) =>
    post(gateway.port, "/v1/chat/completions", bytes, { "content-encoding": encoding })
  return { upstream, gateway, send }
})

describe("codingsOf", () => {
  it.each([
    [undefined, []],
    ["", []],
    ["identity", []],
    ["gzip", ["gzip"]],
    ["GZip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    [" deflate ,, identity, BR ", ["deflate", "br"]],
  ])("reads %s", (header, names) => {
    expect(Either.map(codingsOf(header), (codings) => codings.map(({ coding }) => coding))).toEqual(
      Either.right(names),
    )
  })

  it.each(["compress", "gzip, x-secret", "gzip;q=1", "gzip, gzip, gzip, gzip", "*", "toString"])(
    "refuses %s, and says what is read",
    (header) => {
      expect(Either.flip(codingsOf(header))).toMatchObject({
        right: { encoding: header, taken: expect.stringMatching(/^gzip, deflate, br/) },
      })
    },
  )
})

describe("A packed body", () => {
  it.scopedLive("is unpacked, goes upstream as it was before, and is kept so in the audit", () =>
    Effect.gen(function* () {
      const { gateway, send, upstream } = yield* stack
      const packed: ReadonlyArray<readonly [string, Buffer]> = [
        ["gzip", gzipSync(plain)],
        ["X-GZIP", gzipSync(plain)],
        ["gzip", Buffer.concat([gzipSync(plain.subarray(0, 99)), gzipSync(plain.subarray(99))])],
        ["deflate", deflateSync(plain)],
        ["deflate", deflateRawSync(plain)],
        ["br", brotliCompressSync(plain)],
        ["gzip, br", brotliCompressSync(gzipSync(plain))],
        ["deflate, identity, gzip, br", brotliCompressSync(gzipSync(deflateSync(plain)))],
        ["identity", plain],
      ]
      for (const [encoding, bytes] of packed) {
        expect([encoding, jsonOf(yield* send(encoding, bytes))]).toEqual([encoding, chatCompletion("Hello.")])
      }
      for (const { bytes, headers } of upstream.requests) {
        expect(bytes.equals(plain)).toBe(true)
        expect([headers["content-encoding"], headers["content-length"]]).toEqual([
          undefined,
          `${plain.length}`,
        ])
      }
      for (const { request } of yield* gateway.awaitRecords(packed.length)) {
        expect(Buffer.from(request ?? []).equals(plain)).toBe(true)
      }
    }),
  )

  it.scopedLive("in zstd is read where Node has it, and 415 where it has not", () =>
    Effect.gen(function* () {
      const { send } = yield* stack
      // A frame that holds {}.
      const answer = yield* send("zstd", Buffer.from("28b52ffd20021100007b7d", "hex"))
      expect(answer?.body.toString()).toContain(hasZstd ? "`model` is missing" : "unsupported_encoding")
      expect(answer?.status).toBe(hasZstd ? 400 : 415)
    }),
  )

  it.scopedLive("in an encoding that is not read is 415, with those that are", () =>
    Effect.gen(function* () {
      const { gateway, send, upstream } = yield* stack
      const answer = yield* send("x-secret", Buffer.from([1, 2, 3, 255]))
      expect(answer?.status).toBe(415)
      expect(answer?.headers["accept-encoding"]).toMatch(/^gzip, deflate, br/)
      expect(jsonOf(answer)).toMatchObject({
        error: { code: "unsupported_encoding", message: expect.stringContaining("x-secret") },
      })
      expect(upstream.requests).toEqual([])
      expect(yield* gateway.awaitRecords(1)).toMatchObject([{ status: 415, outcome: "rejected" }])
    }),
  )

  it.scopedLive("that is spoiled is 400, with a word about how", () =>
    Effect.gen(function* () {
      const { send, upstream } = yield* stack
      const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
      for (const [encoding, pack] of Object.entries(packers)) {
        const packed = pack(plain)
        const spoiled = [
          [packed.subarray(0, -3), "ends before it is complete"],
          [Buffer.concat([packed, Buffer.from("garbage")]), "more follows|cannot be unpacked"],
          [plain, "cannot be unpacked"],
        ] as const
        for (const [bytes, reason] of spoiled) {
          const answer = yield* send(encoding, bytes)
          expect([encoding, answer?.status]).toEqual([encoding, 400])
          expect(answer?.body.toString()).toMatch(new RegExp(`${encoding}: .*(${reason})`))
        }
        for (const nothing of [Buffer.alloc(0), pack(Buffer.alloc(0))]) {
          expect((yield* send(encoding, nothing))?.body.toString()).toContain("empty")
        }
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("that unpacks to more than the limit is 413, however often it is packed", () =>
    Effect.gen(function* () {
      const { send } = yield* stack
      const bomb = Buffer.alloc(20_000_000, 0x20)
      const emptyMember = gzipSync("")
      const emptyMembers = Buffer.concat(Array.from({ length: 200_000 }, () => emptyMember))
      const bombs: ReadonlyArray<readonly [string, Buffer]> = [
        ["gzip", gzipSync(bomb)],
        ["deflate", deflateRawSync(bomb)],
        ["br", brotliCompressSync(bomb)],
        ["gzip, gzip", gzipSync(gzipSync(bomb))],
        // Nothing in the end, and a lot on the way.
        ["gzip, gzip", gzipSync(emptyMembers)],
      ]
      for (const [encoding, bytes] of bombs) {
        expect(bytes.length).toBeLessThan(limitBytes)
        const answer = yield* send(encoding, bytes)
        expect([encoding, answer?.status]).toEqual([encoding, 413])
      }
    }),
  )

  it.scopedLive("is refused while a bomb is still being sent", () =>
    Effect.gen(function* () {
      const { gateway } = yield* stack
      const connection = yield* rawConnection(gateway.port)
      const bytes = gzipSync(Buffer.alloc(20_000_000, 0x20))
      yield* connection.send(
        head("POST", "/v1/chat/completions", {
          "content-encoding": "gzip",
          "content-length": `${bytes.length}`,
        }),
      )
      yield* connection.send(bytes.subarray(0, -10))
      expect(yield* connection.until((text) => text.includes("request_too_large"))).toContain(" 413 ")
    }),
  )
})
