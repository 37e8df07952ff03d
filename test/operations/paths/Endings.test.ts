/** The base URL that leads to an address. */
import { describe, expect, it } from "vitest"
import { baseUrlOf } from "../../../src/operations/paths/Endings.ts"

describe("an address of an API", () => {
  it("gives the base URL that leads to an endpoint, and none for a page", () => {
    expect(baseUrlOf("https://api.example/v1/chat/completions")).toBe("https://api.example/v1")
    expect(baseUrlOf("https://api.example/v1/completions")).toBe("https://api.example/v1")
    expect(baseUrlOf("https://login.example/")).toBeUndefined()
    expect(baseUrlOf("/v1/chat/completions")).toBeUndefined()
  })
})
