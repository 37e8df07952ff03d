import { describe, expect, it } from "vitest"
import { AttemptFailure, refusedBy } from "../../../src/upstream/policy/AttemptFailure.ts"
import { failing, nothing, type Sign, signsOf, well } from "../../../src/upstream/policy/Signs.ts"

describe("What a failure says of its upstream and of the model", () => {
  const refused = (status: number, retryAfterMs?: number, message = "") =>
    refusedBy(
      { status, headers: {}, retryAfterMs },
      new TextEncoder().encode(JSON.stringify({ error: { message } })),
    )
  const ofModel = (model: Sign) => ({ upstream: "nothing", model })
  const ofUpstream = (upstream: Sign) => ({ upstream, model: "nothing" })

  it("is nothing where the client's own key is refused, limited or out of credit", () => {
    for (const status of [401, 402, 403, 404, 429]) {
      expect(signsOf(refused(status), false)).toEqual(nothing)
      expect(signsOf(refused(status, 1_000, "model not found, out of credits"), false)).toEqual(nothing)
    }
  })

  it("reaches the whole upstream where its own key or account is refused", () => {
    expect(signsOf(refused(401), true)).toEqual(ofUpstream("credentials_rejected"))
    expect(signsOf(refused(403, undefined, "permission denied"), true)).toEqual(
      ofUpstream("credentials_rejected"),
    )
    expect(signsOf(refused(402), true)).toEqual(ofUpstream("out_of_credit"))
    expect(signsOf(refused(429, 1_000, "insufficient balance"), true)).toEqual(ofUpstream("out_of_credit"))
  })

  it("reaches the model alone where that is limited or missing", () => {
    expect(signsOf(refused(429, 1_000), true)).toEqual(ofModel({ limitedForMs: 1_000 }))
    expect(signsOf(refused(429), true)).toEqual(ofModel("failing"))
    expect(signsOf(refused(413, undefined, "tokens per minute"), true)).toEqual(ofModel("failing"))
    expect(signsOf(refused(404, undefined, "The model `m` does not exist"), true)).toEqual(
      ofModel("model_missing"),
    )
    // Perhaps it is the path: then it fails again.
    expect(signsOf(refused(404), true)).toEqual(ofModel("failing"))
  })

  it("is nothing where the prompt is to blame, or the upstream elsewhere or without what is asked", () => {
    const flagged = refused(403, undefined, "Your input was flagged.")
    for (const failure of [flagged, refused(403), refused(301), refused(501)]) {
      expect(signsOf(failure, true)).toEqual(nothing)
    }
    expect(signsOf(refused(400), true)).toEqual(well)
    expect(signsOf(AttemptFailure.TimedOut({ phase: "deadline", afterMs: 1 }), true)).toEqual(nothing)
    expect(signsOf(AttemptFailure.NoRoom({ lacks: "place", reason: "is busy" }), true)).toEqual(nothing)
  })

  it("is failing of the whole upstream where the provider is to blame", () => {
    expect(signsOf(refused(503), false)).toEqual(failing)
    expect(signsOf(refused(529), true)).toEqual(failing)
    expect(signsOf(AttemptFailure.ConnectFailed({ reason: "ECONNREFUSED" }), false)).toEqual(failing)
    expect(signsOf(AttemptFailure.TimedOut({ phase: "first_byte", afterMs: 1 }), true)).toEqual(failing)
  })
})
