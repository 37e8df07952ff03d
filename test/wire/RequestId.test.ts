/** Which ids of others are repeated. */
import { describe, expect, it } from "vitest"
import { sanitizeRequestId } from "../../src/wire/RequestId.ts"

describe("sanitizeRequestId", () => {
  it("keeps a sane id and no other", () => {
    for (const id of ["a", "req_1.b:c-D", "0b5c7d7e-6f0a-4b55-9d68-2f1b6c7f8a90", "x".repeat(128)]) {
      expect(sanitizeRequestId(id)).toBe(id)
    }
    for (const id of [undefined, "", "x".repeat(129), "a b", "a\n", "a\r\nb: c", "é", "<script>", "a,b"]) {
      expect(sanitizeRequestId(id)).toBeUndefined()
    }
  })
})
