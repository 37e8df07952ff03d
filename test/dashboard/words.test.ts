/** Numbers, times and addresses as the dashboard writes them. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { waitAfter } from "../../dashboard/api/Backoff.ts"
import { problemOf } from "../../dashboard/api/Problem.ts"
import { originOf } from "../../dashboard/connect/Origin.ts"
import { fragmentOf, pages, routeOf } from "../../dashboard/route/Route.ts"
import { bytes, change, duration, percent, short } from "../../dashboard/words/Numbers.ts"
import { relative } from "../../dashboard/words/Times.ts"

describe("Numbers", () => {
  it.each([
    [0, "0"],
    [9_999, "9,999"],
    [10_000, "10.0k"],
    [12_345, "12.3k"],
    [999_949, "1.00M"],
    [1_234_567, "1.23M"],
    [98_765_432, "98.8M"],
    [987_654_321, "988M"],
    [1_999_999_999_999, "2.00T"],
  ])("are short: %d is %s", (value, words) => expect(short(value)).toBe(words))

  it.each([
    [0, "0 ms"],
    [1.25, "1.3 ms"],
    [812.25, "812 ms"],
    [999.6, "1.00 s"],
    [4_210, "4.21 s"],
    [59_940, "59.9 s"],
    [59_960, "1 m 0 s"],
    [72_000, "1 m 12 s"],
    [3_600_000, "1 h 0 m"],
  ])("of milliseconds are durations: %d is %s", (ms, words) => expect(duration(ms)).toBe(words))

  it.each([
    [999, "999 B"],
    [1_500, "1.5 kB"],
    [12_345, "12.3 kB"],
    [3_456_789, "3.46 MB"],
  ])("of bytes: %d is %s", (value, words) => expect(bytes(value)).toBe(words))

  it("say parts and changes", () => {
    expect([percent(0, 0), percent(1, 250), percent(1, 8), percent(8, 8)]).toEqual([
      "0%",
      "0.4%",
      "13%",
      "100%",
    ])
    expect([change(112, 100), change(50, 100), change(100, 100)]).toEqual(["+12%", "−50%", "±0%"])
    expect([change(3, 0), change(0, 0)]).toEqual([undefined, undefined])
    expect([change(999, 100), change(1_000, 100), change(8_549, 1)]).toEqual(["+899%", "×10", "×8,549"])
  })
})

describe("Times", () => {
  const now = Date.parse("2026-11-28T12:00:00Z")
  it.each([
    ["2026-11-28T12:00:00.400Z", "now"],
    ["2026-11-28T11:59:48Z", "12 s ago"],
    ["2026-11-28T10:59:59Z", "1 h ago"],
    ["2026-11-25T12:00:00Z", "3 d ago"],
    ["2026-11-28T12:00:40Z", "in 40 s"],
    ["no instant", "no instant"],
  ])("are told from now: %s is %s", (at, words) => expect(relative(at, now)).toBe(words))
})

describe("Routes", () => {
  it("come back as they were written, whatever is in them (a law)", () => {
    const texts = fc.string({ unit: "grapheme", minLength: 1 })
    const routes = fc.record({
      page: fc.constantFrom(...pages),
      id: fc.option(texts, { nil: undefined }),
      filters: fc.dictionary(
        texts.filter((name) => name !== "__proto__"),
        texts,
        { maxKeys: 4 },
      ),
    })
    fc.assert(
      fc.property(routes, (route) => {
        expect(routeOf(fragmentOf(route))).toEqual({ ...route, filters: { ...route.filters } })
      }),
      { seed: 23 },
    )
  })

  it("that are none of ours lead to the requests", () => {
    for (const fragment of ["", "#", "#/nowhere", "#/%E0%A4%A", "#/requests/%E0%A4%A"]) {
      expect(routeOf(fragment).page).toBe("requests")
    }
  })
})

describe("The gateway's address for callers", () => {
  const place = { protocol: "https:", hostname: "ops.example", origin: "https://ops.example:8443" }
  it.each([
    [{ port: 8000, same_port: true }, "/dashboard", "https://ops.example:8443"],
    [{ port: 8000, same_port: true }, "/sluice/dashboard", "https://ops.example:8443/sluice"],
    [{ port: 8000, same_port: false }, "/dashboard", "https://ops.example:8000"],
    [undefined, "/dashboard", "https://ops.example:8443"],
  ])("%j at %s is %s", (report, pathname, origin) => {
    expect(originOf(report, { ...place, pathname })).toBe(origin)
  })
})

describe("What goes wrong", () => {
  it("is told in the gateway's words, or in ours where it has none", () => {
    const said = problemOf(503, '{"error":{"message":"Too many questions at once."}}')
    expect(said).toEqual({ kind: "busy", message: "Too many questions at once." })
    for (const body of ["<h1>Bad gateway</h1>", "", "null", '{"error":{"message":7}}']) {
      expect(problemOf(502, body)).toEqual({
        kind: "failed",
        message: "The gateway, or a proxy before it, answered 502 and did not say why.",
      })
    }
    expect([401, 403, 404, 429].map((status) => problemOf(status, "").kind)).toEqual([
      "signed_out",
      "refused",
      "missing",
      "busy",
    ])
  })

  it("is tried again later and later, and at least every 15 seconds (a law)", () => {
    expect([1, 2, 3, 9].map((failures) => waitAfter(failures, 1))).toEqual([500, 1_000, 2_000, 15_000])
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, chance) => {
          expect(waitAfter(failures, chance)).toBeGreaterThanOrEqual(375)
          expect(waitAfter(failures, chance)).toBeLessThanOrEqual(15_000)
        },
      ),
      { seed: 23 },
    )
  })
})
