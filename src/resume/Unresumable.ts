/** The reasons for which an answer is never resumed. */
import type * as Either from "effect/Either"
import { isJsonArray, type Json } from "../wire/Json.ts"

/**
 * Why an answer cannot be resumed.
 *
 * - `finished`: it had said why it ends
 * - `tool_call`: it was calling a tool
 * - `other_choice`: it has a choice beside the first
 * - `not_text`: its content is not a string, or it said something beside content (refusal, audio, images)
 * - `thinking`: it broke off while it thought, or before it said anything else
 * - `half_character`: its text ends between the two halves of a surrogate pair
 * - `too_long`: there is more of it than is kept
 * - `unreadable`: an event, or the request, is not of the shape that is known
 * - `several_choices`, `echo`, `prompt_not_text`: the request asks for `n` other than 1, for its prompt before the answer, or has a
 *   prompt of tokens or several
 * - `grammar`: the request constrains the text's form, and the constraint would begin anew in the middle
 * - `own_prefill`: the request itself ends in an assistant message, so it is unknown whether the answer begins within it
 */
export type Unresumable =
  | "finished"
  | "tool_call"
  | "other_choice"
  | "not_text"
  | "thinking"
  | "half_character"
  | "too_long"
  | "unreadable"
  | "several_choices"
  | "echo"
  | "prompt_not_text"
  | "grammar"
  | "own_prefill"

/** What was asked for, or why there is none. */
export type Judged<A> = Either.Either<A, Unresumable>

/** Whether a member says anything. */
export const isSaid = (value: Json | undefined): value is Json =>
  value !== undefined && value !== null && value !== "" && !(isJsonArray(value) && value.length === 0)
