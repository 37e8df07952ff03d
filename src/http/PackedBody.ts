/**
 * A request's body that comes packed (RFC 9110 §8.4), unpacked piece by piece, so that a small one which would become an immense one is stopped on
 * its way, and as slowly as what takes it. Clients are held to what they say of it; of upstreams the bytes decide (`upstream/calls/Unpacking.ts`).
 */
import type { Transform } from "node:stream"
import * as Zlib from "node:zlib"
import * as Either from "effect/Either"
import {
  type BodyLimit,
  InvalidRequest,
  RequestTooLarge,
  UnsupportedEncoding,
} from "../errors/RequestErrors.ts"
import { brotliDecoder } from "../wire/Brotli.ts"
import { type Coding, codingNamed } from "../wire/ContentCoding.ts"
import type { Intake } from "../wire/Intake.ts"

declare module "node:zlib" {
  /** Since Node 22.15. */
  const createZstdDecompress:
    | ((options: { readonly params: Readonly<Record<number, number>> }) => Zlib.Gunzip)
    | undefined
}

/** What all decoders have in common; `bytesWritten` are those it read. */
type Decoder = Transform & { readonly bytesWritten: number }

/** A coding that this Node reads, with a decoder for a body that begins with this byte. */
interface Readable {
  readonly coding: Coding
  readonly decoder: (firstByte: number) => Decoder
}

/** RFC 9110 §8.4.1.2 means zlib's format, and notes that some send the bare one; zlib's begins with its method, 8, in the lower half of a byte. */
const inflate = (firstByte: number): Decoder =>
  (firstByte & 0x0f) === 8 ? Zlib.createInflate() : Zlib.createInflateRaw()

/** `ZSTD_d_windowLogMax`. RFC 9659 holds senders to windows of 8 MB; zstd itself would take 128 MB for one. */
const zstdWindow = { params: { 100: 23 } }

const zstdOf = (create: NonNullable<typeof Zlib.createZstdDecompress>): Readable => ({
  coding: "zstd",
  decoder: () => create(zstdWindow),
})

const readables: ReadonlyArray<Readable> = [
  { coding: "gzip", decoder: () => Zlib.createGunzip() },
  { coding: "deflate", decoder: inflate },
  { coding: "br", decoder: brotliDecoder },
  ...(Zlib.createZstdDecompress === undefined ? [] : [zstdOf(Zlib.createZstdDecompress)]),
]

/** The names of all codings that are read, for messages. */
const taken = readables.map(({ coding }) => coding).join(", ")

const readableOf = (name: string): ReadonlyArray<Readable> => {
  const named = codingNamed(name)
  return readables.filter(({ coding }) => coding === named)
}

/** Nobody packs a body more often; each time could multiply it by a thousand. */
const mostCodings = 3

/** The codings of a `content-encoding` header, in the order they were applied; none where the body is as it is. */
export const codingsOf = (
  header: string | undefined,
): Either.Either<ReadonlyArray<Readable>, UnsupportedEncoding> => {
  if (header === undefined) return Either.right([])
  const names = header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity")
  const found = names.flatMap(readableOf)
  return found.length === names.length && found.length <= mostCodings
    ? Either.right(found)
    : Either.left(new UnsupportedEncoding({ encoding: header.slice(0, 100), taken }))
}

export type UnpackFailure = InvalidRequest | RequestTooLarge

const spoiled = (coding: string, reason: string) =>
  new InvalidRequest({
    message: `The request body is not what its content-encoding says, ${coding}: ${reason}.`,
    param: null,
  })

/** One decoder in front of what takes its output. What comes out of it is bounded too where another unpacks it again. */
const stage = (
  { coding, decoder: decoderFor }: Readable,
  outlet: Intake,
  limit: BodyLimit,
  fail: (failure: UnpackFailure) => void,
): Intake => {
  let decoder: Decoder | undefined
  let fed = 0
  let given = 0
  const begin = (firstByte: number): Decoder => {
    const made = decoderFor(firstByte)
    made.on("data", (bytes: Uint8Array) => {
      given += bytes.length
      if (given > limit.limitBytes) fail(new RequestTooLarge(limit))
      else if (!outlet.write(bytes)) {
        made.pause()
        outlet.onDrain(() => made.resume())
      }
    })
    made.on("end", () => {
      if (made.bytesWritten < fed) fail(spoiled(coding, "more follows behind its end"))
      else outlet.end()
    })
    made.on("error", (cause: NodeJS.ErrnoException) =>
      fail(
        spoiled(
          coding,
          cause.code === "Z_BUF_ERROR" ? "it ends before it is complete" : "it cannot be unpacked",
        ),
      ),
    )
    return made
  }
  return {
    write: (bytes) => {
      const [firstByte] = bytes
      if (firstByte === undefined) return true
      fed += bytes.length
      decoder ??= begin(firstByte)
      return decoder.write(bytes)
    },
    onDrain: (go) => void decoder?.once("drain", go),
    end: () => {
      // Nothing, however it is packed, is nothing.
      if (decoder === undefined) outlet.end()
      else decoder.end()
    },
    close: () => {
      decoder?.destroy()
      outlet.close()
    },
  }
}

/** Unpacks what is written to it into the outlet. Tells at most once why it cannot; whoever called closes it then. */
export const unpacking = (
  applied: ReadonlyArray<Readable>,
  outlet: Intake,
  limit: BodyLimit,
  fail: (failure: UnpackFailure) => void,
): Intake => applied.reduce((inner, one) => stage(one, inner, limit, fail), outlet)
