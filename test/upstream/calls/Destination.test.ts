/** Where the calls of an upstream go, with what of a client's query. */
import { describe, expect, it } from "vitest"
import { destinationOf, withQuery } from "../../../src/upstream/calls/Destination.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

describe("The query of a client", () => {
  it.each([
    ["/v1/messages", undefined, "/v1/messages"],
    ["/v1/messages", "", "/v1/messages"],
    ["/v1/messages", "beta=true", "/v1/messages?beta=true"],
    ["/v1/messages?api-version=1", "beta=true&x", "/v1/messages?api-version=1&beta=true&x"],
    ["/v1/messages?api-version=1", "api-version=2", "/v1/messages?api-version=1"],
    ["/v1/messages?a=1&b", "b=2&a=3&c=4", "/v1/messages?a=1&b&c=4"],
  ])("behind %s is %s: %s", (path, query, whole) => {
    expect(withQuery(path, query)).toBe(whole)
  })
})

describe("Where calls go", () => {
  it("is remembered of a path that is asked all the time, however many others clients choose", () => {
    const upstream = makeUpstream()
    for (let at = 0; at < 1_000; at++) destinationOf(upstream, `/responses/${at}`)
    const first = destinationOf(upstream, "/chat/completions")
    expect(destinationOf(upstream, "/chat/completions")).toBe(first)
  })
})
