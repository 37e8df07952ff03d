/** Quantities as people read them. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { count, dayAndTime, duration, instant, offset, timeOfDay } from "../../src/terminal/Quantity.ts"

describe("duration", () => {
  it.each([
    [0, "0ms"],
    [0.43, "0.4ms"],
    [9.94, "9.9ms"],
    [9.96, "10ms"],
    [412.4, "412ms"],
    [999.4, "999ms"],
    [999.6, "1.0s"],
    [12_108.454, "12.1s"],
    [59_949, "59.9s"],
    [59_950, "1m00s"],
    [185_000, "3m05s"],
    [3_599_600, "1h00m"],
    [7_800_000, "2h10m"],
  ])("%d ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it("law: takes six characters at most, within four days", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 359_000_000, noNaN: true }), (ms) => {
        expect(duration(ms).length).toBeLessThanOrEqual(6)
      }),
    )
  })
})

describe("count", () => {
  it.each([
    [0, "0"],
    [999_999, "999999"],
    [1_234_567, "1.2M"],
    [999_950_000, "1.0G"],
    [Number.MAX_SAFE_INTEGER, ">999T"],
    [1e300, ">999T"],
  ])("%d is %s", (number, text) => {
    expect(count(number)).toBe(text)
  })

  it("law: takes six characters at most", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true }), (number) => {
        expect(count(number).length).toBeLessThanOrEqual(6)
      }),
    )
  })
})

describe("an instant", () => {
  const date = new Date("2026-11-27T20:29:52.479Z")
  const local = new Date(2026, 10, 27, 20, 29, 52, 479)

  it("is shown in UTC", () => {
    expect(timeOfDay(date, "utc")).toBe("20:29:52.479")
    expect(dayAndTime(date, "utc")).toBe("11-27 20:29:52")
    expect(instant(date, "utc")).toBe("2026-11-27 20:29:52.479 Z")
  })

  it("is shown as this machine has it, and says how far that is from UTC", () => {
    expect(timeOfDay(local, "local")).toBe("20:29:52.479")
    expect(dayAndTime(local, "local")).toBe("11-27 20:29:52")
    expect(instant(local, "local")).toBe(`2026-11-27 20:29:52.479 ${offset(local, "local")}`)
    expect(offset(local, "local")).toMatch(/^(Z|[+-]\d\d:\d\d)$/)
  })
})
