import { describe, expect, it } from "@effect/vitest"
import type { AttemptRecord } from "../../../src/audit/record/AuditRecord.ts"
import { attemptResult, isFallback } from "../../../src/telemetry/metrics/AttemptResult.ts"
import { pathLabel, sampledTrace, statusLabel } from "../../../src/telemetry/metrics/RequestLabels.ts"

const attempt = (about: Partial<AttemptRecord>): AttemptRecord => ({
  upstream: "a",
  upstreamModel: "m",
  status: undefined,
  cause: undefined,
  ms: 1,
  ...about,
})

describe("The labels of a request", () => {
  it("a status is told as it is where it is a known one, else by its class", () => {
    expect([200, 429, 529, 299, 477, 599].map(statusLabel)).toEqual([
      "200",
      "429",
      "529",
      "2xx",
      "4xx",
      "5xx",
    ])
  })

  it("a trace is that of the caller where it is kept there", () => {
    const trace = "0af7651916cd43dd8448eb211c80319c"
    expect(sampledTrace(`00-${trace}-b7ad6b7169203331-01`)).toBe(trace)
    expect(sampledTrace(`01-${trace}-b7ad6b7169203331-03-more`)).toBe(trace)
    for (const wrong of [
      undefined,
      "",
      `00-${trace}-b7ad6b7169203331-00`,
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      `00-${trace.toUpperCase()}-b7ad6b7169203331-01`,
      `00-${trace}"} 1-b7ad6b7169203331-01`,
    ]) {
      expect(sampledTrace(wrong)).toBeUndefined()
    }
  })

  it("an endpoint has the path that GPT_API had", () => {
    expect(["chat.completions", "audio.speech", "score"].map(pathLabel)).toEqual([
      "/v1/chat/completions",
      "/v1/audio/speech",
      "/score",
    ])
  })

  it("an attempt is told by what came of it", () => {
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

  it("a fallback is another client in place of one that failed, and neither beside it nor after it broke off", () => {
    const first = attempt({ status: 500 })
    expect(isFallback(first, undefined)).toBe(false)
    expect(isFallback(attempt({}), first)).toBe(false)
    expect(isFallback(attempt({ upstream: "b" }), first)).toBe(true)
    expect(isFallback(attempt({ upstream: "b", hedged: true }), first)).toBe(false)
    expect(isFallback(attempt({ upstream: "b", resumed: true }), first)).toBe(false)
  })
})
