/**
 * The outline of a JSON object, made as its bytes come: all that stands in it near its top, and of what is nested deeper only whether there is
 * something. What is to be known of an answer (errors, usage, why it ended, whether it says anything) is in its outline, which is small whatever the
 * answer holds: vectors, the odds of each token, images. The object itself is never made.
 *
 * It finds what is no object, or is not whole; not every fault of what it leaves out.
 */
import type { JsonObject } from "./Json.ts"
import { parseObject } from "./JsonBytes.ts"
import { backslash, backslashesBefore, nearBytes, nextQuote, quote } from "./JsonQuotes.ts"
import {
  aClosing,
  anOpening,
  aScalar,
  aSpace,
  closeBrace,
  closeBracket,
  colon,
  comma,
  kinds,
  nearScalars,
  openBrace,
  openBracket,
  scalarsEnd,
} from "./JsonSigns.ts"

/** Objects of no more bytes are read as they are: whatever they hold, that takes a few milliseconds. */
export const surelyReadable = 64 * 1024

/** Beside its texts (unless they count) an outline has no more of one object or list in it, and no more in all; what comes then in the same object or list is left out. */
const mostOfOne = 64 * 1024
const mostOfAll = 8 * mostOfOne

/** No number is longer. */
const longestScalar = 64

const ascii = new TextEncoder()
const somethingIn = { object: ascii.encode('{"":0}'), list: ascii.encode("[0]") }
const nothingIn = { object: ascii.encode("{}"), list: ascii.encode("[]") }

export interface OutlineLimits {
  /** How deep what is kept may be nested: a choice's message is at 4, and what stands in it is kept. */
  readonly keptDepth: number
  readonly longestText: number
  /** Of a longer text its beginning is kept; else one with such a text is too much. */
  readonly cutsTexts: boolean
  /** Texts count towards what there may be of one object or list. */
  readonly countsTexts: boolean
  /** The most bytes that are looked at one by one; texts are searched through faster. */
  readonly mostSteps: number
}

/** To know what an answer is, or a part of one. */
export const answerLimits: OutlineLimits = {
  keptDepth: 4,
  longestText: 16 * 1024,
  cutsTexts: true,
  countsTexts: false,
  mostSteps: Number.POSITIVE_INFINITY,
}

/** The same of an answer that may be a list of thousands of long texts, as vectors in base64 are, none of which is of interest. */
export const relayLimits: OutlineLimits = { ...answerLimits, countsTexts: true }

/** The same of one that is a list of vectors, as numbers or in base64: what stands beside each is kept, and of itself no more than that it is there. */
export const vectorLimits: OutlineLimits = { ...relayLimits, keptDepth: 3, longestText: 256 }

/** For what is bounded already, and has its texts changed: an answer that is read aside of the event loop, an event. */
export const wholeLimits: OutlineLimits = {
  ...answerLimits,
  longestText: Number.POSITIVE_INFINITY,
  cutsTexts: false,
}

/**
 * For an event of a stream, which is read at once: what it takes is bounded by what stands outside of its texts. An image is one text.
 */
export const eventLimits: OutlineLimits = { ...answerLimits, mostSteps: 1024 * 1024 }

/** Mutable on purpose: one text. */
export class JsonOutline {
  readonly #limits: OutlineLimits
  #out = new Uint8Array(4 * 1024)
  #length = 0
  /** Without texts; and what they were when the objects and lists began that are open. */
  #outlineBytes = 0
  readonly #beganAt = [0, 0, 0, 0, 0]
  #depth = 0
  #hasBegun = false
  #isOver = false
  #isBroken = false
  #steps = 0
  #inString = false
  #isEscaped = false
  /** Of the text that is being read: where it begins in the outline. */
  #textAt = 0
  #isCut = false
  #scalarBytes = 0
  /** The kind of what is left out, while it is passed over, and whether it holds something. */
  #left: "object" | "list" | undefined
  #leftHolds = false
  /** The depth of an object or list whose further members are left out. */
  #mutedAt = 0

  constructor(limits: OutlineLimits) {
    this.#limits = limits
  }

  /** More than is to be read: nothing further was. */
  get isTooMuch(): boolean {
    return this.#steps > this.#limits.mostSteps || this.#steps === Number.POSITIVE_INFINITY
  }

  /** Reads on. Many bytes at once are read by and by: how much it took is looked at in between. */
  feed(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && !this.#isBroken && !this.isTooMuch; from += surelyReadable) {
      this.#feed(bytes.length <= surelyReadable ? bytes : bytes.subarray(from, from + surelyReadable))
    }
  }

  #feed(chunk: Uint8Array): void {
    const { length } = chunk
    let at = 0
    while (at < length && !this.#isBroken && !this.isTooMuch) {
      at = this.#inString ? this.#throughString(chunk, at) : this.#between(chunk, at)
    }
  }

  /** The outline, once all bytes are there; `undefined` where they are no object. */
  end(): JsonObject | undefined {
    return this.#isOver && !this.#isBroken && !this.isTooMuch
      ? parseObject(this.#out.subarray(0, this.#length))
      : undefined
  }

  /** More of the object is to come; what is none has no more. */
  get isOpen(): boolean {
    return !this.#isOver && !this.#isBroken && !this.isTooMuch
  }

  get #isKept(): boolean {
    return this.#left === undefined && this.#mutedAt === 0
  }

  /** From within a text to behind its closing quote, or to the chunk's end. */
  #throughString(chunk: Uint8Array, from: number): number {
    const { length } = chunk
    let at = from
    if (this.#isEscaped) {
      this.#isEscaped = false
      at++
    }
    while (at < length) {
      // Where quotes are dense, to search costs more than to look.
      const near = Math.min(length, at + nearBytes)
      let byte = chunk[at]
      while (at < near && byte !== quote) {
        at += byte === backslash ? 2 : 1
        byte = chunk[at]
      }
      if (at >= near && at < length) {
        const found = nextQuote(chunk, at)
        const end = found === -1 ? length : found
        const backslashes = backslashesBefore(chunk, at, end)
        this.#steps += nearBytes + backslashes
        at = end
        if (backslashes % 2 === 1) at++
        else if (found !== -1) byte = quote
        if (at < length && byte !== quote && !this.isTooMuch) continue
        if (this.isTooMuch) return length
      }
      if (at < length && chunk[at] === quote) {
        this.#steps += nearBytes
        this.#text(chunk.subarray(from, at))
        this.#endText()
        return at + 1
      }
    }
    this.#isEscaped = at > length
    this.#text(chunk.subarray(from, length))
    return length
  }

  #text(bytes: Uint8Array): void {
    if (!this.#isKept || this.#isCut) return
    const { countsTexts, cutsTexts, longestText } = this.#limits
    const room = longestText - (this.#length - this.#textAt)
    if (countsTexts) this.#outlineBytes += Math.min(bytes.length, room)
    if (bytes.length <= room) {
      this.#write(bytes)
      return
    }
    if (!cutsTexts) {
      this.#steps = Number.POSITIVE_INFINITY
      return
    }
    this.#write(bytes.subarray(0, Math.max(0, room)))
    this.#isCut = true
    // An escape is not cut in two.
    for (let at = Math.max(this.#textAt, this.#length - 6); at < this.#length; at++) {
      if (this.#out[at] !== backslash) continue
      while (at > this.#textAt && this.#out[at - 1] === backslash) at--
      this.#length = at
    }
  }

  #endText(): void {
    this.#inString = false
    if (this.#isKept) this.#put(quote)
  }

  /** From outside of a text to behind the next opening quote, or to the chunk's end. */
  #between(chunk: Uint8Array, from: number): number {
    if (!this.#isKept) return this.#over(chunk, from)
    const { length } = chunk
    for (let at = from; at < length; at++) {
      const byte = chunk[at] ?? 0
      if (byte === quote) {
        this.#steps += at - from + 1
        this.#beginText()
        return at + 1
      }
      if (kinds[byte] === aSpace) continue
      this.#token(byte)
      if (this.#isBroken || !this.#isKept) {
        this.#steps += at - from + 1
        return at + 1
      }
    }
    this.#steps += length - from
    return length
  }

  /** The same over what is left out: to where that ends, a long text begins, or the chunk ends. */
  #over(chunk: Uint8Array, from: number): number {
    const { length } = chunk
    const ends = this.#left === undefined || this.#mutedAt > 0 ? this.#mutedAt : this.#limits.keptDepth + 1
    let depth = this.#depth
    let holds = this.#leftHolds
    let at = from
    let scalars = 0
    while (at < length) {
      const byte = chunk[at] ?? 0
      const kind = kinds[byte]
      if (kind === aSpace) {
        at++
        continue
      }
      if (kind === aClosing && depth === ends) break
      holds = true
      if (kind === aScalar) {
        at = ++scalars > nearScalars ? scalarsEnd(chunk, at) : at + 1
        continue
      }
      scalars = 0
      if (kind === anOpening) depth++
      else if (kind === aClosing) depth--
      else {
        const near = Math.min(length, at + nearBytes)
        let next = at + 1
        while (next < near && chunk[next] !== quote) next += chunk[next] === backslash ? 2 : 1
        if (next >= near) {
          this.#inString = true
          at++
          break
        }
        at = next
      }
      at++
    }
    this.#depth = depth
    this.#leftHolds = holds
    this.#steps += at - from
    if (this.#inString || at === length) return at
    this.#close(chunk[at] ?? 0)
    return at + 1
  }

  #beginText(): void {
    if (this.#depth === 0) {
      this.#isBroken = true
      return
    }
    this.#inString = true
    this.#leftHolds = true
    this.#isCut = false
    if (!this.#isKept) return
    this.#put(quote)
    this.#textAt = this.#length
  }

  #token(byte: number): void {
    switch (byte) {
      case openBrace:
      case openBracket:
        this.#open(byte)
        return
      case closeBrace:
      case closeBracket:
        this.#close(byte)
        return
      default:
        if (this.#depth === 0) {
          this.#isBroken = true
          return
        }
        this.#leftHolds = true
        if (!this.#isKept) return
        if (byte === comma || byte === colon) {
          this.#scalarBytes = 0
          if (byte === comma && this.#isFull) this.#mutedAt = this.#depth
          else this.#put(byte)
        } else if (this.#scalarBytes++ < longestScalar) this.#put(byte)
    }
  }

  #open(byte: number): void {
    if (this.#isOver || (!this.#hasBegun && byte !== openBrace)) {
      this.#isBroken = true
      return
    }
    this.#hasBegun = true
    this.#depth++
    if (!this.#isKept) {
      this.#leftHolds = true
    } else if (this.#depth > this.#limits.keptDepth) {
      this.#left = byte === openBrace ? "object" : "list"
      this.#leftHolds = false
    } else {
      this.#beganAt[this.#depth] = this.#outlineBytes
      this.#put(byte)
    }
  }

  /** Whether what is open has as much as it may. */
  get #isFull(): boolean {
    if (this.#outlineBytes > mostOfAll) return true
    return this.#depth > 1 && this.#outlineBytes - (this.#beganAt[this.#depth] ?? 0) > mostOfOne
  }

  #close(byte: number): void {
    if (this.#depth === 0) {
      this.#isBroken = true
      return
    }
    this.#depth--
    this.#scalarBytes = 0
    if (this.#left !== undefined) {
      if (this.#depth > this.#limits.keptDepth || this.#mutedAt > 0) return
      this.#write((this.#leftHolds ? somethingIn : nothingIn)[this.#left])
      this.#outlineBytes += 2
      this.#left = undefined
      return
    }
    if (this.#mutedAt > 0) {
      if (this.#depth >= this.#mutedAt) return
      this.#mutedAt = 0
    }
    this.#put(byte)
    if (this.#depth === 0) this.#isOver = true
  }

  #put(byte: number): void {
    this.#room(1)
    this.#out[this.#length++] = byte
    this.#outlineBytes++
  }

  #write(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#out.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#out.length) return
    const larger = new Uint8Array(2 * (this.#length + bytes))
    larger.set(this.#out.subarray(0, this.#length))
    this.#out = larger
  }
}

/** Whether an event is more than is read of one. */
export const isTooMuchAtOnce = (data: Uint8Array): boolean => {
  if (data.length <= surelyReadable) return false
  const outline = new JsonOutline(eventLimits)
  outline.feed(data)
  return outline.isTooMuch
}

/** The chunk that an event's data spell; of a large one the outline. What is too much of an event was refused where it came. */
export const chunkIn = (data: Uint8Array): JsonObject | undefined => outlineOf(data, wholeLimits)

/** The outline of an object whose bytes are all there; of one that is short the object itself. */
export const outlineOf = (bytes: Uint8Array, limits: OutlineLimits): JsonObject | undefined => {
  if (bytes.length <= surelyReadable) return parseObject(bytes)
  const outline = new JsonOutline(limits)
  outline.feed(bytes)
  return outline.end()
}
