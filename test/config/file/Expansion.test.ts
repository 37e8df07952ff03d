// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** References to the environment, by example and by law. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Env, expand } from "../../../src/config/file/Expansion.ts"
import { escapeReferences } from "../arbitraries.ts"

const env: Env = { KEY: "value", EMPTY: "", NESTED: "${KEY}", BRACES: "{a}" }

const text = (source: string) => expand(source, env).text

const texts = fc.string({ unit: fc.constantFrom("$", "{", "}", ":", "-", "A", "a", " ", "é", "\n") })

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/)

describe("expand", () => {
  it.each([
    ["${KEY}", "value"],
    ["a${KEY}b${KEY}", "avaluebvalue"],
    ["${KEY:-other}", "value"],
    ["${NONE:-other}", "other"],
    ["${EMPTY:-other}", "other"],
    ["${EMPTY}", ""],
    ["${NONE:-}", ""],
    ["${NONE:-${KEY}}", "value"],
    ["${NONE:-${ALSO_NONE:-deep}}!", "deep!"],
    ['${NONE:-{"a": {"b": 1}}}', '{"a": {"b": 1}}'],
    ["$${KEY}", "${KEY}"],
    ["$$${KEY}", "$${KEY}"],
    ["${NONE:-$${KEY}}", "${KEY}"],
    ["$KEY $ {KEY} costs $5", "$KEY $ {KEY} costs $5"],
    ["${NESTED}", "${KEY}"],
    ["${BRACES}", "{a}"],
  ])("%s becomes %s", (source, expected) => {
    expect(expand(source, env)).toMatchObject({ text: expected, unset: [], malformed: undefined })
  })

  it("names each variable that is not set once", () => {
    expect(expand("${A} ${B:-${C}} ${A} ${KEY:-${D}}", env).unset).toEqual(["A", "C"])
  })

  it("does not take what objects inherit for variables", () => {
    expect(expand("${constructor} ${toString}", {}).unset).toEqual(["constructor", "toString"])
  })

  it.each([
    "${",
    "${}",
    "${1A}",
    "${A",
    "${A:-",
    "${A:-{}",
    "${A-b}",
    "${A:b}",
    "${A }",
    `${"${A:-".repeat(11)}${"}".repeat(11)}`,
  ])("%s is malformed, and the message does not repeat it", (source) => {
    const { malformed } = expand(`secret${source}`, env)
    expect(malformed).toBeDefined()
    expect(malformed).not.toContain("secret")
  })

  it("law: what is escaped expands to itself", () => {
    fc.assert(
      fc.property(texts, (source) => {
        const { text, unset, malformed, expanded } = expand(escapeReferences(source), {})
        expect({ text, unset, malformed, expanded }).toEqual({
          text: source,
          unset: [],
          malformed: undefined,
          expanded: false,
        })
      }),
    )
  })

  it("law: what a variable holds arrives as it is, wherever it stands", () => {
    fc.assert(
      fc.property(texts, names, texts, texts, (before, name, value, after) => {
        const source = `${escapeReferences(before)}.\${${name}}${escapeReferences(after)}`
        expect(expand(source, { [name]: value }).text).toBe(`${before}.${value}${after}`)
      }),
    )
  })

  it("law: a default counts exactly where the variable is unset or empty", () => {
    fc.assert(
      fc.property(names, fc.option(fc.constantFrom("", "v", "${X}"), { nil: undefined }), (name, value) => {
        expect(expand(`\${${name}:-d}`, { [name]: value }).text).toBe(value || "d")
      }),
    )
  })

  it("takes time in proportion to the text", () => {
    expect(text("${KEY}x{".repeat(20_000)).length).toBe("valuex{".length * 20_000)
  })
})
