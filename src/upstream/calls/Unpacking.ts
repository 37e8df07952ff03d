/**
 * A body that came packed, unpacked as it comes: what a chunk holds is given out before the next one is needed, no faster than it is taken, and no
 * more than a few kilobytes ahead, whatever a chunk would unpack to.
 */
import { Transform } from "node:stream"
import * as zlib from "node:zlib"
import { brotliDecoder } from "../../wire/Brotli.ts"
import { type Coding, mostPackings, type Packing, packingOf } from "../../wire/ContentCoding.ts"
import { AttemptFailure } from "../policy/AttemptFailure.ts"

/** Where bytes come from. */
export interface Tap {
  readonly pause: () => void
  readonly resume: () => void
}

/** Takes what a body holds, and then its end. */
export interface Unpacked {
  readonly onBytes: (bytes: Uint8Array) => void
  readonly onEnd: (failure: AttemptFailure | undefined) => void
}

const eager = { flush: zlib.constants.Z_SYNC_FLUSH }

/** Of Node from 22.15 on; its types are those of Node 20. */
const zstd: unknown = "createZstdDecompress" in zlib ? zlib.createZstdDecompress : undefined

const zstdUnpacker = (): Transform | undefined => {
  const made: unknown = typeof zstd === "function" ? zstd() : undefined
  return made instanceof Transform ? made : undefined
}

/** Whether this Node unpacks it. */
export const isKnown = (coding: Coding): boolean => coding !== "zstd" || typeof zstd === "function"

/** `undefined` where this Node has none. */
const unpackerOf = (packing: Packing): Transform | undefined => {
  switch (packing) {
    case "gzip":
      return zlib.createGunzip(eager)
    case "zlib":
      return zlib.createInflate(eager)
    case "bare_deflate":
      return zlib.createInflateRaw(eager)
    case "br":
      return brotliDecoder()
    case "zstd":
      return zstdUnpacker()
  }
}

const broken = (packing: Packing, cause: Error): AttemptFailure =>
  AttemptFailure.BrokenOff({ reason: `its ${packing.replace("_", " ")} data: ${cause.message}` })

/** One packing of a body; what it unpacks to may be packed again. Mutable on purpose: one body, one socket. */
export class Unpacking {
  readonly #said: ReadonlyArray<Coding>
  readonly #left: number
  readonly #tap: Tap
  readonly #to: Unpacked
  /** Until it is known what they are packed in. */
  #first: Uint8Array = new Uint8Array()
  #kind: Packing | "nothing" | undefined
  #unpacker: Transform | undefined
  #inner: Unpacking | undefined
  #isPaused = false
  #isOver = false
  /** Why no more bytes come, where that is no good end. */
  #failure: AttemptFailure | undefined

  /**
   * @param said what the body is said to be packed in, the outermost last
   * @param left how many packings it may have
   */
  constructor(said: ReadonlyArray<Coding>, tap: Tap, to: Unpacked, left = mostPackings) {
    this.#said = said
    this.#tap = tap
    this.#to = to
    this.#left = left
  }

  write(bytes: Uint8Array): void {
    if (this.#isOver) return
    if (this.#kind === undefined) this.#decide(bytes, false)
    else this.#pass(bytes)
  }

  /** No more bytes come. */
  end(failure: AttemptFailure | undefined): void {
    if (this.#isOver) return
    if (this.#kind === undefined) this.#decide(new Uint8Array(), true)
    this.#failure = failure
    if (this.#unpacker === undefined) this.#finish(failure)
    // Gives out what it still has, and says whether that was all.
    else this.#unpacker.end()
  }

  pause(): void {
    this.#isPaused = true
    if (this.#inner === undefined) this.#tap.pause()
    else this.#inner.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#inner === undefined) this.#tap.resume()
    else this.#inner.resume()
  }

  close(): void {
    this.#isOver = true
    this.#unpacker?.destroy()
    this.#inner?.close()
  }

  #decide(bytes: Uint8Array, isAll: boolean): void {
    const first = this.#first.length === 0 ? bytes : Buffer.concat([this.#first, bytes])
    this.#first = first
    const kind = this.#left === 0 ? "nothing" : packingOf(first, isAll, this.#said.at(-1))
    if (kind === undefined) return
    this.#kind = kind
    if (kind !== "nothing") this.#open(kind)
    this.#first = new Uint8Array()
    if (first.length > 0) this.#pass(first)
  }

  #pass(bytes: Uint8Array): void {
    if (this.#unpacker === undefined) this.#to.onBytes(bytes)
    else if (!this.#unpacker.write(bytes)) this.#tap.pause()
  }

  #open(packing: Packing): void {
    const unpacker = unpackerOf(packing)
    if (unpacker === undefined) return
    const tap: Tap = { pause: () => unpacker.pause(), resume: () => unpacker.resume() }
    const to: Unpacked = { onBytes: this.#to.onBytes, onEnd: (failure) => this.#finish(failure) }
    const inner = new Unpacking(this.#said.slice(0, -1), tap, to, this.#left - 1)
    unpacker.on("data", (bytes: Uint8Array) => inner.write(bytes))
    unpacker.on("drain", () => this.#tap.resume())
    unpacker.on("end", () => inner.end(this.#failure))
    unpacker.on("error", (cause) => {
      if (!this.#isOver) inner.end(this.#failure ?? broken(packing, cause))
    })
    this.#unpacker = unpacker
    this.#inner = inner
    if (!this.#isPaused) return
    // From now on what was paused is what comes out of it.
    this.#tap.resume()
    inner.pause()
  }

  #finish(failure: AttemptFailure | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#to.onEnd(failure)
  }
}
