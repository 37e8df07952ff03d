/** A request of the neutral form, written in chat. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation, Turn } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { losesGrammar, withoutFreeForm } from "../FreeFormTools.ts"
import { instructionText } from "../Instructions.ts"
import { Losses } from "../Losses.ts"
import { membersOf } from "../Members.ts"
import { freeFormNames, tellMarks, writtenTools } from "../OpenAiRequest.ts"
import type { AssistantPart, ToolCallPart, ToolResultPart, UserPart } from "../Part.ts"
import { withoutChoice } from "../ToolChoices.ts"
import { fittedId, fittedName, longestToolName, renamedTools } from "../ToolNames.ts"
import { writtenPart } from "./ChatParts.ts"
import { writtenSettings } from "./ChatSettings.ts"
import { writtenTool } from "./ChatTools.ts"

const nameOf = (name: string): string => fittedName(name, longestToolName.chat)

const writtenCall = ({ id, input, isFreeForm, name }: ToolCallPart): JsonObject =>
  isFreeForm
    ? { id: fittedId.chat(id), type: "custom", custom: { name: nameOf(name), input } }
    : {
        id: fittedId.chat(id),
        type: "function",
        function: { name: nameOf(name), arguments: input === "" ? "{}" : input },
      }

/** Mutable on purpose: one conversation. */
class Messages {
  readonly messages: Array<JsonObject> = []
  readonly #losses: Losses
  readonly #abilities: ModelAbilities
  /** From here on the model answers to what its tools gave, and nobody has spoken since. */
  readonly #toolLoop: number

  constructor(turns: ReadonlyArray<Turn>, abilities: ModelAbilities, losses: Losses) {
    this.#losses = losses
    this.#abilities = abilities
    this.#toolLoop = beginOfToolLoop(turns)
    for (const [at, turn] of turns.entries()) this.#add(turn, at)
  }

  #add(turn: Turn, at: number): void {
    switch (turn.role) {
      case "instructions": {
        const content = instructionText(turn.parts, this.#losses)
        if (content !== "") this.messages.push({ role: "system", content })
        return
      }
      case "assistant":
        this.#speak(turn.parts, at)
        return
      case "user":
        this.#hear(turn.parts, turn.name)
    }
  }

  #hear(parts: ReadonlyArray<UserPart>, name: string | undefined): void {
    const said: Array<JsonObject> = []
    for (const part of parts) {
      if (part.kind === "tool_result") said.push(...this.#result(part))
      else said.push(...writtenPart(part, this.#losses))
    }
    const [only] = said
    if (only === undefined) return
    const content = said.length === 1 && only["type"] === "text" ? (only["text"] ?? "") : said
    this.messages.push(membersOf({ role: "user", name, content }))
  }

  /** What is no text in it, which stands with what the user says next, since no tool can say it. */
  #result({ id, isError, parts }: ToolResultPart): ReadonlyArray<JsonObject> {
    const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []))
    const content = `${isError ? "Error: " : ""}${texts.join("\n\n")}`
    this.messages.push({ role: "tool", tool_call_id: fittedId.chat(id), content })
    const others = parts.flatMap((part) => (part.kind === "text" ? [] : writtenPart(part, this.#losses)))
    return others.length === 0 ? [] : [{ type: "text", text: `What the tool gave (call ${id}):` }, ...others]
  }

  #speak(parts: ReadonlyArray<AssistantPart>, at: number): void {
    const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []))
    const refusals = parts.flatMap((part) => (part.kind === "refusal" ? [part.text] : []))
    const calls = parts.flatMap((part) => (part.kind === "tool_call" ? [writtenCall(part)] : []))
    for (const part of parts) this.#lose(part)
    // A turn of reasoning alone is none that chat can say.
    const isSaid = texts.length + refusals.length + calls.length > 0
    const reasoning = this.#reasoning(parts, isSaid && this.#keepsReasoning(at))
    if (!isSaid) return
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
    if (part.kind === "image") this.#losses.tell("image of the model")
    else if (part.kind === "foreign") this.#losses.tell(part.as)
  }

  #keepsReasoning(at: number): boolean {
    const { reasoningHistory } = this.#abilities
    return reasoningHistory === "all" || (reasoningHistory === "tool_loop" && at >= this.#toolLoop)
  }

  #reasoning(parts: ReadonlyArray<AssistantPart>, isKept: boolean): string | undefined {
    const told = parts.filter((part) => part.kind === "reasoning")
    if (told.length === 0) return undefined
    const text = told.flatMap(({ texts }) => texts).join("\n\n")
    if (!isKept || told.some(({ seal }) => seal !== undefined)) this.#losses.tell("reasoning")
    return isKept && text !== "" ? text : undefined
  }
}

/** Where the user spoke last: what the model said since then is one train of thought, between calls of tools. */
const beginOfToolLoop = (turns: ReadonlyArray<Turn>): number =>
  turns.findLastIndex(
    ({ parts, role }) => role === "user" && parts.some(({ kind }) => kind !== "tool_result"),
  )

/** `DialectForm.writeRequest` */
export const writeRequest = (conversation: Conversation, { abilities, model }: WriteFor): WrittenRequest => {
  const { freeFormTools } = abilities
  const { foreign, settings, stream, tools, turns } = freeFormTools
    ? conversation
    : withoutFreeForm(conversation)
  const losses = new Losses()
  losses.tellAll(foreign)
  tellMarks(turns, losses)
  const { messages } = new Messages(turns, abilities, losses)
  const written = writtenTools(tools, nameOf, writtenTool, losses)
  if (!freeFormTools && losesGrammar(conversation)) losses.tell("tools.format")
  const freeForm = freeFormNames(tools, nameOf)
  const body = membersOf({
    model,
    messages,
    stream: stream ? true : undefined,
    stream_options: stream ? { include_usage: true } : undefined,
    tools: written.length === 0 ? undefined : written,
    ...writtenSettings(
      written.length === 0 ? withoutChoice(settings, losses) : settings,
      abilities,
      freeForm,
      losses,
    ),
  })
  return {
    body,
    losses: losses.all,
    renamed: renamedTools(conversation.tools, longestToolName.chat, freeFormTools),
  }
}
