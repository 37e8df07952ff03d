/**
 * The machine that changes the texts of a streamed response: events in, the same events out with a prefix, or without thinking. What is told of a text
 * again (its end, its part, its item, the response as a whole) is changed as the text was, and events stay numbered without a gap.
 *
 * Texts may come in turns. Each is changed by itself, and what is held back of one goes before the event that ends it.
 */
import { errorData } from "../../errors/faces/OpenAiFace.ts"
import { brokenStream } from "../../errors/StreamError.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import type { Machine } from "../../wire/Machine.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import { underWay } from "../ChoiceTransform.ts"
import { contentOf } from "../Piece.ts"
import { longestChanged, ping, tooLong } from "../StreamEvent.ts"
import { heldBack } from "../ThinkingMachine.ts"
import { grownBy } from "./Annotations.ts"
import {
  type ChangedState,
  headOfDelta,
  nothingChanged,
  numberIn,
  type OpenText,
  placeOf,
  renumbered,
} from "./ChangedState.ts"
import { errorIn, failedEnding, itemIn, named, responseIn } from "./ResponseEvents.ts"
import { isReasoning, isSamePlace, type OutputPlace, type TextChange } from "./ResponseTexts.ts"
import { endedBy, told, untoldIn } from "./ToldAgain.ts"

type ChangedStep = readonly [ChangedState, ReadonlyArray<SseEvent>]

const nothing: ReadonlyArray<SseEvent> = []

/** No response has so many items of reasoning: each event is compared with all of them. */
const mostRemoved = 1_024

/** Nor so many texts at once, of each of which something may be held back. */
const mostOpen = 64

const tooMany = (what: string): SseEvent => ({
  data: errorData(brokenStream(`it has more than ${what}`)),
  event: "error",
})
const tooManyRemoved = tooMany(`${mostRemoved} items of reasoning`)
const tooManyOpen = tooMany(`${mostOpen} texts at once`)

/** The event with this data in place of what it had; the very event where that is the same. */
const given = (state: ChangedState, event: SseEvent, before: JsonObject, after: JsonObject): SseEvent => {
  const all = renumbered(state, after)
  if (all === before) return event
  const changed = Object.keys(all).some((name) => all[name] !== before[name])
  const data = changed ? rewriteJson(event.data, before, all) : undefined
  return data === undefined ? event : { data, event: event.event }
}

/** An event of an item that is not passed on. */
const isRemoved = ({ removed }: ChangedState, data: JsonObject): boolean => {
  const at = numberIn(data["output_index"])
  return at !== undefined && removed.includes(at)
}

const textDelta = "response.output_text.delta"

/** Whether an event is a delta before which no prefix goes: all that follow the first of a text, and those of all else. */
const isOther = ({ first }: ChangedState, { event }: SseEvent): boolean =>
  event?.endsWith(".delta") === true && (first !== undefined || event !== textDelta)

/** Whether the beginning of a text that is told has gone before: all begin with 0, or close to it, but what is read on from later. */
const isReadOn = ({ isWithin, next }: ChangedState, { event }: SseEvent, data: JsonObject): boolean =>
  next === undefined
    ? (numberIn(data["sequence_number"]) ?? 0) > 1 && responseIn(data) === undefined
    : isWithin && event !== "response.content_part.added"

const machineAt = (change: TextChange, { first }: ChangedState, place: OutputPlace) =>
  isSamePlace(first, place) ? change.first : change.later

/** What was held back of a text, as a delta. */
const closed = (
  change: TextChange,
  state: ChangedState,
  { delta, grown, machine, place }: OpenText,
): ChangedStep => {
  const rest = contentOf(machineAt(change, state, place)?.halt(machine) ?? [])
  const after: ChangedState = {
    ...state,
    open: state.open.filter((one) => one.place !== place),
    firstGrown: isSamePlace(state.first, place) ? grown + heldBack(machine[1]) : state.firstGrown,
  }
  if (rest === "") return [after, nothing]
  const number = state.next === undefined ? {} : { sequence_number: state.next }
  const data = encodeJson(renumbered(state, { ...delta, ...number, delta: rest }))
  if (data === undefined) return [after, nothing]
  return [{ ...after, shift: after.shift + 1 }, [{ data, event: textDelta }]]
}

const allClosed = (
  change: TextChange,
  before: ChangedState,
  isEnded: (place: OutputPlace) => boolean,
): ChangedStep => {
  let state = before
  const rests: Array<SseEvent> = []
  for (const text of before.open) {
    if (!isEnded(text.place)) continue
    const [next, rest] = closed(change, state, text)
    state = next
    rests.push(...rest)
  }
  return [state, rests]
}

/** The machine of a change. */
export const changedResponse = (change: TextChange): Machine<ChangedState, SseEvent, SseEvent> => {
  const dropped = (state: ChangedState): ChangedStep => [{ ...state, shift: state.shift - 1 }, nothing]

  const delta = (before: ChangedState, event: SseEvent, data: JsonObject): ChangedStep => {
    const place = placeOf(data)
    const text = data["delta"]
    if (typeof text !== "string") return [before, [given(before, event, data, data)]]
    const state = before.first === undefined && text !== "" ? { ...before, first: place } : before
    const machine = machineAt(change, state, place)
    if (machine === undefined) return [state, [given(state, event, data, data)]]
    const open = state.open.find((one) => isSamePlace(one.place, place))
    if (open === undefined && state.open.length >= mostOpen) return overWith(state, tooManyOpen)
    const begun = state.isWithin ? underWay : machine.initial
    const [next, pieces] = machine.step(open?.machine ?? begun, { field: "content", text })
    const changed = contentOf(pieces)
    const now: OpenText = {
      place,
      machine: next,
      delta: open?.delta ?? headOfDelta(data),
      grown: (open?.grown ?? 0) + grownBy(text, changed),
    }
    const others =
      state.open.length === 1 && open !== undefined ? [] : state.open.filter((one) => one !== open)
    const after: ChangedState = { ...state, open: [...others, now] }
    if (changed === "" && text !== "") return dropped(after)
    return [after, [given(after, event, data, changed === text ? data : { ...data, delta: changed })]]
  }

  const changed = (state: ChangedState, event: SseEvent, data: JsonObject): ChangedStep => {
    if (change.strips && isReasoning(itemIn(data)) && !isRemoved(state, data)) {
      if (state.removed.length >= mostRemoved) return overWith(state, tooManyRemoved)
      const at = numberIn(data["output_index"])
      return dropped(at === undefined ? state : { ...state, removed: [...state.removed, at] })
    }
    if (isRemoved(state, data)) return dropped(state)
    if (data["type"] === textDelta) return delta(state, event, data)
    const isEnded = endedBy(event, data)
    const [left, rest] = isEnded === undefined ? [state, nothing] : allClosed(change, state, isEnded)
    const begun = left.first === undefined ? untoldIn(event, data) : undefined
    const next = begun === undefined ? left : { ...left, first: begun }
    return [next, [...rest, given(next, event, data, told(change, next, data))]]
  }

  /** What was held back, and then the event that ends the response. */
  const overWith = (state: ChangedState, event: SseEvent): ChangedStep => {
    const [next, rest] = allClosed(change, state, () => true)
    return [{ ...next, isOver: true }, [...rest, event]]
  }

  /** An event that is read. */
  const read = (before: ChangedState, event: SseEvent, data: JsonObject): ChangedStep => {
    const number = numberIn(data["sequence_number"])
    const isWithin = isReadOn(before, event, data)
    const state = number === undefined ? before : { ...before, next: number, isWithin }
    const isFailed = event.event === failedEnding
    if (!isFailed && errorIn(event, data) !== undefined) return overWith(state, event)
    const [after, events] = changed(state, event, data)
    if (number === undefined && !isFailed) return [after, events]
    const next = number === undefined ? after.next : number + 1
    return [{ ...after, next, isOver: isFailed || after.isOver }, events]
  }

  return {
    initial: nothingChanged,
    step: (state, event) => {
      if (state.isOver || event === ping) return [state, [event]]
      if (isDone(event)) return overWith(state, event)
      const typed = named(event)
      if (!change.strips && isOther(state, typed)) return [state, [typed]]
      if (event.data.length > longestChanged) return overWith(state, tooLong)
      const data = parseObject(event.data)
      return data === undefined ? [state, [event]] : read(state, typed, data)
    },
    halt: (state) => (state.isOver ? nothing : allClosed(change, state, () => true)[1]),
  }
}
