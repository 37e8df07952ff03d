/** Usage of a time and the one before it: what is asked, and how the answer is told and read again. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { filterIn, paramsOf } from "../../src/admin/TextQuery.ts"
import { statsReportOf, usageAsked, usageTold } from "../../src/admin/UsageTold.ts"
import { type AuditFilter, outcomes } from "../../src/audit/read/AuditFilter.ts"
import { reportOf, type Tally } from "../../src/audit/read/AuditStats.ts"

const now = Date.UTC(2026, 10, 28, 12)
const hour = 3_600_000

const askedOf = (query: Parameters<typeof usageAsked>[0]) => Either.getOrThrow(usageAsked(query, now))
const timesOf = (query: Parameters<typeof usageAsked>[0]) =>
  askedOf(query).filters.map(({ since, until }) => [since, until])

const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })
const words = fc.string({ minLength: 1 })

const filters: fc.Arbitrary<AuditFilter> = fc.record({
  since: optional(fc.nat(now)),
  until: optional(fc.nat(now)),
  model: optional(words),
  upstream: optional(words),
  endpoint: optional(words),
  status: optional(
    fc.oneof(
      fc.integer({ min: 100, max: 599 }).map((status) => ({ first: status, last: status })),
      fc.integer({ min: 1, max: 5 }).map((kind) => ({ first: kind * 100, last: kind * 100 + 99 })),
    ),
  ),
  outcome: optional(fc.constantFrom(...outcomes, "failed" as const)),
  clientIp: optional(words),
  keyFingerprint: optional(words),
  conversation: optional(words),
  text: optional(words),
})

const count = fc.nat(1_000_000)
const durations = fc.array(fc.tuple(count, fc.integer({ min: 1, max: 9 }))).map((all) => new Map(all))
const tallies: fc.Arbitrary<Tally> = fc.record({
  requests: count,
  errors: count,
  rejected: count,
  promptTokens: optional(count),
  completionTokens: optional(count),
  cachedTokens: optional(count),
  reasoningTokens: optional(count),
  latencies: durations,
  ttfts: durations,
})
const reports = fc
  .array(fc.tuple(optional(words), tallies), { maxLength: 5 })
  .map((all) => reportOf(new Map(all), "model", true))

describe("the parameters of a question", () => {
  it("law: say of a filter what is read from them", () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(filterIn(paramsOf(filter), now)).toEqual(Either.right(filter))
      }),
    )
  })
})

describe("usage", () => {
  it.each([
    ["the last day", {}, [now - 24 * hour, now], [now - 48 * hour, now - 24 * hour]],
    ["from a time on", { since: "6h" }, [now - 6 * hour, now], [now - 12 * hour, now - 6 * hour]],
    [
      "a day before a time",
      { until: "2026-11-20" },
      [Date.UTC(2026, 10, 19), Date.UTC(2026, 10, 20)],
      [Date.UTC(2026, 10, 18), Date.UTC(2026, 10, 19)],
    ],
    ["all of it, with nothing before", { since: "1970-01-01" }, [0, now], [0, 0]],
  ] as const)("is asked of %s and of the same length before", (_, query, asked, before) => {
    expect(timesOf(query)).toEqual([asked, before])
  })

  it("is not asked of a time that ends before it begins", () => {
    expect(usageAsked({ since: "1h", until: "2h" }, now)).toMatchObject(Either.left({ param: "since" }))
  })

  it("law: a report comes back as it was told", () => {
    fc.assert(
      fc.property(reports, (report) => {
        const told = usageTold(askedOf({ by: "model" }), [report, report], [])
        expect(statsReportOf(JSON.parse(JSON.stringify(told.now)))).toEqual(report)
        expect(told.before.total).toEqual(told.now.total)
      }),
    )
  })

  it("says that it is not whole where counting was cut short, or there are too many groups to tell", () => {
    const asked = askedOf({ by: "model" })
    const one: Tally = {
      requests: 1,
      errors: 0,
      rejected: 0,
      promptTokens: undefined,
      completionTokens: undefined,
      cachedTokens: undefined,
      reasoningTokens: undefined,
      latencies: new Map(),
      ttfts: new Map(),
    }
    const many = reportOf(new Map(Array.from({ length: 1_001 }, (_, n) => [`m${n}`, one])), "model", true)
    const told = usageTold(asked, [many, { ...many, groups: [], isComplete: false }], ["an archive"])
    expect(told.now.groups).toHaveLength(1_000)
    expect([told.now.complete, told.before.complete]).toEqual([false, false])
    expect(told.now.total.requests).toBe(1_001)
    expect(told.left_out).toEqual(["an archive"])
    expect(usageTold(asked, [], []).now).toMatchObject({ groups: [], complete: false })
  })
})
