/** The data of a stream's events, kept while it runs so that the audit can reassemble the answer afterwards. */
import { DataBuffer } from "../../wire/DataBuffer.ts"

export interface KeptData {
  /** As `PackedData`. */
  readonly packed: Uint8Array
  /** There was more than could be kept. */
  readonly truncated: boolean
}

/** What an event costs to keep, however short it is. */
const minBytes = 64

/** About what an event holds beside the text it brings: names, ids, the model. */
const envelopeBytes = 320

/** Events of tokens are mostly envelope: so much more of them is kept than the answer they are put together to may hold. */
const envelopeShare = 8

/**
 * Keeps the first events of an answer of `maxBytes`: as many as bring that much beside their envelopes, and not more than
 * `envelopeShare` times that in all. Mutable on purpose: one stream, one fiber.
 */
export class DataKeeper {
  readonly #data = new DataBuffer()
  readonly #maxBytes: number
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
    this.#data.add(data)
  }

  get kept(): KeptData {
    return { packed: this.#data.packed, truncated: this.#truncated }
  }
}
