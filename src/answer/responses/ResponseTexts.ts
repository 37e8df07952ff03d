/**
 * What is done to the texts of a response: a prefix before the first, thinking taken out of all, and the items of reasoning with it. The other forms of
 * thinking are ways in which chats carry it.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { run } from "../../wire/Machine.ts"
import { type ChoiceMachine, type ChoiceTransform, strippingMachine } from "../ChoiceTransform.ts"
import { contentOf } from "../Piece.ts"
import { movedAnnotations } from "./Annotations.ts"

export interface TextChange {
  /** Of the first text of a response. */
  readonly first: ChoiceMachine | undefined
  /** Of those behind it. */
  readonly later: ChoiceMachine | undefined
  /** Reasoning is taken out. */
  readonly strips: boolean
}

/** What is changed; `undefined` where nothing is. */
export const changeOf = (transform: ChoiceTransform): TextChange | undefined => {
  const first = strippingMachine(transform)
  const later = strippingMachine({ ...transform, prefix: undefined })
  return first === undefined ? undefined : { first, later, strips: transform.thinking === "strip" }
}

const changedText = (machine: ChoiceMachine | undefined, text: string): string =>
  machine === undefined || text === "" ? text : contentOf(run(machine, [{ field: "content", text }]))

/** Where a text stands: in which item of the output, and in which part of that. */
export interface OutputPlace {
  readonly item: number
  readonly part: number
}

export const isSamePlace = (one: OutputPlace | undefined, { item, part }: OutputPlace): boolean =>
  one !== undefined && one.item === item && one.part === part

/** The text of a part that has one. */
export const textOfPart = (part: Json | undefined): string | undefined =>
  isJsonObject(part) && part["type"] === "output_text" && typeof part["text"] === "string"
    ? part["text"]
    : undefined

export const isReasoning = (item: Json | undefined): boolean =>
  isJsonObject(item) && item["type"] === "reasoning"

/** The part with its text changed, and the annotations of that. */
export const changedPart = (change: TextChange, part: Json, isFirst: boolean): Json => {
  const text = textOfPart(part)
  if (text === undefined || !isJsonObject(part)) return part
  const machine = isFirst ? change.first : change.later
  const changed = changedText(machine, text)
  if (machine === undefined || changed === text) return part
  const { annotations } = part
  return annotations === undefined || !isJsonArray(annotations) || annotations.length === 0
    ? { ...part, text: changed }
    : { ...part, text: changed, annotations: movedAnnotations(machine, text, annotations) }
}

/** A text by itself, as that of a part. */
export const changedAlone = (change: TextChange, text: string, isFirst: boolean): string =>
  changedText(isFirst ? change.first : change.later, text)

/**
 * The item with its texts changed.
 *
 * @param at where it stands in the output
 */
export const changedItem = (
  change: TextChange,
  item: JsonObject,
  at: number,
  first: OutputPlace | undefined,
): JsonObject => {
  const { content } = item
  if (content === undefined || !isJsonArray(content)) return item
  const parts = content.map((part, place) =>
    changedPart(change, part, isSamePlace(first, { item: at, part: place })),
  )
  return parts.every((part, place) => part === content[place]) ? item : { ...item, content: parts }
}

const partsOf = (item: Json): ReadonlyArray<Json> => {
  const content = isJsonObject(item) ? item["content"] : undefined
  return content !== undefined && isJsonArray(content) ? content : []
}

/** Where the first text of an output stands. */
export const firstText = (output: ReadonlyArray<Json>): OutputPlace | undefined => {
  for (const [item, one] of output.entries()) {
    const part = partsOf(one).findIndex((candidate) => (textOfPart(candidate) ?? "") !== "")
    if (part !== -1) return { item, part }
  }
  return undefined
}

/** The items of an output with their texts changed, and without reasoning where that is taken out. */
export const changedOutput = (
  change: TextChange,
  output: ReadonlyArray<Json>,
  first: OutputPlace | undefined = firstText(output),
): ReadonlyArray<Json> =>
  output.flatMap((item, at) => {
    if (change.strips && isReasoning(item)) return []
    return [isJsonObject(item) ? changedItem(change, item, at, first) : item]
  })
