/** The turns of a request in Anthropic's dialect, with its instructions before them. */
import { isJsonArray, type Json, type JsonObject } from "../../wire/Json.ts"
import { hasInexact, printedInput } from "../CallInput.ts"
import type { Turn } from "../Conversation.ts"
import type { AssistantPart } from "../Part.ts"
import type { Reading } from "../Reading.ts"
import { isUnsealed, unwrap } from "../Seal.ts"
import { callOfBlock, foreignOf, reasoningOf, textOfBlock } from "./MessagesBlocks.ts"
import { blocksIn, textParts, textsIn, typeOfBlock, userParts } from "./MessagesPartsReader.ts"
import { marked } from "./MessagesReading.ts"

const some = <A>(part: A | undefined): ReadonlyArray<A> => (part === undefined ? [] : [part])

/** Reasoning that came back. Its seal is worth something where this gateway gave it out; Anthropic's own nobody else can read. */
const reasoningParts = (
  reading: Reading,
  text: string,
  sealed: Json | undefined,
  as: string,
): ReadonlyArray<AssistantPart> => {
  const seal = typeof sealed === "string" ? unwrap(sealed) : undefined
  const saysNothing =
    sealed === undefined || sealed === "" || (typeof sealed === "string" && isUnsealed(sealed))
  if (seal === undefined && !saysNothing) reading.foreign.tell(as)
  return some(reasoningOf(text, seal))
}

/** Printed as it was read: numbers of more digits than are kept are told. */
const inputIn = (reading: Reading, { input }: JsonObject, path: string): string => {
  if (hasInexact(input)) reading.foreign.tellInPart("messages.content.tool_use.input")
  const printed = printedInput(input)
  if (printed === undefined) reading.wrong(`${path}.input`, "Input is nested too deep")
  return printed ?? "{}"
}

const assistantPart = (reading: Reading, block: JsonObject, path: string): ReadonlyArray<AssistantPart> => {
  const type = typeOfBlock(reading, block, path)
  switch (type) {
    case "text": {
      textParts(reading, block, path)
      return some(textOfBlock(block)).map((part) => marked(part, block))
    }
    case "tool_use":
      if (typeof block["id"] !== "string") reading.missing(`${path}.id`)
      if (typeof block["name"] !== "string") reading.missing(`${path}.name`)
      return [marked(callOfBlock(block, inputIn(reading, block, path)), block)]
    case "thinking": {
      const { signature, thinking } = block
      const text = typeof thinking === "string" ? thinking : ""
      return reasoningParts(reading, text, signature, "messages.content.thinking.signature")
    }
    case "redacted_thinking":
      return reasoningParts(reading, "", block["data"], "messages.content.redacted_thinking")
    default:
      return [foreignOf(type)]
  }
}

const assistantParts = (
  reading: Reading,
  content: Json | undefined,
  path: string,
): ReadonlyArray<AssistantPart> =>
  blocksIn(reading, content, path).flatMap((block, at) =>
    assistantPart(reading, block, isJsonArray(content) ? `${path}.${at}` : path),
  )

const turnOf = (reading: Reading, message: JsonObject, path: string): Turn | undefined => {
  const { content, role } = message
  const place = `${path}.content`
  switch (role) {
    case "user":
      return { role, parts: userParts(reading, content, place) }
    case "assistant":
      return { role, parts: assistantParts(reading, content, place) }
    case "system":
      return { role: "instructions", voice: "system", parts: textsIn(reading, content, place) }
    default:
      return reading.wrong(`${path}.role`, "Input should be 'user', 'assistant' or 'system'")
  }
}

/** In order; what is empty says nothing. */
export const turnsIn = (reading: Reading, { messages, system }: JsonObject): ReadonlyArray<Turn> => {
  if (messages === undefined) reading.missing("messages")
  const objects = reading.objects(messages, "messages") ?? []
  if (objects.length === 0) reading.wrong("messages", "at least one message is required")
  const instructions = system === undefined || system === null ? [] : textsIn(reading, system, "system")
  const turns = objects.flatMap((message, at) => some(turnOf(reading, message, `messages.${at}`)))
  if (objects.length > 0 && turns.every(({ parts }) => parts.length === 0))
    reading.wrong("messages", "all messages must have non-empty content")
  const first: Turn = { role: "instructions", voice: "system", parts: instructions }
  return [first, ...turns].filter(({ parts }) => parts.length > 0)
}
