import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isSampled, samplers } from "../../../src/telemetry/otlp/Sampling.ts"

const traceIds = fc
  .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.join(""))
  .filter((id) => /[^0]/.test(id))

const someTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

describe("sampling", () => {
  it("keeps a part of traces by their ids: more of them by a higher ratio, never other ones", () => {
    const sampler = "traceidratio"
    fc.assert(
      fc.property(
        traceIds,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, a, b) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)]
          if (isSampled({ sampler, part: low }, id, undefined)) {
            expect(isSampled({ sampler, part: high }, id, undefined)).toBe(true)
          }
          expect(isSampled({ sampler, part: 1 }, id, undefined)).toBe(true)
          expect(isSampled({ sampler, part: 0 }, id, undefined)).toBe(false)
        },
      ),
    )
  })

  it("decides as the SDKs for Go and Python do: by the last 64 bits of the id", () => {
    const half = { sampler: "traceidratio", part: 0.5 } as const
    const kept = ["7fffffffffffffff", "0000000000000001", "00ffffffffffffff"]
    const left = ["8000000000000000", "ffffffffffffffff", "8000000000000001"]
    for (const first of ["0".repeat(16), "f".repeat(16)]) {
      expect(kept.filter((last) => isSampled(half, first + last, undefined))).toEqual(kept)
      expect(left.filter((last) => isSampled(half, first + last, undefined))).toEqual([])
      for (const last of [...kept, ...left]) {
        expect(isSampled({ ...half, part: 1 }, first + last, undefined)).toBe(true)
      }
    }
  })

  it("does as its caller does where it is based on that, else as it says itself", () => {
    for (const sampler of samplers) {
      const policy = { sampler, part: 0 }
      const isBased = sampler.startsWith("parentbased")
      for (const parent of [true, false]) {
        const own = isSampled(policy, someTrace, undefined)
        expect(isSampled(policy, someTrace, parent)).toBe(isBased ? parent : own)
      }
    }
  })
})
