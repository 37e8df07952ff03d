/**
 * Edits of a JSON text that leave every untouched byte as it was.
 *
 * Parsing and printing would lose integers beyond 2^53, spellings of numbers and duplicate members, so a text that has to
 * change is spliced. Every function takes text that `JSON.parse` has accepted, and walks it without recursion, so that
 * neither length nor nesting can break it.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "./Json.ts"

/** A member of an object and where it stands in the text: from its name's opening quote to the end of its value. */
interface Member {
  readonly name: string
  /** Its name is written without escapes. */
  readonly isPlain: boolean
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

const skipSpace = (text: string, from: number): number => {
  let at = from
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** Whether the character at `at` stands behind an odd number of backslashes. */
const isEscaped = (text: string, at: number): boolean => {
  let first = at
  while (text.charCodeAt(first - 1) === backslash) first--
  return (at - first) % 2 === 1
}

/** The place behind the string that opens at `at`. */
const skipString = (text: string, at: number): number => {
  let close = text.indexOf('"', at + 1)
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close === -1 ? text.length : close + 1
}

/** The place behind the object or array that opens at `at`. */
const skipNested = (text: string, at: number): number => {
  let depth = 0
  let next = at
  while (next < text.length) {
    const code = text.charCodeAt(next)
    if (code === quote) {
      next = skipString(text, next)
      continue
    }
    next++
    if (code === openBrace || code === openBracket) depth++
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return next
  }
  return text.length
}

const skipScalar = (text: string, at: number): number => {
  let next = at
  while (next < text.length) {
    const code = text.charCodeAt(next)
    if (code === comma || code === closeBrace || code === closeBracket || isSpace(code)) break
    next++
  }
  return next
}

const skipValue = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  if (code === quote) return skipString(text, at)
  return code === openBrace || code === openBracket ? skipNested(text, at) : skipScalar(text, at)
}

/** The name between two quotes; only a name with escapes has to be decoded. */
const nameOf = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end - 1)
  if (!raw.includes("\\")) return raw
  const decoded: unknown = JSON.parse(text.slice(start, end))
  return String(decoded)
}

/** The members of an object's text, in order, each as often as it stands there. */
export const memberPlaces = (text: string): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text.charCodeAt(at) === quote) {
    const nameEnd = skipString(text, at)
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, valueStart)
    const name = nameOf(text, at, nameEnd)
    // Escapes are longer than what they stand for.
    members.push({ name, isPlain: name.length === nameEnd - at - 2, start: at, valueStart, end })
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return members
}

/** The text of a member's value in an object's text: of the last one of that name, as `JSON.parse` takes it. */
export const memberText = (text: string, name: string): string | undefined => {
  const member = memberPlaces(text).findLast((candidate) => candidate.name === name)
  return member === undefined ? undefined : text.slice(member.valueStart, member.end)
}

/** The texts of an object's values by their names: of a name that stands several times the last, as `JSON.parse` takes it. */
export const memberTexts = (text: string): ReadonlyMap<string, string> =>
  new Map(memberPlaces(text).map(({ end, name, valueStart }) => [name, text.slice(valueStart, end)]))

/** Where an element of an array stands in the text. */
interface Element {
  readonly start: number
  readonly end: number
}

const elementsOf = (text: string): ReadonlyArray<Element> => {
  const elements: Array<Element> = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const end = skipValue(text, at)
    elements.push({ start: at, end })
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return elements
}

/** The texts of an array's elements, in order. */
export const elementTexts = (text: string): ReadonlyArray<string> =>
  elementsOf(text).map(({ end, start }) => text.slice(start, end))

/** An array's text with its elements changed, or left out where that is `undefined`; the rest of it is as it was. */
export const replaceElements = (
  text: string,
  change: (element: string, at: number) => string | undefined,
): string => {
  const pieces: Array<string> = []
  let written = 0
  let isFirst = true
  for (const [at, { end, start }] of elementsOf(text).entries()) {
    const element = change(text.slice(start, end), at)
    const before = text.slice(written, start)
    written = end
    if (element === undefined) {
      if (at === 0) pieces.push(before)
      continue
    }
    // The first one that is left needs no comma before it.
    if (at === 0 || !isFirst) pieces.push(before)
    pieces.push(element)
    isFirst = false
  }
  pieces.push(text.slice(written))
  return pieces.join("")
}

/** The text of an object with these members, whose values are texts. */
export const objectText = (members: ReadonlyArray<readonly [name: string, value: string]>): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`

/**
 * Replaces, adds (at the end) and removes members of an object's text. A value is JSON text, `undefined` removes; of two edits of
 * one name the later counts. An edited member that stood several times stands once afterwards, in its first place; all
 * other members, duplicates too, keep their text. Where nothing changes, the answer is the text itself.
 */
export const replaceMembers = (
  text: string,
  edits: ReadonlyArray<readonly [name: string, value: string | undefined]>,
): string => splice(text, memberPlaces(text), new Map(edits))

const splice = (
  text: string,
  members: ReadonlyArray<Member>,
  values: ReadonlyMap<string, string | undefined>,
): string => {
  const written = new Set<string>()
  const first = members[0]
  const open = first === undefined ? text.indexOf("{") + 1 : first.start
  const pieces: Array<string> = [text.slice(0, open)]
  let isFirst = true
  let previousEnd = open
  for (const { name, start, valueStart, end } of members) {
    const separator = text.slice(previousEnd, start)
    previousEnd = end
    const value = values.get(name)
    const edited = values.has(name)
    if (edited && (value === undefined || written.has(name))) continue
    if (!isFirst) pieces.push(separator)
    isFirst = false
    if (edited && value !== undefined) {
      written.add(name)
      pieces.push(text.slice(start, valueStart), value)
    } else {
      pieces.push(text.slice(start, end))
    }
  }
  for (const [name, value] of values) {
    if (value === undefined || written.has(name)) continue
    pieces.push(isFirst ? "" : ",", JSON.stringify(name), ":", value)
    isFirst = false
  }
  pieces.push(text.slice(previousEnd))
  return pieces.join("")
}

/**
 * The text of `after`, made of that of `before`: whatever is the same value in both, in the same place, is written as it was. `after` is a changed copy,
 * which shares what did not change; only what is different is printed, and only that way is walked down.
 */
export const rewrite = (text: string, before: Json, after: Json): string => {
  if (before === after) return text
  if (isJsonObject(before) && isJsonObject(after)) return rewriteObject(text, before, after)
  if (isJsonArray(before) && isJsonArray(after)) return rewriteArray(text, before, after)
  return JSON.stringify(after)
}

const rewriteObject = (text: string, before: JsonObject, after: JsonObject): string => {
  const members = memberPlaces(text)
  const values = new Map<string, string | undefined>()
  for (const name in after) {
    const value = after[name]
    if (value === undefined || value === before[name]) continue
    // Of several of one name, the last is the one that was read.
    const member = Object.hasOwn(before, name) ? members.findLast((one) => one.name === name) : undefined
    const was = before[name]
    values.set(
      name,
      member === undefined || was === undefined
        ? JSON.stringify(value)
        : rewrite(text.slice(member.valueStart, member.end), was, value),
    )
  }
  for (const name in before) if (!Object.hasOwn(after, name)) values.set(name, undefined)
  return values.size === 0 ? text : splice(text, members, values)
}

/** Elements are found again where they stand in the same place of a list that is as long, or else are the same values. */
const rewriteArray = (text: string, before: ReadonlyArray<Json>, after: ReadonlyArray<Json>): string => {
  const elements = elementsOf(text)
  if (before.length !== after.length) {
    const places = new Map(before.map((value, at) => [value, elements[at]]))
    return `[${after.map((value) => {
      const element = places.get(value)
      return element === undefined ? JSON.stringify(value) : text.slice(element.start, element.end)
    })}]`
  }
  const pieces: Array<string> = []
  let written = 0
  for (const [at, { end, start }] of elements.entries()) {
    const [was, value] = [before[at], after[at]]
    if (was === value || was === undefined || value === undefined) continue
    pieces.push(text.slice(written, start), rewrite(text.slice(start, end), was, value))
    written = end
  }
  pieces.push(text.slice(written))
  return pieces.join("")
}

/** The text without line ends, which stand between its tokens alone, and would cut the data of an event in several. */
export const onOneLine = (text: string): string => text.replace(/[\r\n]\s*/g, "")
