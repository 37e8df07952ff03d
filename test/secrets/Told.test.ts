import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Secrets } from "../../src/secrets/Secrets.ts"
import { longestTold, told, toldId } from "../../src/secrets/Told.ts"

const secrets = new Secrets(["sk-up-secret-0123456789"])

const hostile = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    fc.constantFrom("\n", "\r", "\u001b[2J", "\u009b", "\u202e", "\u2028", "\u2029", "\ud800", "🙂", "\\"),
    fc.constant("sk-up-secret-0123456789"),
  ),
  maxLength: 400,
})

describe("told", () => {
  it("is one line in which nothing forges another, drives a terminal or tells a key", () => {
    expect(
      told("no\n12:00:00.000 INFO  request id=forged\u001b[2J key sk-up-secret-0123456789", secrets),
    ).toBe("no 12:00:00.000 INFO request id=forged\\x1b[2J key [redacted]")
  })

  it("cuts a text only after its secrets are out", () => {
    const text = `${"x".repeat(longestTold - 5)}sk-up-secret-0123456789`
    expect(told(text, secrets)).toBe(`${"x".repeat(longestTold - 5)}[reda…`)
  })

  it("laws: no secret, no control character, no line end, no more than it may be, and the same told again", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 300 }), (text, most) => {
        const given = told(text, secrets, most)
        expect(given).not.toMatch(/sk-up-secret/)
        expect(given).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        expect(given.length).toBeLessThanOrEqual(most + 1)
        expect(told(given, secrets, most)).toBe(given)
      }),
    )
  })

  it("of a text of megabytes looks at its beginning alone", () => {
    expect(told("m".repeat(5_000_000), secrets)).toBe(`${"m".repeat(longestTold)}…`)
  })
})

describe("toldId", () => {
  it("law: is what told makes of it", () => {
    const id = fc
      .array(fc.constantFrom("chatcmpl-", "sk-up-secret-0123456789", "0aZ_.:", "sk-up", " ", "\u001b"), {
        maxLength: 12,
      })
      .map((parts) => parts.join(""))
    fc.assert(
      fc.property(fc.oneof(id, hostile), (text) => {
        expect(toldId(text, secrets)).toBe(told(text, secrets))
      }),
    )
  })
})
