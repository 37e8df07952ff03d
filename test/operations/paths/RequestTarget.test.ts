/** The path and the query of a target, as clients write it. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { allOperations } from "../../../src/operations/Operations.ts"
import { passedQuery, pathOf } from "../../../src/operations/paths/RequestTarget.ts"
import { spellingsOf } from "../../../src/operations/paths/Spellings.ts"

const chat = "/v1/chat/completions"

describe("pathOf", () => {
  it.each([
    ["/v1/chat/completions", chat],
    ["/v1//chat/completions", chat],
    ["//v1/chat/completions", chat],
    ["/v1/chat///completions//", chat],
    ["/v1/chat/completions/", chat],
    ["/v1/chat/completions?beta=true", chat],
    ["/v1/chat/completions/?a=/b//c/", chat],
    ["http://gateway.test/v1/chat/completions", chat],
    ["HTTP://gateway.test:8000//v1/chat/completions/?x=1", chat],
    ["https://user:pass@[::1]:8000/v1/chat/completions", chat],
    ["/v1/ch%61t/completion%73", chat],
    ["/v1/chat%2Fcompletions", "/v1/chat%2Fcompletions"],
    ["http://gateway.test", "/"],
    ["http://gateway.test?x=/v1/models", "/"],
    ["http:///v1/models", "/v1/models"],
    ["/", "/"],
    ["///", "/"],
    ["", "/"],
    ["?x", "/"],
    ["*", "*"],
    ["/%", "/%"],
    ["/%zz%00", "/%zz%00"],
  ])("of %s is %s", (target, path) => {
    expect(pathOf(target)).toBe(path)
  })

  it("is the same however often a slash is repeated, with a query and in absolute form", () => {
    const slashes = fc.integer({ min: 1, max: 4 }).map((count) => "/".repeat(count))
    fc.assert(
      fc.property(
        fc.constantFrom(...allOperations.flatMap(({ paths }) => paths.flatMap(spellingsOf))),
        fc.array(slashes, { minLength: 8, maxLength: 8 }),
        fc.constantFrom("", "/", "//"),
        fc.constantFrom("", "?api-version=2024-10-21", "?a=//b"),
        fc.constantFrom("", "http://gateway.test", "https://gateway.test:8443"),
        (path, gaps, end, query, origin) => {
          const parts = path.slice(1).split("/")
          const spelled = parts.map((part, index) => `${gaps[index]}${part}`).join("")
          expect(pathOf(`${origin}${spelled}${end}${query}`)).toBe(path)
        },
      ),
    )
  })

  it("takes any text, and changes no path it gave", () => {
    fc.assert(
      fc.property(fc.string(), (target) => {
        const path = pathOf(`/${target}`)
        expect(path.startsWith("/")).toBe(true)
        expect(path).not.toContain("//")
        if (!/[%?#]/.test(target)) expect(pathOf(path)).toBe(path)
      }),
    )
  })
})

describe("The query that upstreams are told", () => {
  it.each([
    ["/v1/chat/completions", undefined],
    ["/v1/messages?beta=true", "beta=true"],
    ["/v1/responses/r?include=a&include=b#x", "include=a&include=b"],
    ["/openai/deployments/m/embeddings?api-version=2024-10-21", ""],
    ["/openai/deployments/m/embeddings?a=1&Api-Version=preview&b", "a=1&b"],
    ["/v1/embeddings?api-versions=1&api-version", "api-versions=1"],
    ["/v1/embeddings?a=\u{e9}", undefined],
  ])("of %s is %s", (target, query) => {
    expect(passedQuery(target)).toBe(query)
  })
})
