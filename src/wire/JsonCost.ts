/**
 * What reading a JSON text will cost, in time and in memory, known from one look at its bytes as they come, before any of it is parsed.
 *
 * What JSON costs is how many values it has, not how long it is: `{},` is three bytes and becomes 64, and an open bracket takes 70 of memory that no bound
 * of the heap counts. So values are counted, whatever they are, and whether they are JSON at all. The prices are the dearest ways that were found to
 * spend a comma, a colon or a bracket under Node 20 to 24 (names that all differ, numbers as names), so that no text costs more than it is
 * said to: usual texts cost a third of it.
 */
import { backslash, backslashesBefore, nearBytes, nextQuote, quote } from "./JsonQuotes.ts"

/** Bytes of memory, beside those of the text: an object or array, a member of another name than all others, a place in a list, the head of a string. */
const openMemory = 72
const memberMemory = 240
const placeMemory = 16
const stringMemory = 24

/** Nanoseconds. Of a byte: to be decoded (the dearest are those beyond ASCII under Node 20), parsed, walked, and encoded again. */
const byteTime = 8
const openTime = 250
const memberTime = 1_000
const placeTime = 50
const stringTime = 300

const nanosPerMilli = 1_000_000

/** The most memory that what one text is parsed to may take: 2 million numbers, 400,000 empty objects, a hundred thousand members. */
const mostMemory = 32 * 1024 * 1024

/** The longest the event loop is held to read a text. Fifty times a second it could be. */
const mostMillisAtOnce = 10

/** Texts of no more bytes are not looked at: whatever they are, they cost no more than a request does otherwise. */
export const surelyCheapBytes = 4 * 1024

const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const openBracket = 0x5b

/** Counts what a text costs, chunk by chunk, wherever it was cut. Mutable on purpose: one for each text. */
export class JsonCost {
  #bytes = 0
  #opens = 0
  #members = 0
  #places = 0
  #strings = 0
  #inString = false
  /** The next byte stands behind a backslash. */
  #isEscaped = false

  feed(chunk: Uint8Array): void {
    const { length } = chunk
    this.#bytes += length
    let at = 0
    while (at < length) at = this.#inString ? this.#throughString(chunk, at) : this.#between(chunk, at)
  }

  /** From within a string to behind its closing quote, or to the chunk's end. */
  #throughString(chunk: Uint8Array, from: number): number {
    const { length } = chunk
    let at = from
    for (;;) {
      const near = Math.min(length, at + nearBytes)
      for (; at < near; at++) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (chunk[at] === backslash) this.#isEscaped = true
        else if (chunk[at] === quote) {
          this.#inString = false
          return at + 1
        }
      }
      if (at === length) return length
      // What the last backslash escapes, whatever it is.
      if (this.#isEscaped) {
        this.#isEscaped = false
        at++
        continue
      }
      const found = nextQuote(chunk, at)
      const end = found === -1 ? length : found
      this.#isEscaped = backslashesBefore(chunk, at, end) % 2 === 1
      if (found === -1) return length
      at = found
    }
  }

  /** From outside of a string to behind the next opening quote, or to the chunk's end. */
  #between(chunk: Uint8Array, from: number): number {
    const { length } = chunk
    for (let at = from; at < length; at++) {
      switch (chunk[at]) {
        case quote:
          this.#strings++
          this.#inString = true
          return at + 1
        case comma:
          this.#places++
          break
        case colon:
          this.#members++
          break
        case openBrace:
        case openBracket:
          this.#opens++
          break
      }
    }
    return length
  }

  /** What was counted, for tests. */
  get counts(): {
    readonly opens: number
    readonly members: number
    readonly places: number
    readonly strings: number
  } {
    return { opens: this.#opens, members: this.#members, places: this.#places, strings: this.#strings }
  }

  /** Bytes, of what the text is parsed to, beside those of its strings. */
  get memory(): number {
    return (
      openMemory * this.#opens +
      memberMemory * this.#members +
      placeMemory * this.#places +
      stringMemory * this.#strings
    )
  }

  /** Bytes that it holds for as long as it is worked with: as it came, as text, its strings, and as it is sent on; and `memory`. */
  get held(): number {
    return copies * this.#bytes + this.memory
  }

  /** More than any text that is meant well: it is not to be read, nor read on. */
  get isTooMuch(): boolean {
    return this.memory > mostMemory
  }

  /** Too long for the event loop: to be read aside. */
  get isLong(): boolean {
    return this.millis > mostMillisAtOnce
  }

  /** How long reading it takes at most. */
  get millis(): number {
    const nanos =
      byteTime * this.#bytes +
      openTime * this.#opens +
      memberTime * this.#members +
      placeTime * this.#places +
      stringTime * this.#strings
    return nanos / nanosPerMilli
  }
}

/** How often a text is in memory while it is worked with, at most. */
export const copies = 4
