/** The instruments as Effect's metrics, and the series that were recorded of them: a series is looked up once by who records it, and kept. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricLabel from "effect/MetricLabel"
import type { CounterInstrument, GaugeInstrument, HistogramInstrument, Instrument } from "./Instrument.ts"
import type { Exemplar, HistogramPoint, NumberPoint, Points, Readings, Sighting } from "./Readings.ts"

/** The same array for each record of a series: Effect finds what it counts in by that. */
const tagsOf = (
  instrument: Instrument,
  values: ReadonlyArray<string>,
): ReadonlyArray<MetricLabel.MetricLabel> =>
  instrument.labels.map((label, at) => MetricLabel.make(label, values[at] ?? ""))

export class CounterSeries {
  readonly #metric: Metric.Metric.Counter<number>
  readonly #tags: ReadonlyArray<MetricLabel.MetricLabel>
  readonly labels: ReadonlyArray<string>

  constructor(instrument: CounterInstrument, labels: ReadonlyArray<string>) {
    this.labels = labels
    this.#tags = tagsOf(instrument, labels)
    this.#metric = Metric.counter(instrument.name, { description: instrument.help, incremental: true })
  }

  add(amount: number): void {
    this.#metric.unsafeUpdate(amount, this.#tags)
  }

  point(): NumberPoint {
    return { labels: this.labels, value: this.#metric.unsafeValue(this.#tags).count }
  }
}

class GaugeSeries {
  readonly #metric: Metric.Metric.Gauge<number>
  readonly #tags: ReadonlyArray<MetricLabel.MetricLabel>
  readonly labels: ReadonlyArray<string>

  constructor(instrument: GaugeInstrument, labels: ReadonlyArray<string>) {
    this.labels = labels
    this.#tags = tagsOf(instrument, labels)
    this.#metric = Metric.gauge(instrument.name, { description: instrument.help })
  }

  set(value: number): void {
    this.#metric.unsafeUpdate(value, this.#tags)
  }

  add(amount: number): void {
    this.#metric.unsafeModify(amount, this.#tags)
  }

  point(): NumberPoint {
    return { labels: this.labels, value: this.#metric.unsafeValue(this.#tags).value }
  }
}

export class HistogramSeries {
  readonly #metric: Metric.Metric.Histogram<number>
  readonly #tags: ReadonlyArray<MetricLabel.MetricLabel>
  readonly #bounds: ReadonlyArray<number>
  #exemplars: Array<Exemplar | null> | undefined
  readonly labels: ReadonlyArray<string>

  constructor(instrument: HistogramInstrument, labels: ReadonlyArray<string>) {
    this.labels = labels
    this.#bounds = instrument.bounds
    this.#tags = tagsOf(instrument, labels)
    this.#metric = Metric.histogram(
      instrument.name,
      MetricBoundaries.fromIterable(instrument.bounds),
      instrument.help,
    )
  }

  /** @param seen is shown beside its bucket, until a later one is */
  record(value: number, seen: Sighting | undefined): void {
    this.#metric.unsafeUpdate(value, this.#tags)
    if (seen === undefined) return
    this.#exemplars ??= Array.from({ length: this.#bounds.length + 1 }, () => null)
    const bucket = this.#bounds.findIndex((bound) => value <= bound)
    this.#exemplars[bucket === -1 ? this.#bounds.length : bucket] = { ...seen, value }
  }

  point(): HistogramPoint {
    const { buckets, sum } = this.#metric.unsafeValue(this.#tags)
    let before = 0
    // Effect adds up; its last bucket has no bound either.
    const counts = buckets.map(([, upTo]) => {
      const count = upTo - before
      before = upTo
      return count
    })
    return { labels: this.labels, counts, sum, exemplars: this.#exemplars?.slice() ?? null }
  }
}

type Series = CounterSeries | GaugeSeries | HistogramSeries

/** The series of each instrument, by the values of their labels. */
class Shelf<S extends Series> {
  readonly #byName = new Map<string, Map<string, S>>()

  get<I extends Instrument>(
    instrument: I,
    labels: ReadonlyArray<string>,
    make: (instrument: I, labels: ReadonlyArray<string>) => S,
  ): S {
    const key = JSON.stringify(labels)
    const all = this.of(instrument.name)
    const known = all.get(key)
    if (known !== undefined) return known
    const series = make(instrument, labels)
    all.set(key, series)
    return series
  }

  of(name: string): Map<string, S> {
    const all = this.#byName.get(name) ?? new Map<string, S>()
    this.#byName.set(name, all)
    return all
  }

  get names(): Iterable<string> {
    return this.#byName.keys()
  }
}

/** How many series are read before others have their turn. */
const seriesAtOnce = 200

/** Lets Node's events have their turn: many series are read or written a part at a time. */
export const nextTurn: Effect.Effect<void> = Effect.async((resume) => {
  const turn = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(turn))
})

/** Every point of some series, a part in each turn. */
const pointsOf = <P>(series: Iterable<{ readonly point: () => P }>): Effect.Effect<ReadonlyArray<P>> =>
  Effect.gen(function* () {
    const points: Array<P> = []
    for (const one of series) {
      points.push(one.point())
      if (points.length % seriesAtOnce === 0) yield* nextTurn
    }
    return points
  })

export class Book {
  readonly #counters = new Shelf<CounterSeries>()
  readonly #gauges = new Shelf<GaugeSeries>()
  readonly #histograms = new Shelf<HistogramSeries>()

  counter(instrument: CounterInstrument, ...labels: ReadonlyArray<string>): CounterSeries {
    return this.#counters.get(instrument, labels, (of, values) => new CounterSeries(of, values))
  }

  gauge(instrument: GaugeInstrument, ...labels: ReadonlyArray<string>): GaugeSeries {
    return this.#gauges.get(instrument, labels, (of, values) => new GaugeSeries(of, values))
  }

  histogram(instrument: HistogramInstrument, ...labels: ReadonlyArray<string>): HistogramSeries {
    return this.#histograms.get(instrument, labels, (of, values) => new HistogramSeries(of, values))
  }

  /** What all series read, a part of them in each turn of the event loop. */
  readonly readings: Effect.Effect<Readings> = Effect.gen(this, function* () {
    const all: Record<string, Points> = {}
    for (const shelf of [this.#counters, this.#gauges]) {
      for (const name of shelf.names) {
        all[name] = { numbers: yield* pointsOf(shelf.of(name).values()), histograms: [] }
      }
    }
    for (const name of this.#histograms.names) {
      all[name] = { numbers: [], histograms: yield* pointsOf(this.#histograms.of(name).values()) }
    }
    return all
  })
}
