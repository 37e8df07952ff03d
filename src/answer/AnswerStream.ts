/**
 * A streamed answer of choices, from its first chunk to its last: upstream events in, outgoing events out, and what was learned on
 * the way. The end is the client's assurance: `[DONE]` closes a whole answer, an error event one that broke off.
 *
 * An event's data goes through unparsed; only one that looks as if it told something is read. What changes texts (ChangedTexts) stands before this, so
 * that every answer ends by the same rules.
 */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { brokenStream } from "../errors/StreamError.ts"
import { told } from "../secrets/Told.ts"
import { isJsonObject, type JsonObject } from "../wire/Json.ts"
import { rewriteJson } from "../wire/JsonBytes.ts"
import { answerLimits, outlineOf, surelyReadable } from "../wire/JsonOutline.ts"
import { doneEvent, isDone, type SseEvent } from "../wire/Sse.ts"
import { wholeInChunks } from "./AnswerInChunks.ts"
import {
  type AnswerMachine,
  type AnswerSettings,
  type AnswerState,
  type AnswerSummary,
  longestError,
  outcomeOf,
  passedOver,
  reasonOf,
} from "./AnswerRun.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import { callsTool, holderOf } from "./ChoiceText.ts"
import { isTelling } from "./ChunkScan.ts"
import { withoutUsage } from "./HiddenUsage.ts"
import {
  allFinished,
  firstFinishReason,
  knowsFirst,
  maxChoices,
  type Progress,
  progressWith,
} from "./Progress.ts"
import { longestChanged, ping, unreadable } from "./StreamEvent.ts"
import { mergeUsage, noUsage, readUsage, type Usage } from "./Usage.ts"
import { errorOf } from "./Verdict.ts"

export interface ChoiceSettings extends AnswerSettings {
  readonly shape: AnswerShape
}

export interface ChoiceAnswerState extends AnswerState {
  /** Events that were no JSON objects, and were not passed on. */
  readonly passedOver: number
  readonly progress: Progress
  readonly usage: Usage
  readonly toolCalls: boolean
  /** The last chunk that was read. */
  readonly lastChunk: JsonObject
  readonly error: string | undefined
}

const initial: ChoiceAnswerState = {
  phase: "open",
  passedOver: 0,
  progress: [],
  usage: noUsage,
  toolCalls: false,
  lastChunk: {},
  brokenBy: undefined,
  error: undefined,
}

const nothing: ReadonlyArray<SseEvent> = []

const eventOf = (data: Uint8Array): SseEvent => ({ data, event: undefined })

type AnswerStep = readonly [ChoiceAnswerState, ReadonlyArray<SseEvent>]

/** The stream of an answer, for these settings. */
export const answerStream = (settings: ChoiceSettings): AnswerMachine<ChoiceAnswerState> => {
  const { includeUsage, secrets, shape } = settings
  const place = shape.inChunk

  const callsToolIn = (chunk: JsonObject): boolean => {
    const choices = chunk["choices"]
    return (
      Array.isArray(choices) && choices.some((one) => isJsonObject(one) && callsTool(holderOf(one, place)))
    )
  }

  const complete = (state: ChoiceAnswerState): AnswerStep => [{ ...state, phase: "complete" }, [doneEvent]]

  const fail = (state: ChoiceAnswerState, error: ShapedError): AnswerStep => [
    { ...state, phase: "broken", brokenBy: error, error: told(error.message, secrets, longestError) },
    [eventOf(secrets.withoutIn(errorData(error)))],
  ]

  /** A chunk that is no error. */
  const read = (state: ChoiceAnswerState, event: SseEvent, chunk: JsonObject): AnswerStep => {
    const { data } = event
    const saysUsage = isJsonObject(chunk["usage"])
    const hidesUsage = saysUsage && !includeUsage && data.length <= longestChanged
    const sent = hidesUsage ? withoutUsage(place, chunk, state.lastChunk) : chunk
    const next: ChoiceAnswerState = {
      // By name: states of one hidden class are cheaper to look at, which happens with each event.
      phase: state.phase,
      passedOver: state.passedOver,
      progress: progressWith(state.progress, chunk),
      usage: saysUsage ? mergeUsage(state.usage, readUsage(chunk["usage"])) : state.usage,
      toolCalls: state.toolCalls || callsToolIn(chunk),
      lastChunk: chunk,
      brokenBy: undefined,
      error: undefined,
    }
    if (sent === undefined) return [next, nothing]
    if (sent === chunk) return [next, [event]]
    const changed = rewriteJson(data, chunk, sent)
    return [next, [changed === undefined ? event : eventOf(changed)]]
  }

  /** Chunks that were made of one event. */
  const readAll = (before: ChoiceAnswerState, made: ReadonlyArray<Uint8Array>): AnswerStep => {
    let state = before
    const events: Array<SseEvent> = []
    for (const data of made) {
      const [next, some] = read(state, eventOf(data), outlineOf(data, answerLimits) ?? {})
      state = next
      events.push(...some)
    }
    return [state, events]
  }

  const step: AnswerMachine<ChoiceAnswerState>["step"] = (state, event) => {
    if (state.phase !== "open" || event === ping) return [state, nothing]
    // Nothing an SDK could read.
    if (event === unreadable) return [passedOver(state), nothing]
    if (isDone(event)) return complete(state)
    const { data } = event
    // A chunk that tells nothing is of the first choice, and is read until that is known: else its missing finish reason would not be missed.
    const mustRead =
      !knowsFirst(state.progress) ||
      event.event === "error" ||
      data.length > surelyReadable ||
      isTelling(data)
    if (!mustRead) return [state, [event]]

    const chunk = outlineOf(data, answerLimits)
    const error = errorOf(event, chunk)
    if (error !== undefined) return fail(state, error)
    if (chunk === undefined) return [passedOver(state), nothing]
    const made = wholeInChunks(shape, data, chunk, state.progress)
    return made === undefined ? read(state, event, chunk) : readAll(state, made)
  }

  const isFinished: AnswerMachine<ChoiceAnswerState>["isFinished"] = ({ progress }) =>
    progress.length >= Math.min(settings.choices, maxChoices) && allFinished(progress)

  const end: AnswerMachine<ChoiceAnswerState>["end"] = (state, ending) => {
    if (state.phase !== "open") return [state, nothing]
    // One that broke off with fewer choices than were asked for still had the others to come.
    if (ending.kind === "ended" ? allFinished(state.progress) : isFinished(state)) return complete(state)
    if (ending.kind === "cut") return fail(state, ending.error)
    return fail(state, brokenStream(reasonOf(ending)))
  }

  return { initial, step, isFinished, end, summary }
}

/** What was learned of an answer so far. */
export const summary = (state: ChoiceAnswerState): AnswerSummary => {
  const { error, passedOver, phase, progress, toolCalls, usage } = state
  return {
    usage,
    finishReason: firstFinishReason(progress),
    toolCalls,
    outcome: outcomeOf(phase),
    error,
    passedOver,
  }
}
