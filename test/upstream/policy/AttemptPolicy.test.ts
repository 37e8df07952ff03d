import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Secrets } from "../../../src/secrets/Secrets.ts"
import type { RetryPolicy } from "../../../src/upstream/policy/AttemptPolicy.ts"
import {
  AttemptFailure,
  delayBeforeRound,
  errorOf,
  type Failed,
  isAnswer,
  isTransient,
  isWorthAnotherRound,
  reasonOf,
  refusedBy,
  retryAfterMs,
  toldFailure,
} from "../../../src/upstream/policy/AttemptPolicy.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const policy: RetryPolicy = {
  rounds: 2,
  baseDelayMs: 200,
  maxDelayMs: 5000,
  retryOn: (status) => [401, 403, 404, 408, 425, 429].includes(status) || status >= 500,
}

const refused = (
  status: number,
  retryAfter?: number,
  body = "{}",
  headers: Readonly<Record<string, string>> = {},
) => refusedBy({ status, headers, retryAfterMs: retryAfter }, new TextEncoder().encode(body))

const saying = (status: number, message: string) =>
  refused(status, undefined, JSON.stringify({ error: { message } }))

const timedOut = AttemptFailure.TimedOut({ phase: "first_byte", afterMs: 60_000 })
const unreachable = AttemptFailure.ConnectFailed({ reason: "ECONNREFUSED" })

const noPlace = AttemptFailure.NoRoom({ lacks: "place", reason: "is busy" })
const noMemory = AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left for its answer" })

const failed = (name: string, failure: AttemptFailure, apiKey?: string): Failed => ({
  target: {
    upstream: makeUpstream({ name, apiKey: apiKey === undefined ? undefined : Redacted.make(apiKey) }),
    upstreamModel: "m",
  },
  failure: toldFailure(failure, new Secrets(apiKey === undefined ? [] : [apiKey])),
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

describe("isTransient", () => {
  it("tells what waiting may mend from what it cannot", () => {
    expect([timedOut, unreachable, refused(429), refused(503), refused(408)].every(isTransient)).toBe(true)
    expect([refused(401), refused(402), refused(403), refused(404), refused(302)].some(isTransient)).toBe(
      false,
    )
    expect(isTransient(saying(429, "insufficient balance"))).toBe(false)
    expect(isTransient(saying(413, "tokens per minute (TPM): Limit 1, Requested 2"))).toBe(false)
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
    const ownKey = { _tag: "UpstreamCredentialsRejected", reason: "credentials" }
    expect(errorOf([failed("a", refused(401), "sk-own")])).toMatchObject({ ...ownKey, status: 401 })
    expect(errorOf([failed("a", saying(403, "permission denied"), "sk-own")])).toMatchObject(ownKey)
    expect(errorOf([failed("a", refused(401))])).toMatchObject({
      _tag: "UpstreamRefused",
      status: 401,
      isClientsFault: true,
    })
  })

  it("does not let the client pay where the gateway's own account is empty", () => {
    for (const failure of [
      refused(402),
      saying(429, "insufficient balance"),
      saying(403, "out of credits"),
    ]) {
      expect(errorOf([failed("a", failure, "sk-own")])).toMatchObject({
        _tag: "UpstreamCredentialsRejected",
        reason: "billing",
      })
      expect(errorOf([failed("a", failure)])._tag).toBe("UpstreamRefused")
    }
  })

  it("tells a 403 that speaks of no key as it is", () => {
    for (const failure of [saying(403, "Your input was flagged."), refused(403), refused(403, 0, "<html>")]) {
      expect(errorOf([failed("a", failure, "sk-own")])).toMatchObject({
        _tag: "UpstreamRefused",
        status: 403,
        isClientsFault: true,
      })
    }
  })

  it("repeats no key that an upstream repeats, and is byte for byte otherwise", () => {
    const body = '{"error":{"message":"busy: sk-configured \u00e9","type":"t","param":null,"code":null}}'
    const told = (apiKey: string) => {
      const error = errorOf([failed("a", refused(503, undefined, body), apiKey)])
      return error._tag === "UpstreamRefused" ? new TextDecoder().decode(error.body) : undefined
    }
    expect(told("sk-configured")).toBe(body.replace("sk-configured", "[redacted]"))
    expect(told("sk-of-another")).toBe(body)
    expect(told("busy")).toBe(body)
  })

  it("tells why all failed, whoever failed last", () => {
    const error = errorOf([
      failed("a", unreachable),
      failed("b", refused(401), "k"),
      failed("c", refused(503)),
    ])
    expect(error).toMatchObject({
      _tag: "UpstreamRefused",
      failures: [
        { upstream: "a", reason: "could not connect (ECONNREFUSED)" },
        { upstream: "b", reason: "answered 401 (it refuses the key)" },
        { upstream: "c", reason: "answered 503" },
      ],
    })
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
    const failure = refused(429, 3000, "", {
      "retry-after": "3",
      "x-ratelimit-limit": "9",
      "set-cookie": "a=b",
      "transfer-encoding": "chunked",
    })
    expect(errorOf([failed("a", failure)])).toMatchObject({
      headers: { "retry-after": "3", "x-ratelimit-limit": "9" },
    })
    expect(JSON.stringify(errorOf([failed("a", failure)]))).not.toMatch(/cookie|chunked/)
  })

  it("never answers a client with a redirect", () => {
    const location = "https://user:pw@api.example/v1/chat/completions?key=secret"
    expect(errorOf([failed("a", refused(307, undefined, "", { location }))])).toMatchObject({
      status: 502,
      isClientsFault: false,
      said: { kind: "redirect", answered: 307, location: "https://api.example/v1/chat/completions" },
    })
  })

  it("law: every failure has a reason in words and a declared error", () => {
    fc.assert(
      fc.property(fc.array(failureArb, { minLength: 1 }), (failures) => {
        for (const failure of failures) expect(reasonOf(toldFailure(failure))).not.toBe("")
        expect(errorOf(failures.map((failure) => failed("a", failure)))._tag).toMatch(
          /^(Upstream|Overloaded)/,
        )
      }),
    )
  })
})
