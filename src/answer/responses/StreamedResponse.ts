/**
 * A streamed response, from its first event to its last: upstream events in, outgoing events out. The last one is the client's assurance: the response
 * as a whole, or an error at which every SDK raises.
 *
 * Events of texts go through unparsed; only those that tell of items, or of the response as a whole, are read.
 */
import type { ShapedError } from "../../errors/SaidError.ts"
import { brokenStream } from "../../errors/StreamError.ts"
import { told } from "../../secrets/Told.ts"
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import { answerLimits, outlineOf, surelyReadable } from "../../wire/JsonOutline.ts"
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
import { mergeUsage, noUsage, readUsage, type Usage } from "../Usage.ts"
import { finishReasonOf, givenResponse, isCall, withGivenIds } from "./PlainResponse.ts"
import {
  endings,
  errorEvent,
  errorIn,
  failedEnding,
  failedEvent,
  headOf,
  isTelling,
  itemIn,
  itemsIn,
  named,
  noHead,
  type ResponseHead,
  responseIn,
} from "./ResponseEvents.ts"
import { givenItem } from "./SealedItem.ts"

interface StreamedState extends AnswerState {
  readonly head: ResponseHead
  /** The number of its first event: of a response that is read on from within, not 0. */
  readonly from: number
  readonly usage: Usage
  readonly finishReason: string | undefined
  readonly toolCalls: boolean
  readonly passedOver: number
  readonly error: string | undefined
}

type StreamedStep = readonly [StreamedState, ReadonlyArray<SseEvent>]

const initial: StreamedState = {
  phase: "open",
  brokenBy: undefined,
  head: noHead,
  from: 0,
  usage: noUsage,
  finishReason: undefined,
  toolCalls: false,
  passedOver: 0,
  error: undefined,
}

const nothing: ReadonlyArray<SseEvent> = []

const endedEarly = brokenStream(reasonOf({ kind: "ended" }))

const numberOf = ({ data }: SseEvent): number => {
  const number = outlineOf(data, answerLimits)?.["sequence_number"]
  return typeof number === "number" && Number.isSafeInteger(number) && number > 0 ? number : 0
}

/** What an event says of the response. */
const learned = (state: StreamedState, name: string | undefined, data: JsonObject): StreamedState => {
  const response = responseIn(data)
  const item = itemIn(data)
  const calls = (item !== undefined && isCall(item)) || itemsIn(data).some(isCall)
  return {
    ...state,
    head: response === undefined ? state.head : headOf(response),
    usage: isJsonObject(response?.["usage"])
      ? mergeUsage(state.usage, readUsage(response["usage"]))
      : state.usage,
    finishReason:
      response === undefined || !endings.has(name) ? state.finishReason : finishReasonOf(response),
    toolCalls: state.toolCalls || calls,
  }
}

/** What an event tells, as it is given out. */
const givenData = (data: JsonObject, maker: string, isWhole: boolean): JsonObject => {
  const response = responseIn(data)
  if (response !== undefined) {
    return { ...data, response: isWhole ? givenResponse(response, maker) : withGivenIds(response, maker) }
  }
  const before = itemIn(data)
  const item = before === undefined || !isWhole ? before : givenItem(before, maker)
  return item === undefined || item === before ? data : { ...data, item }
}

/** The machine of a streamed response. */
export const streamedResponse = ({ madeBy, secrets }: AnswerSettings): AnswerMachine<StreamedState> => {
  /** The event with what it tells as that is given out. */
  const given = (event: SseEvent, outline: JsonObject): SseEvent => {
    const maker = madeBy?.()
    if (maker === undefined) return event
    const { length } = event.data
    const isRead = length <= surelyReadable
    // An outline has not all of what is encrypted.
    const data = isRead || length > longestChanged ? outline : (parseObject(event.data) ?? outline)
    const after = givenData(data, maker, isRead || data !== outline)
    const changed = after === data ? undefined : rewriteJson(event.data, data, after)
    return changed === undefined ? event : { data: changed, event: event.event }
  }

  const headGiven = (head: ResponseHead): ResponseHead => {
    const maker = madeBy?.()
    return maker === undefined ? head : { ...head, id: withGivenIds({ id: head.id }, maker)["id"] ?? "" }
  }

  const safe = ({ data, event }: SseEvent): SseEvent => ({ data: secrets.withoutIn(data), event })

  /** @param before how many events were given out, the response's own last one among them */
  const fail = (
    state: StreamedState,
    error: ShapedError,
    before: number,
    own: SseEvent | undefined,
  ): StreamedStep => [
    { ...state, phase: "broken", brokenBy: error, error: told(error.message, secrets, longestError) },
    [
      own ?? safe(failedEvent(error, headGiven(state.head), state.from + before)),
      safe(errorEvent(error, state.from + before + 1)),
    ],
  ]

  const read = (state: StreamedState, event: SseEvent, before: number): StreamedStep => {
    const data = outlineOf(event.data, answerLimits)
    const error = errorIn(event, data)
    if (error !== undefined) {
      const isOwn = event.event === failedEnding && data !== undefined
      const next = isOwn ? learned(state, event.event, data) : state
      return fail(next, error, before, isOwn ? safe(given(event, data)) : undefined)
    }
    if (data === undefined) return [passedOver(state), nothing]
    const next = learned(state, event.event, data)
    return [endings.has(event.event) ? { ...next, phase: "complete" } : next, [given(event, data)]]
  }

  return {
    initial,
    step: (known, event, before) => {
      if (known.phase !== "open" || event === ping) return [known, nothing]
      if (event === unreadable) return [passedOver(known), nothing]
      if (isDone(event)) return fail(known, endedEarly, before, undefined)
      const typed = named(event)
      const state = before === 0 ? { ...known, from: numberOf(event) } : known
      return isTelling(typed.event) ? read(state, typed, before) : [state, [typed]]
    },
    isFinished: () => false,
    end: (state, ending, before) => {
      if (state.phase !== "open") return [state, nothing]
      if (ending.kind === "cut") return fail(state, ending.error, before, undefined)
      const error = brokenStream(reasonOf(ending))
      return fail(state, error, before, undefined)
    },
    summary: ({ error, finishReason, passedOver, phase, toolCalls, usage }) => ({
      usage,
      finishReason,
      toolCalls,
      outcome: outcomeOf(phase),
      error,
      passedOver,
    }),
  }
}
