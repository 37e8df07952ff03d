/** How far the choices of a streamed answer have come: which were seen, and why those that ended did. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { finishReasonOf } from "./ChoiceText.ts"

/** How far one choice has come. */
export interface ChoiceProgress {
  readonly index: number
  /** Said once: what comes after it changes nothing. */
  readonly finishReason: string | undefined
}

/** The choices seen so far. */
export type Progress = ReadonlyArray<ChoiceProgress>

/** Choices of one answer that are followed; those of a hostile upstream beyond it pass as they are. */
export const maxChoices = 128

/** The number of a choice, which is its place where it does not say. */
export const indexOf = (choice: JsonObject, place: number): number => {
  const index = choice["index"]
  return typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : place
}

const withChoice = (progress: Progress, choice: Json, place: number): Progress => {
  if (!isJsonObject(choice)) return progress
  const index = indexOf(choice, place)
  const finishReason = finishReasonOf(choice)
  const known = progress.find((one) => one.index === index)
  if (known === undefined) {
    return progress.length === maxChoices ? progress : [...progress, { index, finishReason }]
  }
  if (known.finishReason !== undefined || finishReason === undefined) return progress
  return progress.map((one) => (one === known ? { index, finishReason } : one))
}

/** The progress with what a chunk says of its choices; the same one where it says nothing new. */
export const progressWith = (progress: Progress, chunk: JsonObject): Progress => {
  const choices = chunk["choices"]
  return isJsonArray(choices) ? choices.reduce(withChoice, progress) : progress
}

const isFirst = ({ index }: ChoiceProgress): boolean => index === 0

/** Whether the choice numbered 0 was seen. */
export const knowsFirst = (progress: Progress): boolean => progress.some(isFirst)

/** Whether every choice that was seen said why it ended. */
export const allFinished = (progress: Progress): boolean =>
  progress.length > 0 && progress.every((one) => one.finishReason !== undefined)

/** Why the first choice ended. */
export const firstFinishReason = (progress: Progress): string | undefined =>
  progress.reduce<ChoiceProgress | undefined>(
    (first, one) => (first === undefined || one.index < first.index ? one : first),
    undefined,
  )?.finishReason
