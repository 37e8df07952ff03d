/** Node's decoder and the one that cannot be overrun, side by side: whichever unpacks a body, nobody can tell. */
import type { Transform } from "node:stream"
import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as fc from "fast-check"
import { brotliDecoder } from "../../src/wire/Brotli.ts"
import { BrotliThreadDecoder, mostAtOnce, underWay } from "../../src/wire/BrotliThread.ts"
import { type NeverHappened, within } from "../support/Patience.ts"
import { runs } from "../support/Runs.ts"

type Decoder = Transform & { readonly bytesWritten: number }

interface Outcome {
  readonly output: Buffer
  /** The code of the error; of those that tell of bad bytes only that there was one. */
  readonly end: "whole" | "cut off" | "bad" | "badly padded"
  /** Packed bytes that were read, where the packed data came to its end. */
  readonly read: number | undefined
}

const outcome = (
  decoder: Decoder,
  chunks: ReadonlyArray<Uint8Array>,
): Effect.Effect<Outcome, NeverHappened> =>
  within(
    "the end of a body",
    Effect.async<Outcome>((resume) => {
      const got: Array<Buffer> = []
      const over = (end: Outcome["end"]) =>
        resume(
          Effect.succeed({
            output: Buffer.concat(got),
            end,
            read: end === "whole" ? decoder.bytesWritten : undefined,
          }),
        )
      decoder.on("data", (some: Buffer) => got.push(some))
      decoder.on("end", () => over("whole"))
      decoder.on("error", (cause: NodeJS.ErrnoException) =>
        over(
          cause.code === "Z_BUF_ERROR"
            ? "cut off"
            : cause.code === "ERR__ERROR_FORMAT_PADDING_2"
              ? "badly padded"
              : "bad",
        ),
      )
      for (const chunk of chunks) decoder.write(chunk)
      decoder.end()
      return Effect.sync(() => decoder.destroy())
    }),
  )

/** Its last byte has bits set behind the end. */
const badlyPadded = Buffer.from("iwuAaGVsbG8gdzNybGQsIGhvdyBhcmUg5G91Lw==", "base64")

const bytewise = (bytes: Uint8Array) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))

const text = Buffer.from('{"model":"m","messages":[{"role":"user","content":"Grüße"}]}'.repeat(20))
const packed = zlib.brotliCompressSync(text)
const noise = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * at * 2_654_435_761) >>> 13))
const windowBits = (bits: number) => ({ params: { [zlib.constants.BROTLI_PARAM_LGWIN]: bits } })
const huge = Buffer.alloc(20_000_000, " ")
const nothing = Buffer.alloc(0)

/** What it unpacks to, and how it ends. None of it makes use of the hole. */
const bodies: ReadonlyArray<readonly [string, Buffer, Buffer, Outcome["end"]]> = [
  ["a good one", packed, text, "whole"],
  ["one that does not pack well", zlib.brotliCompressSync(noise), noise, "whole"],
  ["the smallest window", zlib.brotliCompressSync(noise, windowBits(10)), noise, "whole"],
  ["the largest window", zlib.brotliCompressSync(noise, windowBits(24)), noise, "whole"],
  ["much from few bytes", zlib.brotliCompressSync(huge, windowBits(24)), huge, "whole"],
  ["an empty one", zlib.brotliCompressSync(nothing), nothing, "whole"],
  ["the shortest", Buffer.from([0x06]), nothing, "whole"],
  ["none at all", nothing, nothing, "cut off"],
  ["no last byte", packed.subarray(0, -1), text, "cut off"],
  ["the first byte", packed.subarray(0, 1), nothing, "cut off"],
  ["garbage", Buffer.from([0xff, 0xff, 0xff, 0xff]), nothing, "bad"],
  ["gzip", zlib.gzipSync(text), nothing, "bad"],
  ["a window of a gigabyte", Buffer.from([0x11, 0x1e, 0xff, 0xff, 0x7f, 0, 0]), nothing, "bad"],
  ["something behind its end", Buffer.concat([packed, Buffer.from("more")]), text, "whole"],
]

const mended = "BROTLI_DECODER_ERROR_FORMAT_BLOCK_SWITCH" in zlib.constants

describe.each<[string, () => Decoder]>([
  ["Node's decoder", () => zlib.createBrotliDecompress()],
  ["the decoder on the thread", () => new BrotliThreadDecoder()],
])("%s", (_, make) => {
  it.live.each(bodies)("reads %s, in one piece and byte by byte", ([, bytes, output, end]) =>
    Effect.gen(function* () {
      for (const chunks of [[bytes], bytewise(bytes.subarray(0, 3000)).concat(bytes.subarray(3000))]) {
        const got = yield* outcome(
          make(),
          chunks.filter(({ length }) => length > 0),
        )
        expect(got.end === "badly padded" ? "bad" : got.end).toBe(end)
        if (end === "whole") expect(got.output.equals(output)).toBe(true)
        else expect(output.subarray(0, got.output.length).equals(got.output)).toBe(true)
      }
    }),
  )

  it.live("does not count what follows behind the end as read", () =>
    Effect.gen(function* () {
      const more = Buffer.from("more")
      for (const chunks of [
        [Buffer.concat([packed, more])],
        [packed, more],
        bytewise(Buffer.concat([packed, more])),
      ]) {
        expect(yield* outcome(make(), chunks)).toEqual({ output: text, end: "whole", read: packed.length })
      }
    }),
  )

  it.live("unpacks no further than a little ahead of its reader", () =>
    Effect.gen(function* () {
      const decoder = make()
      yield* within(
        "the first bytes",
        Effect.async<void>((resume) => {
          decoder.once("readable", () => resume(Effect.void))
          decoder.write(zlib.brotliCompressSync(huge))
        }),
      )
      // As long as this takes, one that did not stop would have come to its end.
      for (let i = 0; i < 3; i++) yield* outcome(make(), [zlib.brotliCompressSync(huge)])
      expect(decoder.readableLength).toBeLessThan(1_000_000)
      decoder.destroy()
    }),
  )

  it.live("gives out what was flushed before more comes", () =>
    Effect.gen(function* () {
      const packer = zlib.createBrotliCompress()
      const decoder = make()
      const flushed = Effect.async<Buffer>((resume) => {
        packer.write("data: a\n\n")
        packer.flush(() => {
          const got: Array<Buffer> = []
          for (let some: unknown = packer.read(); Buffer.isBuffer(some); some = packer.read()) got.push(some)
          resume(Effect.succeed(Buffer.concat(got)))
        })
      })
      for (const part of [yield* flushed, yield* flushed]) {
        const got = yield* within(
          "an event",
          Effect.async<string>((resume) => {
            decoder.once("data", (some: Buffer) => resume(Effect.succeed(some.toString())))
            decoder.write(part)
          }),
        )
        expect(got).toBe("data: a\n\n")
      }
      decoder.destroy()
    }),
  )
})

const chunkings = (bytes: Buffer, sizes: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const chunks: Array<Buffer> = []
  let at = 0
  for (const size of sizes) {
    if (at + size >= bytes.length) break
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...chunks, bytes.subarray(at)].filter(({ length }) => length > 0)
}

const sizesArb = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 })

describe("The decoder on the thread", () => {
  it.live("unpacks whatever was packed, however it is cut", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 2000 }),
          fc.integer({ min: 0, max: 11 }),
          fc.integer({ min: 10, max: 24 }),
          sizesArb,
          async (bytes, quality, bits, sizes) => {
            const params = { ...windowBits(bits).params, [zlib.constants.BROTLI_PARAM_QUALITY]: quality }
            const whole = zlib.brotliCompressSync(bytes, { params })
            const got = await Effect.runPromise(outcome(new BrotliThreadDecoder(), chunkings(whole, sizes)))
            expect(got).toEqual({ output: Buffer.from(bytes), end: "whole", read: whole.length })
          },
        ),
        { numRuns: runs(100) },
      ),
    ),
  )

  it.live("comes to an end with any bytes, and lets go of them", () =>
    Effect.gen(function* () {
      const spoiled = fc
        .tuple(fc.nat(packed.length - 1), fc.integer({ min: 0, max: 255 }))
        .map(([at, byte]) => Buffer.from(packed.map((one, index) => (index === at ? byte : one))))
      const any = fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        spoiled,
      )
      const runtime = yield* Effect.runtime<never>()
      const run = Runtime.runPromise(runtime)
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(any, sizesArb, async (bytes, sizes) => {
            const read = (chunks: ReadonlyArray<Buffer>) => run(outcome(new BrotliThreadDecoder(), chunks))
            const cut = await read(chunkings(bytes, sizes))
            const whole = await read(chunkings(bytes, []))
            expect(cut.end).toBe(whole.end)
            // Node's own is asked only where no bytes overrun it.
            if (mended) {
              const own = await run(outcome(zlib.createBrotliDecompress(), chunkings(bytes, [])))
              // Rust's looks at the bits behind the last one, which unpack to nothing, in empty bodies alone.
              if (own.end === "badly padded") expect(["whole", "bad"]).toContain(whole.end)
              else expect(whole.end).toBe(own.end)
            }
          }),
          { numRuns: runs(300), examples: [[badlyPadded, []]] },
        ),
      )
      expect(underWay()).toEqual({ seated: 0, waiting: 0 })
    }),
  )

  it.live("serves so many at once; further ones wait until one of those ends, or is given up", () =>
    Effect.gen(function* () {
      const held = Array.from({ length: mostAtOnce }, () => new BrotliThreadDecoder())
      for (const one of held) one.write(packed.subarray(0, 5))
      const givenUp = new BrotliThreadDecoder()
      givenUp.write(packed)
      expect(underWay()).toEqual({ seated: mostAtOnce, waiting: 1 })
      givenUp.destroy()
      expect(underWay()).toEqual({ seated: mostAtOnce, waiting: 0 })
      const late = new BrotliThreadDecoder()
      const read = outcome(late, [packed])
      yield* Effect.all([read, Effect.sync(() => held[0]?.destroy())], { concurrency: 2 })
      for (const one of held) one.destroy()
      expect(underWay()).toEqual({ seated: 0, waiting: 0 })
    }),
  )

  it("is taken where Node's own is not mended", () => {
    const decoder = brotliDecoder()
    expect(decoder instanceof BrotliThreadDecoder).toBe(!mended)
    decoder.destroy()
  })
})
