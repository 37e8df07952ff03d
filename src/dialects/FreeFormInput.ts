/**
 * Tools that take any text, where an upstream knows none: functions that take `{ "input": text }`. The text is unwrapped as it comes, wherever the JSON is
 * cut. What a model gives in another form stays as it is.
 */
import type { JsonObject } from "../wire/Json.ts"
import type { Machine } from "../wire/Machine.ts"

/** The schema of such a function. */
export const freeFormSchema: JsonObject = {
  type: "object",
  properties: { input: { type: "string", description: "The input of the tool, as it reads." } },
  required: ["input"],
  additionalProperties: false,
}

/** The input of such a function. */
export const wrappedInput = (text: string): string => JSON.stringify({ input: text })

export interface UnwrapState {
  /** Before the text, in it, behind it; or none is there and all is taken as it is. */
  readonly at: "before" | "text" | "behind" | "as_it_is"
  /** What cannot be told yet: the beginning, or a part of a character. */
  readonly held: string
}

const begun = /^\s*\{\s*"input"\s*:\s*"/
const maybeBegun = /^\s*(?:\{\s*(?:\}\s*|"(?:i(?:n(?:p(?:u(?:t(?:"\s*(?::\s*)?)?)?)?)?)?)?)?)?$/
const nothing = /^\s*(?:\{\s*\}\s*)?$/

/** White space without end is no beginning. */
const longestBeginning = 1024

const escaped: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
])

/** The character that an escape stands for, and where it ends; `undefined` where more of it is to come. */
const escapeAt = (text: string, at: number): readonly [character: string, end: number] | undefined => {
  const letter = text[at + 1]
  if (letter === undefined) return undefined
  if (letter !== "u") return [escaped.get(letter) ?? letter, at + 2]
  const digits = text.slice(at + 2, at + 6)
  if (/[^0-9a-fA-F]/.test(digits)) return ["u", at + 2]
  return digits.length < 4 ? undefined : [String.fromCharCode(Number.parseInt(digits, 16)), at + 6]
}

const isHalfCharacter = (text: string): boolean => /[\ud800-\udbff]$/.test(text)

/** The text from here on, as far as it can be told. */
const within = (text: string): readonly [UnwrapState, string] => {
  const pieces: Array<string> = []
  const until = (at: UnwrapState["at"], held: string): readonly [UnwrapState, string] => [
    { at, held },
    pieces.join(""),
  ]
  let from = 0
  for (;;) {
    const length = text.slice(from).search(/["\\]/)
    const at = length === -1 ? text.length : from + length
    pieces.push(text.slice(from, at))
    if (at === text.length) break
    if (text[at] === '"') return until("behind", "")
    const escape = escapeAt(text, at)
    if (escape === undefined) return until("text", text.slice(at))
    pieces.push(escape[0])
    from = escape[1]
  }
  const whole = pieces.join("")
  return isHalfCharacter(whole)
    ? [{ at: "text", held: whole.slice(-1) }, whole.slice(0, -1)]
    : [{ at: "text", held: "" }, whole]
}

const next = ({ at, held }: UnwrapState, text: string): readonly [UnwrapState, string] => {
  const all = held + text
  switch (at) {
    case "before": {
      const beginning = begun.exec(all)?.[0]
      if (beginning !== undefined) return within(all.slice(beginning.length))
      return all.length <= longestBeginning && maybeBegun.test(all)
        ? [{ at, held: all }, ""]
        : [{ at: "as_it_is", held: "" }, all]
    }
    case "text":
      return within(all)
    case "behind":
      return [{ at, held: "" }, ""]
    case "as_it_is":
      return [{ at, held: "" }, all]
  }
}

const told = (text: string): ReadonlyArray<string> => (text === "" ? [] : [text])

/** From the JSON of an input to its text, piece by piece; no piece is empty. */
export const unwrapping: Machine<UnwrapState, string, string> = {
  initial: { at: "before", held: "" },
  step: (state, text) => {
    const [after, said] = next(state, text)
    return [after, told(said)]
  },
  halt: ({ at, held }) => (at === "text" || (at === "before" && !nothing.test(held)) ? told(held) : []),
}
