import { describe, expect, it } from "vitest"
import { newId } from "../../../src/telemetry/otlp/TraceIds.ts"

describe("ids of traces and spans", () => {
  it("are of their length, and none comes twice, however often their bytes are made anew", () => {
    const ids = Array.from({ length: 2_000 }, (_, at) => newId(at % 3 === 0 ? 16 : 8))
    expect(ids.every((id, at) => new RegExp(`^[0-9a-f]{${at % 3 === 0 ? 32 : 16}}$`).test(id))).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
