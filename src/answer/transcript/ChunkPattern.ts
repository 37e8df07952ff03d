/**
 * What the chunks of a stream have in common: most are the one before with another text in it, so that it is enough to compare bytes and to read that
 * text. Parsing each was most of what it took to put a streamed answer together.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import {
  backslash,
  colon,
  nextToken,
  parseObject,
  parseText,
  quote,
  standsAt,
  surelyPrintableBytes,
} from "../../wire/JsonBytes.ts"

/** Members whose strings are pieces of one text. */
export const textMembers: ReadonlySet<string> = new Set([
  "content",
  "text",
  "reasoning",
  "reasoning_content",
  "refusal",
  "name",
  "arguments",
])

/** A member with which upstreams bring their chunks to other lengths; nobody reads its text. */
export const paddingMember = "obfuscation"

/** A text that differs from chunk to chunk. */
type Hole = "told" | "padding"

/** Where a chunk tells its text: in a member of its choice, or of that one's delta. */
interface TextPlace {
  readonly member: string
  readonly isInDelta: boolean
}

export interface ChunkPattern extends TextPlace {
  /** The bytes before the first hole, between two, and behind the last; the quotes around holes are among them. */
  readonly fixed: ReadonlyArray<Uint8Array>
  /** In their order. */
  readonly holes: ReadonlyArray<Hole>
  /** The chunk that tells a text; what padding it has is any. */
  readonly chunkWith: (told: string) => JsonObject
}

/** So many patterns after which no chunk came are enough to see that none will. */
export const mostIdlePatterns = 8

const space = 0x20
const lastAscii = 0x7f

/** Longer texts are decoded as a whole. */
const mostCharacters = 32

const encoder = new TextEncoder()

/** Where the quote stands that ends the text beginning at `from`; not within the data where none does. */
const endOfText = (data: Uint8Array, from: number): number => {
  let at = from
  while (at < data.length && data[at] !== quote) at += data[at] === backslash ? 2 : 1
  return at
}

/** Where the text of the first member of this name begins that has one. */
const beginOfText = (data: Uint8Array, member: string): number | undefined => {
  const name = encoder.encode(JSON.stringify(member))
  for (let at = 0; at < data.length; at++) {
    if (!standsAt(data, at, name)) continue
    const after = nextToken(data, at + name.length)
    const value = nextToken(data, after + 1)
    if (data[after] === colon && data[value] === quote) return value + 1
  }
  return undefined
}

const onlyChoice = ({ choices }: JsonObject): JsonObject | undefined => {
  if (!isJsonArray(choices) || choices.length !== 1) return undefined
  return isJsonObject(choices[0]) ? choices[0] : undefined
}

const textAt = (chunk: JsonObject, { isInDelta, member }: TextPlace): Json | undefined => {
  const choice = onlyChoice(chunk)
  const delta = choice?.["delta"]
  if (!isInDelta) return choice?.[member]
  return isJsonObject(delta) ? delta[member] : undefined
}

/** The chunk with this text in its place. */
const telling = (chunk: JsonObject, { isInDelta, member }: TextPlace, text: string): JsonObject => {
  const choice = onlyChoice(chunk)
  const delta = choice?.["delta"]
  const told =
    isInDelta && isJsonObject(delta)
      ? { ...choice, delta: { ...delta, [member]: text } }
      : { ...choice, [member]: text }
  return { ...chunk, choices: [told] }
}

/** How much a value adds to that of the chunks before: pieces of text, and items of lists. All else is said anew. */
const additions = (value: Json | undefined, member: string): number => {
  if (typeof value === "string") return textMembers.has(member) && value !== "" ? 1 : 0
  if (isJsonArray(value)) return value.length
  if (!isJsonObject(value)) return 0
  let count = 0
  for (const name in value) count += additions(value[name], name)
  return count
}

/** Where the one text is told that a chunk adds; `undefined` where it adds none, or more. */
const placeOf = (chunk: JsonObject): TextPlace | undefined => {
  const choice = onlyChoice(chunk)
  if (choice === undefined || additions(choice, "") !== 1) return undefined
  const delta = choice["delta"]
  const isInDelta = isJsonObject(delta)
  const object = isInDelta ? delta : choice
  const member = Object.keys(object).find(
    (name) => typeof object[name] === "string" && additions(object[name], name) === 1,
  )
  return member === undefined ? undefined : { member, isInDelta }
}

/** The chunk with these texts in its holes. */
const filled = (
  fixed: ReadonlyArray<Uint8Array>,
  holes: ReadonlyArray<Hole>,
  textOf: (hole: Hole) => string,
): Uint8Array =>
  Buffer.concat(
    fixed.flatMap((piece, at) => {
      const hole = holes[at]
      return hole === undefined ? [piece] : [piece, encoder.encode(textOf(hole))]
    }),
  )

const markOf = (hole: Hole): string => `sluice ${hole}`

/**
 * The pattern of a chunk, whose like may follow: it has one choice, and adds one text to what came before.
 *
 * Where the holes are is guessed, and found true by what the chunk says once others' texts are in them: marks that it did not say before.
 *
 * @param data the bytes
 * @param chunk what they spell
 */
export const patternOf = (data: Uint8Array, chunk: JsonObject): ChunkPattern | undefined => {
  // Chunks of a token are short, and only their like are worth it; what is made after a pattern is printed unseen.
  const place = data.length > surelyPrintableBytes ? undefined : placeOf(chunk)
  const told = place === undefined ? undefined : beginOfText(data, place.member)
  if (place === undefined || told === undefined) return undefined
  const isPadded = typeof chunk[paddingMember] === "string"
  const padding = isPadded ? beginOfText(data, paddingMember) : undefined

  const begins: Array<readonly [from: number, hole: Hole]> = [[told, "told"]]
  if (padding !== undefined) begins.push([padding, "padding"])
  // Of a copy: a pattern stays for as long as its stream runs, and a read that a chunk came in may be 64 KB.
  const own = new Uint8Array(data)
  const fixed: Array<Uint8Array> = []
  let at = 0
  for (const [from] of begins.sort(([a], [b]) => a - b)) {
    fixed.push(own.subarray(at, from))
    at = endOfText(own, from)
  }
  fixed.push(own.subarray(at))
  const holes = begins.map(([, hole]) => hole)

  const sample = parseObject(filled(fixed, holes, markOf))
  if (sample === undefined) return undefined
  const says = (of: JsonObject): boolean => textAt(of, place) === markOf("told")
  const isPaddedWithMark = (of: JsonObject): boolean => of[paddingMember] === markOf("padding")
  const isToldThere = says(sample) && !says(chunk)
  const isPaddedThere = padding === undefined || (isPaddedWithMark(sample) && !isPaddedWithMark(chunk))
  if (!isToldThere || !isPaddedThere) return undefined
  return { ...place, fixed, holes, chunkWith: (text) => telling(sample, place, text) }
}

/**
 * The text of `data[from, to)`, which a quote stands before and behind; `undefined` where it is none. A short one that needs no decoding is read
 * character by character: of a token's text that is sooner than to call a decoder and a parser.
 */
const textBetween = (data: Uint8Array, from: number, to: number): string | undefined => {
  if (to - from > mostCharacters) return parseText(data.subarray(from - 1, to + 1))
  let text = ""
  for (let at = from; at < to; at++) {
    const byte = data[at] ?? 0
    if (byte < space || byte === backslash || byte > lastAscii)
      return parseText(data.subarray(from - 1, to + 1))
    text += String.fromCharCode(byte)
  }
  return text
}

/** The text that is told by a chunk after the pattern; `undefined` where it is none, or spells no JSON. */
export const toldIn = ({ fixed, holes }: ChunkPattern, data: Uint8Array): string | undefined => {
  let at = 0
  let told: string | undefined
  for (let i = 0; i < fixed.length; i++) {
    const piece = fixed[i]
    if (piece === undefined || !standsAt(data, at, piece)) return undefined
    at += piece.length
    const hole = holes[i]
    if (hole === undefined) return at === data.length ? told : undefined
    const end = endOfText(data, at)
    const text = end < data.length ? textBetween(data, at, end) : undefined
    if (text === undefined) return undefined
    if (hole === "told") told = text
    at = end
  }
  return undefined
}
