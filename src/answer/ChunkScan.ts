/**
 * Looks over a chunk's bytes for members that matter to the gateway, so that a chunk nobody has to change need not be parsed.
 *
 * One pass over the quotes, no decoding. Inside a JSON string every quote is escaped, so text about `"usage"` is not taken for the
 * member; a member of that name elsewhere in the chunk is, and costs one parse.
 */
import { backslash, colon, nextToken, quote, standsAt } from "../wire/JsonBytes.ts"

const ascii = new TextEncoder()

const openBracket = 0x5b
const closeBracket = 0x5d
const letterN = 0x6e
const digit1 = 0x31
const digit9 = 0x39

/** Not `null`. */
const isSaid = (data: Uint8Array, at: number): boolean => data[at] !== letterN

/** A string with something in it. */
const isText = (data: Uint8Array, at: number): boolean => data[at] === quote && data[at + 1] !== quote

/** A list with something in it. */
const isFilledList = (data: Uint8Array, at: number): boolean =>
  data[at] === openBracket && data[nextToken(data, at + 1)] !== closeBracket

/** A number from 1 up: another choice than the first (or another tool call, which costs a parse). */
const isLaterIndex = (data: Uint8Array, at: number): boolean => {
  const first = data[at] ?? 0
  return first >= digit1 && first <= digit9
}

interface Sign {
  /** The member's name with its closing quote. */
  readonly name: Uint8Array
  /** Whether a value that begins at `at` matters. */
  readonly matters: (data: Uint8Array, at: number) => boolean
  /** Whether the name matters as a value too: `"object":"error"`. */
  readonly asValue: boolean
}

const sign = (name: string, matters: Sign["matters"], asValue = false): Sign => ({
  name: ascii.encode(`${name}"`),
  matters,
  asValue,
})

const errorSign = sign("error", isSaid, true)
const finishSign = sign("finish_reason", isText)
const functionCallSign = sign("function_call", isSaid)
const indexSign = sign("index", isLaterIndex)
const toolCallsSign = sign("tool_calls", isFilledList)
const usageSign = sign("usage", isSaid)

/** What no chunk of an answer is without: one that has no choice is something else, an error as a rule. */
const choicesName = ascii.encode(`choices"`)

const signs: ReadonlyArray<Sign> = [
  errorSign,
  finishSign,
  functionCallSign,
  indexSign,
  toolCallsSign,
  usageSign,
]

/** 1 for the bytes that names of signs begin with, so that most quotes are passed over at once. */
const beginsSign = new Uint8Array(256)
for (const { name } of signs) beginsSign[name[0] ?? 0] = 1
beginsSign[choicesName[0] ?? 0] = 1

/**
 * Whether a chunk may hold an error, usage, a finish reason, tool calls, or a choice other than the first, or has no choice at all. May say so of one
 * of which none of this is true; never the other way round, but for names written with escapes.
 */
export const isTelling = (data: Uint8Array): boolean => {
  const { length } = data
  let hasChoices = false
  for (let at = 0; at < length; at++) {
    // A quote that opens a name or a value stands behind punctuation or white space.
    if (data[at] !== quote || beginsSign[data[at + 1] ?? 0] === 0 || data[at - 1] === backslash) continue
    if (!hasChoices && standsAt(data, at + 1, choicesName)) {
      const after = nextToken(data, at + 1 + choicesName.length)
      hasChoices = data[after] === colon && isFilledList(data, nextToken(data, after + 1))
      continue
    }
    for (const { asValue, matters, name } of signs) {
      if (!standsAt(data, at + 1, name)) continue
      const after = nextToken(data, at + 1 + name.length)
      const isMember = data[after] === colon
      if (isMember ? matters(data, nextToken(data, after + 1)) : asValue) return true
    }
  }
  return !hasChoices
}
