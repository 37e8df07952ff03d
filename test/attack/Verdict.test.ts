/** What an attack makes of its figures: each goal that is missed is told, and none that is met. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { phasesOf } from "../../attack/Plan.ts"
import { latencyOf, missesOf, type Outcome, percentile } from "../../attack/Verdict.ts"

const goals = { addedP99Ms: 250, peakMb: 1_024 }
const latency = (p99: number) => ({ requests: 10, p50: 1, p99, max: p99 })

const good: Outcome = {
  quiet: latency(40),
  attack: latency(290),
  failures: [],
  peakMb: 1_024,
  lostRows: [],
  doubledRows: [],
  secrets: [],
  unexpected: [],
  exitCode: 0,
}

describe("An attack", () => {
  it("misses nothing where every figure is within its goal", () => {
    expect(missesOf(good, goals)).toEqual([])
  })

  it.each<[string, Partial<Outcome>, RegExp]>([
    ["an ordinary request that failed", { failures: ["attack ordinary-1-7: 503"] }, /1 ordinary .* 503/],
    ["a longer wait", { attack: latency(291) }, /251 ms longer at p99 \(40 ms/],
    ["more memory", { peakMb: 1_025 }, /1025 MB; 1024 MB/],
    ["a row that is lost", { lostRows: ["a", "b"] }, /2 rows are lost: a \| b/],
    ["a row that is there twice", { doubledRows: ["a"] }, /1 rows are there twice/],
    ["a secret", { secrets: ["sk-proj-… in the log"] }, /secrets were seen: sk-proj-… in the log/],
    ["words that should not be needed", { unexpected: ["Warning"] }, /it said: Warning/],
    ["an end that is none", { exitCode: null }, /code null/],
    ["callers that were never answered", { attack: latencyOf([]) }, /not answered in both/],
  ])("misses its goal by %s, and by that alone", (_, change, words) => {
    const misses = missesOf({ ...good, ...change }, goals)
    expect(misses).toHaveLength(1)
    expect(misses[0]).toMatch(words)
  })
})

describe("Phases", () => {
  it("law: last as long as was said, a third of it quiet, and never two quiet ones on end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 3_600 }), (seconds) => {
        const phases = phasesOf(seconds)
        const lasting = (of: ReadonlyArray<{ readonly seconds: number }>) =>
          of.reduce((sum, one) => sum + one.seconds, 0)
        expect(lasting(phases)).toBeCloseTo(seconds, 6)
        expect(lasting(phases.filter(({ phase }) => phase === "quiet"))).toBeCloseTo(seconds / 3, 6)
        expect(phases.map(({ phase }) => phase).join(" ")).toMatch(/^(?:quiet attack settling ?)+$/)
      }),
    )
  })
})

describe("A percentile", () => {
  it("is the smallest value that so many do not exceed", () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at)
    expect([0.01, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([2, 100, 198, 200])
    expect(percentile([7], 0.99)).toBe(7)
  })
})
