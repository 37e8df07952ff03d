import { describe, expect, it } from "@effect/vitest"
import { keptTrace, pathLabel, statusLabel } from "../../../src/telemetry/metrics/RequestLabels.ts"
import { sampleTrace } from "../../support/AuditRecords.ts"

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

  it("a trace is the request's own where traces are on, else the caller's, and only where it is kept", () => {
    const callers = "0af7651916cd43dd8448eb211c80319c"
    const headers = { traceparent: `00-${callers}-b7ad6b7169203331-01` }
    expect(keptTrace({ headers })).toBe(callers)
    expect(keptTrace({ headers: { traceparent: `00-${callers}-b7ad6b7169203331-00` } })).toBeUndefined()
    expect(keptTrace({ headers: {} })).toBeUndefined()
    expect(keptTrace({ headers, trace: sampleTrace })).toBe(sampleTrace.traceId)
    expect(keptTrace({ headers, trace: { ...sampleTrace, isSampled: false } })).toBeUndefined()
  })

  it("an endpoint has the path that GPT_API had", () => {
    expect(["chat.completions", "audio.speech", "score"].map(pathLabel)).toEqual([
      "/v1/chat/completions",
      "/v1/audio/speech",
      "/score",
    ])
  })
})
