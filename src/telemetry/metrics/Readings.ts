/** What instruments read at one moment, and how the readings of several processes become one: pure, and under laws. */
import type { Instrument, Over } from "./Instrument.ts"

/** Where a value was seen. */
export interface Sighting {
  readonly trace: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** One value, and the trace that led there. */
export interface Exemplar extends Sighting {
  readonly value: number
}

/** Of a counter or a gauge, under the values of its labels. */
export interface NumberPoint {
  readonly labels: ReadonlyArray<string>
  readonly value: number
}

export interface HistogramPoint {
  readonly labels: ReadonlyArray<string>
  /** How many fell into each bucket alone; the last has no bound. */
  readonly counts: ReadonlyArray<number>
  readonly sum: number
  /** The last of each bucket, where any value has one. */
  readonly exemplars: ReadonlyArray<Exemplar | null> | null
}

/** All points of one instrument: as its kind says. */
export interface Points {
  readonly numbers: ReadonlyArray<NumberPoint>
  readonly histograms: ReadonlyArray<HistogramPoint>
}

/** By the names of instruments. Plain data, which goes from process to process. */
export type Readings = Readonly<Record<string, Points>>

/**
 * Readings on their way to another process: the points of each instrument as one text. Texts are handed over as they are, and each is printed and parsed in a
 * turn of its own; all of it at once would hold the event loop too long.
 */
export type PackedReadings = Readonly<Record<string, string>>

export const packPoints = (points: Points): string => JSON.stringify(points)

/** What a process of this same program packed. */
export const unpackPoints = (packed: string | undefined): Points => {
  const points: Points = packed === undefined ? noPoints : JSON.parse(packed)
  return points
}

export const noPoints: Points = { numbers: [], histograms: [] }

/** A number that somebody read, and of what. */
export type NumberRead = readonly [
  instrument: { readonly name: string },
  labels: ReadonlyArray<string>,
  value: number,
]

/** Numbers that were read, by their instruments. */
export const readingsOf = (numbers: ReadonlyArray<NumberRead>): Readings => {
  const all: Record<string, Points> = {}
  for (const [{ name }, labels, value] of numbers) {
    all[name] = { numbers: [...(all[name]?.numbers ?? []), { labels, value }], histograms: [] }
  }
  return all
}

const combine: Readonly<Record<Over, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
}

const newer = (a: Exemplar | null, b: Exemplar | null): Exemplar | null => {
  if (a === null || b === null) return a ?? b
  if (a.at !== b.at) return b.at > a.at ? b : a
  // Of two at once the longer one: whose reading came first makes no difference.
  return b.value > a.value || (b.value === a.value && b.trace > a.trace) ? b : a
}

const bothHistograms = (a: HistogramPoint, b: HistogramPoint): HistogramPoint => ({
  labels: a.labels,
  counts: a.counts.map((count, at) => count + (b.counts[at] ?? 0)),
  sum: a.sum + b.sum,
  exemplars:
    a.exemplars === null || b.exemplars === null
      ? (a.exemplars ?? b.exemplars)
      : a.counts.map((_, at) => newer(a.exemplars?.[at] ?? null, b.exemplars?.[at] ?? null)),
})

/** Those with the same labels put together. */
const joined = <P extends { readonly labels: ReadonlyArray<string> }>(
  lists: ReadonlyArray<ReadonlyArray<P>>,
  both: (a: P, b: P) => P,
): ReadonlyArray<P> => {
  const [first = [], ...others] = lists.filter(({ length }) => length > 0)
  if (others.length === 0) return first
  const points = new Map<string, P>()
  for (const list of lists) {
    for (const point of list) {
      const key = JSON.stringify(point.labels)
      const known = points.get(key)
      points.set(key, known === undefined ? point : both(known, point))
    }
  }
  return [...points.values()]
}

/** What several processes read of one instrument, as one. */
export const together = ({ over }: Instrument, all: ReadonlyArray<Points>): Points => ({
  numbers: joined(
    all.map(({ numbers }) => numbers),
    (a, b) => ({ labels: a.labels, value: combine[over](a.value, b.value) }),
  ),
  histograms: joined(
    all.map(({ histograms }) => histograms),
    bothHistograms,
  ),
})

/** What is left of a process that died: what it had counted, and nothing of how it was. */
export const leftOf = (
  instruments: ReadonlyArray<Instrument>,
  left: PackedReadings | undefined,
  last: PackedReadings,
): PackedReadings => {
  const all: Record<string, string> = {}
  for (const instrument of instruments) {
    const { kind, name, over } = instrument
    if (kind === "gauge" || over !== "sum") continue
    const counted = [left?.[name], last[name]].filter((points) => points !== undefined)
    if (counted.length > 0) all[name] = packPoints(together(instrument, counted.map(unpackPoints)))
  }
  return all
}
