/** What instruments read, as a collector takes it: under names with dots and units, from which Prometheus makes the names of `/metrics` again. */
import type { Instrument } from "../metrics/Instrument.ts"
import { noPoints, type Readings } from "../metrics/Readings.ts"

/** Labels as they are told: those that are numbers by their conventions, as numbers. */
export type MetricAttributes = Readonly<Record<string, string | number>>

export interface MetricPoint {
  readonly attributes: MetricAttributes
  readonly value: number
}

export interface HistogramData {
  readonly attributes: MetricAttributes
  readonly bounds: ReadonlyArray<number>
  /** How many fell into each bucket alone; the last has no bound. */
  readonly counts: ReadonlyArray<number>
  readonly sum: number
}

interface Told {
  readonly name: string
  readonly about: string
  readonly unit: string
}

export type MetricData =
  | (Told & { readonly kind: "counter" | "gauge"; readonly points: ReadonlyArray<MetricPoint> })
  | (Told & { readonly kind: "histogram"; readonly points: ReadonlyArray<HistogramData> })

/** Units by the ends of names, as Prometheus wants them there. */
const units: ReadonlyArray<readonly [end: string, unit: string]> = [
  ["_seconds", "s"],
  ["_bytes", "By"],
]

/** `sluice_request_duration_seconds` is `sluice.request_duration` in `s`. One that has dots is called by its conventions. */
const toldOf = ({ help, name }: Instrument): Told => {
  if (name.includes(".")) return { name, about: help, unit: conventionalUnit(name) }
  const counted = name.replace(/_total$/, "")
  const [end = "", unit = ""] = units.find(([end]) => counted.endsWith(end)) ?? []
  return { name: counted.slice(0, counted.length - end.length).replace("_", "."), about: help, unit }
}

/** Those of the GenAI conventions count tokens, or seconds. */
const conventionalUnit = (name: string): string => (/token(s|\.usage)$/.test(name) ? "{token}" : "s")

const attributeOf = (name: string, value: string): string | number =>
  name === "server.port" ? Number(value) : value

const attributesOf = ({ labels: names }: Instrument, values: ReadonlyArray<string>): MetricAttributes =>
  Object.fromEntries(
    names.flatMap((name, at) => {
      const value = values[at] ?? ""
      return value === "" ? [] : [[name, attributeOf(name, value)]]
    }),
  )

/** Of each instrument that reads anything. A label without a value is left out. */
export const metricDataOf = (
  instruments: ReadonlyArray<Instrument>,
  readings: Readings,
): ReadonlyArray<MetricData> =>
  instruments.flatMap((instrument): ReadonlyArray<MetricData> => {
    const { histograms, numbers } = readings[instrument.name] ?? noPoints
    const told = toldOf(instrument)
    if (instrument.kind === "histogram") {
      const points = histograms.map(({ counts, labels, sum }) => {
        return { attributes: attributesOf(instrument, labels), bounds: instrument.bounds, counts, sum }
      })
      return points.length === 0 ? [] : [{ ...told, kind: "histogram", points }]
    }
    const points = numbers.map(({ labels, value }) => ({
      attributes: attributesOf(instrument, labels),
      value,
    }))
    return points.length === 0 ? [] : [{ ...told, kind: instrument.kind, points }]
  })
