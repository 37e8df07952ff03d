/** The blocks that a model says, in requests and in answers, as parts. */
import type { JsonObject } from "../../wire/Json.ts"
import { inputText } from "../CallInput.ts"
import type { ForeignPart, ReasoningPart, TextPart, ToolCallPart } from "../Part.ts"
import type { Seal } from "../Seal.ts"
import { citationsOf } from "./MessagesCitations.ts"

/** A text and what it refers to; `undefined` where it is empty. */
export const textOfBlock = ({ citations, text }: JsonObject): TextPart | undefined => {
  if (typeof text !== "string" || text === "") return undefined
  const found = citationsOf(citations, text.length)
  return found.length === 0 ? { kind: "text", text } : { kind: "text", text, citations: found }
}

/** A call. */
export const callOfBlock = (
  { id, input: given, name }: JsonObject,
  input: string = inputText(given),
): ToolCallPart => ({
  kind: "tool_call",
  id: typeof id === "string" ? id : "",
  name: typeof name === "string" ? name : "",
  input,
  isFreeForm: false,
})

/** Reasoning with what is told of it and its seal; `undefined` where it has neither. */
export const reasoningOf = (text: string, seal: Seal | undefined): ReasoningPart | undefined => {
  const texts = text === "" ? [] : [text]
  if (seal === undefined) return text === "" ? undefined : { kind: "reasoning", texts }
  return { kind: "reasoning", texts, seal }
}

/** What Anthropic alone can say. */
export const foreignOf = (type: string): ForeignPart => ({ kind: "foreign", as: `messages.content.${type}` })
