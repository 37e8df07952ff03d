/** A request in Anthropic's dialect while it is read: how its servers say what is wrong, and the marks of its blocks. */
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import type { CacheMark } from "../Part.ts"
import { type Kind, type Manner, Reading } from "../Reading.ts"

const kinds: { readonly [K in Kind]: string } = {
  text: "a valid string",
  number: "a valid number",
  integer: "a valid integer",
  boolean: "a valid boolean",
  object: "an object",
  array: "an array",
  text_or_texts: "a valid string or an array of strings",
  text_or_object: "a valid string or an object",
  text_or_objects: "a valid string or an array",
}

const manner: Manner = {
  itemOf: (list, at) => `${list}.${at}`,
  fault: (param, words) => ({ message: `${param}: ${words}` }),
  missing: (param) => ({ message: `${param}: Field required` }),
  misfit: (param, kind) => ({ message: `${param}: Input should be ${kinds[kind]}` }),
}

export const messagesReading = (): Reading => new Reading(manner)

/** The mark that the conversation is to be cached up to here. */
export const cacheOf = ({ cache_control: control }: JsonObject): CacheMark | undefined =>
  isJsonObject(control) ? (control["ttl"] === "1h" ? "1h" : "5m") : undefined

/** A part with the mark of its block. */
export const marked = <Part extends object>(
  part: Part,
  block: JsonObject,
): Part & { readonly cache?: CacheMark } => {
  const cache = cacheOf(block)
  return cache === undefined ? part : { ...part, cache }
}
