/**
 * Bodies of the type multipart/form-data (RFC 7578, RFC 2046 §5.1), read as they come: where each part stands, what it is called, and its bytes.
 *
 * One reading: what two readers might take for different forms is a fault, not a guess. So delimiters stand on lines of their own that end with CRLF, and
 * what looks like one and is none ends the reading. Memory does not grow with the body, and no way to cut it makes a difference.
 */
import * as Either from "effect/Either"
import { type PartHead, partHead } from "./PartHead.ts"

/** Is told of the parts in their order. */
export interface FormListener {
  /** @param start where its bytes begin in the body */
  readonly onPart: (head: PartHead, start: number) => void
  /** Bytes of the latest part, to be taken at once: the memory they stand in is used again. */
  readonly onData: (bytes: Uint8Array) => void
  /** @param end where the bytes of the latest part end */
  readonly onPartEnd: (end: number) => void
}

const mediaType = /^\s*multipart\/form-data\s*(?:;|$)/i

/** Whether a body is called a form of this kind. */
export const isFormType = (contentType: string | undefined): boolean => mediaType.test(contentType ?? "")

/** RFC 2046 §5.1.1: at most 70 of these characters, the last no space. */
const boundaryIn =
  /;\s*boundary=(?:"([\w'()+,./:=? -]{0,69}[\w'()+,./:=?-])"|([\w'()+,./:=?-]{1,70}?))\s*(?=;|$)/i

/** The boundary that a content type says, where it says exactly one. */
export const boundaryOf = (contentType: string): string | undefined => {
  const [, quoted, bare] = boundaryIn.exec(contentType) ?? []
  // One run of characters behind the name: several take time by its square.
  return contentType.match(/boundary[\s*\d]*=/gi)?.length === 1 ? (quoted ?? bare) : undefined
}

/** No form for a model has so many parts; a picture or a sound is one. */
const mostParts = 1_000

/** The most of the headers of one part: names of files are long, at most. */
const longestHead = 8_192

/** The most that may stand before the first part, and behind the last: nobody reads it. */
const mostAround = 1_024

/** What is looked at in one go. */
const step = 32_768

const cr = 0x0d
const lf = 0x0a
const dash = 0x2d
const headEnd = Buffer.from("\r\n\r\n")

/** What comes next. */
type Place = "preamble" | "delimiter" | "head" | "data" | "epilogue"

const unclear =
  "The form holds a line that begins like its boundary and is none, which not every reader takes for the same."

/** Reads one form. Mutable on purpose: one body. */
export class MultipartReader {
  readonly #listener: FormListener
  /** `--` and the boundary. */
  readonly #needle: Buffer
  /** What was not decided by what has come, moved to the front, and room for what comes. */
  readonly #room = Buffer.allocUnsafe(longestHead + step + 128)
  #held = 0
  /** How much of it was searched already. */
  #searched = 0
  /** Where it begins in the body. */
  #at = 0
  #place: Place = "preamble"
  #parts = 0
  #around = 0
  /** Where the delimiter of the end begins. */
  #closedAt: number | undefined
  #fault: string | undefined

  constructor(boundary: string, listener: FormListener) {
    this.#needle = Buffer.from(`--${boundary}`)
    this.#listener = listener
  }

  /** Why it cannot be read, as a sentence; once there is one, nothing is read any more. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Where parts could be added; only of a form that is whole. */
  get closedAt(): number | undefined {
    return this.#closedAt
  }

  feed(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && this.#fault === undefined; from += step) {
      const piece = bytes.subarray(from, from + step)
      this.#room.set(piece, this.#held)
      this.#held += piece.length
      this.#look()
    }
  }

  /** All of it is here. */
  end(): void {
    if (this.#fault !== undefined) return
    if (this.#place === "epilogue") this.#through(this.#held)
    else this.#fault = "The form ends before it is complete: its last boundary is missing."
  }

  #look(): void {
    while (this.#fault === undefined && this.#next()) {}
  }

  /** Takes one thing; false where it takes more bytes to say what it is. */
  #next(): boolean {
    switch (this.#place) {
      case "preamble":
      case "data":
      case "epilogue":
        return this.#toDelimiter()
      case "delimiter":
        return this.#behindDelimiter()
      case "head":
        return this.#head()
    }
  }

  /** Hands on what stands before the next delimiter. */
  #toDelimiter(): boolean {
    const held = this.#room.subarray(0, this.#held)
    const found = held.indexOf(this.#needle, this.#searched)
    if (found === -1) {
      // A delimiter may have begun, with the end of the line before it.
      this.#through(Math.max(0, this.#held - this.#needle.length - 1))
      this.#searched = Math.max(0, this.#held - this.#needle.length + 1)
      return false
    }
    const isFirst = this.#at + found === 0
    const [before, last] = [held[found - 2], held[found - 1]]
    if (!isFirst && !(last === lf && before === cr)) {
      if (found === 0 ? this.#place === "data" : last === lf || last === cr) {
        this.#through(Math.max(0, found - 2))
        this.#fault ??= unclear
        return false
      }
      // Within a line, for every reader.
      this.#searched = found + 1
      return true
    }
    return this.#delimiter(found)
  }

  #delimiter(found: number): boolean {
    const lineStart = found === 0 ? 0 : found - 2
    this.#through(lineStart)
    if (this.#place === "epilogue") {
      this.#fault ??= "The form goes on behind its last boundary."
      return false
    }
    if (this.#place === "data") this.#listener.onPartEnd(this.#at)
    // In front of `--`, where a part could be added.
    this.#closedAt = this.#at + (found - lineStart)
    this.#skip(found - lineStart + this.#needle.length)
    this.#place = "delimiter"
    return true
  }

  #behindDelimiter(): boolean {
    if (this.#held < 2) return false
    const [first, second] = this.#room
    if (first === dash && second === dash && this.#parts > 0) {
      this.#skip(2)
      this.#place = "epilogue"
      this.#around = 0
      return true
    }
    if (first !== cr || second !== lf) {
      this.#fault = this.#parts === 0 && first === dash ? "The form is empty." : unclear
      return false
    }
    this.#closedAt = undefined
    this.#skip(2)
    this.#place = "head"
    this.#parts += 1
    if (this.#parts > mostParts) this.#fault = `The form has more than ${mostParts} parts.`
    return true
  }

  #head(): boolean {
    const held = this.#room.subarray(0, this.#held)
    const found = held.indexOf(headEnd, this.#searched)
    // Then there are none.
    const isEmpty = held[0] === cr && held[1] === lf
    const length = isEmpty ? 2 : found === -1 ? this.#held : found + headEnd.length
    if (length > longestHead) {
      this.#fault = `Part ${this.#parts} of the form has headers of more than ${longestHead} bytes.`
      return false
    }
    if (found === -1 && !isEmpty) {
      this.#searched = Math.max(0, this.#held - headEnd.length + 1)
      return false
    }
    const block = held.subarray(0, length)
    const head = block.includes(this.#needle)
      ? Either.left("has its boundary among its headers")
      : partHead(block)
    if (Either.isLeft(head)) {
      this.#fault = `Part ${this.#parts} of the form ${head.left}.`
      return false
    }
    this.#skip(length)
    this.#place = "data"
    this.#listener.onPart(head.right, this.#at)
    return true
  }

  /** Hands on that many of the bytes that are held. */
  #through(length: number): void {
    if (length === 0) return
    if (this.#place === "data") this.#listener.onData(this.#room.subarray(0, length))
    else {
      this.#around += length
      if (this.#around > mostAround) {
        this.#fault = `The form has more than ${mostAround} bytes ${this.#place === "preamble" ? "before its first boundary" : "behind its last boundary"}.`
      }
    }
    this.#skip(length)
  }

  #skip(length: number): void {
    this.#room.copyWithin(0, length, this.#held)
    this.#held -= length
    this.#at += length
    this.#searched = 0
  }
}
