import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  AttemptFailure,
  delayBeforeRound,
  errorOf,
  type Failed,
  isAnswer,
  isTransient,
  isWorthAnotherRound,
  reasonOf,
  retryAfterMs,
} from "../../src/domain/AttemptPolicy.ts"
import type { RetryPolicy } from "../../src/domain/Snapshot.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const policy: RetryPolicy = {
  rounds: 2,
  baseDelayMs: 200,
  maxDelayMs: 5000,
  retryOn: (status) => [401, 403, 404, 408, 425, 429].includes(status) || status >= 500,
}

const refused = (status: number, retryAfter?: number, body = "{}") =>
  AttemptFailure.Refused({
    status,
    headers: {},
    body: new TextEncoder().encode(body),
    retryAfterMs: retryAfter,
  })

const timedOut = AttemptFailure.TimedOut({ phase: "first_byte", afterMs: 60_000 })
const unreachable = AttemptFailure.ConnectFailed({ reason: "ECONNREFUSED" })

const noPlace = AttemptFailure.NoRoom({ lacks: "place", reason: "is busy" })
const noMemory = AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left for its answer" })

const failed = (name: string, failure: AttemptFailure, apiKey?: string): Failed => ({
  target: {
    upstream: makeUpstream({ name, apiKey: apiKey === undefined ? undefined : Redacted.make(apiKey) }),
    upstreamModel: "m",
  },
  failure,
})

const failureArb: fc.Arbitrary<AttemptFailure> = fc.oneof(
  fc.constant(timedOut),
  fc.constant(unreachable),
  fc.constant(AttemptFailure.BrokenOff({ reason: "ECONNRESET" })),
  fc.constant(noPlace),
  fc
    .tuple(
      fc.integer({ min: 300, max: 599 }),
      fc.option(fc.integer({ min: -5, max: 100_000 }), { nil: undefined }),
    )
    .map(([status, after]) => refused(status, after)),
)

describe("isAnswer", () => {
  it("takes every success and every refusal that is not worth another target", () => {
    expect([200, 201, 400, 409, 422].map((status) => isAnswer(status, policy))).toEqual(Array(5).fill(true))
    expect([401, 404, 429, 500, 503].map((status) => isAnswer(status, policy))).toEqual(Array(5).fill(false))
  })

  it("never takes a redirect or an informational status, which are not answers to a completion", () => {
    expect([101, 301, 302, 307, 308].map((status) => isAnswer(status, policy))).toEqual(Array(5).fill(false))
  })
})

describe("isTransient", () => {
  it("tells what waiting may mend from what it cannot", () => {
    expect([timedOut, unreachable, refused(429), refused(503), refused(408)].every(isTransient)).toBe(true)
    expect([refused(401), refused(403), refused(404), refused(302)].some(isTransient)).toBe(false)
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

describe("retryAfterMs", () => {
  const now = Date.UTC(2026, 10, 22, 12, 0, 0)

  it("reads seconds, milliseconds and dates", () => {
    expect(retryAfterMs({ "retry-after": "2" }, now)).toBe(2000)
    expect(retryAfterMs({ "retry-after": "0.5" }, now)).toBe(500)
    expect(retryAfterMs({ "retry-after-ms": "125", "retry-after": "9" }, now)).toBe(125)
    expect(retryAfterMs({ "retry-after": "Sun, 22 Nov 2026 12:00:07 GMT" }, now)).toBe(7000)
    expect(retryAfterMs({ "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" }, now)).toBe(0)
  })

  it("law: gives milliseconds of at least 0 or nothing, whatever an upstream sends", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (after, afterMs) => {
        const read = retryAfterMs({ "retry-after": after, "retry-after-ms": afterMs }, now)
        expect(read === undefined || read >= 0).toBe(true)
      }),
    )
  })
})

describe("errorOf", () => {
  it("gives the last upstream's answer, whoever failed before", () => {
    const error = errorOf([
      failed("a", unreachable),
      failed("b", refused(429, undefined, '{"error":{"message":"slow"}}')),
    ])
    expect(error).toMatchObject({ _tag: "UpstreamRefused", upstream: "b", status: 429 })
  })

  it("says that the gateway's own key was refused, and lets a passed-through key's 401 be the client's", () => {
    expect(errorOf([failed("a", refused(401), "sk-own")])._tag).toBe("UpstreamCredentialsRejected")
    expect(errorOf([failed("a", refused(403), "sk-own")])._tag).toBe("UpstreamCredentialsRejected")
    expect(errorOf([failed("a", refused(401))])).toMatchObject({ _tag: "UpstreamRefused", status: 401 })
  })

  it("calls it a timeout only when every attempt timed out", () => {
    expect(errorOf([failed("a", timedOut), failed("b", timedOut)])._tag).toBe("UpstreamTimeout")
    expect(errorOf([failed("a", unreachable), failed("b", timedOut)])._tag).toBe("UpstreamUnreachable")
  })

  it("says that there is no room only where there is none anywhere, and what lacked last", () => {
    expect(errorOf([failed("a", unreachable), failed("b", noPlace)])._tag).toBe("UpstreamUnreachable")
    expect(errorOf([failed("a", timedOut), failed("b", noPlace)])._tag).toBe("UpstreamTimeout")
    expect(errorOf([failed("a", refused(401), "sk-own"), failed("b", noPlace)])._tag).toBe(
      "UpstreamCredentialsRejected",
    )
    expect(errorOf([failed("a", noMemory), failed("b", noPlace)])).toMatchObject({
      _tag: "Overloaded",
      reason: "upstreams",
    })
    expect(errorOf([failed("a", noPlace), failed("b", noMemory)])).toMatchObject({
      _tag: "Overloaded",
      reason: "memory",
    })
  })

  it("names each upstream once, with how it failed last", () => {
    expect(
      errorOf([failed("a", unreachable), failed("b", unreachable), failed("a", timedOut)]),
    ).toMatchObject({
      failures: [
        { upstream: "a", reason: "timed out (first_byte after 60000 ms)" },
        { upstream: "b", reason: "could not connect (ECONNREFUSED)" },
      ],
    })
  })

  it("passes on what an upstream says about rates, and nothing that is about its own connection or its cookies", () => {
    const failure = AttemptFailure.Refused({
      status: 429,
      headers: {
        "retry-after": "3",
        "x-ratelimit-limit": "9",
        "set-cookie": "a=b",
        "transfer-encoding": "chunked",
      },
      body: new Uint8Array(),
      retryAfterMs: 3000,
    })
    expect(errorOf([failed("a", failure)])).toMatchObject({
      headers: { "retry-after": "3", "x-ratelimit-limit": "9" },
    })
    expect(JSON.stringify(errorOf([failed("a", failure)]))).not.toMatch(/cookie|chunked/)
  })

  it("never answers a client with a redirect", () => {
    expect(errorOf([failed("a", refused(307))])).toMatchObject({ status: 502 })
  })

  it("law: every failure has a reason in words and a declared error", () => {
    fc.assert(
      fc.property(fc.array(failureArb, { minLength: 1 }), (failures) => {
        for (const failure of failures) expect(reasonOf(failure)).not.toBe("")
        expect(errorOf(failures.map((failure) => failed("a", failure)))._tag).toMatch(
          /^(Upstream|Overloaded)/,
        )
      }),
    )
  })
})
