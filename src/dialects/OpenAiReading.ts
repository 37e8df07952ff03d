/** A request in one of OpenAI's two dialects while it is read: how its servers say what is wrong, and what both check alike. */
import { isJsonArray, type Json, type JsonObject } from "../wire/Json.ts"
import { noCap } from "./Members.ts"
import { type Kind, type Manner, Reading } from "./Reading.ts"

const kinds: { readonly [K in Kind]: string } = {
  text: "a string",
  number: "a decimal",
  integer: "an integer",
  boolean: "a boolean",
  object: "an object",
  array: "an array",
  text_or_texts: "one of a string or array of strings",
  text_or_object: "one of a string or object",
  text_or_objects: "one of a string or array of objects",
}

const typeOf = (value: Json): string => {
  if (value === null) return "null"
  if (isJsonArray(value)) return "an array"
  switch (typeof value) {
    case "string":
      return "a string"
    case "boolean":
      return "a boolean"
    case "number":
      return Number.isInteger(value) ? "an integer" : "a decimal"
    default:
      return "an object"
  }
}

const manner: Manner = {
  itemOf: (list, at) => `${list}[${at}]`,
  fault: (param, words) => ({ message: `Invalid value for '${param}'. ${words}`, code: "invalid_value" }),
  missing: (param) => ({
    message: `Missing required parameter: '${param}'.`,
    code: "missing_required_parameter",
  }),
  misfit: (param, kind, value) => ({
    message: `Invalid type for '${param}': expected ${kinds[kind]}, but got ${typeOf(value)} instead.`,
    code: "invalid_type",
  }),
}

export const openAiReading = (): Reading => new Reading(manner)

/** A list of objects, each with its place. */
export const checkEach = (
  reading: Reading,
  list: Json | undefined,
  param: string,
  check: (reading: Reading, item: JsonObject, path: string) => void,
): void => {
  for (const [at, item] of (reading.objects(list, param) ?? []).entries())
    check(reading, item, reading.itemOf(param, at))
}

/** Members, and the kind of all of them. */
export type KindOf = Readonly<Record<string, Kind>>

/** @param within where the members stand: nothing at the top */
export const checkMembers = (reading: Reading, holder: JsonObject, kinds: KindOf, within = ""): void => {
  const place = within === "" ? "" : `${within}.`
  for (const name in kinds) {
    const kind = kinds[name]
    if (kind !== undefined) reading.check(holder[name], `${place}${name}`, kind)
  }
}

/** A whole number of tokens that an answer has at most. */
export const checkCap = (reading: Reading, body: JsonObject, param: string): void => {
  const most = body[param]
  if (most === noCap) return
  const value = typeof most === "number" && Number.isInteger(most) ? most : reading.integer(most, param)
  if (value === undefined) return
  if (value < 1) reading.wrong(param, "Expected a value of 1 or more.")
  if (value > Number.MAX_SAFE_INTEGER) reading.wrong(param, "Expected a smaller value.")
}

/** What is sent by its name has one. */
export const checkName = (reading: Reading, holder: JsonObject, within: string): void => {
  const { name } = holder
  if (name === undefined || name === null) reading.missing(`${within}.name`)
  else reading.check(name, `${within}.name`, "text")
}

const ofFunctions: KindOf = { description: "text", parameters: "object", strict: "boolean" }

export const checkFunction = (reading: Reading, declared: JsonObject, within: string): void => {
  checkName(reading, declared, within)
  checkMembers(reading, declared, ofFunctions, within)
}

/** Labels of the caller's, whose names are not repeated. */
export const checkMetadata = (reading: Reading, { metadata }: JsonObject): void => {
  const labels = Object.values(reading.object(metadata, "metadata") ?? {})
  for (const label of labels) if (typeof label !== "string") reading.check(label, "metadata", "text")
}

/** A schema with its name. */
export const ofSchemas: KindOf = { name: "text", schema: "object", strict: "boolean" }

const formats = ["text", "json_object", "json_schema"]

export const checkFormat = (reading: Reading, { type }: JsonObject, within: string): void =>
  checkOneOf(reading, type, `${within}.type`, formats)

/** A word that has to be said, and is one of these. */
export const checkOneOf = (
  reading: Reading,
  value: Json | undefined,
  param: string,
  words: ReadonlyArray<string>,
): void => {
  if (value === undefined || value === null) reading.missing(param)
  else if (typeof value !== "string") reading.check(value, param, "text")
  else if (!words.includes(value))
    reading.wrong(param, `Supported values are: ${words.map((one) => `'${one}'`).join(", ")}.`)
}

const checkPart = (reading: Reading, { text }: JsonObject, path: string): void =>
  reading.check(text, `${path}.text`, "text")

/** Content: text, or a list of parts, whose texts are texts. */
export const checkContent = (reading: Reading, content: Json | undefined, param: string): void => {
  reading.check(content, param, "text_or_objects")
  if (content !== undefined && isJsonArray(content)) checkEach(reading, content, param, checkPart)
}
