/**
 * JSON Schemas as Anthropic takes them: those of tools, whose top is a plain object, and those that are held to, of which it takes a part. What it does not take
 * of those is told in descriptions, as its own SDKs do it.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { printedInput } from "../CallInput.ts"

const emptyObject: JsonObject = { type: "object", properties: {} }

const combining = ["anyOf", "oneOf", "allOf"] as const

/** What a tool takes, as far as it can be said. */
export interface ToolSchema {
  readonly schema: JsonObject
  /** The caller's said more. */
  readonly isLess: boolean
}

/** Variants of the whole input, which are not taken: what all of them may have, and each must. */
const merged = (schema: JsonObject, variants: ReadonlyArray<JsonObject>): JsonObject => {
  const entries = [schema, ...variants].flatMap(({ properties }) =>
    properties !== undefined && isJsonObject(properties) ? Object.entries(properties) : [],
  )
  // Of several of one name the last counts.
  const properties = Object.fromEntries(entries)
  const kept = Object.entries(schema).filter(([name]) => !combining.some((one) => one === name))
  return { ...Object.fromEntries(kept), type: "object", properties }
}

/** The schema of a tool's input: that of an object. */
export const toolSchema = (schema: JsonObject | undefined): ToolSchema => {
  if (schema === undefined) return { schema: emptyObject, isLess: false }
  const type = schema["type"]
  const isObject = type === "object" || (isJsonArray(type) && type.includes("object"))
  if (type !== undefined && type !== null && !isObject) return { schema: emptyObject, isLess: true }
  const variants = combining.flatMap((name) => {
    const list = schema[name]
    return isJsonArray(list) ? list.filter(isJsonObject) : []
  })
  if (variants.length > 0) return { schema: merged(schema, variants), isLess: true }
  if (type === "object" && isJsonObject(schema["properties"])) return { schema, isLess: false }
  const { properties } = schema
  return {
    schema: { ...schema, type: "object", properties: isJsonObject(properties) ? properties : {} },
    isLess: false,
  }
}

/** What all schemas of a request that are held to may have together. */
const mostOptional = 24
const mostUnions = 16

/** Deeper ones are none that a person wrote. */
const deepest = 40

const formats: ReadonlySet<Json> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
])

/** Members that are taken as they are. */
const plain: ReadonlySet<string> = new Set(["type", "enum", "const", "title", "required", "$ref"])
const lists: ReadonlySet<string> = new Set(["anyOf", "allOf"])
const maps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"])

const isTaken = (name: string, value: Json): boolean =>
  plain.has(name) ||
  (name === "format" && formats.has(value)) ||
  (name === "minItems" && (value === 0 || value === 1))

/** What is found out while a schema is written. Mutable on purpose: one schema. */
class Strictness {
  isPossible = true
  optional = 0
  unions = 0
  readonly #closes: boolean

  /** @param closes whether objects may be closed that are not: an answer that fits then fits before, too */
  constructor(closes: boolean) {
    this.#closes = closes
  }

  written(schema: Json, depth: number): Json {
    if (!isJsonObject(schema) || depth > deepest) {
      this.isPossible = false
      return schema
    }
    const { type } = schema
    if (isJsonArray(type) || isJsonArray(schema["anyOf"]) || isJsonArray(schema["oneOf"])) this.unions++
    const kept: Record<string, Json> = {}
    const told: Array<string> = []
    for (const [name, value] of Object.entries(schema)) this.#member(kept, told, name, value, depth)
    if (type === "object" || (isJsonArray(type) && type.includes("object"))) this.#close(kept, schema)
    if (told.length > 0) {
      const before = schema["description"]
      const note = `{${told.join(", ")}}`
      kept["description"] = typeof before === "string" && before !== "" ? `${before}\n\n${note}` : note
    }
    return kept
  }

  #member(kept: Record<string, Json>, told: Array<string>, name: string, value: Json, depth: number): void {
    if (name === "oneOf" || lists.has(name)) {
      if (isJsonArray(value))
        kept[name === "oneOf" ? "anyOf" : name] = value.map((one) => this.written(one, depth + 1))
    } else if (maps.has(name)) {
      if (isJsonObject(value))
        kept[name] = Object.fromEntries(
          Object.entries(value).map(([key, one]) => [key, this.written(one, depth + 1)]),
        )
    } else if (name === "items") {
      kept[name] = this.written(value, depth + 1)
    } else if (name === "description" || isTaken(name, value)) {
      kept[name] = value
    } else if (name !== "additionalProperties" && name !== "$schema") {
      const printed = printedInput(value)
      if (printed === undefined) this.isPossible = false
      else told.push(`${name}: ${printed}`)
    }
  }

  /** An object whose members nothing is said of would have none at all. */
  #close(kept: Record<string, Json>, { additionalProperties, properties, required }: JsonObject): void {
    const names = isJsonObject(properties) ? Object.keys(properties) : []
    const isClosed = additionalProperties === false
    if (!isClosed && (!this.#closes || names.length === 0)) this.isPossible = false
    const needed: ReadonlySet<Json> = new Set(isJsonArray(required) ? required : [])
    this.optional += names.filter((name) => !needed.has(name)).length
    kept["additionalProperties"] = false
  }
}

/** The definitions that a schema refers to, wherever in it. */
const refsIn = (schema: Json, depth: number, into: Set<string>): void => {
  if (depth > deepest || typeof schema !== "object" || schema === null) return
  if (isJsonObject(schema) && typeof schema["$ref"] === "string") into.add(schema["$ref"])
  for (const [name, value] of Object.entries(schema)) {
    if (name !== "$defs" && name !== "definitions") refsIn(value, depth + 1, into)
  }
}

/** Whether a schema refers to itself, or to what is not in it. */
const isEndless = (schema: JsonObject): boolean => {
  const definitions = new Map(
    ["$defs", "definitions"].flatMap((holder) => {
      const held = schema[holder]
      return isJsonObject(held)
        ? Object.entries(held).map(([name, one]): readonly [string, Json] => [`#/${holder}/${name}`, one])
        : []
    }),
  )
  const seen = new Map<string, "open" | "done">()
  const endless = (within: Json): boolean => {
    const refs = new Set<string>()
    refsIn(within, 0, refs)
    return [...refs].some((ref): boolean => {
      const definition = definitions.get(ref)
      if (definition === undefined || seen.get(ref) === "open") return true
      if (seen.get(ref) === "done") return false
      seen.set(ref, "open")
      const isBad = seen.size > mostDefinitions || endless(definition)
      seen.set(ref, "done")
      return isBad
    })
  }
  return endless(schema)
}

const mostDefinitions = 200

/** The schemas of one request that are held to. Mutable on purpose: one request. */
export class HeldSchemas {
  #optional = 0
  #unions = 0

  /** The schema as it is held to; `undefined` where it cannot be, by itself or beside those before it. */
  held(schema: JsonObject, closes: boolean): JsonObject | undefined {
    const strictness = new Strictness(closes)
    const written = strictness.written(schema, 0)
    const [optional, unions] = [this.#optional + strictness.optional, this.#unions + strictness.unions]
    if (!strictness.isPossible || optional > mostOptional || unions > mostUnions || isEndless(schema))
      return undefined
    this.#optional = optional
    this.#unions = unions
    return isJsonObject(written) ? written : undefined
  }
}
