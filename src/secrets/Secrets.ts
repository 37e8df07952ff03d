/**
 * Finds secrets in the texts of others, by their values and in whatever form: spelled as JSON, URLs and HTML spell them, in another case, in base64 or
 * hexadecimal, or cut off. One pass however many there are, over an index that is made when the first text is looked through.
 */
import * as Redacted from "effect/Redacted"
import { spelledText } from "./SpelledText.ts"

/** What stands in the place of a secret. */
const mask = "[redacted]"

/** From here on a secret is found in the middle of a word, too; a shorter one stands in many by chance. */
const unmistakable = 8

/** Shorter ones stand anywhere by chance. */
export const shortestSecret = 4

/** What is set where a server asks for no key, `none` or `test`, is a word of many messages. */
const isMereWord = (value: string): boolean => value.length < unmistakable && /^[a-z]*$/.test(value)

/** So much of the beginning or the end of a longer one is as good as the whole. */
const telling = 16

/** Replacing one secret may make another of what is left; not without end. */
const mostRounds = 8

/** Secrets in all their forms, as they are meant. */
interface Index {
  /** By their first characters, as many as are unmistakable. */
  readonly byStart: ReadonlyMap<string, ReadonlyArray<string>>
  /** 1 for what such beginnings begin with, so that nearly all places of a text are passed over at once. */
  readonly starts: Uint8Array
  /** Shorter ones, as words of their own. */
  readonly words: ReadonlyArray<RegExp>
}

const startSlots = 1 << 16

const slotAt = (text: string, at: number): number =>
  (text.charCodeAt(at) * 0x9e3 +
    text.charCodeAt(at + 1) * 0x1f35 +
    text.charCodeAt(at + 2) * 0xb1 +
    text.charCodeAt(at + 3) * 0x6d7) &
  (startSlots - 1)

const encoder = new TextEncoder()

const latin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** What of the base64 of a text stays the same whatever stands before and behind it, for each place it may begin at. */
const packedForms = (bytes: Uint8Array): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const packed = btoa("\0".repeat(before) + latin1(bytes))
    const from = before === 0 ? 0 : before + 1
    const to = Math.floor(((before + bytes.length) * 8) / 6)
    const core = packed.slice(from, to)
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")]
  })

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The forms of a secret in which it is found in the middle of a word. */
const formsOf = (value: string): ReadonlyArray<string> => {
  const bytes = encoder.encode(value)
  // Bytes are looked through as characters of 8 bits.
  return [value, latin1(bytes), ...packedForms(bytes), hexOf(bytes)].map((form) => spelledText(form).meant)
}

const asWord = (value: string): RegExp =>
  new RegExp(`(?<![a-z0-9])${value.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")}(?![a-z0-9])`, "g")

const makeIndex = (values: ReadonlyArray<string>): Index => {
  const forms = new Set<string>()
  const words: Array<RegExp> = []
  for (const value of values) {
    const { meant } = spelledText(value)
    // What is a part of the mask would be found for ever.
    if (meant.length < shortestSecret || isMereWord(meant) || mask.includes(meant)) continue
    if (meant.length < unmistakable) words.push(asWord(meant))
    if (value.length >= unmistakable) for (const form of formsOf(value)) forms.add(form)
  }
  const byStart = new Map<string, Array<string>>()
  const starts = new Uint8Array(startSlots)
  const add = (form: string): void => {
    if (form.length < unmistakable) return
    const start = form.slice(0, unmistakable)
    const alike = byStart.get(start)
    if (alike === undefined) byStart.set(start, [form])
    else alike.push(form)
    starts[slotAt(form, 0)] = 1
  }
  for (const form of forms) {
    add(form)
    if (form.length > telling) add(form.slice(-telling))
  }
  return { byStart, starts, words }
}

/** A part of a text, in characters. */
type Range = readonly [from: number, to: number]

/** How much of a form stands in the text at this place; 0 where it tells nothing. */
const lengthAt = (text: string, at: number, form: string): number => {
  let length = unmistakable
  while (length < form.length && text.charCodeAt(at + length) === form.charCodeAt(length)) length++
  return length === form.length || length >= telling ? length : 0
}

const findIn = (text: string, { byStart, starts, words }: Index): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  const last = text.length - unmistakable
  for (let at = 0; at <= last; at++) {
    if (starts[slotAt(text, at)] === 0) continue
    const alike = byStart.get(text.slice(at, at + unmistakable))
    if (alike === undefined) continue
    const length = alike.reduce((most, form) => Math.max(most, lengthAt(text, at, form)), 0)
    if (length === 0) continue
    found.push([at, at + length])
    at += length - 1
  }
  for (const word of words) {
    for (const { 0: all, index } of text.matchAll(word)) found.push([index, index + all.length])
  }
  return words.length === 0 ? found : found.sort((a, b) => a[0] - b[0])
}

const noIndex = makeIndex([])

/** Its values are private members, which nothing prints. */
export class Secrets {
  readonly #values: ReadonlyArray<string>
  readonly #others: Secrets | undefined
  #index: Index | undefined

  constructor(values: ReadonlyArray<string>, others?: Secrets) {
    this.#values = values
    this.#others = others
  }

  /** These and one more: the key that a client sent, which goes upstream and may come back. */
  and(key: Redacted.Redacted<string>): Secrets {
    return new Secrets([Redacted.value(key)], this)
  }

  /** The text without any of them; itself where it has none. To be called before a text is clipped. */
  without(text: string): string {
    if (text.length < shortestSecret) return text
    let cleaned = this.#others === undefined ? text : this.#others.without(text)
    for (let round = 0; round < mostRounds; round++) {
      const next = this.#masked(cleaned)
      if (next === cleaned) break
      cleaned = next
    }
    return cleaned
  }

  /** The same of a text in bytes: of UTF-8, or of what has ASCII's letters at least. */
  withoutIn(bytes: Uint8Array): Uint8Array {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = buffer.toString()
    // Latin 1 keeps every byte what it is.
    const encoding = text.includes("\ufffd") ? "latin1" : "utf8"
    const read = encoding === "utf8" ? text : buffer.toString(encoding)
    const cleaned = this.without(read)
    return cleaned === read ? bytes : Buffer.from(cleaned, encoding)
  }

  #masked(text: string): string {
    this.#index ??= this.#values.length === 0 ? noIndex : makeIndex(this.#values)
    const { meant, places } = spelledText(text)
    const found = findIn(meant, this.#index)
    if (found.length === 0) return text
    let masked = ""
    let written = 0
    for (const [from, to] of found) {
      const begin = places === undefined ? from : (places.begins[from] ?? 0)
      const end = places === undefined ? to : (places.ends[to - 1] ?? 0)
      // A word that stands in what was replaced.
      if (begin < written) continue
      masked += text.slice(written, begin) + mask
      written = end
    }
    return masked + text.slice(written)
  }
}

export const noSecrets = new Secrets([])
