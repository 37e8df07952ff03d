/** Streams of events in tests: as they come, and as they are read. */
import type { AnswerEvent, NeutralAnswer } from "../../src/dialects/Answer.ts"
import { answerOf } from "../../src/dialects/AnswerParts.ts"
import type { DialectForm } from "../../src/dialects/DialectForm.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { doneEvent, isDone, type SseEvent } from "../../src/wire/Sse.ts"

const encoder = new TextEncoder()

/** Unnamed events, as chat has them, and its end. */
export const chunksOf = (...chunks: ReadonlyArray<JsonObject | "[DONE]">): ReadonlyArray<SseEvent> =>
  chunks.map((chunk) =>
    chunk === "[DONE]" ? doneEvent : { data: encoder.encode(JSON.stringify(chunk)), event: undefined },
  )

/** Events that bear the name of their type. */
export const namedOf = (...events: ReadonlyArray<JsonObject>): ReadonlyArray<SseEvent> =>
  events.map((event) => ({ data: encoder.encode(JSON.stringify(event)), event: String(event["type"]) }))

export const objectsOf = (events: ReadonlyArray<SseEvent>): ReadonlyArray<JsonObject | "[DONE]"> =>
  events.map((event) => (isDone(event) ? "[DONE]" : (parseObject(event.data) ?? {})))

/** All that a reader tells of a stream, its end included. */
export const readAll = (form: DialectForm, events: ReadonlyArray<SseEvent>): ReadonlyArray<AnswerEvent> => {
  const reading = form.readEvents()
  return [...reading.take(events), ...reading.rest()]
}

export const answerIn = (form: DialectForm, events: ReadonlyArray<SseEvent>): NeutralAnswer | undefined =>
  answerOf(readAll(form, events))
