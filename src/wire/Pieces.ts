/**
 * A body as it comes, kept for whoever will read it: the event loop as one piece, or a thread, for which a long one is kept in memory that threads share,
 * so that no step copies much of it.
 */
import { sharedBytes, weighed } from "./SharedBytes.ts"

/** So much is joined within a millisecond. */
const mostJoined = 1024 * 1024

/** A body whose length nobody said has as much memory set apart for what comes as it has already; at least, and at most, this much. */
const leastRoom = 1024 * 1024
const mostRoom = 8 * 1024 * 1024

/** Bytes joined, in memory that threads share; those that are alone are given as they are. */
export const joined = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return weighed(only)
  const whole = sharedBytes(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(weighed(piece), at)
    at += piece.length
  }
  return whole
}

/** Keeps the chunks of one body. Mutable on purpose. */
export class Pieces {
  /** Chunks as they came, of a body that is not long yet. */
  #chunks: Array<Uint8Array> = []
  /** Rooms that are full, each in shared memory. */
  readonly #full: Array<Uint8Array> = []
  #room: Uint8Array | undefined
  #used = 0
  #size = 0
  readonly #expected: number

  /** @param expected the length that was said beforehand, 0 where none was */
  constructor(expected: number) {
    this.#expected = expected
  }

  get size(): number {
    return this.#size
  }

  add(chunk: Uint8Array): void {
    this.#size += chunk.length
    if (this.#size <= mostJoined) this.#chunks.push(chunk)
    else this.#share(chunk)
  }

  #share(chunk: Uint8Array): void {
    const { length } = this.#chunks
    for (let i = 0; i < length; i++) {
      const kept = this.#chunks[i]
      if (kept !== undefined) this.#put(kept)
    }
    if (length > 0) this.#chunks = []
    this.#put(chunk)
  }

  #put(chunk: Uint8Array): void {
    let rest = chunk
    while (rest.length > 0) {
      const room = this.#room ?? this.#newRoom()
      const part = rest.subarray(0, room.length - this.#used)
      room.set(part, this.#used)
      this.#used += part.length
      rest = rest.subarray(part.length)
      if (this.#used < room.length) continue
      this.#full.push(room)
      this.#room = undefined
    }
  }

  #newRoom(): Uint8Array {
    const kept = this.#full.reduce((sum, { length }) => sum + length, 0)
    this.#used = 0
    this.#room = sharedBytes(
      kept < this.#expected ? this.#expected - kept : Math.min(mostRoom, Math.max(leastRoom, kept)),
    )
    return this.#room
  }

  /** All of it, for the event loop. */
  whole(): Uint8Array {
    const [only] = this.#chunks
    if (this.#chunks.length === 1 && only !== undefined) return only
    if (this.#full.length > 0 || this.#room !== undefined) return joined(this.shared())
    const whole = new Uint8Array(this.#size)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  /** All of it in memory that threads share. */
  shared(): ReadonlyArray<Uint8Array> {
    if (this.#chunks.length > 0) this.#share(new Uint8Array())
    return this.#room === undefined || this.#used === 0
      ? this.#full
      : [...this.#full, this.#room.subarray(0, this.#used)]
  }
}
