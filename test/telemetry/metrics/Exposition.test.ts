import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { formatFor, linesOf, type PageFormat } from "../../../src/telemetry/metrics/Exposition.ts"
import { counter, histogram, type Instrument } from "../../../src/telemetry/metrics/Instrument.ts"
import { noPoints, type Points } from "../../../src/telemetry/metrics/Readings.ts"

const asked = counter("asked_total", ["model"], "Asked, with a \\ and\na line.")
const taken = histogram("taken_seconds", ["model"], [0.5, 1], "Taken.")

const written = (instrument: Instrument, points: Points, format: PageFormat) =>
  [...linesOf(instrument, points, format)].join("")

describe("A page of metrics", () => {
  it("has a counter as both formats have it, with what would break a line escaped", () => {
    const points = { numbers: [{ labels: ['a"\\\nb'], value: 3 }], histograms: [] }
    expect(written(asked, points, "text")).toBe(
      '# HELP asked_total Asked, with a \\\\ and\\na line.\n# TYPE asked_total counter\nasked_total{model="a\\"\\\\\\nb"} 3\n',
    )
    expect(written(asked, points, "openmetrics")).toBe(
      '# HELP asked Asked, with a \\\\ and\\na line.\n# TYPE asked counter\nasked_total{model="a\\"\\\\\\nb"} 3\n',
    )
  })

  it("has a histogram with counts that add up, and exemplars for OpenMetrics alone", () => {
    const exemplars = [null, { trace: "abc", value: 0.75, at: 1_500 }, null]
    const points = { numbers: [], histograms: [{ labels: ["m"], counts: [1, 2, 3], sum: 9.5, exemplars }] }
    expect(written(taken, points, "openmetrics").split("\n")).toEqual([
      "# HELP taken_seconds Taken.",
      "# TYPE taken_seconds histogram",
      'taken_seconds_bucket{model="m",le="0.5"} 1',
      'taken_seconds_bucket{model="m",le="1.0"} 3 # {trace_id="abc"} 0.75 1.5',
      'taken_seconds_bucket{model="m",le="+Inf"} 6',
      'taken_seconds_sum{model="m"} 9.5',
      'taken_seconds_count{model="m"} 6',
      "",
    ])
    expect(written(taken, points, "text")).not.toContain("abc")
  })

  it("says nothing of what was never seen", () => {
    expect(written(asked, noPoints, "text")).toBe("")
  })

  it("law: is the same whether it is written at once or in parts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), (series) => {
        const labels = Array.from({ length: series }, (_, at) => [`m${at}`])
        const numbers = labels.map((of, value) => ({ labels: of, value }))
        const lines = written(asked, { numbers, histograms: [] }, "text").trimEnd().split("\n")
        expect(lines.slice(2)).toEqual(labels.map(([of], value) => `asked_total{model="${of}"} ${value}`))
      }),
    )
  })

  it("is OpenMetrics for who asks for that, and text for everybody else", () => {
    const formats = {
      "": "text",
      "*/*": "text",
      "text/plain": "text",
      "application/openmetrics-text": "openmetrics",
      // Prometheus 2 and 3.
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1":
        "openmetrics",
      "text/plain, application/openmetrics-text;q=0.5": "text",
      "application/openmetrics-text;q=0": "text",
    }
    for (const [accept, format] of Object.entries(formats))
      expect([accept, formatFor(accept)]).toEqual([accept, format])
  })
})
