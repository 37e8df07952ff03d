import { describe, expect, it } from "vitest"
import { heededForMs, KnownDialects } from "../../src/upstream/Dialects.ts"
import { AttemptFailure, refusedBy } from "../../src/upstream/policy/AttemptFailure.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const refused = (status: number, body: string) =>
  refusedBy({ status, headers: {}, retryAfterMs: undefined }, new TextEncoder().encode(body))

const noSuchPath = refused(404, '{"detail":"Not Found"}')
const assumed = makeUpstream({ dialects: ["chat", "responses"], dialectsAssumed: true })
const configured = makeUpstream({ dialects: ["chat", "responses"], dialectsAssumed: false })

describe("KnownDialects", () => {
  it("takes a refusal for the want of a dialect where nobody said that it is spoken", () => {
    const known = new KnownDialects(() => 0)
    expect(known.isLack(assumed, "responses", noSuchPath)).toBe(true)
    expect(known.isLack(assumed, undefined, noSuchPath)).toBe(false)
    expect(known.isLack(configured, "responses", noSuchPath)).toBe(false)
    expect(known.isLack(assumed, "responses", refused(404, '{"error":{"message":"model: x"}}'))).toBe(false)
    expect(known.isLack(assumed, "responses", refused(500, '{"detail":"Not Found"}'))).toBe(false)
    expect(known.isLack(assumed, "responses", AttemptFailure.BrokenOff({ reason: "x" }))).toBe(false)
    // What an answer of a good status says is about the request, not the path.
    const inAnswer = { ...noSuchPath, inAnswer: "Not Found" }
    expect(known.isLack(assumed, "responses", inAnswer)).toBe(false)
  })

  it("knows a dialect to be lacking for a while, of this upstream alone, and tells it once", () => {
    let now = 1_000
    const known = new KnownDialects(() => now)
    expect(known.lacks(assumed, "responses")).toBe(true)
    expect(known.lacks(assumed, "responses")).toBe(false)
    expect(known.spokenBy(assumed)).toEqual(["chat"])
    expect(known.spokenBy({ ...assumed })).toEqual(["chat", "responses"])
    now += heededForMs
    expect(known.spokenBy(assumed)).toEqual(["chat", "responses"])
    expect(known.lacks(assumed, "responses")).toBe(true)
  })

  it("believes no lesson of a dialect that was spoken, and forgets one that was wrong", () => {
    const known = new KnownDialects(() => 0)
    known.lacks(assumed, "responses")
    known.heard(assumed, "responses")
    expect(known.spokenBy(assumed)).toEqual(["chat", "responses"])
    expect(known.isLack(assumed, "responses", noSuchPath)).toBe(false)
    expect(known.isLack(assumed, "chat", noSuchPath)).toBe(true)
  })
})
