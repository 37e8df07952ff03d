/** Exports what this process reads, once in an interval and when it ends. Each of several processes exports its own, told apart by `service.instance.id`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { FinishedRequests } from "../FinishedRequests.ts"
import { Book } from "../metrics/Book.ts"
import { instruments } from "../metrics/Instruments.ts"
import type { Readings } from "../metrics/Readings.ts"
import { changesSince } from "./Changes.ts"
import { originOf, sending } from "./Exporting.ts"
import { genAiInstruments } from "./GenAiInstruments.ts"
import { type ConfiguredNames, GenAiMetrics } from "./GenAiMetrics.ts"
import { metricDataOf } from "./MetricData.ts"
import type { OtlpSettings } from "./OtlpSettings.ts"
import { toldOnce } from "./ToldOnce.ts"
import { untilTheEnd } from "./UntilTheEnd.ts"

/** Records the metrics of the GenAI conventions; gives what they read. */
export const genAiReadings = (
  { generation }: OtlpSettings,
  names: ConfiguredNames,
): Effect.Effect<{ readonly readings: Effect.Effect<Readings> }, never, FinishedRequests | Scope.Scope> =>
  Effect.gen(function* () {
    const book = new Book()
    const metrics = new GenAiMetrics(book, generation, names)
    const { hear } = yield* FinishedRequests
    yield* hear((record) => metrics.closed(record))
    return { readings: book.readings }
  })

/** Exports these readings for as long as the scope is open. */
export const exportMetrics = (
  settings: OtlpSettings,
  readings: Effect.Effect<Readings>,
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { generation, metrics } = settings
    if (metrics === undefined) return
    const { intervalMs, target, temporality } = metrics
    const beganAt = yield* Clock.currentTimeMillis
    const told = [...instruments, ...genAiInstruments[generation]]
    const send = yield* sending(
      (program) => (target, origin) => program.metricSender(target, origin, { beganAt, temporality }),
      target,
      originOf(settings),
    )
    const tell = toldOnce("metrics")
    let sent: Readings = {}
    const once = Effect.gen(function* () {
      const now = yield* readings
      const failure = yield* send(
        metricDataOf(told, temporality === "delta" ? changesSince(told, sent, now) : now),
      )
      yield* tell(failure)
      // What did not arrive is told with what comes next.
      if (failure === undefined && temporality === "delta") sent = now
    })
    yield* untilTheEnd({
      pause: Effect.sleep(intervalMs),
      once,
      ended: (isCut) =>
        isCut ? Effect.logWarning("the last metrics could not be exported before the end") : Effect.void,
    })
  })
