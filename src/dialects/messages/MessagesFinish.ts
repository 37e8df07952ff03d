/** Why a message ended, in Anthropic's words and in those of none. */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { Finish } from "../Answer.ts"

/** @param calls whether the message calls tools: several hosts say then that it ended by itself */
export const finishOf = (
  { stop_reason: reason, stop_sequence: word }: JsonObject,
  calls: boolean,
): Finish => {
  switch (reason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return { kind: "length" }
    case "tool_use":
      return { kind: "tool_calls" }
    case "refusal":
      return { kind: "refused" }
    case "stop_sequence":
      return typeof word === "string" && word !== "" ? { kind: "stop_word", word } : { kind: "stop" }
    default:
      return { kind: calls ? "tool_calls" : "stop" }
  }
}

/** Why the model refused, where that is told beside the message. */
export const explanationOf = (details: Json | undefined): string | undefined => {
  if (!isJsonObject(details)) return undefined
  const { explanation } = details
  return typeof explanation === "string" && explanation !== "" ? explanation : undefined
}

const reasons = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  refused: "refusal",
} as const

export const writtenFinish = (finish: Finish, calls: boolean): JsonObject => ({
  stop_reason:
    finish.kind === "stop_word"
      ? "stop_sequence"
      : calls && finish.kind === "stop"
        ? "tool_use"
        : reasons[finish.kind],
  stop_sequence: finish.kind === "stop_word" ? finish.word : null,
  // What it says of it stands as text, which all clients show.
  stop_details: finish.kind === "refused" ? { type: "refusal", category: null, explanation: null } : null,
  container: null,
})
