/** How far the texts of a streamed response have come that are changed, and the numbers of what is given out. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { ChoiceMachineState } from "../ChoiceTransform.ts"
import { heldBack } from "../ThinkingMachine.ts"
import { isSamePlace, type OutputPlace } from "./ResponseTexts.ts"

/** A text that has begun and not ended. */
export interface OpenText {
  readonly place: OutputPlace
  readonly machine: ChoiceMachineState
  /** What its first delta says beside its text, in whose name what is held back goes out. */
  readonly delta: JsonObject
  /** How many more characters were given out of it than came. */
  readonly grown: number
}

export interface ChangedState {
  /** The places of items that are not passed on. */
  readonly removed: ReadonlyArray<number>
  /** How many more events were given out than came. */
  readonly shift: number
  /** The number that an event has which comes next, where they are numbered. */
  readonly next: number | undefined
  /** A stored response is read on from within it, and no text has begun since. */
  readonly isWithin: boolean
  /** Where the first text stands. */
  readonly first: OutputPlace | undefined
  /** How many characters that has more, once it has ended. */
  readonly firstGrown: number
  readonly open: ReadonlyArray<OpenText>
  readonly isOver: boolean
}

export const nothingChanged: ChangedState = {
  removed: [],
  shift: 0,
  next: undefined,
  isWithin: false,
  first: undefined,
  firstGrown: 0,
  open: [],
  isOver: false,
}

export const numberIn = (value: Json | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined

export const placeOf = ({ content_index: part, output_index: item }: JsonObject): OutputPlace => ({
  item: numberIn(item) ?? 0,
  part: numberIn(part) ?? 0,
})

const saysWhere: ReadonlySet<string> = new Set(["type", "item_id", "output_index", "content_index"])

/** Of a delta what says of which text it is: it is kept for as long as that text, and whatever else it holds may be long. */
export const headOfDelta = (delta: JsonObject): JsonObject => ({
  ...Object.fromEntries(Object.entries(delta).filter(([name]) => saysWhere.has(name))),
  // SDKs' types have them in every delta.
  ...(delta["logprobs"] === undefined ? {} : { logprobs: [] }),
})

/** The event with the numbers that it has among those given out; the very one where they are its own. */
export const renumbered = ({ removed, shift }: ChangedState, data: JsonObject): JsonObject => {
  if (shift === 0 && removed.length === 0) return data
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

/** How many characters the text in this place has more than came of it, as far as it is known. */
export const grownAt = ({ first, firstGrown, open }: ChangedState, place: OutputPlace): number => {
  const text = open.find((one) => isSamePlace(one.place, place))
  if (text !== undefined) return text.grown + heldBack(text.machine[1])
  return isSamePlace(first, place) ? firstGrown : 0
}
