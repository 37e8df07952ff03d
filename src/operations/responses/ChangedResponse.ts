/**
 * The machine that changes the texts of a streamed response: events in, the same events out with a prefix, or without thinking. What is told of a text
 * again (its end, its part, its item, the response as a whole) is changed as the text was, and events stay numbered without a gap.
 */
import type { ChoiceMachineState } from "../../answer/ChoiceTransform.ts"
import { contentOf } from "../../answer/Piece.ts"
import { longestChanged, ping, tooLong } from "../../answer/StreamEvent.ts"
import { errorData } from "../../errors/faces/OpenAiFace.ts"
import { brokenStream } from "../../errors/StreamError.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import type { Machine } from "../../wire/Machine.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import { endings, errorIn, failedEnding, itemIn, named, responseIn } from "./ResponseEvents.ts"
import {
  changedAlone,
  changedItem,
  changedOutput,
  changedPart,
  isReasoning,
  isSamePlace,
  type OutputPlace,
  type TextChange,
} from "./ResponseTexts.ts"

/** A text that has begun and not ended. */
interface OpenText {
  readonly place: OutputPlace
  readonly machine: ChoiceMachineState
  /** Its last delta, in whose name what is held back goes out. */
  readonly delta: JsonObject
}

/** No response has so many items of reasoning: each event is compared with all of them. */
const mostRemoved = 1_024

const tooMany: SseEvent = {
  data: errorData(brokenStream(`it has more than ${mostRemoved} items of reasoning`)),
  event: "error",
}

interface ChangedState {
  /** The places of items that are not passed on. */
  readonly removed: ReadonlyArray<number>
  /** How many more events were given out than came. */
  readonly shift: number
  /** Where the first text stands. */
  readonly first: OutputPlace | undefined
  readonly open: OpenText | undefined
  readonly isOver: boolean
}

type ChangedStep = readonly [ChangedState, ReadonlyArray<SseEvent>]

const initial: ChangedState = { removed: [], shift: 0, first: undefined, open: undefined, isOver: false }

const nothing: ReadonlyArray<SseEvent> = []

const numberIn = (value: Json | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined

const placeOf = ({ content_index: part, output_index: item }: JsonObject): OutputPlace => ({
  item: numberIn(item) ?? 0,
  part: numberIn(part) ?? 0,
})

/** The event with the numbers that it has among those given out. */
const renumbered = ({ removed, shift }: ChangedState, data: JsonObject): JsonObject => {
  const { output_index: index, sequence_number: sequence } = data
  const at = numberIn(index)
  const before = at === undefined ? 0 : removed.filter((one) => one < at).length
  const number = numberIn(sequence)
  return {
    ...data,
    ...(at === undefined || before === 0 ? {} : { output_index: at - before }),
    ...(number === undefined || shift === 0 ? {} : { sequence_number: number + shift }),
  }
}

/** The event with this data in place of what it had; the very event where that is the same. */
const given = (state: ChangedState, event: SseEvent, before: JsonObject, after: JsonObject): SseEvent => {
  const all = renumbered(state, after)
  const changed = Object.keys(all).some((name) => all[name] !== before[name])
  const data = changed ? rewriteJson(event.data, before, all) : undefined
  return data === undefined ? event : { data, event: event.event }
}

/** The event with what it tells of a text again changed as that was. */
const told = (change: TextChange, state: ChangedState, data: JsonObject): JsonObject => {
  const { part, text } = data
  const isFirst = isSamePlace(state.first, placeOf(data))
  const item = itemIn(data)
  const response = responseIn(data)
  const output = response?.["output"]
  if (data["type"] === "response.output_text.done" && typeof text === "string") {
    return { ...data, text: changedAlone(change, text, isFirst) }
  }
  if (data["type"] === "response.content_part.done" && isJsonObject(part)) {
    return { ...data, part: changedPart(change, part, isFirst) }
  }
  if (item !== undefined) return { ...data, item: changedItem(change, item, placeOf(data).item, state.first) }
  if (response === undefined || output === undefined || !isJsonArray(output) || output.length === 0)
    return data
  return { ...data, response: { ...response, output: changedOutput(change, output, state.first) } }
}

/** An event of an item that is not passed on. */
const isRemoved = ({ removed }: ChangedState, data: JsonObject): boolean => {
  const at = numberIn(data["output_index"])
  return at !== undefined && removed.includes(at)
}

/** The machine of a change. */
export const changedResponse = (change: TextChange): Machine<ChangedState, SseEvent, SseEvent> => {
  const machineAt = ({ first }: ChangedState, place: OutputPlace) =>
    isSamePlace(first, place) ? change.first : change.later

  /** What was held back of the open text, as a delta before the event that ends it. */
  const closed = (state: ChangedState, sequence: Json | undefined): ChangedStep => {
    const { open } = state
    if (open === undefined) return [state, nothing]
    const after: ChangedState = { ...state, open: undefined }
    const rest = contentOf(machineAt(state, open.place)?.halt(open.machine) ?? [])
    if (rest === "") return [after, nothing]
    const number = numberIn(sequence) ?? numberIn(open.delta["sequence_number"])
    const numbers = number === undefined ? {} : { sequence_number: number }
    const data = encodeJson(renumbered(state, { ...open.delta, ...numbers, delta: rest }))
    if (data === undefined) return [after, nothing]
    return [{ ...after, shift: after.shift + 1 }, [{ data, event: "response.output_text.delta" }]]
  }

  const dropped = (state: ChangedState): ChangedStep => [{ ...state, shift: state.shift - 1 }, nothing]

  const delta = (before: ChangedState, event: SseEvent, data: JsonObject): ChangedStep => {
    const place = placeOf(data)
    const text = data["delta"]
    if (typeof text !== "string") return [before, [given(before, event, data, data)]]
    const isElsewhere = before.open !== undefined && !isSamePlace(before.open.place, place)
    const [left, rest] = isElsewhere ? closed(before, data["sequence_number"]) : [before, nothing]
    const state = left.first === undefined && text !== "" ? { ...left, first: place } : left
    const machine = machineAt(state, place)
    if (machine === undefined) return [state, [...rest, given(state, event, data, data)]]
    const [next, pieces] = machine.step(state.open?.machine ?? machine.initial, { field: "content", text })
    const after: ChangedState = { ...state, open: { place, machine: next, delta: data } }
    const changed = contentOf(pieces)
    if (changed === "" && text !== "") return [{ ...after, shift: after.shift - 1 }, rest]
    return [after, [...rest, given(after, event, data, { ...data, delta: changed })]]
  }

  const changed = (state: ChangedState, event: SseEvent, data: JsonObject): ChangedStep => {
    if (change.strips && isReasoning(itemIn(data)) && !isRemoved(state, data)) {
      if (state.removed.length >= mostRemoved) return endedBy(state, tooMany)
      const at = numberIn(data["output_index"])
      return dropped(at === undefined ? state : { ...state, removed: [...state.removed, at] })
    }
    if (isRemoved(state, data)) return dropped(state)
    if (data["type"] === "response.output_text.delta") return delta(state, event, data)
    const isTextEnd = data["type"] === "response.output_text.done"
    const isEnd = isTextEnd || endings.has(event.event)
    const [left, rest] = isEnd ? closed(state, data["sequence_number"]) : [state, nothing]
    // A text without a delta begins as it ends.
    const begins =
      isTextEnd && left.first === undefined && typeof data["text"] === "string" && data["text"] !== ""
    const next = begins ? { ...left, first: placeOf(data) } : left
    return [next, [...rest, given(next, event, data, told(change, next, data))]]
  }

  /** What was held back, and then the event that ends the response. */
  const endedBy = (state: ChangedState, event: SseEvent): ChangedStep => {
    const [next, rest] = closed(state, undefined)
    return [{ ...next, isOver: true }, [...rest, event]]
  }

  return {
    initial,
    step: (state, event) => {
      if (state.isOver || event === ping) return [state, [event]]
      if (isDone(event)) return endedBy(state, event)
      if (event.data.length > longestChanged) return endedBy(state, tooLong)
      const typed = named(event)
      const data = parseObject(event.data)
      if (data === undefined) return [state, [event]]
      if (typed.event === failedEnding || errorIn(typed, data) !== undefined) return endedBy(state, typed)
      return changed(state, typed, data)
    },
    halt: (state) => (state.isOver ? nothing : closed(state, undefined)[1]),
  }
}
