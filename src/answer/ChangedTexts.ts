/**
 * The machine that changes the texts of a streamed answer: events in, the same events out with a prefix, or with their thinking in another form.
 *
 * It judges nothing: whether an answer is whole, and how it ends, is for who sends it (AnswerStream). What it holds back goes before the event that ends
 * the answer, or at the end of the events, so that nothing of a text is lost.
 */
import { isJsonArray, type JsonObject } from "../wire/Json.ts"
import { rewriteJson } from "../wire/JsonBytes.ts"
import { type OutlineLimits, outlineOf, wholeLimits } from "../wire/JsonOutline.ts"
import type { Machine } from "../wire/Machine.ts"
import { isDone, type SseEvent } from "../wire/Sse.ts"
import { wholeInChunks } from "./AnswerInChunks.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import type { ChoiceTransform } from "./ChoiceTransform.ts"
import { type ChoiceRuns, chunkTransform } from "./ChunkTransform.ts"
import { longestChanged, ping, tooLong, unreadable } from "./StreamEvent.ts"
import { type ChunkPattern, mostIdlePatterns, patternOf, toldIn } from "./transcript/ChunkPattern.ts"
import { errorOf } from "./Verdict.ts"

export interface ChangedTextsState {
  readonly runs: ChoiceRuns
  /** The last chunk that came, in whose name what was held back goes out, and its data. */
  readonly lastChunk: JsonObject
  readonly lastData: Uint8Array
  /** The event that ends the answer has passed. */
  readonly isOver: boolean
  /** Of chunks that add to the content. */
  readonly pattern: ChunkPattern | undefined
  /** Patterns since one was followed. */
  readonly idlePatterns: number
}

export type ChangedTexts = Machine<ChangedTextsState, SseEvent, SseEvent>

type ChangedStep = readonly [ChangedTextsState, ReadonlyArray<SseEvent>]

const initial: ChangedTextsState = {
  runs: [],
  lastChunk: {},
  lastData: new Uint8Array(),
  isOver: false,
  pattern: undefined,
  idlePatterns: 0,
}

/** What is to be known of a chunk whose text may be changed. */
const limits: OutlineLimits = { ...wholeLimits, longestText: longestChanged }

const nothing: ReadonlyArray<SseEvent> = []

const envelopeMembers: ReadonlySet<string> = new Set([
  "id",
  "object",
  "created",
  "model",
  "system_fingerprint",
])

/** A chunk with these choices in the name of another. */
const inTheNameOf = (chunk: JsonObject, choices: ReadonlyArray<JsonObject>): JsonObject => ({
  ...Object.fromEntries(Object.entries(chunk).filter(([member]) => envelopeMembers.has(member))),
  choices,
})

const hasChoices = (chunk: JsonObject): boolean => {
  const choices = chunk["choices"]
  return isJsonArray(choices) && choices.length > 0
}

/** Text in which no tag is, nor a line on which one may begin: it is not even read where it passes. */
const isPlain = (text: string): boolean => text !== "" && !text.includes("<") && !text.includes("\n")

/** The pattern that chunks may follow which come after this one. */
const withPattern = (
  { inChunk }: AnswerShape,
  state: ChangedTextsState,
  { data }: SseEvent,
  chunk: JsonObject,
): ChangedTextsState => {
  const { idlePatterns } = state
  const pattern = idlePatterns === mostIdlePatterns ? undefined : patternOf(data, chunk)
  if (pattern === undefined) return state
  const isContent = pattern.member === inChunk.content && pattern.isInDelta === (inChunk.holder === "delta")
  return {
    ...state,
    // A copy: it stays the last that was read for as long as the pattern is followed, and would hold all that came with it.
    lastData: new Uint8Array(data),
    pattern: isContent ? pattern : undefined,
    idlePatterns: idlePatterns + 1,
  }
}

const eventOf = (data: Uint8Array): SseEvent => ({ data, event: undefined })

/**
 * The machine; `undefined` where there is nothing to change.
 *
 * @param hidesUsage whether the client is not shown the usage: a chunk that says nothing else then goes on without choices
 */
export const changedTexts = (
  shape: AnswerShape,
  transform: ChoiceTransform,
  hidesUsage: boolean,
): ChangedTexts | undefined => {
  const chunks = chunkTransform(shape, transform, hidesUsage)
  if (chunks === undefined) return undefined

  const halt = ({ isOver, lastChunk, lastData, runs }: ChangedTextsState): ReadonlyArray<SseEvent> => {
    const choices = isOver ? [] : chunks.rest(runs)
    if (choices.length === 0) return nothing
    const data = rewriteJson(lastData, lastChunk, inTheNameOf(lastChunk, choices))
    return data === undefined ? nothing : [eventOf(data)]
  }

  /** What was held back, and then the event that ends the answer. */
  const endedBy = (state: ChangedTextsState, event: SseEvent): ChangedStep => [
    { ...state, isOver: true },
    [...halt(state), event],
  ]

  const changed = (state: ChangedTextsState, event: SseEvent, chunk: JsonObject): ChangedStep => {
    const { data } = event
    const [runs, sent] = hasChoices(chunk) ? chunks.step(state.runs, chunk) : [state.runs, chunk]
    const { idlePatterns, pattern } = state
    // By name, since copying it as a whole costs more.
    const next: ChangedTextsState = {
      runs,
      lastChunk: chunk,
      lastData: data,
      isOver: false,
      pattern,
      idlePatterns,
    }
    if (sent === chunk) return [next, [event]]
    if (sent === undefined) return [next, nothing]
    if (data.length > longestChanged) return endedBy(state, tooLong)
    return [next, [eventOf(rewriteJson(data, chunk, sent) ?? data)]]
  }

  /** Chunks that were made of one event. */
  const allChanged = (before: ChangedTextsState, made: ReadonlyArray<Uint8Array>): ChangedStep => {
    let state = before
    const events: Array<SseEvent> = []
    for (const data of made) {
      const [next, some] = changed(state, eventOf(data), outlineOf(data, limits) ?? {})
      state = next
      events.push(...some)
    }
    return [state, events]
  }

  const step = (state: ChangedTextsState, event: SseEvent): ChangedStep => {
    if (state.isOver || event === ping) return [state, [event]]
    if (isDone(event)) return endedBy(state, event)
    const { data } = event
    const { pattern } = state
    const text = pattern === undefined || event.event !== undefined ? undefined : toldIn(pattern, data)
    if (text !== undefined && isPlain(text) && chunks.isWithinLine(state.runs)) {
      return [state.idlePatterns === 0 ? state : { ...state, idlePatterns: 0 }, [event]]
    }
    const chunk = outlineOf(data, limits)
    // By its name, so that nobody has to find out anew what it is.
    if (errorOf(event, chunk) !== undefined) return endedBy(state, { data, event: "error" })
    if (chunk === undefined) {
      return data.length > longestChanged ? endedBy(state, tooLong) : [state, [unreadable]]
    }
    const made = wholeInChunks(shape, data, chunk, state.runs)
    if (made !== undefined) return allChanged(state, made)
    const [next, events] = changed(state, event, chunk)
    // What else stands in such a chunk then passes as it does here.
    const isSame = events.length === 1 && events[0] === event
    return [text === undefined && isSame ? withPattern(shape, next, event, chunk) : next, events]
  }

  return { initial, step, halt }
}
