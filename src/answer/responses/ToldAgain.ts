/** Events that tell of a text again: its end, its part, its item, its annotations, the response as a whole. They say of it what its deltas said. */
import { isJsonArray, type JsonObject } from "../../wire/Json.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import { movedBy } from "./Annotations.ts"
import { type ChangedState, grownAt, placeOf } from "./ChangedState.ts"
import { endings, failedEnding, itemIn, responseIn } from "./ResponseEvents.ts"
import {
  changedAlone,
  changedItem,
  changedOutput,
  changedPart,
  firstText,
  isSamePlace,
  type OutputPlace,
  type TextChange,
  textOfPart,
} from "./ResponseTexts.ts"

/** The event with what it tells of a text again changed as that was. */
export const told = (change: TextChange, state: ChangedState, data: JsonObject): JsonObject => {
  const { annotation, part, text, type } = data
  const place = placeOf(data)
  const isFirst = isSamePlace(state.first, place)
  if (type === "response.output_text.done" && typeof text === "string") {
    return { ...data, text: changedAlone(change, text, isFirst) }
  }
  if (type === "response.output_text.annotation.added" && annotation !== undefined) {
    return { ...data, annotation: movedBy(annotation, grownAt(state, place)) }
  }
  if (type === "response.content_part.done" && part !== undefined) {
    return { ...data, part: changedPart(change, part, isFirst) }
  }
  const item = itemIn(data)
  if (item !== undefined) return { ...data, item: changedItem(change, item, place.item, state.first) }
  const response = responseIn(data)
  const output = response?.["output"]
  if (response === undefined || output === undefined || !isJsonArray(output) || output.length === 0)
    return data
  return { ...data, response: { ...response, output: changedOutput(change, output, state.first) } }
}

/** Which texts an event ends, where it ends any. */
export const endedBy = (event: SseEvent, data: JsonObject): ((place: OutputPlace) => boolean) | undefined => {
  const { item, part } = placeOf(data)
  switch (event.event) {
    case "response.output_text.done":
    case "response.content_part.done":
      return (place) => place.item === item && place.part === part
    case "response.output_item.done":
      return (place) => place.item === item
    default:
      return endings.has(event.event) || event.event === failedEnding ? () => true : undefined
  }
}

/** Where a text begins that no delta has told: with the event that ends it. */
export const untoldIn = (event: SseEvent, data: JsonObject): OutputPlace | undefined => {
  const place = placeOf(data)
  switch (event.event) {
    case "response.output_text.done":
      return typeof data["text"] === "string" && data["text"] !== "" ? place : undefined
    case "response.content_part.done":
      return (textOfPart(data["part"]) ?? "") === "" ? undefined : place
    case "response.output_item.done": {
      const first = firstText([data["item"] ?? null])
      return first === undefined ? undefined : { item: place.item, part: first.part }
    }
    default:
      return undefined
  }
}
