/** The data of many events in little memory, for whoever needs them when a stream is over or has broken off. */
import type { JoinedData } from "../domain/JoinedData.ts"

/** The room for the first data; it is doubled as often as need be. */
const firstRoom = 4_096

/**
 * The data of events one after the other in one buffer: each is a small part of the chunk it came in, which it would keep alive. A buffer of its own for
 * each took half a microsecond more an event, and a third more memory in all. Mutable on purpose: one stream, one fiber.
 */
export class DataBuffer {
  readonly #lengths: Array<number> = []
  #room = new Uint8Array(0)
  #used = 0

  add(data: Uint8Array): void {
    this.#makeRoom(this.#used + data.byteLength)
    this.#room.set(data, this.#used)
    this.#used += data.byteLength
    this.#lengths.push(data.byteLength)
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#room.byteLength) return
    const larger = new Uint8Array(Math.max(firstRoom, 2 * this.#room.byteLength, bytes))
    larger.set(this.#room.subarray(0, this.#used))
    this.#room = larger
  }

  /** All that was added, as a view that holds until more is. */
  get joined(): JoinedData {
    return { bytes: this.#room.subarray(0, this.#used), lengths: this.#lengths }
  }
}
