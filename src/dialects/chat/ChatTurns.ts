/** The messages of a request in chat, read to turns. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import { argumentsText } from "../CallInput.ts"
import type { Turn } from "../Conversation.ts"
import { type Losses, tellUnknown } from "../Losses.ts"
import { booleanIn, listIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart, ToolCallPart, ToolResultPart, UserPart } from "../Part.ts"
import { foreignPart, givenPartsOf, instructionPartsOf, textPartOf } from "./ChatParts.ts"
import { sealsIn } from "./ChatSeals.ts"

/** The id of a call that has none, by its tool. */
type MadeId = (name: string) => string

/** In a history: results without an id name the tool. */
const idInHistory: MadeId = (name) => `call_${name}`

const callOf = (call: JsonObject, madeId: MadeId): ToolCallPart | undefined => {
  const { custom, function: named, id } = call
  const free = objectIn(custom)
  const said = free ?? objectIn(named)
  const name = textIn(said?.["name"])
  if (said === undefined || name === undefined) return undefined
  return {
    kind: "tool_call",
    id: textIn(id) ?? madeId(name),
    name,
    input: free === undefined ? argumentsText(said["arguments"]) : (textIn(said["input"]) ?? ""),
    isFreeForm: free !== undefined,
  }
}

/** Functions as they were called before there were tools: an id is what they lack. */
const oldCallOf = (call: JsonObject | undefined, madeId: MadeId): ReadonlyArray<ToolCallPart> => {
  const name = textIn(call?.["name"])
  if (call === undefined || name === undefined) return []
  const input = argumentsText(call["arguments"])
  return [{ kind: "tool_call", id: madeId(name), name, input, isFreeForm: false }]
}

/** Each provider has a name of its own for reasoning that it tells as text. Seals stand beside it: the first is that of the text. */
const reasoningOf = (message: JsonObject): ReadonlyArray<AssistantPart> => {
  const told = saidIn(message["reasoning_content"]) ?? saidIn(message["reasoning"])
  const [seal, ...others] = sealsIn(message)
  const texts = told === undefined ? [] : [told]
  return [
    ...(told === undefined && seal === undefined ? [] : [{ kind: "reasoning", texts, seal } as const]),
    ...others.map((other) => ({ kind: "reasoning", texts: [], seal: other }) as const),
  ]
}

const spokenOf = (content: Json | undefined): ReadonlyArray<AssistantPart> => {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }]
  return objectsIn(content).flatMap((part): ReadonlyArray<AssistantPart> => {
    if (part["type"] === "refusal") return refusalOf(part["refusal"])
    if (part["type"] !== "text") return [foreignPart(part)]
    const text = textPartOf(part)
    return text === undefined ? [] : [text]
  })
}

const refusalOf = (refusal: Json | undefined): ReadonlyArray<AssistantPart> => {
  const text = saidIn(refusal)
  return text === undefined ? [] : [{ kind: "refusal", text }]
}

/** What a message of the model says: reasoning first, then texts, then calls. */
export const assistantPartsOf = (message: JsonObject, madeId: MadeId): ReadonlyArray<AssistantPart> => [
  ...reasoningOf(message),
  ...spokenOf(message["content"]),
  ...refusalOf(message["refusal"]),
  ...objectsIn(message["tool_calls"]).flatMap((call) => callOf(call, madeId) ?? []),
  ...oldCallOf(objectIn(message["function_call"]), madeId),
]

const resultOf = (message: JsonObject, isFreeForm: (id: string) => boolean): ToolResultPart => {
  const id = textIn(message["tool_call_id"]) ?? idInHistory(textIn(message["name"]) ?? "")
  return {
    kind: "tool_result",
    id,
    parts: givenPartsOf(message["content"]),
    isError: booleanIn(message["is_error"]) ?? false,
    isFreeForm: isFreeForm(id),
  }
}

/** Members of messages that are read. */
const known: ReadonlySet<string> = new Set([
  "role",
  "content",
  "name",
  "refusal",
  "tool_calls",
  "tool_call_id",
  "function_call",
  "reasoning_content",
  "reasoning",
  "reasoning_details",
  "is_error",
])

/** Members of parts that are read, whatever their type. */
const knownOfParts: ReadonlySet<string> = new Set([
  "type",
  "text",
  "refusal",
  "image_url",
  "file",
  "input_audio",
  "cache_control",
  "prompt_cache_breakpoint",
])

/** Roles of which the name is kept, or is that of a function. */
const named: ReadonlySet<Json | undefined> = new Set(["user", "tool", "function"])

/** What of a message nobody else has. */
const tellForeign = (message: JsonObject, foreign: Losses): void => {
  const { content, name, reasoning_details: details, role } = message
  tellUnknown(foreign, message, known, "messages")
  if (typeof name === "string" && !named.has(role)) foreign.tell("messages.name")
  if (listIn(details).length > sealsIn(message).length) foreign.tell("messages.reasoning_details")
  for (const part of objectsIn(content)) tellUnknown(foreign, part, knownOfParts, "messages.content")
}

/** Mutable on purpose: one list of messages. */
class Turns {
  readonly turns: Array<Turn> = []
  readonly #foreign: Losses
  readonly #freeForm = new Set<string>()
  /** Results of tools, until who speaks next. */
  #results: Array<UserPart> = []

  constructor(foreign: Losses) {
    this.#foreign = foreign
  }

  add(message: JsonObject): void {
    tellForeign(message, this.#foreign)
    const { content, name, role } = message
    switch (role) {
      case "tool":
      case "function":
        this.#results.push(resultOf(message, (id) => this.#freeForm.has(id)))
        return
      case "assistant": {
        this.flush()
        const parts = assistantPartsOf(message, idInHistory)
        for (const part of parts)
          if (part.kind === "tool_call" && part.isFreeForm) this.#freeForm.add(part.id)
        this.#push({ role, parts })
        return
      }
      case "system":
      case "developer":
        this.flush()
        this.#push({ role: "instructions", voice: role, parts: instructionPartsOf(content) })
        return
      default: {
        const said = textIn(name)
        const parts = [...this.#results, ...givenPartsOf(content)]
        this.#results = []
        this.#push({ role: "user", parts, ...(said === undefined ? {} : { name: said }) })
      }
    }
  }

  flush(): void {
    const parts = this.#results
    this.#results = []
    this.#push({ role: "user", parts })
  }

  #push(turn: Turn): void {
    if (turn.parts.length > 0) this.turns.push(turn)
  }
}

/** Results of tools stand at the beginning of the turn of the user that follows them. */
export const turnsOf = (messages: ReadonlyArray<JsonObject>, foreign: Losses): ReadonlyArray<Turn> => {
  const read = new Turns(foreign)
  for (const message of messages) read.add(message)
  read.flush()
  return read.turns
}
