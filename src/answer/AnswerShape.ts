/**
 * How an operation that completes text shapes its answers: where the text of a choice stands, what answers and chunks say they are, and how a choice
 * becomes chunks and is made of them. All else about such answers is the same for every operation.
 */
import type { JsonObject } from "../wire/Json.ts"
import type { TextPlace } from "./ChoiceText.ts"

export interface AnswerShape {
  /** Where the text of a choice stands in a whole answer. */
  readonly inAnswer: TextPlace
  /** The same in a chunk. */
  readonly inChunk: TextPlace
  /** An answer is a turn of a chat: its thinking is no part of what is resumed from. */
  readonly isTurn: boolean
  /** The `object` of whole answers. */
  readonly answerObject: string
  /** The `object` of chunks. */
  readonly chunkObject: string
  /** The choices of the chunks that give out a choice, as texts; `undefined` where it is no choice of this shape. */
  readonly cutChoice: (
    index: string,
    members: ReadonlyMap<string, string>,
  ) => ReadonlyArray<string> | undefined
  /** The choice that the choices of its chunks make. */
  readonly joinChoice: (chunks: ReadonlyArray<JsonObject>) => JsonObject
}
