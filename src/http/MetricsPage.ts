/** `GET /metrics`: what all processes read, as one page for Prometheus. Whichever process is asked, the page is the same. */
import * as Effect from "effect/Effect"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ClientAnswer, ClientCall } from "../gateway/Exchange.ts"
import { Fleet } from "../processes/Fleet.ts"
import type { LastingQuestion } from "../processes/FleetQuestion.ts"
import { nextTurn } from "../telemetry/metrics/Book.ts"
import { contentTypes, endOf, formatFor, linesOf } from "../telemetry/metrics/Exposition.ts"
import { gptApi, gptApiInstruments, successRates } from "../telemetry/metrics/GptApiInstruments.ts"
import type { Instrument } from "../telemetry/metrics/Instrument.ts"
import { instruments } from "../telemetry/metrics/Instruments.ts"
import {
  leftOf,
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

/** What all processes read of an instrument, as one. */
const joined = (instrument: Instrument, answers: ReadonlyArray<PackedReadings>): Points =>
  together(
    instrument,
    answers.map((answer) => unpackPoints(answer[instrument.name])),
  )

const pointsOf = (instrument: Instrument, answers: ReadonlyArray<PackedReadings>): Points =>
  instrument === gptApi.successRate
    ? successRates(joined(gptApi.requests, answers))
    : joined(instrument, answers)

/**
 * An instrument after the other, each a part in each turn of the event loop. Until it is written out as bytes it stays packed: what lives through a
 * collection is copied by it, which with a thousand pairs of model and client held the loop for 6 ms, and one text of all of it for another 6.
 */
const page = (accept: string) =>
  Effect.gen(function* () {
    const { names } = (yield* CurrentConfig).snapshot().metrics
    const answers = yield* (yield* Fleet).ask(metricsQuestion)
    const format = formatFor(accept)
    const parts: Array<Buffer> = []
    const told = [
      ...(names.has("sluice") ? instruments : []),
      ...(names.has("gpt_api") ? gptApiInstruments : []),
    ]
    for (const instrument of told) {
      const points = pointsOf(instrument, answers)
      yield* nextTurn
      for (const lines of linesOf(instrument, points, format)) {
        parts.push(Buffer.from(lines))
        yield* nextTurn
      }
    }
    parts.push(Buffer.from(endOf[format]))
    return { format, bytes: Buffer.concat(parts) }
  })

/** The page, in the format that is asked for. */
export const metricsPage = ({ headers }: ClientCall) =>
  Effect.map(
    page(headers["accept"] ?? ""),
    ({ bytes, format }): ClientAnswer => ({
      status: 200,
      headers: { "content-type": contentTypes[format] },
      body: bytes,
    }),
  )
