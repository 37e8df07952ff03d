/**
 * A streamed answer from its first event to its last: upstream events in, the data of outgoing events out, and what was learned on
 * the way. The end is the client's assurance: `[DONE]` closes a whole answer, an error event one that broke off.
 *
 * An event's data goes through unparsed; only one that looks as if it told something is read. What changes texts (ChangedTexts) stands before this, so
 * that every answer ends by the same rules.
 */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import type { Outcome } from "../errors/Outcome.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { brokenStream } from "../errors/StreamError.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { told } from "../secrets/Told.ts"
import { isJsonObject, type JsonObject } from "../wire/Json.ts"
import { rewriteJson } from "../wire/JsonBytes.ts"
import { answerLimits, outlineOf, surelyReadable } from "../wire/JsonOutline.ts"
import { doneData, isDone, type SseEvent } from "../wire/Sse.ts"
import { wholeInChunks } from "./AnswerInChunks.ts"
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

export interface AnswerSettings {
  readonly shape: AnswerShape
  /** The client asked for the usage chunk; else it is read here and not passed on. */
  readonly includeUsage: boolean
  /** How many choices the answer is to have. */
  readonly choices: number
  /** What an error of the upstream is not to repeat. */
  readonly secrets: Secrets
}

/** How the upstream's events came to an end: of themselves, because something broke, or because this gateway ends. */
export type AnswerEnd =
  | { readonly kind: "ended" }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "cut"; readonly error: ShapedError }

export interface AnswerState {
  readonly phase: "open" | "complete" | "broken"
  /** Events that were no JSON objects, and were not passed on. */
  readonly passedOver: number
  readonly progress: Progress
  readonly usage: Usage
  readonly toolCalls: boolean
  /** The last chunk that was read. */
  readonly lastChunk: JsonObject
  readonly error: string | undefined
}

/** What is known of a streamed answer when it is over, or of as much of it as there was. */
export interface AnswerSummary {
  readonly usage: Usage
  /** Of the first choice. */
  readonly finishReason: string | undefined
  readonly toolCalls: boolean
  /** `client_closed` where the answer neither came to its end nor broke: nobody went on reading it. */
  readonly outcome: Extract<Outcome, "ok" | "stream_broken" | "client_closed">
  /** What broke it. */
  readonly error: string | undefined
  /** Events that were no JSON objects, and were not passed on. */
  readonly passedOver: number
}

/** A machine whose end says how it came. Every output is the data of one event. */
export interface AnswerStream {
  readonly initial: AnswerState
  readonly step: (state: AnswerState, event: SseEvent) => readonly [AnswerState, ReadonlyArray<Uint8Array>]
  /** Whether all choices have said why they ended, so that only usage and `[DONE]` are to come. */
  readonly isFinished: (state: AnswerState) => boolean
  /** Closes an answer that is still open; does nothing to one that is not. */
  readonly end: (state: AnswerState, end: AnswerEnd) => readonly [AnswerState, ReadonlyArray<Uint8Array>]
}

/**
 * How long usage and `[DONE]` may take after all choices have said why they ended. Some upstreams send neither, and leave the connection open; their
 * pings do not make it longer.
 */
export const graceMs = 2_000

/** How long an upstream may take to end its body after the answer is there; a connection whose body was read to its end can be used again. */
export const drainMs = 100

const initial: AnswerState = {
  phase: "open",
  passedOver: 0,
  progress: [],
  usage: noUsage,
  toolCalls: false,
  lastChunk: {},
  error: undefined,
}

/** The most that is kept of what an error says. */
const longestError = 500

const nothing: ReadonlyArray<Uint8Array> = []

type AnswerStep = readonly [AnswerState, ReadonlyArray<Uint8Array>]

/** The stream of an answer, for these settings. */
export const answerStream = (settings: AnswerSettings): AnswerStream => {
  const { includeUsage, secrets, shape } = settings
  const place = shape.inChunk

  const callsToolIn = (chunk: JsonObject): boolean => {
    const choices = chunk["choices"]
    return (
      Array.isArray(choices) && choices.some((one) => isJsonObject(one) && callsTool(holderOf(one, place)))
    )
  }

  const complete = (state: AnswerState): AnswerStep => [{ ...state, phase: "complete" }, [doneData]]

  const fail = (state: AnswerState, error: ShapedError): AnswerStep => [
    { ...state, phase: "broken", error: told(error.message, secrets, longestError) },
    [secrets.withoutIn(errorData(error))],
  ]

  /** A chunk that is no error. */
  const read = (state: AnswerState, data: Uint8Array, chunk: JsonObject): AnswerStep => {
    const saysUsage = isJsonObject(chunk["usage"])
    const hidesUsage = saysUsage && !includeUsage && data.length <= longestChanged
    const sent = hidesUsage ? withoutUsage(place, chunk, state.lastChunk) : chunk
    const next: AnswerState = {
      // By name: states of one hidden class are cheaper to look at, which happens with each event.
      phase: state.phase,
      passedOver: state.passedOver,
      progress: progressWith(state.progress, chunk),
      usage: saysUsage ? mergeUsage(state.usage, readUsage(chunk["usage"])) : state.usage,
      toolCalls: state.toolCalls || callsToolIn(chunk),
      lastChunk: chunk,
      error: state.error,
    }
    if (sent === undefined) return [next, nothing]
    return [next, [sent === chunk ? data : (rewriteJson(data, chunk, sent) ?? data)]]
  }

  /** Chunks that were made of one event. */
  const readAll = (before: AnswerState, made: ReadonlyArray<Uint8Array>): AnswerStep => {
    let state = before
    const datas: Array<Uint8Array> = []
    for (const data of made) {
      const [next, some] = read(state, data, outlineOf(data, answerLimits) ?? {})
      state = next
      datas.push(...some)
    }
    return [state, datas]
  }

  const step: AnswerStream["step"] = (state, event) => {
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
    if (!mustRead) return [state, [data]]

    const chunk = outlineOf(data, answerLimits)
    const error = errorOf(event, chunk)
    if (error !== undefined) return fail(state, error)
    if (chunk === undefined) return [passedOver(state), nothing]
    const made = wholeInChunks(shape, data, chunk, state.progress)
    return made === undefined ? read(state, data, chunk) : readAll(state, made)
  }

  const isFinished: AnswerStream["isFinished"] = ({ progress }) =>
    progress.length >= Math.min(settings.choices, maxChoices) && allFinished(progress)

  const end: AnswerStream["end"] = (state, ending) => {
    if (state.phase !== "open") return [state, nothing]
    // Of one that broke off with fewer choices than were asked for, the others were still to come.
    if (ending.kind === "ended" ? allFinished(state.progress) : isFinished(state)) return complete(state)
    if (ending.kind === "cut") return fail(state, ending.error)
    const reason = ending.kind === "broken" ? ending.reason : "it ended before it said that it was finished"
    return fail(state, brokenStream(reason))
  }

  return { initial, step, isFinished, end }
}

const passedOver = (state: AnswerState): AnswerState => ({
  ...state,
  passedOver: state.passedOver + 1,
})

/** What was learned of an answer so far. */
export const summary = (state: AnswerState): AnswerSummary => {
  const { error, passedOver, phase, progress, toolCalls, usage } = state
  return {
    usage,
    finishReason: firstFinishReason(progress),
    toolCalls,
    outcome: phase === "complete" ? "ok" : phase === "broken" ? "stream_broken" : "client_closed",
    error,
    passedOver,
  }
}
