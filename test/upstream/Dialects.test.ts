import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chat } from "../../src/operations/chat/Chat.ts"
import { embeddings } from "../../src/operations/embeddings/Embeddings.ts"
import { countTokens } from "../../src/operations/messages/CountTokens.ts"
import { responses } from "../../src/operations/responses/Responses.ts"
import { heededBrieflyForMs, heededForMs, KnownDialects } from "../../src/upstream/Dialects.ts"
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
    expect(known.isLack(assumed, responses, noSuchPath)).toBe(true)
    expect(known.isLack(assumed, embeddings, noSuchPath)).toBe(false)
    expect(known.isLack(configured, responses, noSuchPath)).toBe(false)
    expect(known.isLack(assumed, responses, refused(404, '{"error":{"message":"model: x"}}'))).toBe(false)
    expect(known.isLack(assumed, responses, refused(500, '{"detail":"Not Found"}'))).toBe(false)
    expect(known.isLack(assumed, responses, AttemptFailure.BrokenOff({ reason: "x" }))).toBe(false)
    // What an answer of a good status says is about the request, not the path.
    const inAnswer = { ...noSuchPath, inAnswer: "Not Found" }
    expect(known.isLack(assumed, responses, inAnswer)).toBe(false)
  })

  it("knows a dialect to be lacking for a while, of this upstream alone, and tells it once", () => {
    let now = 1_000
    const known = new KnownDialects(() => now)
    expect(known.lacks(assumed, "responses", noSuchPath)).toBe(true)
    expect(known.lacks(assumed, "responses", noSuchPath)).toBe(false)
    expect(known.spokenBy(assumed)).toEqual(["chat"])
    expect(known.spokenBy({ ...assumed })).toEqual(["chat", "responses"])
    expect(known.lackedBy(assumed)).toEqual([
      { dialect: "responses", status: 404, until: 1_000 + heededForMs },
    ])
    now += heededForMs
    expect(known.lackedBy(assumed)).toEqual([])
    expect(known.spokenBy(assumed)).toEqual(["chat", "responses"])
    expect(known.lacks(assumed, "responses", noSuchPath)).toBe(true)
  })

  it("law: forgets soon what a proxy may have said, and anything about chat", () => {
    const said = [
      { body: '{"detail":"Not Found"}', isOfApi: true },
      { body: '{"error":{"message":"Unknown request URL: POST /v1/x"}}', isOfApi: true },
      { body: "<html><title>404 Not Found</title></html>", isOfApi: false },
      { body: "404 page not found", isOfApi: false },
      { body: "default backend - 404", isOfApi: false },
      { body: "", isOfApi: false },
    ]
    const dialects = fc.constantFrom("chat" as const, "responses" as const)
    fc.assert(
      fc.property(fc.constantFrom(...said), dialects, fc.nat(2 * heededForMs), (one, dialect, later) => {
        let now = 0
        const known = new KnownDialects(() => now)
        known.lacks(assumed, dialect, refused(404, one.body))
        now = later
        const heededMs = one.isOfApi && dialect !== "chat" ? heededForMs : heededBrieflyForMs
        expect(known.spokenBy(assumed).includes(dialect)).toBe(later >= heededMs)
      }),
    )
  })

  it("takes no endpoint that may be lacking for a fault, whoever said that its dialect is spoken", () => {
    const known = new KnownDialects(() => 0)
    expect(known.isLack(configured, countTokens, noSuchPath)).toBe(true)
    expect(known.isLack(configured, countTokens, refused(405, ""))).toBe(true)
    expect(known.isLack(configured, countTokens, refused(404, '{"error":{"message":"model: x"}}'))).toBe(
      false,
    )
    expect(known.isLack(configured, countTokens, refused(500, ""))).toBe(false)
  })

  it("believes no lesson of a dialect that was spoken, and forgets one that was wrong", () => {
    const known = new KnownDialects(() => 0)
    known.lacks(assumed, "responses", noSuchPath)
    known.heard(assumed, "responses")
    expect(known.spokenBy(assumed)).toEqual(["chat", "responses"])
    expect(known.isLack(assumed, responses, noSuchPath)).toBe(false)
    expect(known.isLack(assumed, chat, noSuchPath)).toBe(true)
  })
})
