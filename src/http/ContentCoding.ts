/**
 * The content codings that a request's body may come in (RFC 9110 §8.4), and how it is unpacked: piece by piece, so that a small body which would
 * become an immense one is stopped on its way, and as slowly as what takes it.
 */
import * as Zlib from "node:zlib"
import * as Either from "effect/Either"
import { InvalidRequest, RequestTooLarge, UnsupportedEncoding } from "../domain/GatewayError.ts"

declare module "node:zlib" {
  /** Since Node 22.15. */
  const createZstdDecompress:
    | ((options: { readonly params: Readonly<Record<number, number>> }) => Zlib.Gunzip)
    | undefined
}

/** What Node's decoders have in common. */
type Decoder = Pick<
  Zlib.Gunzip,
  "bytesWritten" | "destroy" | "end" | "on" | "once" | "pause" | "resume" | "write"
>

interface Coding {
  /** As it is registered. */
  readonly name: string
  /** A decoder for a body that begins with this byte. */
  readonly decoder: (firstByte: number) => Decoder
}

const gzip: Coding = { name: "gzip", decoder: () => Zlib.createGunzip() }

/** RFC 9110 §8.4.1.2 means zlib's format, and notes that some send the bare one; zlib's begins with its method, 8, in the lower half of a byte. */
const deflate: Coding = {
  name: "deflate",
  decoder: (firstByte) => ((firstByte & 0x0f) === 8 ? Zlib.createInflate() : Zlib.createInflateRaw()),
}

const brotli: Coding = { name: "br", decoder: () => Zlib.createBrotliDecompress() }

/** `ZSTD_d_windowLogMax`. RFC 9659 holds senders to windows of 8 MB; zstd itself would take 128 MB for one. */
const zstdWindow = { params: { 100: 23 } }

const zstdOf = (create: NonNullable<typeof Zlib.createZstdDecompress>): Coding => ({
  name: "zstd",
  decoder: () => create(zstdWindow),
})

const codings: ReadonlyArray<Coding> = [
  gzip,
  deflate,
  brotli,
  ...(Zlib.createZstdDecompress === undefined ? [] : [zstdOf(Zlib.createZstdDecompress)]),
]

/** The names of all codings that are read, for `accept-encoding` and messages. */
const taken = codings.map(({ name }) => name).join(", ")

const byName: ReadonlyMap<string, Coding> = new Map([
  ...codings.map((coding) => [coding.name, coding] as const),
  ["x-gzip", gzip],
])

/** Nobody packs a body more often; each time could multiply it by a thousand. */
const mostCodings = 3

/** The codings of a `content-encoding` header, in the order they were applied; none where the body is as it is. */
export const codingsOf = (
  header: string | undefined,
): Either.Either<ReadonlyArray<Coding>, UnsupportedEncoding> => {
  if (header === undefined) return Either.right([])
  const names = header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity")
  const found = names.flatMap((name) => byName.get(name) ?? [])
  return found.length === names.length && found.length <= mostCodings
    ? Either.right(found)
    : Either.left(new UnsupportedEncoding({ encoding: header.slice(0, 100), taken }))
}

/** Takes bytes piece by piece. */
export interface Intake {
  /** False where the sender is to wait for `onDrain`. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly onDrain: (go: () => void) => void
  readonly end: () => void
  /** Lets go of what is under way. */
  readonly close: () => void
}

export type UnpackFailure = InvalidRequest | RequestTooLarge

const spoiled = (coding: string, reason: string) =>
  new InvalidRequest({
    message: `The request body is not what its content-encoding says, ${coding}: ${reason}.`,
    param: null,
  })

/** One decoder in front of what takes its output. What comes out of it is bounded too where another unpacks it again. */
const stage = (
  coding: Coding,
  outlet: Intake,
  limitBytes: number,
  fail: (failure: UnpackFailure) => void,
): Intake => {
  let decoder: Decoder | undefined
  let fed = 0
  let given = 0
  const begin = (firstByte: number): Decoder => {
    const made = coding.decoder(firstByte)
    made.on("data", (bytes: Uint8Array) => {
      given += bytes.length
      if (given > limitBytes) fail(new RequestTooLarge({ limitBytes }))
      else if (!outlet.write(bytes)) {
        made.pause()
        outlet.onDrain(() => made.resume())
      }
    })
    made.on("end", () => {
      if (made.bytesWritten < fed) fail(spoiled(coding.name, "more follows behind its end"))
      else outlet.end()
    })
    made.on("error", (cause: NodeJS.ErrnoException) =>
      fail(
        spoiled(
          coding.name,
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

/** Unpacks what is written to it into the outlet. Tells at most once why it cannot; it is the caller's then to close it. */
export const unpacking = (
  applied: ReadonlyArray<Coding>,
  outlet: Intake,
  limitBytes: number,
  fail: (failure: UnpackFailure) => void,
): Intake => applied.reduce((inner, coding) => stage(coding, inner, limitBytes, fail), outlet)
