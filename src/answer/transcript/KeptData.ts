/** The data of a stream's events, kept while it runs so that the audit can reassemble the answer afterwards. */
import { DataBuffer } from "../../wire/DataBuffer.ts"
import { encodeJson } from "../../wire/JsonBytes.ts"
import { answerLimits, outlineOf, surelyReadable } from "../../wire/JsonOutline.ts"

export interface KeptData {
  /** As `PackedData`. */
  readonly packed: Uint8Array
  /** There was more than could be kept. */
  readonly truncated: boolean
}

/** Keeps of the data of events what it is made for. */
export interface Keeper {
  readonly keep: (data: Uint8Array) => void
  readonly kept: KeptData
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
export class DataKeeper implements Keeper {
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

const openBrace = 0x7b

const nothing = new Uint8Array()

/** The last event may be the whole answer: its outline says as much. */
const briefOf = (data: Uint8Array): Uint8Array =>
  data.length <= surelyReadable ? data : (encodeJson(outlineOf(data, answerLimits) ?? {}) ?? nothing)

/**
 * Keeps the first event of an answer and the last, where no body is kept: what the answer is called, and by which tariff it was made, stands in one of
 * them. Mutable on purpose: one stream, one fiber.
 */
class EndsKeeper implements Keeper {
  #first: Uint8Array | undefined
  #last: Uint8Array | undefined

  keep(data: Uint8Array): void {
    if (data[0] !== openBrace) return
    // A copy, which `slice` of a buffer of Node's is not: it would hold the whole read for as long as the stream runs.
    if (this.#first === undefined) this.#first = new Uint8Array(data)
    else this.#last = data
  }

  get kept(): KeptData {
    const ends = new DataBuffer()
    for (const end of [this.#first, this.#last]) if (end !== undefined) ends.add(briefOf(end))
    return { packed: ends.packed, truncated: true }
  }
}

/** @param maxBytes of an answer that are kept; 0: none */
export const keeperOf = (maxBytes: number): Keeper =>
  maxBytes === 0 ? new EndsKeeper() : new DataKeeper(maxBytes)
