import { describe, expect, it } from "@effect/vitest"
import { attemptResult, fallbacksIn } from "../../../src/audit/record/AttemptResult.ts"
import type { AttemptRecord } from "../../../src/audit/record/AuditRecord.ts"

const attempt = (about: Partial<AttemptRecord>): AttemptRecord => ({
  upstream: "a",
  upstreamModel: "m",
  status: undefined,
  cause: undefined,
  ms: 1,
  ...about,
})

describe("What came of attempts", () => {
  it("is told of each in a word", () => {
    const results: ReadonlyArray<readonly [Partial<AttemptRecord>, string]> = [
      [{ status: 200 }, "ok"],
      [{ status: 302 }, "3xx"],
      [{ status: 400 }, "4xx"],
      [{ status: 400, cause: "refused stop; asked again without" }, "4xx"],
      [{ status: 429 }, "429"],
      [{ status: 503 }, "5xx"],
      [{ cause: "could not connect (ECONNREFUSED)", failure: "connect" }, "connect"],
      [{ status: 200, cause: "broke off (reset)", failure: "cut" }, "cut"],
      [{ status: 200, cause: "cancelled, another upstream answered first" }, "cancelled"],
      [{ cause: "the caller left" }, "cancelled"],
    ]
    for (const [about, result] of results) expect(attemptResult(attempt(about))).toBe(result)
  })

  it("a fallback is another client in place of one that failed: none beside it, and none after it broke off", () => {
    const failed = attempt({ status: 500 })
    const other = attempt({ upstream: "b", status: 200 })
    const hedge = attempt({
      upstream: "b",
      cause: "cancelled, another upstream answered first",
      hedged: true,
    })
    const won = attempt({ status: 200 })
    const third = attempt({ upstream: "c", status: 200 })
    const ways: ReadonlyArray<readonly [ReadonlyArray<AttemptRecord>, number]> = [
      [[], 0],
      [[won], 0],
      [[failed, won], 0],
      [[failed, other], 1],
      [[failed, failed, other, third], 2],
      [[failed, attempt({ upstream: "b", status: 200, resumed: true })], 0],
      // The first of two wins: the one beside it is over before.
      [[hedge, won], 0],
      [[attempt({ cause: "cancelled" }), attempt({ upstream: "b", status: 200, hedged: true })], 0],
      // Both fail, in either order, and another is asked, or the first once more.
      [[hedge, failed, third], 1],
      [[failed, hedge, third], 1],
      [[failed, hedge, won], 0],
    ]
    for (const [attempts, fallbacks] of ways) {
      expect(fallbacksIn({ attempts, upstream: "a" })).toBe(fallbacks)
    }
  })

  it("nobody is gone on to where all are asked at once, as for lists of models", () => {
    const attempts = [attempt({ status: 200 }), attempt({ upstream: "b", status: 500 })]
    expect(fallbacksIn({ attempts, upstream: undefined })).toBe(0)
  })
})
