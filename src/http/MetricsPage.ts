/** `GET /metrics`: what all processes read, as one page for Prometheus. Whichever process is asked, the page is the same. */
import * as Effect from "effect/Effect"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { Fleet } from "../processes/Fleet.ts"
import type { LastingQuestion } from "../processes/FleetQuestion.ts"
import { nextTurn } from "../telemetry/metrics/Book.ts"
import { contentTypes, endOf, formatFor, linesOf } from "../telemetry/metrics/Exposition.ts"
import { gptApi, gptApiInstruments, successRates } from "../telemetry/metrics/GptApiInstruments.ts"
import { instruments } from "../telemetry/metrics/Instruments.ts"
import {
  leftOf,
  noPoints,
  type PackedReadings,
  type Points,
  packPoints,
  type Readings,
  together,
  unpackPoints,
} from "../telemetry/metrics/Readings.ts"

const all = [...instruments, ...gptApiInstruments]

/** What a process reads. What workers counted that died is counted on. */
export const metricsQuestion: LastingQuestion<PackedReadings> = {
  name: "metrics",
  isAnswer: (said): said is PackedReadings => typeof said === "object" && said !== null,
  inherit: (left, last) => leftOf(all, left, last),
}

/** Packed for another process, an instrument in each turn of the event loop. */
export const packed = (readings: Readings): Effect.Effect<PackedReadings> =>
  Effect.gen(function* () {
    const all: Record<string, string> = {}
    for (const [name, points] of Object.entries(readings)) {
      all[name] = packPoints(points)
      yield* nextTurn
    }
    return all
  })

/** The readings of all processes as one, an instrument in each turn of the event loop. */
const joined = (answers: ReadonlyArray<PackedReadings>): Effect.Effect<Readings> =>
  Effect.gen(function* () {
    const one: Record<string, Points> = {}
    for (const instrument of all) {
      const { name } = instrument
      one[name] = together(
        instrument,
        answers.map((answer) => unpackPoints(answer[name])),
      )
      yield* nextTurn
    }
    return one
  })

const page = (accept: string) =>
  Effect.gen(function* () {
    const { names } = (yield* CurrentConfig).snapshot().metrics
    const readings = yield* joined(yield* (yield* Fleet).ask(metricsQuestion))
    const format = formatFor(accept)
    const parts: Array<string> = []
    const told = [
      ...(names.has("sluice") ? instruments : []),
      ...(names.has("gpt_api") ? gptApiInstruments : []),
    ]
    for (const instrument of told) {
      const points =
        instrument === gptApi.successRate ? successRates(readings) : (readings[instrument.name] ?? noPoints)
      for (const lines of linesOf(instrument, points, format)) {
        parts.push(lines)
        yield* nextTurn
      }
    }
    parts.push(endOf[format])
    return { format, text: parts.join("") }
  })

/** The page, in the format that is asked for. */
export const metricsPage = ({ headers }: ClientCall) =>
  Effect.map(
    page(headers["accept"] ?? ""),
    ({ format, text }): ClientAnswer => ({
      status: 200,
      headers: { "content-type": contentTypes[format] },
      body: Buffer.from(text),
    }),
  )
