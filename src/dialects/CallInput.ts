/** The input of a call as text, where a dialect gives it as JSON. */
import { isJsonArray, isJsonObject, type Json } from "../wire/Json.ts"
import { encodeJson, parseJson, parseObject } from "../wire/JsonBytes.ts"
import { WholeJson } from "./WholeJson.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** `undefined` where it is nested deeper than can be printed; what is not given is an empty one. */
export const printedInput = (input: Json | undefined): string | undefined => {
  const printed = encodeJson(input ?? {})
  return printed === undefined ? undefined : decoder.decode(printed)
}

/** What is nested deeper than can be printed is no input of any tool. */
export const inputText = (input: Json | undefined): string => printedInput(input) ?? "{}"

/** Arguments where a dialect gives them as text: several hosts and programs give them as JSON. */
export const argumentsText = (given: Json | undefined): string =>
  typeof given === "string" ? given : given === undefined || given === null ? "" : inputText(given)

export const isObjectText = (text: string): boolean => parseObject(encoder.encode(text)) !== undefined

/** What of a text is an object, whatever follows it. */
const objectBefore = (text: string): string | undefined => {
  const json = new WholeJson()
  const own = json.take(text.trimStart())
  return json.isWhole && isObjectText(own) ? own : undefined
}

/** The text of a text in JSON: some models print an input twice. */
const printedAgain = (text: string): string | undefined => {
  const read = text.trimStart().startsWith('"') ? parseJson(encoder.encode(text)) : undefined
  return typeof read === "string" ? read : undefined
}

/** The object that the input of a function is: `{}` where it is nothing. What is none stays as it came. */
export const wholeInput = (given: string): string => {
  const text = given.trim()
  if (text === "" || text === "null") return "{}"
  return objectBefore(given) ?? objectBefore(printedAgain(text) ?? "") ?? given
}

const hasNumber = (json: Json | undefined, is: (number: number) => boolean): boolean => {
  const open: Array<Json> = json === undefined ? [] : [json]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "number") {
      if (is(value)) return true
    } else if (isJsonArray(value)) for (const one of value) open.push(one)
    else if (isJsonObject(value)) for (const name in value) open.push(value[name] ?? null)
  }
  return false
}

/** Whether JSON that was read has a number that may not be the one that was written: whole ones have more digits than are kept, or it has no end. */
export const hasInexact = (json: Json | undefined): boolean =>
  hasNumber(
    json,
    (number) => !Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number)),
  )

/** Whether it has a number without an end, which is printed as none. */
export const hasEndless = (json: Json | undefined): boolean =>
  hasNumber(json, (number) => !Number.isFinite(number))
