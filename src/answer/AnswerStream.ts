/**
 * A streamed answer from its first event to its last: upstream events in, the data of outgoing events out, and what was learned on
 * the way. The end is the client's assurance: `[DONE]` closes a whole answer, an error event one that broke off.
 *
 * Where nothing is transformed an event's data goes through unparsed; only one that looks as if it told something is read.
 */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import type { Outcome } from "../errors/Outcome.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { brokenStream } from "../errors/StreamError.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { told } from "../secrets/Told.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { rewriteJson } from "../wire/JsonBytes.ts"
import {
  answerLimits,
  type OutlineLimits,
  outlineOf,
  surelyReadable,
  wholeLimits,
} from "../wire/JsonOutline.ts"
import { doneData, isDone, type SseEvent } from "../wire/Sse.ts"
import { chunksOf, isPlain, maxMadeBytes } from "./AnswerInChunks.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import { callsTool, holderOf } from "./ChoiceText.ts"
import type { ChoiceTransform } from "./ChoiceTransform.ts"
import { isTelling } from "./ChunkScan.ts"
import { chunkTransform, maxChoices, type Progress } from "./ChunkTransform.ts"
import { withoutUsage } from "./HiddenUsage.ts"
import { ping } from "./StreamEvent.ts"
import { mergeUsage, noUsage, readUsage, type Usage } from "./Usage.ts"
import { errorOf } from "./Verdict.ts"

export interface AnswerSettings {
  readonly shape: AnswerShape
  readonly transform: ChoiceTransform
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
  /** Events that came, the last one included. */
  readonly events: number
  /** Those that were no JSON objects, and were not passed on. */
  readonly passedOver: number
  readonly progress: Progress
  readonly usage: Usage
  readonly toolCalls: boolean
  /** The last chunk that was read. */
  readonly lastChunk: JsonObject
  /** Its data where text may be held back, which then goes out in its name; else nothing, since it would hold a whole read of a socket. */
  readonly lastData: Uint8Array
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
  /** Events of the upstream that were read. */
  readonly events: number
  /** Those of them that were no JSON objects, and were not passed on. */
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
  events: 0,
  passedOver: 0,
  progress: [],
  usage: noUsage,
  toolCalls: false,
  lastChunk: {},
  lastData: new Uint8Array(),
  error: undefined,
}

/**
 * No longer event is changed: made into chunks, without its usage, its text transformed. To write one anew holds everybody for as long as it is; passed
 * on as it came, one may be of any size.
 */
const longestChanged = 4 * 1024 * 1024

/** What is to be known of a chunk whose text may be changed. */
const changedLimits: OutlineLimits = { ...wholeLimits, longestText: longestChanged }

const tooLongToChange = brokenStream("one of its events is too long to be changed")

/** The most that is kept of what an error says. */
const longestError = 500

const nothing: ReadonlyArray<Uint8Array> = []

const envelopeMembers: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "system_fingerprint",
])

/** A chunk with these choices in the name of another. */
const inTheNameOf = (chunk: JsonObject, choices: ReadonlyArray<Json>): JsonObject => ({
  ...Object.fromEntries(Object.entries(chunk).filter(([member]) => envelopeMembers.has(member))),
  choices,
})

const hasChoices = (chunk: JsonObject): boolean => {
  const choices = chunk["choices"]
  return Array.isArray(choices) && choices.length > 0
}

/** Whether an event holds choices as a plain answer has them, of which nothing was said before: some repeat at the end what they streamed. */
const isWhole = (chunk: JsonObject, progress: Progress): boolean => {
  const { choices } = chunk
  return (
    isPlain(chunk) &&
    isJsonArray(choices) &&
    choices.every(
      (choice, at) =>
        isJsonObject(choice) && progress.every(({ index }) => index !== (choice["index"] ?? at)),
    )
  )
}

/** Whether every choice that was seen said why it ended. */
const allFinished = (progress: Progress): boolean =>
  progress.length > 0 && progress.every((one) => one.finishReason !== undefined)

/** One event more. Each member by name: of an event that is passed on, copying the state as a whole was a tenth of all it cost. */
const counted = (state: AnswerState): AnswerState => ({
  phase: state.phase,
  events: state.events + 1,
  passedOver: state.passedOver,
  progress: state.progress,
  usage: state.usage,
  toolCalls: state.toolCalls,
  lastChunk: state.lastChunk,
  lastData: state.lastData,
  error: state.error,
})

/** The stream of an answer, for these settings. */
export const answerStream = (settings: AnswerSettings): AnswerStream => {
  const { includeUsage, secrets, shape } = settings
  const transform = chunkTransform(shape, settings.transform)
  const place = shape.inChunk
  // Only texts that may be changed are to be known as a whole.
  const limits = transform.active ? changedLimits : answerLimits

  const callsToolIn = (chunk: JsonObject): boolean => {
    const choices = chunk["choices"]
    return (
      Array.isArray(choices) && choices.some((one) => isJsonObject(one) && callsTool(holderOf(one, place)))
    )
  }

  /** What is held back, as the data of a chunk of its own; none where nothing is. */
  const flush = (state: AnswerState): readonly [AnswerState, ReadonlyArray<Uint8Array>] => {
    const [progress, choices] = transform.flush(state.progress)
    if (choices.length === 0) return [state, nothing]
    const { lastChunk, lastData } = state
    const data = rewriteJson(lastData, lastChunk, inTheNameOf(lastChunk, choices))
    return [{ ...state, progress }, data === undefined ? nothing : [data]]
  }

  const complete: (state: AnswerState) => readonly [AnswerState, ReadonlyArray<Uint8Array>] = (state) => {
    const [flushed, datas] = flush(state)
    return [{ ...flushed, phase: "complete" }, [...datas, doneData]]
  }

  const fail = (
    state: AnswerState,
    error: ShapedError,
  ): readonly [AnswerState, ReadonlyArray<Uint8Array>] => {
    const [flushed, datas] = flush(state)
    const data = secrets.withoutIn(errorData(error))
    return [
      { ...flushed, phase: "broken", error: told(error.message, secrets, longestError) },
      [...datas, data],
    ]
  }

  /** A chunk that is no error. */
  const read = (
    state: AnswerState,
    data: Uint8Array,
    chunk: JsonObject,
  ): readonly [AnswerState, ReadonlyArray<Uint8Array>] => {
    const saysUsage = isJsonObject(chunk["usage"])
    const hidesUsage = saysUsage && !includeUsage && data.length <= longestChanged
    const visible = hidesUsage ? withoutUsage(place, chunk, state.lastChunk) : chunk
    const [progress, sent] =
      visible !== undefined && hasChoices(chunk)
        ? transform.step(state.progress, visible)
        : [state.progress, visible]
    const next: AnswerState = {
      phase: state.phase,
      events: state.events,
      passedOver: state.passedOver,
      progress,
      usage: saysUsage ? mergeUsage(state.usage, readUsage(chunk["usage"])) : state.usage,
      toolCalls: state.toolCalls || callsToolIn(chunk),
      lastChunk: chunk,
      lastData: transform.active ? data : state.lastData,
      error: state.error,
    }
    if (sent === undefined) return [next, nothing]
    if (sent !== chunk && data.length > longestChanged) return fail(state, tooLongToChange)
    return [next, [sent === chunk ? data : (rewriteJson(data, chunk, sent) ?? data)]]
  }

  /** Chunks that were made of one event. */
  const readAll = (
    before: AnswerState,
    made: ReadonlyArray<Uint8Array>,
  ): readonly [AnswerState, ReadonlyArray<Uint8Array>] => {
    let state = before
    const datas: Array<Uint8Array> = []
    for (const data of made) {
      const [next, some] = read(state, data, outlineOf(data, limits) ?? {})
      state = next
      datas.push(...some)
    }
    return [state, datas]
  }

  const step: AnswerStream["step"] = (before, event) => {
    if (before.phase !== "open" || event === ping) return [before, nothing]
    const { data } = event
    const state = counted(before)
    if (isDone(event)) return complete(state)
    const isErrorEvent = event.event === "error"
    // The first chunk is always read: it names the answer, and says which choice it begins with.
    const mustRead =
      transform.active ||
      isErrorEvent ||
      before.events === 0 ||
      data.length > surelyReadable ||
      isTelling(data)
    if (!mustRead) return [state, [data]]

    const chunk = outlineOf(data, limits)
    const error = errorOf(event, chunk)
    if (error !== undefined) return fail(state, error)
    if (chunk === undefined && transform.active && data.length > longestChanged) {
      return fail(state, tooLongToChange)
    }
    // Nothing an SDK could read.
    if (chunk === undefined) return [{ ...state, passedOver: state.passedOver + 1 }, nothing]

    // An SDK looks for deltas, and would see an empty answer.
    const made =
      data.length <= longestChanged && isWhole(chunk, state.progress)
        ? chunksOf(shape, data, maxMadeBytes)
        : undefined
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

/** What was learned of an answer so far. */
export const summary = (state: AnswerState): AnswerSummary => {
  const { error, events, passedOver, phase, progress, toolCalls, usage } = state
  const first = progress.reduce<Progress[number] | undefined>(
    (lowest, one) => (lowest === undefined || one.index < lowest.index ? one : lowest),
    undefined,
  )
  return {
    usage,
    finishReason: first?.finishReason,
    toolCalls,
    outcome: phase === "complete" ? "ok" : phase === "broken" ? "stream_broken" : "client_closed",
    error,
    events,
    passedOver,
  }
}
