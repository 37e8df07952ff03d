import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { counter, gauge, histogram } from "../../../src/telemetry/metrics/Instrument.ts"
import type { Readings } from "../../../src/telemetry/metrics/Readings.ts"
import { changesSince } from "../../../src/telemetry/otlp/Changes.ts"

const instruments = [
  counter("counted", ["whose"], "What was counted."),
  histogram("spread", ["whose"], [1, 2], "How it spread."),
  gauge("now", ["whose"], "How it is."),
]

/** What came to each of three series in one step: so many, and how they spread. */
const step = fc.array(fc.tuple(fc.nat(9), fc.array(fc.nat(9), { minLength: 3, maxLength: 3 })), {
  minLength: 3,
  maxLength: 3,
})

const labels = (at: number) => [`of ${at}`]

/** What is read after these steps. A series that nothing came to is not there. */
const readingAfter = (
  steps: ReadonlyArray<ReadonlyArray<readonly [number, ReadonlyArray<number>]>>,
): Readings => {
  const series = [0, 1, 2].map((at) => {
    const own = steps.flatMap((one) => one.slice(at, at + 1))
    const counts = [0, 1, 2].map((bucket) => own.reduce((sum, [, spread]) => sum + (spread[bucket] ?? 0), 0))
    return { labels: labels(at), value: own.reduce((sum, [count]) => sum + count, 0), counts }
  })
  const numbers = series.map(({ labels, value }) => ({ labels, value }))
  return {
    counted: { numbers: numbers.filter(({ value }) => value > 0), histograms: [] },
    spread: {
      numbers: [],
      histograms: series
        .filter(({ counts }) => counts.some((count) => count > 0))
        .map(({ counts, labels }) => ({
          labels,
          counts,
          sum: counts.reduce((a, b) => a + b, 0),
          exemplars: null,
        })),
    },
    now: { numbers, histograms: [] },
  }
}

/** The same whatever the order of the series. */
const sorted = (readings: Readings) =>
  Object.entries(readings).map(([name, { histograms, numbers }]) => [
    name,
    [...numbers, ...histograms].map((point) => JSON.stringify(point)).toSorted(),
  ])

describe("what was counted since an earlier reading", () => {
  it("is what came to it meanwhile, and a gauge is as it is", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3 }), step, (before, last) => {
        const then = readingAfter(before)
        const now = readingAfter([...before, last])
        const came = readingAfter([last])
        expect(sorted(changesSince(instruments, then, now))).toEqual(
          sorted({ ...came, now: now["now"] ?? { numbers: [], histograms: [] } }),
        )
      }),
    )
  })

  it("is all of it where nothing was read before, and nothing where nothing came", () => {
    const now = readingAfter([[[1, [1, 0, 2]]]])
    expect(changesSince(instruments, {}, now)).toEqual(now)
    const { counted, spread } = changesSince(instruments, now, now)
    expect([counted, spread]).toEqual([
      { numbers: [], histograms: [] },
      { numbers: [], histograms: [] },
    ])
  })
})
