/** What was counted since an earlier reading: what those are sent who add up themselves. */
import type { Instrument } from "../metrics/Instrument.ts"
import {
  type HistogramPoint,
  type NumberPoint,
  noPoints,
  type Points,
  type Readings,
} from "../metrics/Readings.ts"

/** The points of before, by their labels. */
const byLabels = <P extends { readonly labels: ReadonlyArray<string> }>(points: ReadonlyArray<P>) =>
  new Map(points.map((point) => [JSON.stringify(point.labels), point]))

const numbersSince = (before: ReadonlyArray<NumberPoint>, now: ReadonlyArray<NumberPoint>) => {
  const known = byLabels(before)
  return now
    .map(({ labels, value }) => ({ labels, value: value - (known.get(JSON.stringify(labels))?.value ?? 0) }))
    .filter(({ value }) => value !== 0)
}

const histogramsSince = (before: ReadonlyArray<HistogramPoint>, now: ReadonlyArray<HistogramPoint>) => {
  const known = byLabels(before)
  return now
    .map((point) => {
      const then = known.get(JSON.stringify(point.labels))
      return {
        ...point,
        counts: point.counts.map((count, at) => count - (then?.counts[at] ?? 0)),
        sum: point.sum - (then?.sum ?? 0),
      }
    })
    .filter(({ counts }) => counts.some((count) => count !== 0))
}

/** Of counters and histograms what came to them; gauges as they are. What did not change is left out. */
export const changesSince = (
  instruments: ReadonlyArray<Instrument>,
  before: Readings,
  now: Readings,
): Readings =>
  Object.fromEntries(
    instruments.map(({ kind, name }): [string, Points] => {
      const [then = noPoints, points = noPoints] = [before[name], now[name]]
      if (kind === "gauge") return [name, points]
      return [
        name,
        {
          numbers: numbersSince(then.numbers, points.numbers),
          histograms: histogramsSince(then.histograms, points.histograms),
        },
      ]
    }),
  )
