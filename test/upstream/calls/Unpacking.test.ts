import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import { isKnown } from "../../../src/upstream/calls/Unpacking.ts"
import type { UpstreamCall } from "../../../src/upstream/calls/UpstreamCall.ts"
import * as Upstreams from "../../../src/upstream/calls/Upstreams.ts"
import { whole } from "../../../src/upstream/calls/WholeAnswer.ts"
import { AttemptFailure } from "../../../src/upstream/policy/AttemptFailure.ts"
import { makeUpstream } from "../../support/arbitraries.ts"
import { within } from "../../support/Patience.ts"
import * as Scripted from "../../support/ScriptedUpstream.ts"

const text = '{"id":"chatcmpl-1","choices":[{"index":0,"message":{"content":"Grüße"}}]}'
const bytes = Buffer.from(text)
const empty = Buffer.alloc(0)

const call = (upstream: Upstream): UpstreamCall => ({
  upstream,
  method: "GET",
  path: "/models",
  headers: {},
  body: undefined,
  awaits: "answer",
  unpacks: "any",
  deadline: undefined,
})

const exchange = (url: string, limitBytes = 1_000_000) =>
  Effect.gen(function* () {
    const upstreams = yield* Upstreams.Upstreams
    const answer = yield* whole(upstreams, call(makeUpstream({ baseUrl: url })), limitBytes)
    return { status: answer.status, text: Buffer.from(answer.body).toString() }
  })

const packed = (body: Buffer, encoding?: string): Scripted.Answer =>
  Scripted.status(200, body, encoding === undefined ? {} : { "content-encoding": encoding })

/** The call's listener as a test looks at it. */
const listening = () => {
  let ended: AttemptFailure | "whole" | undefined
  const got: Array<Uint8Array> = []
  let size = 0
  const end = Deferred.unsafeMake<AttemptFailure | "whole">(FiberId.none)
  const waiting: Array<{ readonly length: number; readonly there: Deferred.Deferred<void> }> = []
  return {
    onHead: () => {},
    onBytes: (some: Uint8Array) => {
      got.push(some)
      size += some.length
      for (const { length, there } of waiting) {
        if (size >= length) Deferred.unsafeDone(there, Effect.void)
      }
    },
    onEnd: (failure: AttemptFailure | undefined) => {
      ended = failure ?? "whole"
      Deferred.unsafeDone(end, Effect.succeed(ended))
    },
    text: () => Buffer.concat(got).toString(),
    length: () => size,
    ended: () => ended,
    end: within("the end of the call", Deferred.await(end)),
    /** So many bytes are here. */
    has: (length: number) => {
      const there = Deferred.unsafeMake<void>(FiberId.none)
      waiting.push({ length, there })
      if (size >= length) Deferred.unsafeDone(there, Effect.void)
      return within(`${length} bytes`, Deferred.await(there))
    },
  }
}

const open = (url: string) =>
  Effect.gen(function* () {
    const upstreams = yield* Upstreams.Upstreams
    const listener = listening()
    const opened = yield* Effect.acquireRelease(
      Effect.sync(() => upstreams.open(call(makeUpstream({ name: "a", baseUrl: url })), listener)),
      (one) => Effect.sync(() => one.close()),
    )
    return { listener, opened, upstreams }
  })

describe("A body that came packed", () => {
  it.scopedLive.each<[string, Buffer, string | undefined]>([
    ["gzip", zlib.gzipSync(bytes), "gzip"],
    ["x-gzip, in capitals", zlib.gzipSync(bytes), "X-GZIP"],
    [
      "gzip in two members",
      Buffer.concat([zlib.gzipSync(bytes.subarray(0, 9)), zlib.gzipSync(bytes.subarray(9))]),
      "gzip",
    ],
    ["gzip with something behind it", Buffer.concat([zlib.gzipSync(bytes), Buffer.alloc(9)]), "gzip"],
    ["zlib", zlib.deflateSync(bytes), "deflate"],
    [
      "zlib with something behind it",
      Buffer.concat([zlib.deflateSync(bytes), Buffer.from("more")]),
      "deflate",
    ],
    ["bare deflate", zlib.deflateRawSync(bytes), "deflate"],
    ["br", zlib.brotliCompressSync(bytes), "br"],
    ["one over another", zlib.gzipSync(zlib.brotliCompressSync(bytes)), " br ,identity, gzip"],
    ["gzip twice, said once", zlib.gzipSync(zlib.gzipSync(bytes)), "gzip"],
    ["gzip, not said", zlib.gzipSync(bytes), undefined],
    ["gzip, said to be br", zlib.gzipSync(bytes), "br"],
    ["nothing, said to be gzip", bytes, "gzip"],
    ["nothing, said to be br and gzip", bytes, "br, gzip"],
    ["nothing, said to be utf-8", bytes, "utf-8"],
  ])("is read: %s, in one piece and byte by byte", ([, body, encoding]) =>
    Effect.gen(function* () {
      const headers = encoding === undefined ? {} : { "content-encoding": encoding }
      const script = Scripted.sequence(
        packed(body, encoding),
        Scripted.streamed(body, { chunkSize: 1, headers }),
      )
      const upstream = yield* Scripted.scriptedUpstream(script)
      expect((yield* exchange(upstream.url)).text).toBe(text)
      expect((yield* exchange(upstream.url)).text).toBe(text)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive.runIf(isKnown("zstd"))("is read in zstd, where Node has it", () =>
    Effect.gen(function* () {
      // What `zstd` makes of it: a frame with one raw block.
      const raw = Buffer.from('{"choices":[]}')
      const frame = Buffer.concat([
        Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, raw.length, ((raw.length << 3) | 1) & 0xff, 0x00, 0x00]),
        raw,
      ])
      const upstream = yield* Scripted.scriptedUpstream(packed(frame, "zstd"))
      expect((yield* exchange(upstream.url)).text).toBe('{"choices":[]}')
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("may be empty", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(packed(empty, "gzip"))
      expect((yield* exchange(upstream.url)).text).toBe("")
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  const corrupt = zlib.gzipSync(Buffer.from(text.repeat(50)))
  corrupt.fill(0xff, 20, 60)

  it.scopedLive.each<[string, Buffer, string]>([
    ["gzip cut short", zlib.gzipSync(bytes).subarray(0, 30), "gzip"],
    ["gzip without its last byte", zlib.gzipSync(bytes).subarray(0, -1), "gzip"],
    ["the first byte of gzip", zlib.gzipSync(bytes).subarray(0, 1), "gzip"],
    ["br cut short", zlib.brotliCompressSync(bytes).subarray(0, -1), "br"],
    ["zlib cut short", zlib.deflateSync(bytes).subarray(0, -1), "deflate"],
    ["gzip with bytes changed", corrupt, "gzip"],
    ["garbage for br", Buffer.from([0xff, 0xff, 0xff, 0xff]), "br"],
    [
      "gzip in gzip, the inner one cut short",
      zlib.gzipSync(zlib.gzipSync(bytes).subarray(0, 40)),
      "gzip, gzip",
    ],
  ])("is a broken one where it is %s", ([, body, encoding]) =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(packed(body, encoding))
      const failure = yield* Effect.flip(exchange(upstream.url))
      expect(failure._tag).toBe("BrokenOff")
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("is none where nobody here unpacks it, and of an error its status stands", () =>
    Effect.gen(function* () {
      const headers = { "content-encoding": "x-rot13" }
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.sequence(Scripted.json({}, headers), Scripted.status(429, {}, headers)),
      )
      expect(yield* Effect.flip(exchange(upstream.url))).toEqual(
        AttemptFailure.Unusable({ reason: "answered in the encoding x-rot13, which is not known here" }),
      )
      expect(yield* exchange(upstream.url)).toEqual({ status: 429, text: "" })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("counts against the limit with what it unpacks to, and no more of it is unpacked", () =>
    Effect.gen(function* () {
      // Of many small members, so that making it leaves nothing about that would be collected while it is unpacked.
      const member = zlib.gzipSync(Buffer.alloc(1_000_000, " "))
      const bomb = zlib.gzipSync(Buffer.concat(Array.from({ length: 400 }, () => member)))
      const upstream = yield* Scripted.scriptedUpstream(packed(bomb, "gzip, gzip"))
      const before = process.memoryUsage().external
      const failure = yield* Effect.flip(exchange(upstream.url, 100_000))
      expect(failure).toMatchObject({ _tag: "BrokenOff", reason: "a body of over 100000 bytes" })
      // Of 400 MB; whatever else lies about and is not collected yet is less.
      expect(process.memoryUsage().external - before).toBeLessThan(200_000_000)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("leaves a connection that can be used again", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(packed(zlib.gzipSync(bytes), "gzip"))
      for (let i = 0; i < 10; i++) yield* exchange(upstream.url)
      expect(new Set(upstream.requests.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2)
    }).pipe(Effect.provide(Upstreams.layer)),
  )
})

describe("A stream that comes packed", () => {
  const makers = {
    gzip: () => zlib.createGzip(),
    deflate: () => zlib.createDeflate(),
    br: () => zlib.createBrotliCompress(),
  }

  /** What packing gives out for these bytes, flushed as servers flush an event. */
  const flushed = (packer: zlib.Gzip | zlib.Deflate | zlib.BrotliCompress, some: string) =>
    Effect.async<Buffer>((resume) => {
      packer.write(some)
      packer.flush(() => {
        // Node 26 gives the head apart.
        const got: Array<Buffer> = []
        for (let some: unknown = packer.read(); Buffer.isBuffer(some); some = packer.read()) got.push(some)
        resume(Effect.succeed(Buffer.concat(got)))
      })
    })

  it.scopedLive.each(["gzip", "deflate", "br"] as const)(
    "in %s gives each event out before the next one comes",
    (encoding) =>
      Effect.gen(function* () {
        const script = Scripted.controlled("text/event-stream", { "content-encoding": encoding })
        const upstream = yield* Scripted.scriptedUpstream(script.answer)
        const { listener } = yield* open(upstream.url)
        const packer = makers[encoding]()
        let sent = ""
        for (const event of ["data: a\n\n", "data: bb\n\n", "data: ccc\n\n"]) {
          sent += event
          yield* script.write(yield* flushed(packer, event))
          yield* listener.has(sent.length)
          expect(listener.text()).toBe(sent)
        }
        yield* script.kill
        expect(yield* listener.end).toMatchObject({ _tag: "BrokenOff" })
      }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("stops while it is paused, and goes on where it stopped", () =>
    Effect.gen(function* () {
      const size = 20_000_000
      const all = zlib.gzipSync(zlib.gzipSync(Buffer.alloc(size, "x")))
      const upstream = yield* Scripted.scriptedUpstream((request) =>
        request.onConnection > 0 || request.connection > 0
          ? packed(zlib.gzipSync(bytes), "gzip")
          : packed(all, "gzip"),
      )
      const { listener, opened } = yield* open(upstream.url)
      yield* listener.has(1)
      opened.pause()
      const atPause = listener.length()
      // As long as this takes, a stream that had not stopped would have come to its end.
      for (let i = 0; i < 20; i++) yield* exchange(upstream.url)
      expect(listener.length() - atPause).toBeLessThan(1_000_000)
      expect(listener.ended()).toBeUndefined()
      opened.resume()
      expect(yield* listener.end).toBe("whole")
      expect(listener.length()).toBe(size)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("says nothing any more once it is closed, and its connection is given up", () =>
    Effect.gen(function* () {
      const script = Scripted.controlled("text/event-stream", { "content-encoding": "gzip" })
      const upstream = yield* Scripted.scriptedUpstream(script.answer)
      const { listener, opened, upstreams } = yield* open(upstream.url)
      const packer = makers.gzip()
      yield* script.write(yield* flushed(packer, "data: a\n\n"))
      yield* listener.has(1)
      opened.close()
      yield* within("the close", script.closed)
      expect([listener.ended(), upstreams.inFlight("a")]).toEqual([undefined, 0])
    }).pipe(Effect.provide(Upstreams.layer)),
  )
})
