// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** Which parts of a file's line are shown, and that its secrets are not. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { excerptOf } from "../../../src/config/file/Excerpt.ts"

describe("excerptOf", () => {
  it.each([
    ["    fallbak: deepseek # a comment", "    fallbak: \u2026"],
    ["  - name: openai", "  - name: openai"],
    ["    base_url: htp://api.openai.com/v1", "    base_url: htp:\u2026"],
    ["    base_url: http://me:pass@api.openai.com/v1", "    base_url: \u2026:\u2026:\u2026"],
    ["    api_key: hunter2", "    api_key: \u2026"],
    ["    api_key: ${OPENAI_API_KEY}", "    api_key: ${OPENAI_API_KEY}"],
    ["    api_key: ${OPENAI_API_KEY:-hunter2}", "    api_key: \u2026{\u2026:\u2026}"],
    ['  access_keys: ["${A}", b]', '  access_keys: ["${A}", \u2026]'],
    [
      "    model_match: { type: keywrd, value: [gpt-4] }",
      "    model_match: { type: keywrd, value: [\u2026] }",
    ],
    ["    timeouts: { connect_ms: 10s }", "    timeouts: { connect_ms: 10s }"],
    ["  - { name: a, api_key: hunter2 }", "  - { name: a, api_key: \u2026 }"],
    ["    - a-key-of-a-list", "    - \u2026"],
    ["  and so it goes on", "  \u2026"],
    ["\tpriority: 3", " priority: 3"],
  ])("%j is shown as %j", (line, shown) => {
    expect(excerptOf(`first\n${line}\r\nlast`, 2, 1)?.line).toBe(shown)
  })

  it("points at the same word, also behind what is masked", () => {
    expect(excerptOf("a: secret # x", 1, 4)).toEqual({ line: "a: \u2026", at: 3 })
    expect(excerptOf("type: keywrd", 1, 7)).toEqual({ line: "type: keywrd", at: 6 })
    expect(excerptOf("  - { api_key: hunter2, name: x }", 1, 31)).toEqual({
      line: "  - { api_key: \u2026, name: x }",
      at: 24,
    })
    expect(excerptOf("", 1, 1)).toBeUndefined()
    expect(excerptOf("a", 7, 1)).toBeUndefined()
  })

  it("law: the value of a key that may be one is never shown, however it is written", () => {
    const written: ReadonlyArray<(secret: string) => string> = [
      (it) => `    api_key: ${it}`,
      (it) => `    api_key: "${it}`,
      (it) => `    api_key:${it}`,
      (it) => `  - { name: a, api_key: '${it}', priority: 1 }`,
      (it) => `  access_keys: [${it}, x]`,
      (it) => `  access_keys: { ${it} x: 1 }`,
      (it) => `    - ${it}`,
      (it) => `    headers: { Authorization: Bearer ${it} }`,
      (it) => `    headers: { "api-key: ${it}" }`,
      (it) => `    headers: { "Authorization Bearer ${it}": x }`,
      (it) => `    base_url: https://user:${it}@host/v1`,
      (it) => `    base_url: https://host/v1?key=${it}`,
      (it) => `    extra_body: '{"token": "${it}"}'`,
      (it) => `    api_key: \${KEY:-${it}}`,
      (it) => `    name: a # ${it}`,
      (it) => `\tapi_key: ${it}`,
      (it) => `${it}`,
    ]
    const secret = fc.stringMatching(/^q[A-Za-z0-9_]{4,40}z$/)
    fc.assert(
      fc.property(secret, fc.constantFrom(...written), fc.nat(60), (secret, write, column) => {
        expect(excerptOf(write(secret), 1, column + 1)?.line ?? "").not.toContain(secret)
      }),
      { seed: 18, numRuns: 2000 },
    )
  })
})
