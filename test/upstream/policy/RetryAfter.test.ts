import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { retryAfterMs } from "../../../src/upstream/policy/RetryAfter.ts"

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
