import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parentIn, stateIn, traceparentOf } from "../../src/wire/TraceContext.ts"

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
    .map((digits) => digits.join(""))
    .filter((id) => /[^0]/.test(id))

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const span = "00f067aa0ba902b7"

describe("the caller's trace", () => {
  it("is read back as it was written", () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        const told = { traceId, spanId, isSampled }
        expect(parentIn(traceparentOf(told))).toEqual(told)
      }),
    )
  })

  it.each([
    ["none", undefined],
    ["no hexadecimal digits", `00-${trace.replace("4", "g")}-${span}-01`],
    ["capital letters", `00-${trace.toUpperCase()}-${span}-01`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${span}-01`],
    ["a span of zeros", `00-${trace}-${"0".repeat(16)}-01`],
    ["the version that is none", `ff-${trace}-${span}-01`],
    ["more than version 00 has", `00-${trace}-${span}-01-more`],
    ["less", `00-${trace}-${span}`],
    ["a header of many", `00-${trace}-${span}-01, 00-${trace}-${span}-01`],
  ])("is not gone on from where it is %s", (_, header) => {
    expect(parentIn(header)).toBeUndefined()
  })

  it("is gone on from in a later version, and by any flags", () => {
    expect(parentIn(`01-${trace}-${span}-03-what-is-to-come`)).toEqual({
      traceId: trace,
      spanId: span,
      isSampled: true,
    })
    expect(parentIn(`00-${trace}-${span}-02`)?.isSampled).toBe(false)
  })

  it("has a state of bounded length", () => {
    expect(stateIn("vendor=1")).toBe("vendor=1")
    expect(stateIn("")).toBeUndefined()
    expect(stateIn("v".repeat(513))).toBeUndefined()
  })
})
