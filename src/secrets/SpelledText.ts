/**
 * A text as it is meant, however it is spelled: without the escapes of JSON, of URLs and of HTML, also of one within another, without characters that
 * nobody sees, and in lower case. Each of its characters knows which of the text's it was made of.
 */

/** What a text says, and where each character of that begins and ends in the text. */
export interface SpelledText {
  readonly meant: string
  /** `undefined` where both are one and the same. */
  readonly places: { readonly begins: Uint32Array; readonly ends: Uint32Array } | undefined
}

/** What may be spelled, or is seen by nobody. Most texts have none of it. */
const special = /[\\%&]|[^\x20-\x7e]/

/** Spelled so often over, a text is not meant to be read. */
const mostSpellings = 4

const backslash = 0x5c
const percent = 0x25
const ampersand = 0x26
const hash = 0x23
const semicolon = 0x3b
const openBrace = 0x7b
const closeBrace = 0x7d
const [letterU, letterX] = [0x75, 0x78]

const entities: ReadonlyMap<string, number> = new Map([
  ["amp;", 0x26],
  ["apos;", 0x27],
  ["gt;", 0x3e],
  ["lt;", 0x3c],
  ["quot;", 0x22],
])

const isUnseen = (code: number): boolean =>
  code < 0xa0
    ? code < 0x20 || code >= 0x7f
    : code === 0xad ||
      (code >= 0x200b && code <= 0x200f) ||
      (code >= 0x2028 && code <= 0x202e) ||
      (code >= 0x2060 && code <= 0x206f) ||
      code === 0x61c ||
      code === 0x180e ||
      code === 0xfeff

const lower = (code: number): number => {
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 0x20 : code
  const text = String.fromCharCode(code).toLowerCase()
  return text.length === 1 ? text.charCodeAt(0) : code
}

/** The digits from a place on, of this base, as many as there may be; none where one of `least` is missing. */
const numberAt = (
  text: string,
  from: number,
  base: 10 | 16,
  least: number,
  most: number,
): { readonly value: number; readonly end: number } | undefined => {
  let value = 0
  let at = from
  for (; at < from + most; at++) {
    const code = text.charCodeAt(at) | 0x20
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : 99
    if (digit >= base || (digit < 10 && text.charCodeAt(at) < 0x30)) break
    value = value * base + digit
  }
  return at - from < least ? undefined : { value, end: at }
}

/** A character that is spelled, and where it ends. */
interface Spelled {
  readonly value: number
  readonly end: number
}

/** What stands behind a backslash. */
const escapedAt = (text: string, at: number): Spelled | undefined => {
  const kind = text.charCodeAt(at) | 0x20
  if (kind === letterX) return numberAt(text, at + 1, 16, 2, 2)
  if (kind !== letterU) return undefined
  if (text.charCodeAt(at + 1) !== openBrace) return numberAt(text, at + 1, 16, 4, 4)
  const found = numberAt(text, at + 2, 16, 1, 6)
  return found === undefined || text.charCodeAt(found.end) !== closeBrace
    ? undefined
    : { value: found.value, end: found.end + 1 }
}

const entityAt = (text: string, at: number): Spelled | undefined => {
  if (text.charCodeAt(at + 1) !== hash) {
    for (const [name, value] of entities) {
      if (text.startsWith(name, at + 1)) return { value, end: at + 1 + name.length }
    }
    return undefined
  }
  const isHex = (text.charCodeAt(at + 2) | 0x20) === letterX
  const found = isHex ? numberAt(text, at + 3, 16, 1, 6) : numberAt(text, at + 2, 10, 1, 7)
  return found === undefined || text.charCodeAt(found.end) !== semicolon
    ? undefined
    : { value: found.value, end: found.end + 1 }
}

// A byte order mark inside of a text is a character.
const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true })

const respelled = ({ meant, places }: SpelledText): SpelledText => {
  const codes = new Uint16Array(meant.length)
  const begins = new Uint32Array(meant.length)
  const ends = new Uint32Array(meant.length)
  let length = 0
  const add = (code: number, from: number, end: number): void => {
    // What is beyond 16 bits is in no key.
    if (code > 0xffff || code === backslash || isUnseen(code)) return
    codes[length] = lower(code)
    begins[length] = places === undefined ? from : (places.begins[from] ?? 0)
    ends[length] = places === undefined ? end : (places.ends[end - 1] ?? 0)
    length++
  }
  for (let at = 0; at < meant.length; ) {
    const from = at
    let code = meant.charCodeAt(at)
    let spelled: Spelled | undefined
    if (code === backslash) {
      // Of JSON within JSON there are several; they belong to what follows, which without it they would escape.
      while (code === backslash) code = meant.charCodeAt(++at)
      spelled = escapedAt(meant, at)
    } else if (code === percent) spelled = numberAt(meant, at + 1, 16, 2, 2)
    else if (code === ampersand) spelled = entityAt(meant, at)
    if (spelled !== undefined) {
      add(spelled.value, from, spelled.end)
      at = spelled.end
    } else if (at < meant.length) {
      add(code, from, at + 1)
      at++
    }
  }
  return { meant: utf16.decode(codes.subarray(0, length)), places: { begins, ends } }
}

/** The text as it is meant. */
export const spelledText = (text: string): SpelledText => {
  let spelled: SpelledText = { meant: special.test(text) ? text : text.toLowerCase(), places: undefined }
  for (let times = 0; times < mostSpellings && special.test(spelled.meant); times++) {
    const next = respelled(spelled)
    if (next.meant === spelled.meant) return next
    spelled = next
  }
  return spelled
}
