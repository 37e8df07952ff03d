/** Where the calls of an upstream go, with what of a client's query. */
import { describe, expect, it } from "vitest"
import { withQuery } from "../../../src/upstream/calls/Destination.ts"

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
