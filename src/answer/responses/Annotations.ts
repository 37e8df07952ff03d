/** Where the annotations of a text stand once it is changed: those of the web say between which of its characters they hold. */
import { characters, furtherOn } from "../../wire/Characters.ts"
import { isJsonObject, type Json } from "../../wire/Json.ts"
import type { ChoiceMachine } from "../ChoiceTransform.ts"
import { contentOf } from "../Piece.ts"
import { heldBack } from "../ThinkingMachine.ts"
import { placeIn } from "./Place.ts"

/** How many characters, as upstreams count them, a text has more once it is changed. */
export const grownBy = (before: string, after: string): number =>
  before === after ? 0 : characters(after) - characters(before)

const endOf = (annotation: Json): number | undefined =>
  isJsonObject(annotation) ? placeIn(annotation["end_index"]) : undefined

/** The annotation of what stands so many characters further on. */
export const movedBy = (annotation: Json, by: number): Json => {
  const end = endOf(annotation)
  if (by === 0 || end === undefined || !isJsonObject(annotation)) return annotation
  const start = placeIn(annotation["start_index"])
  const begin = start !== undefined ? { start_index: Math.max(0, start + by) } : {}
  return { ...annotation, ...begin, end_index: Math.max(0, end + by) }
}

/** The annotations of a text that a machine changes. */
export const movedAnnotations = (
  machine: ChoiceMachine,
  text: string,
  annotations: ReadonlyArray<Json>,
): ReadonlyArray<Json> => {
  const ends = new Set(annotations.flatMap((one) => endOf(one) ?? []))
  const moves = new Map<number, number>()
  let state = machine.initial
  let at = 0
  let before = 0
  let moved = 0
  for (const end of [...ends].sort((a, b) => a - b)) {
    const next = furtherOn(text, at, end - before)
    const piece = text.slice(at, next)
    const [after, pieces] = machine.step(state, { field: "content", text: piece })
    state = after
    moved += grownBy(piece, contentOf(pieces))
    moves.set(end, moved + heldBack(state[1]))
    at = next
    before = end
  }
  return annotations.map((one) => movedBy(one, moves.get(endOf(one) ?? -1) ?? 0))
}
