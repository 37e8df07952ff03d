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
