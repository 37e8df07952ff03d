import { describe, expect, it } from "@effect/vitest"
import { pathLabel, sampledTrace, statusLabel } from "../../../src/telemetry/metrics/RequestLabels.ts"

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
})
