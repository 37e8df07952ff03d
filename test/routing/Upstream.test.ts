import { describe, expect, it } from "vitest"
import { pathAt, urlOf } from "../../src/routing/Upstream.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const classify = { name: "classify", paths: ["/classify", "//classify"] } as const

describe("where an upstream is asked", () => {
  it.each<[string, string, Readonly<Record<string, string>>, string]>([
    ["below its base URL", "https://a.example/v1", {}, "https://a.example/v1/classify"],
    ["at a path of its own", "https://a.example/v1", { classify: "/v2/c" }, "https://a.example/v1/v2/c"],
    ["at the root of its host", "http://a.example:8000/v1", { classify: "//c" }, "http://a.example:8000/c"],
    ["at the root of an IPv6 host", "http://[::1]:8000/a/v1", { classify: "//b/c" }, "http://[::1]:8000/b/c"],
    ["where others have paths", "https://a.example", { rerank: "//v2" }, "https://a.example/classify"],
  ])("is %s", (_, baseUrl, paths, expected) => {
    const upstream = makeUpstream({ baseUrl, paths })
    expect(urlOf(upstream, pathAt(upstream, classify))).toBe(expected)
  })

  it("is below the path of the operation that another is a part of, unless that has one too", () => {
    const count = { name: "messages.count_tokens", paths: ["/messages/count_tokens"] } as const
    expect(pathAt({ paths: { messages: "//anthropic/v1/messages" } }, count)).toBe(
      "//anthropic/v1/messages/count_tokens",
    )
    expect(pathAt({ paths: { messages: "//m", "messages.count_tokens": "/c" } }, count)).toBe("/c")
    expect(pathAt({ paths: { chat: "/x" } }, { name: "completions", paths: ["/completions"] })).toBe(
      "/completions",
    )
  })

  it("keeps the query behind either, as Azure wants its version", () => {
    const upstream = makeUpstream({ baseUrl: "https://a.example/openai/v1", query: "?api-version=preview" })
    expect(urlOf(upstream, "/classify")).toBe("https://a.example/openai/v1/classify?api-version=preview")
    expect(urlOf(upstream, "//classify")).toBe("https://a.example/classify?api-version=preview")
  })
})
