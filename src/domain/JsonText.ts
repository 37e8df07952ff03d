/**
 * Edits of a JSON text that leave every untouched byte as it was.
 *
 * Parsing and printing a request would lose integers beyond 2^53, spellings of numbers and duplicate members, so a text that has to
 * change is spliced. Every function takes text that `JSON.parse` has accepted, and is one linear walk without recursion, so that
 * neither length nor nesting can break it.
 */

/** A member of an object and where it stands in the text: from its name's opening quote to the end of its value. */
interface Member {
  readonly name: string
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

const membersOf = (text: string): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text.charCodeAt(at) === quote) {
    const nameEnd = skipString(text, at)
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, valueStart)
    members.push({ name: nameOf(text, at, nameEnd), start: at, valueStart, end })
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return members
}

/** The text of a member's value in an object's text: of the last one of that name, as `JSON.parse` takes it. */
export const memberText = (text: string, name: string): string | undefined => {
  const member = membersOf(text).findLast((candidate) => candidate.name === name)
  return member === undefined ? undefined : text.slice(member.valueStart, member.end)
}

/** The texts of an object's values by their names: of a name that stands several times the last, as `JSON.parse` takes it. */
export const memberTexts = (text: string): ReadonlyMap<string, string> =>
  new Map(membersOf(text).map(({ end, name, valueStart }) => [name, text.slice(valueStart, end)]))

/** The texts of an array's elements, in order. */
export const elementTexts = (text: string): ReadonlyArray<string> => {
  const texts: Array<string> = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (at < text.length && text.charCodeAt(at) !== closeBracket) {
    const end = skipValue(text, at)
    texts.push(text.slice(at, end))
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return texts
}

/**
 * Replaces, adds (at the end) and removes members of an object's text. A value is JSON text, `undefined` removes; of two edits of
 * one name the later counts. An edited member that stood several times stands once afterwards, in its first place; all
 * other members, duplicates too, keep their text. Where nothing changes, the answer is the text itself.
 */
export const replaceMembers = (
  text: string,
  edits: ReadonlyArray<readonly [name: string, value: string | undefined]>,
): string => {
  const values = new Map(edits)
  const members = membersOf(text)
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
