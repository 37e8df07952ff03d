/** A request of the neutral form, written for responses. */
import * as Either from "effect/Either"
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation, Tool, Turn } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { losesGrammar, withoutFreeForm } from "../FreeFormTools.ts"
import { distinct, type Loss } from "../Loss.ts"
import { membersOf } from "../Members.ts"
import type { AssistantPart, Part, TextPart, ToolResultPart, UserPart } from "../Part.ts"
import { isFrom } from "../Seal.ts"
import { fittedId, fittedName, longestToolName, renamedTools } from "../ToolNames.ts"
import { writtenPart, writtenText } from "./ResponseParts.ts"
import { lossesOf, writtenSettings } from "./ResponseSettings.ts"
import { writtenTool } from "./ResponseTools.ts"

const mayGo = (as: string): Loss => ({ as, isEssential: false })

const nameOf = (name: string): string => fittedName(name, longestToolName.responses)

/** Mutable on purpose: one conversation. */
class Items {
  readonly items: Array<JsonObject> = []
  readonly losses: Array<Loss> = []
  readonly #upstream: string

  constructor(turns: ReadonlyArray<Turn>, upstream: string) {
    this.#upstream = upstream
    for (const turn of turns) this.#add(turn)
  }

  #add(turn: Turn): void {
    if (turn.parts.some(isMarked)) this.losses.push(mayGo("cache_control"))
    switch (turn.role) {
      case "instructions":
        this.items.push({ type: "message", role: turn.voice, content: joined(turn.parts) })
        return
      case "assistant":
        for (const part of turn.parts) this.#speak(part)
        return
      case "user":
        if (turn.name !== undefined) this.losses.push(mayGo("messages.name"))
        this.#hear(turn.parts)
    }
  }

  #hear(parts: ReadonlyArray<UserPart>): void {
    const said: Array<JsonObject> = []
    for (const part of parts) {
      if (part.kind === "tool_result") this.#result(part)
      else this.#push(said, part)
    }
    if (said.length > 0) this.items.push({ type: "message", role: "user", content: said })
  }

  #push(said: Array<JsonObject>, part: Exclude<UserPart, ToolResultPart>): void {
    const written = writtenPart(part)
    if (Either.isRight(written)) said.push(written.right)
    else this.losses.push(written.left)
  }

  #result({ id, isError, isFreeForm, parts }: ToolResultPart): void {
    const all: ReadonlyArray<ToolResultPart["parts"][number]> = isError
      ? [{ kind: "text", text: "Error:" }, ...parts]
      : parts
    const isText = all.every((part) => part.kind === "text")
    const output: Array<JsonObject> = []
    if (!isText) for (const part of all) this.#push(output, part)
    this.items.push({
      type: isFreeForm ? "custom_tool_call_output" : "function_call_output",
      call_id: fittedId(id),
      output: isText
        ? all.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join(isError ? " " : "\n\n")
        : output,
    })
  }

  #speak(part: AssistantPart): void {
    switch (part.kind) {
      case "text":
        this.#say(writtenText(part))
        return
      case "refusal":
        this.#say({ type: "refusal", refusal: part.text })
        return
      case "tool_call": {
        const { id, input, isFreeForm, name } = part
        this.items.push(
          isFreeForm
            ? { type: "custom_tool_call", call_id: fittedId(id), name: nameOf(name), input }
            : {
                type: "function_call",
                call_id: fittedId(id),
                name: nameOf(name),
                arguments: input === "" ? "{}" : input,
              },
        )
        return
      }
      case "reasoning": {
        const { seal } = part
        if (seal?.dialect !== "responses" || !isFrom(seal, this.#upstream))
          this.losses.push(mayGo("reasoning"))
        else
          this.items.push(
            membersOf({ type: "reasoning", id: seal.id, summary: [], encrypted_content: seal.sealed }),
          )
        return
      }
      case "image":
        this.losses.push(mayGo("image of the model"))
        return
      case "foreign":
        this.losses.push(mayGo(part.as))
    }
  }

  #say(content: JsonObject): void {
    this.items.push({ type: "message", role: "assistant", content: [content] })
  }
}

const isMarked = (part: Part): boolean => "cache" in part && part.cache !== undefined

const joined = (parts: ReadonlyArray<TextPart>): string => parts.map(({ text }) => text).join("\n\n")

/** Instructions at the beginning, which have a member of their own, and the rest. */
const apart = (turns: ReadonlyArray<Turn>): readonly [string | undefined, ReadonlyArray<Turn>] => {
  const [first, ...rest] = turns
  return first?.role === "instructions" && first.voice === "system"
    ? [joined(first.parts), rest]
    : [undefined, turns]
}

const toolLosses = (tools: ReadonlyArray<Tool>): ReadonlyArray<Loss> =>
  tools.flatMap((tool) =>
    tool.kind === "foreign"
      ? [{ as: tool.as, isEssential: tool.isEssential }]
      : tool.kind === "function" && tool.isCached
        ? [mayGo("cache_control")]
        : [],
  )

/** `DialectForm.writeRequest` */
export const writeRequest = (
  conversation: Conversation,
  { abilities, model, upstream }: WriteFor,
): WrittenRequest => {
  const { freeFormTools } = abilities
  const { foreign, settings, stream, tools, turns } = freeFormTools
    ? conversation
    : withoutFreeForm(conversation)
  const [instructions, others] = apart(turns)
  const { items, losses } = new Items(others, upstream)
  const written = tools.flatMap((tool) =>
    tool.kind === "foreign" ? [] : [writtenTool({ ...tool, name: nameOf(tool.name) })],
  )
  const grammarLosses = !freeFormTools && losesGrammar(conversation) ? [mayGo("tools.format")] : []
  const freeForm = new Set(tools.flatMap((tool) => (tool.kind === "free_form" ? [nameOf(tool.name)] : [])))
  const marked =
    turns[0] !== others[0] && turns[0]?.parts.some(isMarked) === true ? [mayGo("cache_control")] : []
  return {
    body: membersOf({
      model,
      instructions,
      input: items,
      stream: stream ? true : undefined,
      tools: written.length === 0 ? undefined : written,
      ...writtenSettings(settings, abilities, freeForm),
    }),
    losses: distinct([
      ...foreign,
      ...marked,
      ...losses,
      ...toolLosses(tools),
      ...grammarLosses,
      ...lossesOf(settings, abilities),
    ]),
    renamed: renamedTools(conversation.tools, longestToolName.responses, freeFormTools),
  }
}
