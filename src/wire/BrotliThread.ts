/**
 * Unpacks Brotli by a decoder that no bytes can overrun, Rust's in WebAssembly, on a thread of its own: a few bytes may unpack to megabytes at once,
 * which would hold up everybody else. The thread starts with the first body and stays; each body asks it for a bounded step at a time.
 */
import { Transform, type TransformCallback } from "node:stream"
import { Worker } from "node:worker_threads"

/** Each keeps what it unpacked last, up to 16 MiB. Further bodies wait for their turn, as long as they are waited for. */
export const mostAtOnce = 32

/** A thread that served more at once keeps their memory, and ends once it is idle. */
const mostKept = 4

/** Packed bytes for one step. */
const inputBytes = 16_384

interface Step {
  readonly output: Uint8Array
  /** Of the bytes it was given. */
  readonly used: number
  /** The packed data is at its end. */
  readonly isWhole: boolean
  /** The bytes it used unpack to more. */
  readonly hasMore: boolean
}

interface Reply {
  readonly id: number
  /** None where the bytes are no Brotli. */
  readonly step: Step | undefined
}

type Heard = (step: Step | undefined) => void

let thread: Worker | undefined
let lastId = 0
const asking = new Map<number, Heard>()
const waiting = new Set<() => void>()
let seated = 0
/** Since the thread started. */
let mostSeated = 0

const started = (): Worker => {
  const fresh = new Worker(new URL("./brotli-thread.js", import.meta.url), { execArgv: [], env: {} })
  // Whoever waits for a body keeps the process, the thread does not.
  fresh.unref()
  fresh.on("message", ({ id, step }: Reply) => {
    const heard = asking.get(id)
    asking.delete(id)
    heard?.(step)
  })
  const lost = () => {
    if (thread !== fresh) return
    thread = undefined
    const left = [...asking.values()]
    asking.clear()
    for (const heard of left) heard(undefined)
  }
  fresh.on("error", lost)
  fresh.on("exit", lost)
  return fresh
}

/** What a body holds so far is lost with the thread that has it. */
const ask = (asked: Worker, id: number, bytes: Uint8Array, heard: Heard): void => {
  if (asked !== thread) {
    heard(undefined)
    return
  }
  asking.set(id, heard)
  asked.postMessage({ id, bytes })
}

const forget = (id: number): void => {
  asking.delete(id)
  thread?.postMessage({ id })
}

const sit = (go: () => void): void => {
  if (seated < mostAtOnce) {
    seated++
    mostSeated = Math.max(mostSeated, seated)
    go()
  } else waiting.add(go)
}

const stand = (): void => {
  seated--
  for (const go of waiting) {
    waiting.delete(go)
    seated++
    go()
    return
  }
  if (seated > 0 || mostSeated <= mostKept) return
  mostSeated = 0
  const ended = thread
  thread = undefined
  void ended?.terminate()
}

/** How many bodies are being unpacked, and how many wait for that. */
export const underWay = () => ({ seated, waiting: waiting.size })

const failure = (message: string, code: string): Error => Object.assign(new Error(message), { code })

const spoiled = () => failure("Decompression failed", "ERR_BROTLI_DECODER")

/** Windows of up to a gigabyte, which this decoder would take and Node's does not: no Brotli of RFC 7932. */
const hasLargeWindow = (firstByte: number | undefined): boolean =>
  firstByte !== undefined && (firstByte & 0x7f) === 0x11

/** Does what `zlib.createBrotliDecompress()` does, its errors included; only bits that are set behind the last one are no matter to it. */
export class BrotliThreadDecoder extends Transform {
  /** Packed bytes that were read; those behind the end are not. */
  bytesWritten = 0
  readonly #id = ++lastId
  #seat: "none" | "waiting" | "taken" | "left" = "none"
  #isWhole = false
  #thread: Worker | undefined
  /** Goes on with what is under way, once its reader wants more. */
  #next: (() => void) | undefined
  #sitDown: (() => void) | undefined

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.bytesWritten === 0 && hasLargeWindow(chunk[0])) {
      done(spoiled())
    } else if (this.#seat === "none") {
      this.#seat = "waiting"
      this.#sitDown = () => {
        this.#seat = "taken"
        this.#step(chunk, done)
      }
      sit(this.#sitDown)
    } else this.#step(chunk, done)
  }

  override _read(size: number): void {
    const next = this.#next
    this.#next = undefined
    if (next === undefined) super._read(size)
    else next()
  }

  override _flush(done: TransformCallback): void {
    done(this.#isWhole ? null : failure("unexpected end of file", "Z_BUF_ERROR"))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#leave()
    done(error)
  }

  #step(bytes: Uint8Array, done: TransformCallback): void {
    // What follows behind the end is not read, as by Node's.
    if (this.#isWhole) {
      this.push(null)
      return
    }
    thread ??= started()
    this.#thread ??= thread
    ask(this.#thread, this.#id, bytes.subarray(0, inputBytes), (step) => this.#took(bytes, step, done))
  }

  #took(bytes: Uint8Array, step: Step | undefined, done: TransformCallback): void {
    if (step === undefined) {
      done(spoiled())
      return
    }
    this.bytesWritten += step.used
    const wantsMore = step.output.length === 0 || this.push(step.output)
    const rest = bytes.subarray(step.used)
    if (step.isWhole) {
      this.#isWhole = true
      this.#leave()
    }
    if (this.destroyed) return
    if (rest.length === 0 && !step.hasMore) done()
    else if (wantsMore || this.#isWhole) this.#step(rest, done)
    else this.#next = () => this.#step(rest, done)
  }

  #leave(): void {
    if (this.#seat === "waiting" && this.#sitDown !== undefined) waiting.delete(this.#sitDown)
    else if (this.#seat === "taken") {
      forget(this.#id)
      stand()
    }
    this.#seat = "left"
    this.#sitDown = undefined
    this.#next = undefined
  }
}
