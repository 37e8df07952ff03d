import { describe, expect, it } from "vitest"
import { unplanned } from "../../src/gateway/Unplanned.ts"
import { makeRoutingTable } from "../../src/routing/Route.ts"
import type { Upstream } from "../../src/routing/Upstream.ts"
import { exactly, makeUpstream } from "../support/arbitraries.ts"

const errorOf = (upstreams: ReadonlyArray<Upstream>, dialect: "chat" | "responses" | undefined) =>
  unplanned(makeRoutingTable(upstreams), { dialect }, "claude", ({ dialects }) => dialects).declared

describe("unplanned", () => {
  const claude = makeUpstream({ name: "anthropic", match: exactly("claude"), dialects: ["messages"] })
  const both = makeUpstream({ name: "router", match: exactly("claude"), dialects: ["chat", "messages"] })

  it("says that nobody serves the model", () => {
    expect(errorOf([makeUpstream()], "responses").code).toBe("model_not_found")
    expect(errorOf([], undefined).code).toBe("model_not_found")
  })

  it("names the model, the dialect, who speaks what instead, and where to ask", () => {
    const error = errorOf([claude, both, makeUpstream()], "responses")
    expect(error).toMatchObject({ status: 404, code: "dialect_not_spoken", param: "model" })
    expect(error.message).toBe(
      "The model `claude` is not served in the dialect `responses`. Its clients speak others: anthropic (messages), router (chat, messages). Ask for it at /v1/chat/completions or /v1/messages; or, if one of them does speak `responses`, name that among its `dialects` in the configuration.",
    )
  })

  it("says so of clients that speak none, and of only so many clients", () => {
    const none = makeUpstream({ name: "jina", match: exactly("claude"), dialects: [] })
    expect(errorOf([none], "chat").message).toContain(
      "speak others: jina (none). If one of them does speak `chat`, name",
    )
    const many = Array.from({ length: 20 }, (_, at) => ({ ...none, name: `jina-${at}` }))
    expect(errorOf(many, "chat").message).toContain("jina-7 (none) and 12 more.")
  })
})
