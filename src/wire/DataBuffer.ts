/** The data of many events in little memory, for whoever needs them when a stream is over or has broken off. */
import { mostHeadBytes, putNumber, sharedEnd, sharedStart } from "./PackedData.ts"

/** The room for the first data; it is doubled as often as need be. */
const firstRoom = 512

/** So few are copied one by one sooner than a view to copy them from is made: most chunks of a token have no more of their own. */
const fewBytes = 64

/** A larger one, an image as a rule, has little in common with what comes next, and would be held a second time for it. */
const mostRemembered = 16 * 1024

const grown = (room: Uint8Array, used: number, bytes: number): Uint8Array<ArrayBuffer> => {
  const larger = new Uint8Array(Math.max(firstRoom, 2 * room.length, bytes))
  larger.set(room.subarray(0, used))
  return larger
}

/**
 * Packs the data of events (`PackedData`) as they come. Nothing of what it is given is kept: each is a small part of the chunk it came in, which it
 * would keep alive. Mutable on purpose: one stream, one fiber.
 */
export class DataBuffer {
  #room = new Uint8Array(0)
  #used = 0
  /** What came last, in a room of its own. */
  #last = new Uint8Array(0)
  #lastLength = 0

  add(data: Uint8Array): void {
    const start = sharedStart(this.#last, this.#lastLength, data)
    const end = sharedEnd(this.#last, this.#lastLength, data, start)
    const own = data.length - start - end
    const most = this.#used + mostHeadBytes + own
    if (most > this.#room.length) this.#room = grown(this.#room, this.#used, most)
    const room = this.#room
    const at = putNumber(room, putNumber(room, putNumber(room, this.#used, start), end), own)
    if (own > fewBytes) room.set(data.subarray(start, start + own), at)
    else for (let byte = 0; byte < own; byte++) room[at + byte] = data[start + byte] ?? 0
    this.#used = at + own
    this.#remember(data)
  }

  #remember(data: Uint8Array): void {
    this.#lastLength = 0
    if (data.length > mostRemembered) return
    if (data.length > this.#last.length) this.#last = new Uint8Array(Math.max(firstRoom, data.length))
    this.#last.set(data)
    this.#lastLength = data.length
  }

  /** All that was added, as a view that holds until more is. */
  get packed(): Uint8Array {
    return this.#room.subarray(0, this.#used)
  }
}
