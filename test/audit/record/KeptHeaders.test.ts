import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { keptNames, redactHeaders } from "../../../src/audit/record/KeptHeaders.ts"

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
  "x-access-key",
  "ocp-apim-subscription-key",
  "x-functions-key",
  "x-auth-key",
  "x-auth",
  "x-authorization",
  "x-forwarded-authorization",
  "x-original-authorization",
  "cf-access-jwt-assertion",
  "x-goog-iap-jwt-assertion",
  "x-amzn-oidc-data",
  "x-session-id",
  "session_id",
  "thread-id",
  "x-credential",
  "x-passwd",
  "x-signature",
  "idempotency-key",
  "tracestate",
  "x-forwarded-client-cert",
  "x-original-url",
  "x-whatever-somebody-thinks-of",
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
  it("law: of a header whose name nobody knows the value is never kept", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{2,20}$/).map((word) => `x-q-${word}`)
    fc.assert(
      fc.property(name, fc.hexaString({ minLength: 8, maxLength: 40 }), (strange, value) => {
        expect(redactHeaders({ [strange]: value })).toEqual({ [strange]: "[redacted]" })
      }),
    )
  })

  it.each([
    ["https://a.example/page?code=secret#token=secret", "https://a.example/page"],
    ["https://user:secret@a.example/page", "https://a.example/page"],
    ["https://a.example/", "https://a.example/"],
    ["/page?x", "/page"],
  ])("tell of the page %s only that it was %s", (referer, kept) => {
    expect(redactHeaders({ referer, "http-referer": referer })).toEqual({
      referer: kept,
      "http-referer": kept,
    })
  })

  it("keep no key that stands where a name should", () => {
    expect(redactHeaders({ "sk-0123456789abcdef": "x" })).toEqual({ "[redacted]": "[redacted]" })
  })

  it("law: take no more room than a row has for them, whatever a client sends", () => {
    const headers = fc.dictionary(fc.string({ maxLength: 2_000 }), fc.string({ maxLength: 2_000 }), {
      maxKeys: 200,
    })
    fc.assert(
      fc.property(headers, (sent) => {
        const kept = redactHeaders(sent)
        expect(Object.keys(kept).length).toBeLessThanOrEqual(65)
        for (const [name, value] of Object.entries(kept)) {
          expect(Math.max(name.length, value.length)).toBeLessThanOrEqual(257)
        }
      }),
    )
  })

  it("are as they came where they are ordinary", () => {
    const sent = { accept: "*/*", "content-type": "application/json", "user-agent": "openai-node/6" }
    expect(redactHeaders(sent)).toEqual(sent)
  })
})

describe("docs/audit.md", () => {
  const lines = readFileSync("docs/audit.md", "utf8").split("\n")
  const from = lines.findIndex((line) => line.includes("known to hold no secret:"))
  const listed = lines
    .slice(from + 2, lines.indexOf("", from + 2))
    .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name))

  it("lists every header whose value is kept", () => {
    const isListed = (name: string) =>
      listed.some((one) => (one.endsWith("…") ? name.startsWith(one.slice(0, -1)) : name === one))
    expect([...keptNames].filter((name) => !isListed(name))).toEqual([])
  })

  it("lists none whose value is not kept", () => {
    const isKept = (name: string) => redactHeaders({ [name]: "text/plain" })[name] === "text/plain"
    const isKeptSomewhere = (one: string) =>
      one.endsWith("…")
        ? [...keptNames, `${one.slice(0, -1)}x`].some(
            (name) => name.startsWith(one.slice(0, -1)) && isKept(name),
          )
        : isKept(one)
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.filter((one) => !isKeptSomewhere(one))).toEqual([])
  })
})
