/** Which conversation a client says that its request belongs to. */
import { describe, expect, it } from "vitest"
import { sessionOf } from "../../src/operations/Session.ts"

describe("A client's session", () => {
  it("is of the first header that names one, and bounded", () => {
    expect(sessionOf({})).toBeUndefined()
    expect(sessionOf({ "x-session-id": " ", "thread-id": "t" })).toBe("t")
    expect(sessionOf({ "session-id": "s", "x-session-affinity": "a" })).toBe("a")
    expect(sessionOf({ "x-claude-code-session-id": "c" })).toBe("c")
    expect(sessionOf({ "session-id": ["one", "two"] })).toBe("one")
    expect(sessionOf({ "x-session-id": "x".repeat(8_000) })).toHaveLength(256)
  })
})
