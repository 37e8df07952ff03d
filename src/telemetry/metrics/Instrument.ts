/** What an instrument is: declared once, as data, from which what is recorded, exposed, added up and written in docs/metrics.md follows. */

/** How what several processes say of it becomes one number. */
export type Over = "sum" | "max" | "min"

interface Declared {
  readonly name: string
  /** What it tells, in one sentence. */
  readonly help: string
  /** The names of its labels. Their values are of the configuration, or of a list that is written in the source. */
  readonly labels: ReadonlyArray<string>
}

/** What only grows. One that every process counts alike, as reloads, is the most of them rather than their sum. */
export interface CounterInstrument extends Declared {
  readonly kind: "counter"
  readonly over: Over
}

/** What is so at the moment. */
export interface GaugeInstrument extends Declared {
  readonly kind: "gauge"
  readonly over: Over
}

/** How many were how long, or how much. */
export interface HistogramInstrument extends Declared {
  readonly kind: "histogram"
  readonly over: "sum"
  /** The upper bounds of its buckets, rising; a last one without a bound is always there. */
  readonly bounds: ReadonlyArray<number>
}

export type Instrument = CounterInstrument | GaugeInstrument | HistogramInstrument

export const counter = (
  name: string,
  labels: ReadonlyArray<string>,
  help: string,
  over: Over = "sum",
): CounterInstrument => ({ kind: "counter", name, labels, help, over })

export const gauge = (
  name: string,
  labels: ReadonlyArray<string>,
  help: string,
  over: Over = "sum",
): GaugeInstrument => ({ kind: "gauge", name, labels, help, over })

export const histogram = (
  name: string,
  labels: ReadonlyArray<string>,
  bounds: ReadonlyArray<number>,
  help: string,
): HistogramInstrument => ({ kind: "histogram", name, labels, bounds, help, over: "sum" })
