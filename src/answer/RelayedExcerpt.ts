/**
 * What a record keeps of an answer that nobody would read in it: of an object what stands beside its vectors and what is encoded in it, of sound only
 * what it was and how long. A text that was handed on as its bytes came is kept.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { encodeJson } from "../wire/JsonBytes.ts"
import { surelyReadable } from "../wire/JsonOutline.ts"
import type { RelayedContent } from "./RelayedAnswer.ts"

/** No sentence begins with so many characters of base64. No more of them are looked at: they may be millions. */
const base64 = /^[A-Za-z0-9+/_-]{128}/

/** Images tell by their first bytes what they are, encoded as well. Vectors may begin with any. */
const mediaTypes: ReadonlyArray<readonly [start: RegExp, type: string]> = [
  [/^iVBORw0KGgo/, "image/png"],
  [/^\/9j\//, "image/jpeg"],
  [/^UklGR/, "image/webp"],
  [/^R0lGOD/, "image/gif"],
  [/^AAAA.GZ0eX/, "image/avif"],
  [/^SUQz/, "audio/mpeg"],
]

const typeOf = (encoded: string): string => mediaTypes.find(([start]) => start.test(encoded))?.[1] ?? "bytes"

/** No list of fewer numbers is a vector worth leaving out. */
const leastNumbers = 32

const isVector = (list: ReadonlyArray<Json>): boolean =>
  list.length >= leastNumbers && list.every((one) => typeof one === "number")

/** A value with each vector, and everything encoded in it, named instead. */
export const withoutEncoded = (value: Json): Json => {
  if (typeof value === "string") return base64.test(value) ? `[${typeOf(value)} in base64]` : value
  if (isJsonArray(value)) return isVector(value) ? `[${value.length} numbers]` : value.map(withoutEncoded)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutEncoded(one)]))
}

/** The same of a long object's outline, which has of what is nested deep, and of a long list, only that it is there. */
const outlineWithoutEncoded = (value: Json): Json => {
  if (!isJsonObject(value)) {
    if (!isJsonArray(value)) return withoutEncoded(value)
    return isVector(value) || (value.length === 1 && value[0] === 0)
      ? "[left out]"
      : value.map(outlineWithoutEncoded)
  }
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, outlineWithoutEncoded(one)]))
}

/**
 * What is kept of an object.
 *
 * @param answer the object, or the outline of a long one
 * @param bytes how many it has
 */
export const objectExcerpt = (answer: JsonObject, bytes: number): Uint8Array => {
  const told = bytes > surelyReadable ? outlineWithoutEncoded(answer) : withoutEncoded(answer)
  return encodeJson(isJsonObject(told) ? { ...told, bytes } : told) ?? nothing
}

const nothing = new Uint8Array()

/** Mutable on purpose: one answer, one record. */
export class RelayedExcerpt {
  readonly #holds: RelayedContent
  readonly #mostBytes: number
  #pieces: Array<Uint8Array> = []
  #keptBytes = 0
  #bytes = 0

  /** @param mostBytes how much of a text is kept; 0 keeps nothing of any answer */
  constructor(holds: RelayedContent, mostBytes: number) {
    this.#holds = holds
    this.#mostBytes = mostBytes
  }

  /** How many bytes came. */
  get bytes(): number {
    return this.#bytes
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    // One more than is kept, so that the record says that it was cut.
    const room = this.#mostBytes === 0 ? 0 : this.#mostBytes + 1 - this.#keptBytes
    if (this.#holds !== "text" || room <= 0) return
    const kept = bytes.slice(0, room)
    this.#pieces.push(kept)
    this.#keptBytes += kept.length
  }

  /** What is kept of all that came. */
  of(answer: JsonObject | undefined, contentType: string): Uint8Array {
    if (this.#mostBytes === 0) return nothing
    if (this.#holds === "text") return Buffer.concat(this.#pieces)
    return objectExcerpt(answer ?? { content_type: contentType }, this.#bytes)
  }
}
