/**
 * One body on its way to wherever it is sent, as often as it is: what it begins with stays in memory, the rest goes into a file that has no name any more, so
 * that nothing is left of it once it is closed, or the process has died.
 */
import type { FileHandle } from "node:fs/promises"
import { append, type GrowingBytes } from "../wire/GrowingBytes.ts"
import { type ByteStore, type StoredBytes, storedBytes } from "../wire/StoredBytes.ts"

/** So much of each stays in memory; most pictures, and recordings of a minute, are no longer. */
export const keptInMemory = 1024 * 1024

/** What is written or read at once. */
const blockBytes = 128 * 1024
const readBytes = 64 * 1024

/** As many blocks may wait to be written before the sender has to. */
const mostWaiting = 2

/** Why a body cannot be kept: no memory or disk may be had for it, or the file system says so. */
export type SpoolFault =
  | { readonly lacks: "memory" | "disk" }
  | { readonly lacks: "file"; readonly code: string; readonly detail: string }

/** There are no more blocks of one body: those that wait, one that came whole beside them, and the one that is being filled. */
const mostBlocks = mostWaiting + 2

/** What a body may take. Both are asked before any byte is kept; false where there is no room left. */
export interface SpoolRoom {
  /** @param borrows it is given back once the upstream that it is for has answered */
  readonly hold: (bytes: number, borrows?: boolean) => boolean
  readonly claim: (bytes: number) => boolean
  readonly onFault: (fault: SpoolFault) => void
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** Mutable on purpose: one body, one file. */
export class SpooledBody implements ByteStore {
  readonly #room: SpoolRoom
  /** Opens its file; nothing where there is no folder for one. */
  readonly #open: (() => Promise<FileHandle>) | undefined
  #lead: GrowingBytes | undefined
  #file: FileHandle | undefined
  /** Being filled, those that wait to be written, and those that can be filled again. */
  #block: Buffer | undefined
  #filled = 0
  readonly #waiting: Array<Buffer> = []
  readonly #free: Array<Buffer> = []
  /** How much is in the file. */
  #written = 0
  #isWriting = false
  #isOver = false
  #onDrain: (() => void) | undefined
  #onWritten: (() => void) | undefined

  constructor(open: (() => Promise<FileHandle>) | undefined, room: SpoolRoom) {
    this.#open = open
    this.#room = room
  }

  /** False where the sender is to wait for `onDrain`. */
  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true
    const lead = this.#lead?.bytes.length ?? 0
    if (this.#open === undefined || (this.#block === undefined && lead + bytes.length <= keptInMemory)) {
      if (this.#room.hold(bytes.length)) this.#lead = append(this.#lead, bytes, keptInMemory)
      else this.#fail({ lacks: "memory" })
      return true
    }
    if (this.#block === undefined && !this.#room.hold(mostBlocks * blockBytes, true)) {
      this.#fail({ lacks: "memory" })
    } else if (this.#room.claim(bytes.length)) this.#fill(bytes)
    else this.#fail({ lacks: "disk" })
    return this.#waiting.length < mostWaiting
  }

  onDrain(go: () => void): void {
    if (this.#waiting.length < mostWaiting) go()
    else this.#onDrain = go
  }

  /** All of it came: `written` is called once it can be read. */
  end(written: () => void): void {
    if (this.#isOver) return
    if (this.#block === undefined) {
      written()
      return
    }
    this.#onWritten = written
    this.#waiting.push(this.#block.subarray(0, this.#filled))
    this.#block = undefined
    void this.#writeOn()
  }

  /** All that is kept of it. */
  get bytes(): StoredBytes {
    const lead = this.#lead?.bytes ?? new Uint8Array()
    return storedBytes(this.#written === 0 ? [lead] : [lead, { store: this, from: 0, to: this.#written }])
  }

  /** Of what is in the file. */
  async *read(from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
    let at = from
    while (at < to) {
      if (this.#file === undefined) throw new Error("the body is not kept any more")
      const block = Buffer.allocUnsafe(Math.min(readBytes, to - at))
      const { bytesRead } = await this.#file.read(block, 0, block.length, at)
      if (bytesRead === 0) throw new Error("the file of the body ends before it is complete")
      at += bytesRead
      yield block.subarray(0, bytesRead)
    }
  }

  /** Lets go of all of it. */
  close(): void {
    this.#isOver = true
    this.#lead = undefined
    this.#block = undefined
    this.#waiting.length = 0
    this.#free.length = 0
    const file = this.#file
    this.#file = undefined
    // It waits for what is under way in it. There is nobody to tell, and nothing to be lost.
    file?.close().catch(() => {})
  }

  #fail(fault: SpoolFault): void {
    if (this.#isOver) return
    this.close()
    this.#room.onFault(fault)
  }

  #fill(bytes: Uint8Array): void {
    let rest = bytes
    while (rest.length > 0) {
      this.#block ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
      const part = rest.subarray(0, blockBytes - this.#filled)
      this.#block.set(part, this.#filled)
      this.#filled += part.length
      rest = rest.subarray(part.length)
      if (this.#filled < blockBytes) continue
      this.#waiting.push(this.#block)
      this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
      this.#filled = 0
      void this.#writeOn()
    }
  }

  /** Writes what waits, one block after the other. */
  async #writeOn(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    try {
      for (let block = this.#waiting[0]; block !== undefined; block = this.#waiting[0]) {
        await this.#writeBlock(block)
        if (this.#isOver) return
        this.#waiting.shift()
        if (block.length === blockBytes) this.#free.push(block)
        this.#drained()
      }
    } catch (cause) {
      this.#fail({ lacks: "file", code: codeOf(cause), detail: String(cause) })
      return
    } finally {
      this.#isWriting = false
    }
    if (this.#onWritten === undefined) return
    // Nothing more is to be written.
    this.#free.length = 0
    this.#onWritten()
  }

  async #writeBlock(block: Buffer): Promise<void> {
    if (this.#file === undefined) await this.#begin()
    for (let at = 0; at < block.length && this.#file !== undefined; ) {
      const { bytesWritten } = await this.#file.write(block, at, block.length - at, this.#written)
      at += bytesWritten
      this.#written += bytesWritten
    }
  }

  async #begin(): Promise<void> {
    const file = await this.#open?.()
    // Its sender may have left meanwhile.
    if (this.#isOver) await file?.close()
    else this.#file = file
  }

  #drained(): void {
    const go = this.#onDrain
    if (go === undefined || this.#waiting.length >= mostWaiting) return
    this.#onDrain = undefined
    go()
  }
}
