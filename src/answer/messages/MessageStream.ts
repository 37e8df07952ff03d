/**
 * A streamed message from its first event to its last: upstream events in, outgoing events out, and what was learned on the way. `message_stop` closes a
 * whole answer, an error event one that broke off: at once, and never the end of a block that is not whole, of which SDKs would make a call.
 *
 * The deltas of blocks go through unparsed. What changes texts (MessageEventTexts) stands before this, so that every answer ends by the same rules.
 */
import { anthropicFace } from "../../errors/faces/AnthropicFace.ts"
import type { ShapedError } from "../../errors/SaidError.ts"
import { brokenStream } from "../../errors/StreamError.ts"
import { told } from "../../secrets/Told.ts"
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import { answerLimits, outlineOf } from "../../wire/JsonOutline.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import {
  type AnswerMachine,
  type AnswerSettings,
  type AnswerState,
  longestError,
  outcomeOf,
  passedOver,
  reasonOf,
} from "../AnswerRun.ts"
import { longestChanged, ping, unreadable } from "../StreamEvent.ts"
import { callsTool, stopReasonOf } from "./MessageAnswer.ts"
import { deltaName, errorOfEvent, isDelta, typeOf, within } from "./MessageEvent.ts"
import { messageInEvents } from "./MessageInEvents.ts"
import { type MessageCounts, mergeCounts, noCounts, readCounts, usageOf } from "./MessageUsage.ts"
import { isPlainDelta, maySeal, withMarks } from "./Sealed.ts"

export interface MessageState extends AnswerState {
  /** An event has come that belongs to a message. */
  readonly hasBegun: boolean
  /** Events of no message, and not passed on. */
  readonly passedOver: number
  readonly counts: MessageCounts
  readonly stopReason: string | undefined
  readonly toolCalls: boolean
  readonly error: string | undefined
}

const initial: MessageState = {
  phase: "open",
  brokenBy: undefined,
  hasBegun: false,
  passedOver: 0,
  counts: noCounts,
  stopReason: undefined,
  toolCalls: false,
  error: undefined,
}

const nothing: ReadonlyArray<SseEvent> = []

type Step = readonly [MessageState, ReadonlyArray<SseEvent>]

const encoder = new TextEncoder()

const stopEvent: SseEvent = { data: encoder.encode('{"type":"message_stop"}'), event: "message_stop" }

/** The most that the events take which are made of one. */
const maxMadeBytes = 64 * 1024 * 1024

/** SDKs read the count of tokens at the end without looking whether it is there. */
const withUsage = (event: SseEvent, data: JsonObject, { output = 0 }: MessageCounts): SseEvent => {
  if (isJsonObject(data["usage"])) return event
  const changed = rewriteJson(event.data, data, { ...data, usage: { output_tokens: output } })
  return changed === undefined ? event : { data: changed, event: event.event }
}

/** They do so with those at the beginning too. */
const withStartUsage = (event: SseEvent, data: JsonObject): SseEvent => {
  const { message } = data
  if (message === undefined || !isJsonObject(message) || isJsonObject(message["usage"])) return event
  const usage = { input_tokens: 0, output_tokens: 0 }
  const changed = rewriteJson(event.data, data, { ...data, message: { ...message, usage } })
  return changed === undefined ? event : { data: changed, event: event.event }
}

/** The event with its maker's mark behind what is sealed in its block, or in the delta of one. */
const withBlockMarks = (
  event: SseEvent,
  name: "content_block" | "delta",
  { madeBy: maker, marksOnlyAgain }: Pick<AnswerSettings, "madeBy" | "marksOnlyAgain">,
): SseEvent => {
  if (maker === undefined || isPlainDelta(event.data)) return event
  if (event.data.length > longestChanged || !maySeal(event.data)) return event
  const data = parseObject(event.data)
  if (data === undefined) return event
  const before = within(data, name)
  const after = withMarks(before, maker(), marksOnlyAgain)
  const changed = after === before ? undefined : rewriteJson(event.data, data, { ...data, [name]: after })
  return changed === undefined ? event : { data: changed, event: event.event }
}

const complete = (state: MessageState, event: SseEvent): Step => [{ ...state, phase: "complete" }, [event]]

/** The machine of a streamed message. */
export const messageStream = (settings: AnswerSettings): AnswerMachine<MessageState> => {
  const { isGathered = false, requestId, secrets } = settings

  /** @param own the event by which the upstream tells it, in the shape that it is told in here */
  const fail = (state: MessageState, error: ShapedError, own?: Uint8Array): Step => [
    { ...state, phase: "broken", brokenBy: error, error: told(error.message, secrets, longestError) },
    [{ data: secrets.withoutIn(own ?? anthropicFace.errorData(error, requestId)), event: "error" }],
  ]

  const isFinished = ({ stopReason }: MessageState): boolean => stopReason !== undefined

  const end: AnswerMachine<MessageState>["end"] = (state, ending) => {
    if (state.phase !== "open") return [state, nothing]
    if (isFinished(state)) return complete(state, stopEvent)
    if (ending.kind === "cut") return fail(state, ending.error)
    return fail(state, brokenStream(reasonOf(ending)))
  }

  /** An event that is no error, with what it tells. */
  const read = (before: MessageState, event: SseEvent, data: JsonObject): Step => {
    const state = before.hasBegun ? before : { ...before, hasBegun: true }
    switch (typeOf(event, data)) {
      case "message_start": {
        const counts = mergeCounts(state.counts, readCounts(within(data, "message")["usage"]))
        return [{ ...state, counts }, [isGathered ? event : withStartUsage(event, data)]]
      }
      case "content_block_start": {
        const calls = callsTool(within(data, "content_block"))
        const next = calls && !state.toolCalls ? { ...state, toolCalls: true } : state
        return [next, [withBlockMarks(event, "content_block", settings)]]
      }
      case deltaName:
        return [state, [withBlockMarks(event, "delta", settings)]]
      case "message_delta": {
        const counts = mergeCounts(state.counts, readCounts(data["usage"]))
        const stopReason = state.stopReason ?? stopReasonOf(within(data, "delta"))
        return [{ ...state, counts, stopReason }, [isGathered ? event : withUsage(event, data, counts)]]
      }
      case "message_stop":
        return complete(state, event)
      case "message":
        return before.hasBegun ? [state, [event]] : givenOut(before, event)
      default:
        return [state, [event]]
    }
  }

  /** A message that came as one event. */
  const givenOut = (before: MessageState, { data }: SseEvent): Step => {
    let state = before
    const events: Array<SseEvent> = []
    for (const made of messageInEvents(data, maxMadeBytes) ?? []) {
      const [next, some] = read(state, { data: made, event: undefined }, outlineOf(made, answerLimits) ?? {})
      state = next
      events.push(...some)
    }
    return events.length === 0 ? [passedOver(before), nothing] : [state, events]
  }

  const step: AnswerMachine<MessageState>["step"] = (state, event, given) => {
    if (state.phase !== "open" || event === ping) return [state, nothing]
    if (state.hasBegun && isDelta(event)) return [state, [withBlockMarks(event, "delta", settings)]]
    if (event === unreadable) return [passedOver(state), nothing]
    if (isDone(event)) return end(state, { kind: "ended" }, given)
    const data = outlineOf(event.data, answerLimits)
    const error = errorOfEvent(event, data)
    if (error !== undefined) {
      const isOwn = anthropicFace.shapedBody(event.data, 500, undefined) === event.data
      return fail(state, error, isOwn ? event.data : undefined)
    }
    return data === undefined || typeOf(event, data) === undefined
      ? [passedOver(state), nothing]
      : read(state, event, data)
  }

  return { initial, step, isFinished, end, summary }
}

const summary: AnswerMachine<MessageState>["summary"] = ({
  counts,
  error,
  passedOver,
  phase,
  stopReason,
  toolCalls,
}) => ({
  usage: usageOf(counts),
  finishReason: stopReason,
  toolCalls,
  outcome: outcomeOf(phase),
  error,
  passedOver,
})
