/** What is generated from the schema is up to date, and says what loading does. */
import { readFileSync } from "node:fs"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { renderJsonSchema, renderMarkdown } from "../../../src/config/reference/Reference.ts"
import { GatewayConfig, leftovers } from "../../../src/config/schema/GatewayConfig.ts"
import { isJsonObject, type Json, type JsonObject } from "../../../src/wire/Json.ts"
import { isMap, type Written, writtenConfig } from "../arbitraries.ts"

const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")

const schema: JsonObject = JSON.parse(renderJsonSchema())

const objects = (value: Json | undefined): ReadonlyArray<JsonObject> =>
  Array.isArray(value) ? value.filter(isJsonObject) : []

const isType = (value: Json, type: Json | undefined): boolean => {
  switch (type) {
    case undefined:
      return true
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isJsonObject(value)
    case "integer":
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/** The part of JSON Schema draft 7 that the generated schema uses; a keyword beyond it fails the test. */
const known = new Set(
  "$schema title description default examples deprecated definitions type required properties additionalProperties items enum anyOf $ref minimum maximum minLength maxLength minItems maxItems uniqueItems pattern".split(
    " ",
  ),
)

const isValid = (rule: JsonObject, value: Json): boolean => {
  for (const keyword of Object.keys(rule))
    if (!known.has(keyword)) throw new Error(`unknown keyword ${keyword}`)
  if (rule.$ref !== undefined) {
    const definitions = isJsonObject(schema.definitions) ? schema.definitions : {}
    const target = definitions[String(rule.$ref).replace("#/definitions/", "")]
    return isJsonObject(target) && isValid(target, value)
  }
  if (!isType(value, rule.type)) return false
  if (Array.isArray(rule.enum) && !rule.enum.includes(value)) return false
  if (rule.anyOf !== undefined && !objects(rule.anyOf).some((it) => isValid(it, value))) return false
  if (typeof value === "number") {
    return value >= Number(rule.minimum ?? -Infinity) && value <= Number(rule.maximum ?? Infinity)
  }
  if (typeof value === "string") {
    return (
      value.length >= Number(rule.minLength ?? 0) &&
      value.length <= Number(rule.maxLength ?? Infinity) &&
      (typeof rule.pattern !== "string" || new RegExp(rule.pattern).test(value))
    )
  }
  if (Array.isArray(value)) {
    const { items } = rule
    return (
      value.length >= Number(rule.minItems ?? 0) &&
      value.length <= Number(rule.maxItems ?? Infinity) &&
      (rule.uniqueItems !== true || new Set(value).size === value.length) &&
      (!isJsonObject(items) || value.every((it: Json) => isValid(items, it)))
    )
  }
  if (!isJsonObject(value)) return true
  const properties = isJsonObject(rule.properties) ? rule.properties : {}
  const more = rule.additionalProperties
  return (
    (!Array.isArray(rule.required) || rule.required.every((key) => String(key) in value)) &&
    Object.entries(value).every(([key, it]) => {
      const property = Object.hasOwn(properties, key) ? properties[key] : more
      return isJsonObject(property) ? isValid(property, it) : property !== false
    })
  )
}

const decodes = (value: unknown) =>
  Either.isRight(Schema.decodeUnknownEither(GatewayConfig, { onExcessProperty: "error" })(value))

const asJson = (value: Written): Json => JSON.parse(JSON.stringify(value))

describe("config/config.schema.json", () => {
  it("is up to date (renew it with `npm run generate`)", () => {
    expect(file("config/config.schema.json")).toBe(renderJsonSchema())
  })

  it("law: admits what loads", () => {
    fc.assert(
      fc.property(writtenConfig, (config) => {
        expect(isValid(schema, asJson(config))).toBe(true)
      }),
    )
  })

  it("admits the shipped files, references to the environment and GPT_API's leftovers included", () => {
    const files = [
      "config/config.yaml",
      "config/example.yaml",
      "test/fixtures/gpt_api_config.yaml",
      "test/fixtures/contract_config.yaml",
    ]
    for (const path of files) expect(isValid(schema, parse(file(path)))).toBe(true)
    expect(
      isValid(schema, { openai_clients: [], ...Object.fromEntries(leftovers.map((key) => [key, 1])) }),
    ).toBe(true)
  })

  it("law: refuses what does not load for its kinds, bounds, words and keys", () => {
    const wrong = fc.constantFrom<readonly [string, string, Written]>(
      ["retry", "rounds", 0],
      ["retry", "retry_on", ["6xx"]],
      ["retry", "retry_on", [600]],
      ["timeouts", "idle_ms", 1.5],
      ["timeouts", "idle", 1],
      ["load_balancing", "strategy", "rnd"],
      ["audit", "bodies", true],
      ["server", "access_keys", "x"],
      ["server", "trust_proxy", "yes"],
      ["models_cache", "ttl_seconds", -1],
    )
    fc.assert(
      fc.property(writtenConfig, wrong, (config, [section, key, value]) => {
        const there = config[section] ?? {}
        const broken = { ...config, [section]: { ...(isMap(there) ? there : {}), [key]: value } }
        expect(decodes(broken)).toBe(false)
        expect(isValid(schema, asJson(broken))).toBe(false)
      }),
    )
  })

  it("is draft 7, which editors read, and refers to nothing outside itself", () => {
    expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#")
    expect(renderJsonSchema().match(/"\$ref": "(?!#\/definitions\/)/)).toBeNull()
  })
})

describe("docs/configuration.md", () => {
  const markdown = renderMarkdown()

  it("is up to date (renew it with `npm run generate`)", () => {
    expect(file("docs/configuration.md")).toBe(markdown)
  })

  it("has a row for every key, with its meaning; what lies below a key with an example is in that key's row", () => {
    const keysOf = (rule: JsonObject): ReadonlyArray<string> =>
      [rule, ...objects(rule.anyOf)].flatMap((it) => [
        ...Object.entries(isJsonObject(it.properties) ? it.properties : {}).flatMap(([key, below]) => [
          key,
          ...(isJsonObject(below) && below.examples === undefined ? keysOf(below) : []),
        ]),
        ...(isJsonObject(it.items) ? keysOf(it.items) : []),
      ])
    const rows = markdown.split("\n").filter((line) => line.startsWith("| `"))
    const sections = Object.keys(GatewayConfig.fields)
    const keys = new Set(keysOf(schema))
    expect(keys.size).toBeGreaterThan(40)
    for (const key of keys) {
      if (leftovers.includes(key)) continue
      const row = rows.find((line) => new RegExp(`^\\| \`(\\w+\\.)?${key}\``).test(line))
      const told =
        row === undefined
          ? sections.includes(key) && markdown.includes(`### \`${key}\`\n\n`)
          : !/\|\s*\|/.test(row.replace(/\|[^|]*\|$/, "|"))
      expect(told, key).toBe(true)
    }
  })

  it("shows an example for each value that is not a map", () => {
    const rows = markdown.split("\n").filter((line) => /^\| `[a-z_.]+` \|/.test(line))
    const without = rows.filter((line) => line.endsWith("|  |"))
    expect(without.map((line) => line.split("`")[1])).toEqual([
      "abilities",
      "model_match",
      "model_match.type",
      "request_cleaning",
      "timeouts",
    ])
  })

  it("its YAML loads", () => {
    const blocks = [...markdown.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => block ?? "")
    expect(blocks.length).toBe(2)
    for (const block of blocks) expect(decodes(parse(block))).toBe(true)
  })

  it("its defaults are those of a file that says nothing", () => {
    const [, defaults = ""] = /## All defaults\n\n```yaml\n([\s\S]*?)```/.exec(markdown) ?? []
    const { openai_clients, ...rest } = parse(defaults)
    expect(openai_clients).toEqual([])
    expect(
      Schema.encodeSync(GatewayConfig)(Schema.decodeUnknownSync(GatewayConfig)({ openai_clients })),
    ).toEqual({ openai_clients, ...rest })
  })
})
