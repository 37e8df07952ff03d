/**
 * What a record keeps of an answer that was handed on as its bytes came: of a text its bytes, of an object its outline without what is encoded in it, of
 * sound only what it was and how long.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { encodeJson } from "../wire/JsonBytes.ts"
import type { RelayedContent } from "./RelayedAnswer.ts"

/** No sentence has so many characters of base64 and nothing else. */
const base64 = /^[A-Za-z0-9+/_-]{128,}={0,2}$/

/** Images tell by their first bytes what they are, encoded as well. */
const mediaTypes: ReadonlyArray<readonly [start: string, type: string]> = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["UklGR", "image/webp"],
  ["R0lGOD", "image/gif"],
  ["AAAA", "image/avif"],
  ["SUQz", "audio/mpeg"],
]

const typeOf = (encoded: string): string =>
  mediaTypes.find(([start]) => encoded.startsWith(start))?.[1] ?? "bytes"

/** A value with everything encoded in it named instead. */
export const withoutEncoded = (value: Json): Json => {
  if (typeof value === "string") return base64.test(value) ? `[${typeOf(value)} in base64]` : value
  if (isJsonArray(value)) return value.map(withoutEncoded)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutEncoded(one)]))
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
    const told = answer === undefined ? { content_type: contentType } : withoutEncoded(answer)
    return encodeJson(isJsonObject(told) ? { ...told, bytes: this.#bytes } : told) ?? nothing
  }
}
