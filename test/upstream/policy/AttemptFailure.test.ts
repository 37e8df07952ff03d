import { describe, expect, it } from "vitest"
import { isTransient } from "../../../src/upstream/policy/AttemptFailure.ts"
import { refused, saying, timedOut, unreachable } from "../../support/failures.ts"

describe("isTransient", () => {
  it("tells what waiting may mend from what it cannot", () => {
    expect([timedOut, unreachable, refused(429), refused(503), refused(408)].every(isTransient)).toBe(true)
    expect([401, 402, 403, 404, 302, 501].map((status) => refused(status)).some(isTransient)).toBe(false)
    expect(isTransient(saying(429, "insufficient balance"))).toBe(false)
    expect(isTransient(saying(413, "tokens per minute (TPM): Limit 1, Requested 2"))).toBe(false)
  })
})
