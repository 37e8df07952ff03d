import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { counter, gauge, histogram } from "../../../src/telemetry/metrics/Instrument.ts"
import {
  type HistogramPoint,
  leftOf,
  type NumberPoint,
  type Points,
  packPoints,
  together,
  unpackPoints,
} from "../../../src/telemetry/metrics/Readings.ts"

const labels = fc.constantFrom(["a", "x"], ["a", "y"], ['a","x', ""])

const onePerLabels = {
  selector: (point: { readonly labels: ReadonlyArray<string> }) => point.labels.join("\n"),
}

const numbers: fc.Arbitrary<Points> = fc.record({
  numbers: fc.uniqueArray(fc.record({ labels, value: fc.nat(99) }), onePerLabels),
  histograms: fc.constant([]),
})

const exemplar = fc.record({ trace: fc.constantFrom("t", "u"), value: fc.nat(9), at: fc.nat(9) })

const histograms: fc.Arbitrary<Points> = fc.record({
  numbers: fc.constant([]),
  histograms: fc.uniqueArray(
    fc.record({
      labels,
      counts: fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)),
      sum: fc.nat(99),
      exemplars: fc.option(fc.tuple(...Array.from({ length: 3 }, () => fc.option(exemplar, { nil: null }))), {
        nil: null,
      }),
    }),
    onePerLabels,
  ),
})

const counted = counter("counted_total", ["one", "two"], "Counted.")
const timed = histogram("timed_seconds", ["one", "two"], [1, 2], "Timed.")
const most = gauge("most", ["one", "two"], "Most.", "max")

const byLabels = <P extends NumberPoint | HistogramPoint>(points: ReadonlyArray<P>) =>
  new Map(points.map((point) => [JSON.stringify(point.labels), point]))

const inOrder = ({ histograms, numbers }: Points) => [byLabels(numbers), byLabels(histograms)]

describe("The readings of several processes", () => {
  it("law: of one are its own", () => {
    fc.assert(
      fc.property(fc.oneof(numbers, histograms), (one) => {
        expect(together(counted, [one])).toEqual(one)
      }),
    )
  })

  it("law: counters and buckets are added up, series by series, and no series is lost", () => {
    fc.assert(
      fc.property(fc.array(numbers), fc.array(histograms), (counts, times) => {
        const all = together(counted, counts)
        const seen = counts.flatMap((one) => one.numbers)
        for (const { labels, value } of all.numbers) {
          const key = JSON.stringify(labels)
          const own = seen.filter((point) => JSON.stringify(point.labels) === key)
          expect(value).toBe(own.reduce((sum, point) => sum + point.value, 0))
        }
        expect(all.numbers).toHaveLength(byLabels(seen).size)
        const buckets = (points: ReadonlyArray<HistogramPoint>) =>
          points.flatMap((point) => point.counts).reduce((sum, count) => sum + count, 0)
        const each = times.flatMap((one) => one.histograms)
        expect(buckets(together(timed, times).histograms)).toBe(buckets(each))
      }),
    )
  })

  it("law: neither their order nor what is put together first makes a difference", () => {
    for (const [instrument, points] of [
      [counted, numbers],
      [most, numbers],
      [timed, histograms],
    ] as const) {
      fc.assert(
        fc.property(points, points, points, (a, b, c) => {
          const all = inOrder(together(instrument, [a, b, c]))
          expect(inOrder(together(instrument, [c, a, b]))).toEqual(all)
          expect(inOrder(together(instrument, [together(instrument, [a, b]), c]))).toEqual(all)
        }),
      )
    }
  })

  it("a gauge is by its own rule", () => {
    const of = (value: number): Points => ({ numbers: [{ labels: [], value }], histograms: [] })
    const values = (over: "sum" | "max" | "min") =>
      together(gauge("g", [], "G.", over), [of(3), of(1), of(2)]).numbers.map(({ value }) => value)
    expect([values("sum"), values("max"), values("min")]).toEqual([[6], [3], [1]])
  })

  it("leave of one that died what it had counted, and not how it was", () => {
    const of = (value: number): Points => ({ numbers: [{ labels: ["a", "b"], value }], histograms: [] })
    const replaced = counter("replaced_total", [], "Replaced.", "max")
    const all = [counted, most, replaced]
    const packed = (value: number) => packPoints(of(value))
    const last = { counted_total: packed(2), most: packed(2), replaced_total: packed(2) }
    const left = leftOf(all, undefined, last)
    expect(left).toEqual({ counted_total: packed(2) })
    expect(leftOf(all, left, { counted_total: packed(3) })).toEqual({ counted_total: packed(5) })
    expect(leftOf(all, left, {})).toEqual(left)
  })

  it("law: are the same when they have gone to another process", () => {
    fc.assert(
      fc.property(fc.oneof(numbers, histograms), (points) => {
        expect(unpackPoints(packPoints(points))).toEqual(points)
      }),
    )
  })
})
