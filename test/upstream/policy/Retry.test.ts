/** Who is asked after a failed attempt, and when. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isTransient } from "../../../src/upstream/policy/AttemptFailure.ts"
import {
  delayBeforeRound,
  isAnswer,
  isWorthAnotherRound,
  type RetryPolicy,
} from "../../../src/upstream/policy/Retry.ts"
import { failureArb, noPlace, refused, saying, unreachable } from "../../support/failures.ts"

const policy: RetryPolicy = {
  rounds: 2,
  baseDelayMs: 200,
  maxDelayMs: 5000,
  retryOn: (status) => [401, 403, 404, 408, 425, 429].includes(status) || status >= 500,
}

describe("isAnswer", () => {
  const areAnswers = (...refusals: ReadonlyArray<ReturnType<typeof refused>>) =>
    refusals.map((one) => isAnswer(one, policy))

  it("takes every refusal that is not worth another target", () => {
    expect(areAnswers(...[400, 409, 413, 422].map((status) => refused(status)))).toEqual(Array(4).fill(true))
    expect(areAnswers(...[401, 404, 429, 500, 503].map((status) => refused(status)))).toEqual(
      Array(5).fill(false),
    )
  })

  it("never takes a redirect or a status beyond 599, which are not answers to a completion", () => {
    expect(areAnswers(...[301, 302, 307, 308, 600, 999].map((status) => refused(status)))).toEqual(
      Array(6).fill(false),
    )
  })

  it("takes for what others say with another status what is meant", () => {
    const tooFast = "Request too large on tokens per minute (TPM): Limit 6000, Requested 9000"
    expect(areAnswers(saying(413, tooFast), saying(498, tooFast))).toEqual([false, false])
    expect(areAnswers(saying(400, "API key not valid. Please pass a valid API key."))).toEqual([false])
    expect(areAnswers(saying(400, "Model Not Exist"), refused(402))).toEqual([false, false])
    expect(areAnswers(saying(413, "the body is over 4 MB"), saying(400, "max_tokens is wrong"))).toEqual([
      true,
      true,
    ])
  })

  it("takes a flagged prompt for the client's answer, unless even a 400 is worth another target", () => {
    const flagged = saying(403, "Your input was flagged.")
    expect(isAnswer(flagged, policy)).toBe(true)
    expect(isAnswer(flagged, { ...policy, retryOn: (status) => status === 400 })).toBe(false)
    // A firewall may as well mean where the gateway is.
    expect(isAnswer(refused(403, undefined, "<html>"), policy)).toBe(false)
  })
})

describe("isWorthAnotherRound", () => {
  it("law: is whatever waiting may mend, and what found no room, which alone is worth no wait", () => {
    fc.assert(
      fc.property(failureArb, (failure) => {
        expect(isWorthAnotherRound(failure)).toBe(isTransient(failure) || failure._tag === "NoRoom")
      }),
    )
    expect(isTransient(noPlace)).toBe(false)
  })
})

describe("delayBeforeRound", () => {
  it("is full jitter below an exponentially growing bound", () => {
    expect(delayBeforeRound(2, [unreachable], policy, 0.5)).toBe(100)
    expect(delayBeforeRound(3, [unreachable], policy, 0.5)).toBe(200)
    expect(delayBeforeRound(4, [unreachable], policy, 0.5)).toBe(400)
    expect(delayBeforeRound(2, [unreachable], policy, 0)).toBe(0)
  })

  it("honours Retry-After up to the longest delay", () => {
    expect(delayBeforeRound(2, [refused(429, 1500)], policy, 0.5)).toBe(1500)
    expect(delayBeforeRound(2, [refused(429, 60_000)], policy, 0.5)).toBe(5000)
  })

  it("waits for the target that may be well soonest", () => {
    expect(delayBeforeRound(2, [refused(429, 4000), refused(429, 300)], policy, 0.5)).toBe(300)
    expect(delayBeforeRound(2, [refused(429, 4000), unreachable], policy, 0.5)).toBe(100)
  })

  it("law: is never negative and never beyond the longest delay, whatever failed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 2000 }),
        fc.array(failureArb, { minLength: 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (round, failures, draw) => {
          const delay = delayBeforeRound(round, failures, policy, draw)
          expect(delay).toBeGreaterThanOrEqual(0)
          expect(delay).toBeLessThanOrEqual(policy.maxDelayMs)
        },
      ),
    )
  })
})
