import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { redactHeaders } from "../../src/domain/AuditRecord.ts"

const credentials = [
  "authorization",
  "Authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "cookie",
  "set-cookie",
  "x-auth-token",
  "x-goog-api-key",
  "x-secret",
]

describe("redactHeaders", () => {
  it("law: no credential's value survives, and every other header does", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...credentials),
        fc.hexaString({ minLength: 8, maxLength: 40 }),
        (name, value) => {
          const redacted = redactHeaders({ [name]: value, "user-agent": "curl/8", "x-stainless-lang": "js" })
          expect(JSON.stringify(redacted)).not.toContain(value)
          expect(redacted).toEqual({ [name]: "[redacted]", "user-agent": "curl/8", "x-stainless-lang": "js" })
        },
      ),
    )
  })
})

describe("Headers of a record", () => {
  it("law: take no more room than a row has for them, whatever a client sends", () => {
    const headers = fc.dictionary(fc.string({ maxLength: 2_000 }), fc.string({ maxLength: 2_000 }), {
      maxKeys: 200,
    })
    fc.assert(
      fc.property(headers, (sent) => {
        const kept = redactHeaders(sent)
        expect(Object.keys(kept).length).toBeLessThanOrEqual(65)
        for (const [name, value] of Object.entries(kept)) {
          expect(Math.max(name.length, value.length)).toBeLessThanOrEqual(513)
        }
      }),
    )
  })

  it("are as they came where they are ordinary", () => {
    const sent = { accept: "*/*", "content-type": "application/json", "user-agent": "openai-node/6" }
    expect(redactHeaders(sent)).toEqual(sent)
  })
})
