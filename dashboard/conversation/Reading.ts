/** Conversations out of the bodies of requests and answers, in chat, responses, messages and what else asks for text. */
import { indented, type Loose, listOf, objectOf, objectsOf, parsed, shownOf, textOf } from "./Loose.ts"
import { partsOf } from "./Parts.ts"
import type { Conversation, Turn, TurnPart } from "./Turn.ts"

const turn = (role: string, parts: ReadonlyArray<TurnPart>): ReadonlyArray<Turn> =>
  parts.length === 0 ? [] : [{ role, parts }]

/** Calls of tools as the chat dialect has them. */
const chatCalls = (calls: unknown): ReadonlyArray<TurnPart> =>
  objectsOf(calls).map((call) => {
    const called = objectOf(call["function"] ?? call["custom"])
    return {
      is: "call",
      name: textOf(called["name"]),
      id: textOf(call["id"]),
      input: indented(textOf(called["arguments"]) || textOf(called["input"])),
    }
  })

const chatThoughts = (message: Loose): ReadonlyArray<TurnPart> => {
  const text = textOf(message["reasoning_content"]) || textOf(message["reasoning"])
  return text === "" ? [] : [{ is: "thinking", text }]
}

/** A message of the chat and of the messages dialect. */
const messageTurn = (message: Loose): ReadonlyArray<Turn> => {
  const role = textOf(message["role"]) || "assistant"
  const refusal = textOf(message["refusal"])
  const said = partsOf(message["content"])
  if (role === "tool") {
    return turn(role, [{ is: "result", id: textOf(message["tool_call_id"]), parts: said, isError: false }])
  }
  return turn(role, [
    ...chatThoughts(message),
    ...said,
    ...(refusal === "" ? [] : [{ is: "refusal", text: refusal } as const]),
    ...chatCalls(message["tool_calls"]),
  ])
}

const reasoningParts = (item: Loose): ReadonlyArray<TurnPart> => {
  const texts = [...objectsOf(item["summary"]), ...objectsOf(item["content"])].map((part) =>
    textOf(part["text"]),
  )
  const text = texts.filter((one) => one !== "").join("\n\n")
  return text === ""
    ? [{ is: "other", told: "thoughts that only their maker can read" }]
    : [{ is: "thinking", text }]
}

/** An item of the responses dialect, of its input or its output. */
const itemTurn = (item: Loose): ReadonlyArray<Turn> => {
  const type = textOf(item["type"])
  const id = textOf(item["call_id"])
  if (type === "" || type === "message") return turn(textOf(item["role"]) || "user", partsOf(item["content"]))
  if (type === "reasoning") return turn("assistant", reasoningParts(item))
  if (type.endsWith("_call_output")) {
    return turn("tool", [{ is: "result", id, parts: partsOf(item["output"]), isError: false }])
  }
  if (type === "function_call" || type === "custom_tool_call") {
    const input = indented(textOf(item["arguments"]) || textOf(item["input"]))
    return turn("assistant", [{ is: "call", name: textOf(item["name"]), id, input }])
  }
  return turn("assistant", [{ is: "other", told: `${type}\n${shownOf(item)}`.slice(0, 2_000) }])
}

const itemsOf = (input: unknown): ReadonlyArray<Turn> =>
  typeof input === "string" ? turn("user", partsOf(input)) : objectsOf(input).flatMap(itemTurn)

const toolNames = (tools: unknown): ReadonlyArray<string> =>
  objectsOf(tools).map(
    (tool) => textOf(tool["name"]) || textOf(objectOf(tool["function"])["name"]) || textOf(tool["type"]),
  )

/** What completions, embeddings, moderations, rerankers and speech are given. */
const plainInput = (body: Loose): ReadonlyArray<Turn> =>
  ["prompt", "input", "query", "documents"].flatMap((name) =>
    turn(
      name,
      listOf([body[name]].flat()).flatMap((one) => (typeof one === "string" ? partsOf(one) : [])),
    ),
  )

/** What the body of a request says. Nothing where it is no JSON, as one that was cut. */
export const requestIn = (text: string | null): Conversation => {
  const body = objectOf(parsed(text ?? ""))
  const tools = toolNames(body["tools"])
  if (Array.isArray(body["messages"])) {
    const system = turn("system", partsOf(body["system"]))
    return { turns: [...system, ...objectsOf(body["messages"]).flatMap(messageTurn)], tools }
  }
  const input = listOf(body["input"])
  if (typeof body["instructions"] === "string" || objectsOf(input).length > 0) {
    return { turns: [...turn("system", partsOf(body["instructions"])), ...itemsOf(body["input"])], tools }
  }
  return { turns: plainInput(body), tools }
}

/** What the body of an answer says. */
export const answerIn = (text: string | null): Conversation => {
  const body = objectOf(parsed(text ?? ""))
  if (Array.isArray(body["choices"])) {
    return {
      turns: objectsOf(body["choices"]).flatMap((choice) =>
        typeof choice["text"] === "string"
          ? turn("assistant", partsOf(choice["text"]))
          : messageTurn(objectOf(choice["message"])),
      ),
      tools: [],
    }
  }
  if (Array.isArray(body["output"])) return { turns: itemsOf(body["output"]), tools: [] }
  if (body["type"] === "message") return { turns: messageTurn(body), tools: [] }
  if (typeof body["text"] === "string") return { turns: turn("text", partsOf(body["text"])), tools: [] }
  return { turns: [], tools: [] }
}
