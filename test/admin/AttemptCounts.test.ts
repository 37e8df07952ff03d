/** Attempts of the last hour against an oracle: a list of all of them. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  AttemptCounts,
  type AttemptSums,
  noAttempts,
  quantileOf,
  together,
} from "../../src/admin/AttemptCounts.ts"
import type { AttemptRecord } from "../../src/audit/record/AuditRecord.ts"
import { sampleRecord } from "../support/AuditRecords.ts"

const minuteMs = 60_000
const start = Date.UTC(2026, 10, 28, 12)

interface Happened {
  /** Since the one before. */
  readonly later: number
  readonly upstream: string
  readonly status: number | undefined
  readonly ms: number
  readonly ttftMs: number | undefined
  readonly latencyMs: number
}

const happened: fc.Arbitrary<Happened> = fc.record({
  later: fc.oneof(fc.nat(minuteMs), fc.nat(40 * minuteMs)),
  upstream: fc.constantFrom("official", "spare"),
  status: fc.constantFrom(200, 200, 404, 503, undefined),
  ms: fc.double({ min: 0, max: 3_600_000, noNaN: true }),
  ttftMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true }), { nil: undefined }),
  latencyMs: fc.double({ min: 0, max: 3_600_000, noNaN: true }),
})

const attemptOf = (upstream: string, status: number | undefined, ms: number): AttemptRecord => ({
  upstream,
  upstreamModel: "gpt-4o",
  status,
  ms,
  ...(status === undefined ? { cause: "refused", failure: "connect" } : { cause: undefined }),
})

/** Of one that answered with a stream its record says only when that began. */
const whole = ({ latencyMs, ms, status, ttftMs }: Happened): number =>
  status === 200 && ttftMs !== undefined ? ms + Math.max(0, latencyMs - ttftMs) : ms

const recordOf = ({ latencyMs, ms, status, ttftMs, upstream }: Happened) =>
  sampleRecord("id", {
    upstream,
    ttftMs,
    latencyMs,
    overheadMs: undefined,
    outcome: status === 200 ? "ok" : status === 404 ? "rejected" : "upstream_error",
    attempts: [attemptOf(upstream, status, ms)],
  })

/** Counts them as they happen; with the instant of each. */
const counted = (all: ReadonlyArray<Happened>) => {
  let now = start
  const counts = new AttemptCounts(() => now)
  const told = all.map((one) => {
    now += one.later
    counts.note(recordOf(one))
    return { ...one, at: now }
  })
  return { counts, told, now }
}

const both = new Set(["official", "spare"])

/** Within the step of a duration: a tenth, and what is rounded. */
const isNear = (ms: number, other: number): boolean => Math.abs(ms - other) <= (other + 1) * 0.1 + 1

const nearestRank = (values: ReadonlyArray<number>, share: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1]

describe("AttemptCounts", () => {
  it("law: counts what a list of the last minutes has, of each upstream", () => {
    fc.assert(
      fc.property(
        fc.array(happened, { maxLength: 60 }),
        fc.constantFrom("official", "spare"),
        (all, name) => {
          const { counts, now, told } = counted(all)
          const sums = counts.of(both).get(name)
          const within = (minutes: number) =>
            told.filter(
              ({ at, upstream }) =>
                upstream === name && Math.floor(at / minuteMs) > Math.floor(now / minuteMs) - minutes,
            )
          for (const [minutes, got] of [
            [5, sums?.last5m],
            [60, sums?.last1h],
          ] as const) {
            const expected = within(minutes)
            const known = got ?? noAttempts
            expect(known.attempts).toBe(expected.length)
            expect(known.errors).toBe(expected.filter(({ status }) => (status ?? 599) >= 500).length)
            for (const share of [0.5, 0.95]) {
              const exact = nearestRank(expected.map(whole), share)
              const near = quantileOf(known.latencies, share)
              expect(near === null).toBe(exact === undefined)
              if (near !== null && exact !== undefined)
                expect([near, exact, isNear(near, exact)]).toContain(true)
            }
            const ttfts = expected.filter(({ status, ttftMs }) => status === 200 && ttftMs !== undefined)
            expect(known.ttfts.reduce((sum, many) => sum + many, 0)).toBe(ttfts.length)
          }
        },
      ),
    )
  })

  it("tells the last failure of each, and a good attempt takes it back from nobody", () => {
    const one = { later: 1_000, upstream: "official", ms: 5, ttftMs: undefined, latencyMs: 5 }
    const { counts, told } = counted([
      { ...one, status: 503 },
      { ...one, status: undefined },
      { ...one, status: 200 },
    ])
    expect(counts.of(both).get("official")?.lastFailure).toEqual({
      at: told[1]?.at,
      status: undefined,
      cause: "refused",
    })
    expect(counts.of(both).get("spare")).toBeUndefined()
  })

  it("tells a stream that broke off as a failure, and none of one that another was faster than", () => {
    const counts = new AttemptCounts(() => start)
    counts.note(
      sampleRecord("id", {
        upstream: "official",
        outcome: "stream_broken",
        error: "the stream broke off",
        attempts: [
          {
            ...attemptOf("spare", 200, 5),
            cause: "cancelled, another upstream answered first",
            hedged: true,
          },
          attemptOf("official", 200, 5),
        ],
      }),
    )
    const told = counts.of(both)
    const [official, spare] = [told.get("official"), told.get("spare")]
    expect([official?.last5m.errors, official?.lastFailure?.cause]).toEqual([1, "the stream broke off"])
    expect([spare?.last5m.attempts, spare?.last5m.errors, spare?.lastFailure]).toEqual([1, 0, undefined])
  })

  it("takes the time to the first content, and all of its time, from when it was asked", () => {
    const counts = new AttemptCounts(() => start)
    counts.note(
      sampleRecord("id", {
        upstream: "official",
        outcome: "ok",
        ttftMs: 10_200,
        latencyMs: 13_000,
        attempts: [attemptOf("spare", 503, 10_000), attemptOf("official", 200, 190)],
      }),
    )
    const official = counts.of(both).get("official")
    expect(quantileOf(official?.last5m.ttfts ?? [], 0.5)).toSatisfy((ms: number) => isNear(ms, 190))
    expect(quantileOf(official?.last5m.latencies ?? [], 0.5)).toSatisfy((ms: number) => isNear(ms, 2_990))
  })

  it("forgets who is no upstream any more, so that a reload leaves nothing behind", () => {
    const { counts } = counted([
      { later: 0, upstream: "spare", status: 200, ms: 1, ttftMs: undefined, latencyMs: 1 },
    ])
    expect(counts.of(new Set(["official"]))).toEqual(new Map())
    expect(counts.of(both)).toEqual(new Map())
  })

  it("law: sums of processes are added in any order, and one that counted nothing changes nothing", () => {
    const sums: fc.Arbitrary<AttemptSums> = fc
      .array(happened, { maxLength: 10 })
      .map((all) => counted(all).counts.of(both).get("official")?.last1h ?? together(noAttempts, noAttempts))
    fc.assert(
      fc.property(sums, sums, sums, (a, b, c) => {
        expect(together(a, b)).toEqual(together(b, a))
        expect(together(together(a, b), c)).toEqual(together(a, together(b, c)))
        expect(together(a, noAttempts)).toEqual(a)
      }),
      { numRuns: 30 },
    )
  })
})
