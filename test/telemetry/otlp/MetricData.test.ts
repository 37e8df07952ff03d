import { describe, expect, it } from "vitest"
import { instruments } from "../../../src/telemetry/metrics/Instruments.ts"
import { readingsOf } from "../../../src/telemetry/metrics/Readings.ts"
import { genAiInstruments } from "../../../src/telemetry/otlp/GenAiInstruments.ts"
import { type MetricData, metricDataOf } from "../../../src/telemetry/otlp/MetricData.ts"

const suffixes = new Map([
  ["s", "_seconds"],
  ["By", "_bytes"],
])

/** As Prometheus names what it is sent by OTLP. */
const inPrometheus = ({ kind, name, unit }: MetricData): string =>
  name.replaceAll(".", "_") + (suffixes.get(unit) ?? "") + (kind === "counter" ? "_total" : "")

describe("instruments as a collector takes them", () => {
  it("have the names of /metrics again in Prometheus, so that the same board shows them", () => {
    const readings = Object.fromEntries(
      instruments.map(({ labels, name }) => {
        const values = labels.map((label) => `of ${label}`)
        const histogram = { labels: values, counts: [1], sum: 1, exemplars: null }
        return [name, { numbers: [{ labels: values, value: 1 }], histograms: [histogram] }]
      }),
    )
    const told = metricDataOf(instruments, readings)
    expect(told.map(inPrometheus)).toEqual(instruments.map(({ name }) => name))
    for (const { points } of told) expect(points).toHaveLength(1)
  })

  it("leave out what reads nothing, and labels without a value", () => {
    const [usage] = genAiInstruments.latest.filter(({ name }) => name.endsWith("usage.input_tokens"))
    if (usage === undefined) throw new Error("there is none")
    const labels = ["chat", "openai", "m", "", "443", "unknown"]
    expect(metricDataOf([...instruments, usage], readingsOf([[usage, labels, 7]]))).toEqual([
      {
        name: "gen_ai.client.inference.usage.input_tokens",
        about: "Input tokens, cached ones too.",
        unit: "{token}",
        kind: "counter",
        points: [
          {
            attributes: {
              "gen_ai.operation.name": "chat",
              "gen_ai.provider.name": "openai",
              "gen_ai.request.model": "m",
              "server.port": 443,
              "gen_ai.token.modality": "unknown",
            },
            value: 7,
          },
        ],
      },
    ])
  })
})
