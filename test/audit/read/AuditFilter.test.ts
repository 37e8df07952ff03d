/** What the words of a filter mean. That SQL admits what they say is a law in Reader.test.ts. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  admitsMonth,
  conditionOf,
  everything,
  instantText,
  parseStatus,
  parseTime,
} from "../../../src/audit/read/AuditFilter.ts"
import { monthOf } from "../../../src/audit/sqlite/Months.ts"
import { hostileTexts } from "../../support/StoredAudit.ts"

const now = Date.UTC(2026, 10, 22, 17, 35)

const timeOf = (text: string) => Either.map(parseTime(text, now, "utc"), instantText)

describe("parseTime", () => {
  it.each([
    ["2026-11-22", "2026-11-22T00:00:00.000Z"],
    ["2026-11-22T17:35", "2026-11-22T17:35:00.000Z"],
    ["2026-11-22 17:35:09", "2026-11-22T17:35:09.000Z"],
    ["2026-11-22T17:35:00.1Z", "2026-11-22T17:35:00.100Z"],
    ["2026-11-22T17:35:00.123456789Z", "2026-11-22T17:35:00.123Z"],
    ["2026-11-22T17:35+02:00", "2026-11-22T15:35:00.000Z"],
    ["2026-01-01T00:30:00-01:30", "2026-01-01T02:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
    ["90s", "2026-11-22T17:33:30.000Z"],
    ["30m", "2026-11-22T17:05:00.000Z"],
    ["2h", "2026-11-22T15:35:00.000Z"],
    ["7d", "2026-11-15T17:35:00.000Z"],
    ["1W", "2026-11-15T17:35:00.000Z"],
    ["0s", "2026-11-22T17:35:00.000Z"],
    [" 2h ", "2026-11-22T15:35:00.000Z"],
    ["999999999d", "1970-01-01T00:00:00.000Z"],
  ])("reads %s as %s", (text, expected) => {
    expect(timeOf(text)).toEqual(Either.right(expected))
  })

  it.each([
    "",
    "yesterday",
    "2026-02-30",
    "2026-13-01",
    "2026-11-22T24:01",
    "2026-11-22T10:60",
    "2026-11",
    "22.11.2026",
    "1969-12-31",
    "2h ago",
    "-2h",
    "1.5h",
    "2y",
    "1700000000",
    "2026-11-22T17:35:00.123+99:99",
    "2026-11-22; DROP TABLE requests",
  ])("refuses %j and says what was expected", (text) => {
    expect(Either.getLeft(timeOf(text)).pipe(String)).toContain("expected a date")
  })

  it("takes a time without a zone for that of this machine, if asked to", () => {
    expect(parseTime("2026-11-22T17:35", now, "local")).toEqual(
      Either.right(new Date(2026, 10, 22, 17, 35).getTime()),
    )
    expect(parseTime("2026-11-22T17:35Z", now, "local")).toEqual(Either.right(now))
  })

  it("law: reads back every instant as started_at has it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (instant) => {
        expect(parseTime(instantText(instant), now, "local")).toEqual(Either.right(instant))
      }),
    )
  })
})

describe("parseStatus", () => {
  it("takes one status, or all of a class in either case", () => {
    expect(parseStatus("429")).toEqual(Either.right({ first: 429, last: 429 }))
    expect(parseStatus("5xx")).toEqual(Either.right({ first: 500, last: 599 }))
    expect(parseStatus(" 4XX ")).toEqual(Either.right({ first: 400, last: 499 }))
  })

  it.each(["", "6xx", "42", "4290", "5x", "x", "ok", "-200"])("refuses %j", (text) => {
    expect(Either.isLeft(parseStatus(text))).toBe(true)
  })
})

describe("admitsMonth", () => {
  it("law: passes over no month in which a row could be admitted", () => {
    const bound = fc.option(fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2027, 0) }), {
      nil: undefined,
    })
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2027, 0) }),
        (since, until, at) => {
          fc.pre((since === undefined || at >= since) && (until === undefined || at < until))
          expect(admitsMonth({ ...everything, since, until }, monthOf(at))).toBe(true)
        },
      ),
    )
  })

  it("passes over the months before and after", () => {
    const november = { ...everything, since: Date.UTC(2026, 10, 1), until: Date.UTC(2026, 11, 1) }
    expect(
      ["2025_11", "2026_10", "2026_11", "2026_12"].filter((month) => admitsMonth(november, month)),
    ).toEqual(["2026_11"])
  })
})

describe("conditionOf", () => {
  it("law: its text is the same whatever the values are, which only stand in the parameters", () => {
    const text = fc.oneof(fc.constantFrom(...hostileTexts), fc.string())
    const asked = (word: string) =>
      conditionOf({ ...everything, model: word, upstream: word, clientIp: word, keyFingerprint: word })
    fc.assert(
      fc.property(text, (word) => {
        expect(asked(word)).toEqual({ text: asked("any").text, values: [word, word, word, word] })
      }),
    )
  })
})
