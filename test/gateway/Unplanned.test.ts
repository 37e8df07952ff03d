import { describe, expect, it } from "vitest"
import { lacked, unplanned } from "../../src/gateway/Unplanned.ts"
import { allOperations } from "../../src/operations/Operations.ts"
import { makeRoutingTable } from "../../src/routing/Route.ts"
import type { Upstream } from "../../src/routing/Upstream.ts"
import type { KnownDialects } from "../../src/upstream/Dialects.ts"
import { refusedBy, toldFailure } from "../../src/upstream/policy/AttemptFailure.ts"
import { exactly, makeUpstream } from "../support/arbitraries.ts"

const nothing: Pick<KnownDialects, "lackedBy" | "spokenBy"> = {
  spokenBy: ({ dialects }) => dialects,
  lackedBy: () => [],
}

/** Of what is a conversation itself. */
const stream = allOperations.find(({ name }) => name === "responses")?.stream

const errorOf = (
  upstreams: ReadonlyArray<Upstream>,
  dialect: "chat" | "responses" | undefined,
  known = nothing,
) => unplanned(makeRoutingTable(upstreams), { dialect, name: "responses", stream }, "claude", known).declared

const notFound = toldFailure(
  refusedBy(
    { status: 405, headers: {}, retryAfterMs: undefined },
    new TextEncoder().encode('{"detail":"Method Not Allowed"}'),
  ),
)

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
      "`chat`. No client of it speaks any dialect of conversations: jina. If one of them does speak `chat`, name",
    )
    const many = Array.from({ length: 20 }, (_, at) => ({ ...none, name: `jina-${at}` }))
    expect(errorOf(many, "chat").message).toContain("jina-6, jina-7 and 12 more.")
  })

  it("says by which answer a client was found not to speak what its preset, or nearly every server, does", () => {
    const known = {
      spokenBy: () => ["chat" as const],
      lackedBy: () => [{ dialect: "responses" as const, status: 404, until: 0 }],
    }
    expect(errorOf([both], "responses", known).message).toContain(
      "speak others: router (chat; it answered 404 at /v1/responses). Ask",
    )
    expect(errorOf([both], "responses", known).message).toMatch(/Or the `base_url` is wrong/)
    expect(errorOf([both], "responses").message).not.toContain("base_url")
  })

  it("sends who counts or shortens a conversation to no other dialect, where that cannot be asked for", () => {
    const { message } = unplanned(
      makeRoutingTable([both]),
      { dialect: "responses", name: "responses.compact", stream: undefined },
      "claude",
      nothing,
    ).declared
    expect(message).toContain("router (chat, messages). If one of them does speak `responses`")
    expect(message).toContain("`paths: { responses.compact: //… }`")
  })
})

describe("lacked", () => {
  const routes = makeRoutingTable([makeUpstream({ name: "a", match: exactly("claude") })])
  const target = { upstream: makeUpstream({ name: "a" }), upstreamModel: "claude" }
  const failed = [{ target, failure: notFound }]

  it("is a 404 of an endpoint that clients need not have, whatever each answered", () => {
    const asked = {
      name: "messages.count_tokens",
      dialect: "messages",
      mayLack: true,
      paths: ["/messages/count_tokens"],
      stream: undefined,
    } as const
    expect(lacked(routes, asked, "claude", nothing, failed).declared).toMatchObject({
      status: 404,
      code: "endpoint_not_served",
      message: "No client of the model `claude` has /v1/messages/count_tokens (a answered 405).",
    })
  })

  it("is of the dialect, but for chat, where the client's own words tell more of a wrong base_url", () => {
    const asked = (dialect: "chat" | "responses") =>
      lacked(routes, { name: "responses", dialect, paths: ["/x"], stream }, "claude", nothing, failed)
    expect(asked("responses")._tag).toBe("DialectNotSpoken")
    expect(asked("chat")._tag).toBe("UpstreamRefused")
  })
})
