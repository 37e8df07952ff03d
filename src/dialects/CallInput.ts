/** The input of a call as text, where a dialect gives it as JSON. */
import type { Json } from "../wire/Json.ts"
import { encodeJson } from "../wire/JsonBytes.ts"

const decoder = new TextDecoder()

/** What is nested deeper than can be printed is no input of any tool; what is not given is an empty one. */
export const inputText = (input: Json | undefined): string => {
  const printed = encodeJson(input ?? {})
  return printed === undefined ? "{}" : decoder.decode(printed)
}
