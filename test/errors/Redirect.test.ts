import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { redirectTarget } from "../../src/errors/Redirect.ts"

describe("The target of a redirect", () => {
  it.each([
    ["https://api.example/v1/chat/completions", "https://api.example/v1/chat/completions"],
    ["https://user:secret@api.example:8443/v1?key=secret#secret", "https://api.example:8443/v1"],
    ["/v1/chat/completions?token=secret", "/v1/chat/completions"],
    ["login", "/login"],
    ["//other.example/x", "http://other.example/x"],
    ["", undefined],
    [undefined, undefined],
    ["javascript:alert(1)", undefined],
    ["http://[", undefined],
  ])("of %s is told as %s", (location, told) => {
    expect(redirectTarget(location)).toBe(told)
  })

  it("law: is one short line without what may be secret, whatever an upstream sends", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (location) => {
        const told = redirectTarget(location) ?? ""
        expect(told.length).toBeLessThanOrEqual(201)
        expect(told).not.toMatch(/[\s?#]|[^\x20-\x7e…]/)
      }),
    )
  })
})
