/** An answer as a whole message. */
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import type { Counts, NeutralAnswer, NeutralHead } from "../Answer.ts"
import type { AskedFor } from "../DialectForm.ts"
import type { AssistantPart, ReasoningPart, TextPart } from "../Part.ts"
import { unsealed, wrap } from "../Seal.ts"
import { writtenCitation } from "./MessagesCitations.ts"
import { writtenUsage } from "./MessagesCounts.ts"
import { writtenFinish } from "./MessagesFinish.ts"

const encoder = new TextEncoder()

/** What a message says of itself, with nothing in it. */
export const writtenHead = (head: NeutralHead, counts: Counts): JsonObject => ({
  id: `msg_${head.id}`,
  type: "message",
  role: "assistant",
  model: head.model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
  container: null,
  usage: writtenUsage(counts, head.serviceTier),
})

/** A call as it begins. */
export const writtenCall = (id: string, name: string, input: JsonObject): JsonObject => ({
  type: "tool_use",
  id,
  name,
  input,
  caller: { type: "direct" },
})

/** Reasoning of which nothing is told but its seal. */
export const writtenRedacted = (data: string): JsonObject => ({ type: "redacted_thinking", data })

const textBlock = ({ citations = [], text }: TextPart): JsonObject => ({
  type: "text",
  text,
  citations: citations.length === 0 ? null : citations.map(writtenCitation),
})

const reasoningBlocks = ({ seal, texts }: ReasoningPart, upstream: string): ReadonlyArray<JsonObject> => {
  const thinking = texts.join("\n\n")
  const signature = seal === undefined ? undefined : wrap(seal, upstream)
  if (thinking !== "") return [{ type: "thinking", thinking, signature: signature ?? unsealed(upstream) }]
  return signature === undefined ? [] : [writtenRedacted(signature)]
}

/** What is no object stands in one under the name that Anthropic's guide gives it: the tool refuses it, and the model sees what it wrote. */
const inputOf = (text: string): JsonObject =>
  text.trim() === "" ? {} : (parseObject(encoder.encode(text)) ?? { INVALID_JSON: text })

/** Messages have no empty texts, and no images that a model made. */
const blocksOf = (part: AssistantPart, upstream: string): ReadonlyArray<JsonObject> => {
  switch (part.kind) {
    case "text":
      return part.text === "" ? [] : [textBlock(part)]
    case "refusal":
      return part.text === "" ? [] : [textBlock({ kind: "text", text: part.text })]
    case "reasoning":
      return reasoningBlocks(part, upstream)
    case "tool_call":
      return [writtenCall(part.id, part.name, inputOf(part.input))]
    case "image":
    case "foreign":
      return []
  }
}

export const writeMessagesAnswer = (answer: NeutralAnswer, asked: AskedFor): JsonObject => {
  const { counts, finish, parts, ...head } = answer
  const calls = parts.some(({ kind }) => kind === "tool_call")
  return {
    ...writtenHead(head, counts),
    content: parts.flatMap((part) => blocksOf(part, asked.upstream)),
    ...writtenFinish(finish, calls),
  }
}
