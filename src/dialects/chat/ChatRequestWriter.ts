/** A request of the neutral form, written in chat. */
import * as Either from "effect/Either"
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation, Tool, Turn } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { losesGrammar, withoutFreeForm } from "../FreeFormTools.ts"
import { distinct, type Loss } from "../Loss.ts"
import { membersOf } from "../Members.ts"
import type { AssistantPart, Part, ToolCallPart, ToolResultPart, UserPart } from "../Part.ts"
import { fittedId, fittedName, longestToolName, renamedTools } from "../ToolNames.ts"
import { writtenPart } from "./ChatParts.ts"
import { lossesOf, writtenSettings } from "./ChatSettings.ts"
import { writtenTool } from "./ChatTools.ts"

const mayGo = (as: string): Loss => ({ as, isEssential: false })

const nameOf = (name: string): string => fittedName(name, longestToolName.chat)

const writtenCall = ({ id, input, isFreeForm, name }: ToolCallPart): JsonObject =>
  isFreeForm
    ? { id: fittedId(id), type: "custom", custom: { name: nameOf(name), input } }
    : {
        id: fittedId(id),
        type: "function",
        function: { name: nameOf(name), arguments: input === "" ? "{}" : input },
      }

/** Mutable on purpose: one conversation. */
class Messages {
  readonly messages: Array<JsonObject> = []
  readonly losses: Array<Loss> = []
  readonly #abilities: ModelAbilities
  /** From here on the model answers to what its tools gave, and nobody has spoken since. */
  readonly #toolLoop: number

  constructor(turns: ReadonlyArray<Turn>, abilities: ModelAbilities) {
    this.#abilities = abilities
    this.#toolLoop = beginOfToolLoop(turns)
    for (const [at, turn] of turns.entries()) this.#add(turn, at)
  }

  #add(turn: Turn, at: number): void {
    this.#seeMarks(turn.parts)
    switch (turn.role) {
      case "instructions":
        this.messages.push({ role: "system", content: turn.parts.map(({ text }) => text).join("\n\n") })
        return
      case "assistant":
        this.#speak(turn.parts, at)
        return
      case "user":
        this.#hear(turn.parts, turn.name)
    }
  }

  #seeMarks(parts: ReadonlyArray<Part>): void {
    if (parts.some((part) => "cache" in part && part.cache !== undefined))
      this.losses.push(mayGo("cache_control"))
  }

  #hear(parts: ReadonlyArray<UserPart>, name: string | undefined): void {
    const said: Array<JsonObject> = []
    for (const part of parts) {
      if (part.kind === "tool_result") said.push(...this.#result(part))
      else this.#push(said, part)
    }
    const [only] = said
    if (only === undefined) return
    const content = said.length === 1 && only["type"] === "text" ? (only["text"] ?? "") : said
    this.messages.push(membersOf({ role: "user", name, content }))
  }

  #push(said: Array<JsonObject>, part: Exclude<UserPart, ToolResultPart>): void {
    const written = writtenPart(part)
    if (Either.isRight(written)) said.push(written.right)
    else this.losses.push(written.left)
  }

  /** What is no text in it, which stands with what the user says next, since no tool can say it. */
  #result({ id, isError, parts }: ToolResultPart): ReadonlyArray<JsonObject> {
    const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []))
    const content = `${isError ? "Error: " : ""}${texts.join("\n\n")}`
    this.messages.push({ role: "tool", tool_call_id: fittedId(id), content })
    const others: Array<JsonObject> = []
    for (const part of parts) if (part.kind !== "text") this.#push(others, part)
    return others.length === 0 ? [] : [{ type: "text", text: `What the tool gave (call ${id}):` }, ...others]
  }

  #speak(parts: ReadonlyArray<AssistantPart>, at: number): void {
    const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []))
    const refusals = parts.flatMap((part) => (part.kind === "refusal" ? [part.text] : []))
    const calls = parts.flatMap((part) => (part.kind === "tool_call" ? [writtenCall(part)] : []))
    const reasoning = this.#reasoning(parts, at)
    for (const part of parts) this.#lose(part)
    if (texts.length + refusals.length + calls.length === 0) return
    this.messages.push(
      membersOf({
        role: "assistant",
        content: texts.length === 0 ? null : texts.join(""),
        reasoning_content: reasoning,
        refusal: refusals.length === 0 ? undefined : refusals.join(""),
        tool_calls: calls.length === 0 ? undefined : calls,
      }),
    )
  }

  #lose(part: AssistantPart): void {
    if (part.kind === "image") this.losses.push(mayGo("image of the model"))
    else if (part.kind === "foreign") this.losses.push(mayGo(part.as))
  }

  #reasoning(parts: ReadonlyArray<AssistantPart>, at: number): string | undefined {
    const told = parts.filter((part) => part.kind === "reasoning")
    if (told.length === 0) return undefined
    const { reasoningHistory } = this.#abilities
    const isKept = reasoningHistory === "all" || (reasoningHistory === "tool_loop" && at >= this.#toolLoop)
    const text = told.flatMap(({ texts }) => texts).join("\n\n")
    if (!isKept || told.some(({ seal }) => seal !== undefined)) this.losses.push(mayGo("reasoning"))
    return isKept && text !== "" ? text : undefined
  }
}

/** Where the user spoke last: what the model said since then is one train of thought, between calls of tools. */
const beginOfToolLoop = (turns: ReadonlyArray<Turn>): number =>
  turns.findLastIndex(
    ({ parts, role }) => role === "user" && parts.some(({ kind }) => kind !== "tool_result"),
  )

const toolsOf = (tools: ReadonlyArray<Tool>): readonly [ReadonlyArray<JsonObject>, ReadonlyArray<Loss>] => [
  tools.flatMap((tool) =>
    tool.kind === "foreign" ? [] : [writtenTool({ ...tool, name: nameOf(tool.name) })],
  ),
  tools.flatMap(
    (tool): ReadonlyArray<Loss> =>
      tool.kind === "foreign"
        ? [{ as: tool.as, isEssential: tool.isEssential }]
        : tool.kind === "function" && tool.isCached
          ? [mayGo("cache_control")]
          : [],
  ),
]

/** `DialectForm.writeRequest` */
export const writeRequest = (conversation: Conversation, { abilities, model }: WriteFor): WrittenRequest => {
  const { freeFormTools } = abilities
  const { foreign, settings, stream, tools, turns } = freeFormTools
    ? conversation
    : withoutFreeForm(conversation)
  const { losses, messages } = new Messages(turns, abilities)
  const [written, toolLosses] = toolsOf(tools)
  const grammarLosses = !freeFormTools && losesGrammar(conversation) ? [mayGo("tools.format")] : []
  const freeForm = new Set(tools.flatMap((tool) => (tool.kind === "free_form" ? [nameOf(tool.name)] : [])))
  const body = membersOf({
    model,
    messages,
    stream: stream ? true : undefined,
    stream_options: stream ? { include_usage: true } : undefined,
    tools: written.length === 0 ? undefined : written,
    ...writtenSettings(settings, abilities, freeForm),
  })
  return {
    body,
    losses: distinct([
      ...foreign,
      ...losses,
      ...toolLosses,
      ...grammarLosses,
      ...lossesOf(settings, abilities),
    ]),
    renamed: renamedTools(conversation.tools, longestToolName.chat, freeFormTools),
  }
}
