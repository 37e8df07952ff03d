/**
 * A request in Anthropic's dialect as vLLM's `/tokenize` takes it: what its own Messages make of it, so that it counts what it would read. Only what is
 * text all through is counted so; of the rest a count would be a guess.
 */
import { blocksOf } from "../../answer/messages/MessageBlocks.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { textOf } from "../text/Messages.ts"
import type { MessagesRequest } from "./MessagesRequest.ts"

/** The blocks of a turn; a text by itself is one. */
const blocksIn = (turn: JsonObject): ReadonlyArray<JsonObject> => {
  const { content } = turn
  return typeof content === "string" ? [{ type: "text", text: content }] : blocksOf(turn)
}

const ofType = (blocks: ReadonlyArray<JsonObject>, type: string): ReadonlyArray<JsonObject> =>
  blocks.filter((block) => block["type"] === type)

const callOf = ({ id, input, name }: JsonObject): JsonObject => ({
  id: id ?? "",
  type: "function",
  function: { name: name ?? "", arguments: JSON.stringify(input ?? {}) },
})

/** The messages that a turn is for a chat: what tools answered before what the user says. */
const turnOf = (turn: JsonObject): ReadonlyArray<JsonObject> => {
  const { role } = turn
  const blocks = blocksIn(turn)
  const text = ofType(blocks, "text")
    .map((block) => textOf([block]))
    .join("")
  if (role === "assistant") {
    const calls = ofType(blocks, "tool_use").map(callOf)
    return [{ role, content: text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }]
  }
  const results = ofType(blocks, "tool_result").map((block) => ({
    role: "tool",
    tool_call_id: block["tool_use_id"] ?? "",
    content: textOf(block["content"]),
  }))
  return text === "" && results.length > 0 ? results : [...results, { role: role ?? "user", content: text }]
}

const toolOf = ({ description, input_schema: parameters, name }: JsonObject): JsonObject => ({
  type: "function",
  function: {
    name: name ?? "",
    ...(description === undefined ? {} : { description }),
    parameters: parameters ?? { type: "object", properties: {} },
  },
})

/** Blocks whose tokens are those of the texts above. Thoughts of earlier turns are left out, as vLLM leaves them out. */
const countedTypes: ReadonlySet<Json | undefined> = new Set([
  "text",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
])

const isText = (value: Json | undefined): boolean =>
  value === undefined ||
  typeof value === "string" ||
  (isJsonArray(value) && value.every((block) => isJsonObject(block) && block["type"] === "text"))

const isCounted = (block: Json): boolean =>
  isJsonObject(block) &&
  countedTypes.has(block["type"]) &&
  (block["type"] !== "tool_result" || isText(block["content"]))

/** Whether all that a turn says is counted. */
const isTextual = ({ content }: JsonObject): boolean =>
  typeof content === "string" || (content !== undefined && isJsonArray(content) && content.every(isCounted))

/** The body; `undefined` where something in it is not text. */
export const tokenizeBody = ({ body, messages }: MessagesRequest, model: string): JsonObject | undefined => {
  const { system, tools } = body
  if (!messages.every(isTextual) || !isText(system)) return undefined
  const instructions = textOf(system)
  const offered = tools !== undefined && isJsonArray(tools) ? tools.filter(isJsonObject) : []
  return {
    model,
    messages: [
      ...(instructions === "" ? [] : [{ role: "system", content: instructions }]),
      ...messages.flatMap(turnOf),
    ],
    ...(offered.length === 0 ? {} : { tools: offered.map(toolOf) }),
  }
}
