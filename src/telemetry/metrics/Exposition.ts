/**
 * Readings as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0, which has exemplars. A family at a time, so that a long page never
 * holds the event loop.
 */
import type { Instrument } from "./Instrument.ts"
import type { Exemplar, HistogramPoint, Points } from "./Readings.ts"

export type PageFormat = "text" | "openmetrics"

export const contentTypes: Readonly<Record<PageFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}

/** What a page ends with. */
export const endOf: Readonly<Record<PageFormat, string>> = { text: "", openmetrics: "# EOF\n" }

const weightOf = (parameters: ReadonlyArray<string>): number => {
  const given = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/i.exec(parameter)?.[1])
  return Number(given.find((weight) => weight !== undefined) ?? 1)
}

/** The format that an `accept` header asks for: OpenMetrics to who names it and likes no plain text better. */
export const formatFor = (accept: string): PageFormat => {
  let text = 0
  let openmetrics = 0
  for (const range of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";")
    const weight = weightOf(parameters)
    if (type.trim() === "application/openmetrics-text") openmetrics = Math.max(openmetrics, weight)
    if (type.trim() === "text/plain") text = Math.max(text, weight)
  }
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text"
}

const escapedHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")

const escapedValue = (text: string): string => escapedHelp(text).replaceAll('"', '\\"')

/** A number as both formats have it. */
const shown = (value: number): string => {
  if (value === Number.POSITIVE_INFINITY) return "+Inf"
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)
}

/** The bound of a bucket. OpenMetrics writes whole ones with a point, so that a bound has one spelling. */
const bound = (value: number, format: PageFormat): string =>
  format === "openmetrics" && Number.isInteger(value) ? `${value}.0` : shown(value)

/** `a="b",c="d"`. */
const pairs = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): string =>
  names.map((name, at) => `${name}="${escapedValue(values[at] ?? "")}"`).join(",")

const braced = (text: string): string => (text === "" ? "" : `{${text}}`)

const exemplarOf = (exemplar: Exemplar | null | undefined, format: PageFormat): string =>
  exemplar === undefined || exemplar === null || format === "text"
    ? ""
    : ` # {trace_id="${escapedValue(exemplar.trace)}"} ${shown(exemplar.value)} ${shown(exemplar.at / 1000)}`

const histogramLines = (
  name: string,
  labels: string,
  les: ReadonlyArray<string>,
  { counts, exemplars, sum }: HistogramPoint,
  format: PageFormat,
): string => {
  const before = labels === "" ? "" : `${labels},`
  let lines = ""
  let count = 0
  for (const [at, le] of les.entries()) {
    count += counts[at] ?? 0
    lines += `${name}_bucket{${before}le="${le}"} ${count}${exemplarOf(exemplars?.[at], format)}\n`
  }
  return `${lines}${name}_sum${braced(labels)} ${shown(sum)}\n${name}_count${braced(labels)} ${count}\n`
}

/** In OpenMetrics a counter's family is named without the ending of its samples. */
const familyOf = ({ kind, name }: Instrument, format: PageFormat): string =>
  format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name

/** How many points are written at once. */
const pointsAtOnce = 200

/** The lines of one instrument, some at a time; none where it has no points. */
export function* linesOf(instrument: Instrument, points: Points, format: PageFormat): Generator<string> {
  const { help, kind, labels, name } = instrument
  if (points.numbers.length + points.histograms.length === 0) return
  const family = familyOf(instrument, format)
  let lines = `# HELP ${family} ${escapedHelp(help)}\n# TYPE ${family} ${kind}\n`
  let written = 0
  const les = kind === "histogram" ? [...instrument.bounds.map((value) => bound(value, format)), "+Inf"] : []
  for (const point of points.numbers) {
    lines += `${name}${braced(pairs(labels, point.labels))} ${shown(point.value)}\n`
    if (++written % pointsAtOnce === 0) {
      yield lines
      lines = ""
    }
  }
  for (const point of points.histograms) {
    lines += histogramLines(name, pairs(labels, point.labels), les, point, format)
    // Each is as long as so many others.
    written += les.length
    if (written >= pointsAtOnce) {
      written = 0
      yield lines
      lines = ""
    }
  }
  yield lines
}
