import { describe, expect, it } from "vitest"
import { perTokenMs } from "../../../src/audit/record/TokenPace.ts"

describe("perTokenMs", () => {
  it.each<
    readonly [latency: number, ttft: number | undefined, tokens: number | undefined, number | undefined]
  >([
    [1000, 200, 9, 100],
    [1000, 200, 2, 800],
    // One token took no time behind the first.
    [1000, 200, 1, undefined],
    [1000, 200, 0, undefined],
    [1000, 200, undefined, undefined],
    // Not streamed.
    [1000, undefined, 9, undefined],
    // No clock goes backwards in here; a row of the audit may say anything.
    [100, 200, 9, 0],
  ])("%d ms, the first content after %d, of %d tokens: %d", (latency, ttft, tokens, expected) => {
    expect(perTokenMs(latency, ttft, tokens)).toBe(expected)
  })
})
