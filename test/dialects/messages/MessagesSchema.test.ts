import { describe, expect, it } from "@effect/vitest"
import { HeldSchemas, toolSchema } from "../../../src/dialects/messages/MessagesSchema.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"

const nested = (depth: number): JsonObject => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`)

describe("The schema of a tool", () => {
  it("may have more variants than a call may have arguments", () => {
    const variants = Array.from({ length: 200_000 }, (_, at) => ({ properties: { [`p${at % 9}`]: {} } }))
    const { isLess, schema } = toolSchema({ anyOf: variants })
    expect(isLess).toBe(true)
    expect(Object.keys(schema["properties"] ?? {})).toHaveLength(9)
  })

  it("may have a property of any name", () => {
    const variant: JsonObject = JSON.parse('{"properties":{"__proto__":{"type":"string"},"b":{}}}')
    const { schema } = toolSchema({ oneOf: [variant] })
    expect(JSON.stringify(schema["properties"])).toBe('{"__proto__":{"type":"string"},"b":{}}')
  })
})

describe("A schema that is held to", () => {
  it("is none where it is nested without end", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false, "x-thing": nested(20_000) }
    expect(new HeldSchemas().held(schema, true)).toBeUndefined()
  })
})
