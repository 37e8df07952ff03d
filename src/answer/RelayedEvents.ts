/**
 * How answers stream whose events are handed on as they came: those of sound, images and transcripts, JSON objects with a `type`. Nothing in them is
 * changed; what they use is read of them, and an answer that lacks its last event ends in an error.
 */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { brokenStream } from "../errors/StreamError.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { told } from "../secrets/Told.ts"
import { isJsonObject, type JsonObject } from "../wire/Json.ts"
import { encodeJson, parseObject } from "../wire/JsonBytes.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { isDone, type SseEvent } from "../wire/Sse.ts"
import { encodeEvent, heartbeat } from "../wire/SseWriting.ts"
import {
  type AnswerMachine,
  AnswerMachineRun,
  type AnswerSettings,
  type AnswerState,
  longestError,
  outcomeOf,
  passedOver,
  reasonOf,
} from "./AnswerRun.ts"
import { withoutEncoded } from "./RelayedExcerpt.ts"
import { ping, unreadable } from "./StreamEvent.ts"
import { errorOnOneLine, isOver, type StreamGrammar, saysNothing, saysSomething } from "./StreamGrammar.ts"
import { mergeUsage, noUsage, readUsage, type Usage } from "./Usage.ts"
import { errorOf } from "./Verdict.ts"

/** What is known of the events of an operation. */
export interface RelayedEventRules {
  /** The type of the event that ends an answer, or one of those that a request asked for. */
  readonly last: string
  /** That event says something: an answer may be nothing but it. */
  readonly lastSays: boolean
  /** What an answer costs beside what its events say, given how many last events it had; absent: nothing. */
  readonly counted?: (ended: number) => Partial<Usage>
  /** The events that a plain answer makes; `undefined` where it makes none. */
  readonly eventsOf: (answer: JsonObject) => ReadonlyArray<JsonObject> | undefined
  /** The plain answer that events make, for the audit; of an answer that broke off, as much as there is. */
  readonly answerOf: (events: ReadonlyArray<JsonObject>) => JsonObject
}

interface RelayedState extends AnswerState {
  readonly ended: number
  readonly passedOver: number
  readonly usage: Usage
  readonly error: string | undefined
}

const initial: RelayedState = {
  phase: "open",
  brokenBy: undefined,
  ended: 0,
  passedOver: 0,
  usage: noUsage,
  error: undefined,
}

const nothing: ReadonlyArray<SseEvent> = []

type Step = readonly [RelayedState, ReadonlyArray<SseEvent>]

const fail = (state: RelayedState, error: ShapedError, secrets: Secrets): Step => [
  { ...state, phase: "broken", brokenBy: error, error: told(error.message, secrets, longestError) },
  [{ data: secrets.withoutIn(errorData(error)), event: "error" }],
]

const machineOf = (
  { counted, last }: RelayedEventRules,
  { choices, secrets }: AnswerSettings,
): AnswerMachine<RelayedState> => {
  const isFinished = ({ ended }: RelayedState): boolean => ended >= choices

  const step = (state: RelayedState, event: SseEvent): Step => {
    if (state.phase !== "open" || event === ping) return [state, nothing]
    if (event === unreadable) return [passedOver(state), nothing]
    if (isDone(event)) return [{ ...state, phase: "complete" }, [event]]
    const object = outlineOf(event.data, answerLimits)
    const error = errorOf(event, object)
    if (error !== undefined) return fail(state, error, secrets)
    if (object === undefined) return [passedOver(state), nothing]
    const isLast = object["type"] === last
    const { usage } = object
    if (!isLast && !isJsonObject(usage)) return [state, [event]]
    const next = {
      ...state,
      ended: isLast ? state.ended + 1 : state.ended,
      usage: mergeUsage(state.usage, readUsage(usage)),
    }
    return [next, [event]]
  }

  const end: AnswerMachine<RelayedState>["end"] = (state, ending) => {
    if (state.phase !== "open") return [state, nothing]
    // One that broke off with fewer parts than were asked for still had the others to come.
    const isWhole = ending.kind === "ended" ? state.ended > 0 : isFinished(state)
    if (isWhole) return [{ ...state, phase: "complete" }, nothing]
    if (ending.kind === "cut") return fail(state, ending.error, secrets)
    return fail(state, brokenStream(reasonOf(ending)), secrets)
  }

  return {
    initial,
    step,
    isFinished,
    end,
    summary: ({ ended, error, passedOver: missing, phase, usage }) => ({
      usage: counted === undefined ? usage : { ...usage, ...counted(ended) },
      finishReason: undefined,
      toolCalls: false,
      outcome: outcomeOf(phase),
      error,
      passedOver: missing,
    }),
  }
}

const meaningOf =
  ({ last, lastSays }: RelayedEventRules): StreamGrammar["meaning"] =>
  (event) => {
    if (isDone(event)) return isOver
    const object = outlineOf(event.data, answerLimits)
    const error = errorOf(event, object)
    if (error !== undefined) return { kind: "error", error }
    if (object === undefined) return saysNothing
    return object["type"] === last && !lastSays ? isOver : saysSomething
  }

/** An event's data as they are kept: whatever is encoded in them is only named. */
const keptOf = (data: Uint8Array): Uint8Array => {
  const object = outlineOf(data, answerLimits)
  return object === undefined ? data : (encodeJson(withoutEncoded(object)) ?? data)
}

/** The data of the events that a plain answer makes. */
const givenOut = (
  { eventsOf }: RelayedEventRules,
  body: Uint8Array,
  limitBytes: number,
): ReadonlyArray<Uint8Array> | undefined => {
  const answer = parseObject(body)
  const events = answer === undefined ? undefined : eventsOf(answer)
  const datas = events?.map(encodeJson).filter((data) => data !== undefined)
  const bytes = datas?.reduce((sum, { length }) => sum + length, 0) ?? 0
  return bytes > limitBytes ? undefined : datas
}

/** The grammar of answers with these events. */
export const relayedEvents = (rules: RelayedEventRules): StreamGrammar => ({
  meaning: meaningOf(rules),
  answer: (settings) => new AnswerMachineRun(machineOf(rules, settings)),
  frame: encodeEvent,
  kept: keptOf,
  heartbeat,
  errorEvents: (body) => [errorOnOneLine(body, "error")],
  changed: () => undefined,
  givenOut: (body, limitBytes) => givenOut(rules, body, limitBytes),
  gathered: () => undefined,
  assembled: (datas, truncated) => {
    const answer = rules.answerOf(datas.map(parseObject).filter((event) => event !== undefined))
    return truncated ? { ...answer, truncated } : answer
  },
  resume: undefined,
})
