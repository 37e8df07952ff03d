/** The data of a stream's events, kept while it runs so that the audit can reassemble the answer afterwards. */

export interface KeptData {
  readonly data: ReadonlyArray<Uint8Array>
  /** There was more than could be kept. */
  readonly truncated: boolean
}

/** What an event costs to keep, however short it is. */
const minBytes = 64

/** About what an event holds beside the text it brings: names, ids, the model. */
const envelopeBytes = 320

/** Events of tokens are mostly envelope: so much more of them is kept than the answer they are put together to may hold. */
const envelopeShare = 8

/** The room a stream begins with; it is doubled as often as need be. */
const firstRoom = 4_096

/**
 * Keeps the first events of an answer of `maxBytes`: as many as bring that much beside their envelopes, and not more than
 * `envelopeShare` times that in all. They are copied into one buffer: each is a small part of the chunk it came in, which it would keep alive, and a
 * buffer of its own for each took more time than all else the gateway does for an event. Mutable on purpose: one stream, one fiber.
 */
export class DataKeeper {
  readonly #lengths: Array<number> = []
  readonly #maxBytes: number
  #room = new Uint8Array(0)
  #used = 0
  #bytes = 0
  #textBytes = 0
  #truncated = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  keep(data: Uint8Array): void {
    if (this.#truncated) return
    this.#bytes += Math.max(minBytes, data.byteLength)
    this.#textBytes += Math.max(0, data.byteLength - envelopeBytes)
    if (this.#textBytes > this.#maxBytes || this.#bytes > envelopeShare * this.#maxBytes) {
      this.#truncated = true
      return
    }
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

  /** In a buffer without the room that is left: it waits for its row. */
  get kept(): KeptData {
    const bytes = this.#room.slice(0, this.#used)
    let at = 0
    const data = this.#lengths.map((length) => {
      const one = bytes.subarray(at, at + length)
      at += length
      return one
    })
    return { data, truncated: this.#truncated }
  }
}
