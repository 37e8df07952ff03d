/** A request of the neutral form, written for responses. */
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation, Turn } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { losesGrammar, withoutFreeForm } from "../FreeFormTools.ts"
import { instructionText } from "../Instructions.ts"
import { Losses } from "../Losses.ts"
import { membersOf } from "../Members.ts"
import { freeFormNames, tellMarks, writtenTools } from "../OpenAiRequest.ts"
import type { AssistantPart, ToolResultPart, UserPart } from "../Part.ts"
import { isFrom } from "../Seal.ts"
import { withoutChoice } from "../ToolChoices.ts"
import { fittedId, fittedName, longestToolName, renamedTools } from "../ToolNames.ts"
import { writtenPart, writtenText } from "./ResponseParts.ts"
import { writtenSettings } from "./ResponseSettings.ts"
import { writtenTool } from "./ResponseTools.ts"

const nameOf = (name: string): string => fittedName(name, longestToolName.responses)

/** Mutable on purpose: one conversation. */
class Items {
  readonly items: Array<JsonObject> = []
  readonly #losses: Losses
  readonly #upstream: string

  constructor(turns: ReadonlyArray<Turn>, upstream: string, losses: Losses) {
    this.#losses = losses
    this.#upstream = upstream
    for (const turn of turns) this.#add(turn)
  }

  #add(turn: Turn): void {
    switch (turn.role) {
      case "instructions": {
        const content = instructionText(turn.parts, this.#losses)
        if (content !== "") this.items.push({ type: "message", role: turn.voice, content })
        return
      }
      case "assistant":
        for (const part of turn.parts) this.#speak(part)
        return
      case "user":
        if (turn.name !== undefined) this.#losses.tell("messages.name")
        this.#hear(turn.parts)
    }
  }

  #hear(parts: ReadonlyArray<UserPart>): void {
    const said: Array<JsonObject> = []
    for (const part of parts) {
      if (part.kind === "tool_result") this.#result(part)
      else said.push(...writtenPart(part, this.#losses))
    }
    if (said.length > 0) this.items.push({ type: "message", role: "user", content: said })
  }

  #result({ id, isError, isFreeForm, parts }: ToolResultPart): void {
    const all: ReadonlyArray<ToolResultPart["parts"][number]> = isError
      ? [{ kind: "text", text: "Error:" }, ...parts]
      : parts
    const isText = all.every((part) => part.kind === "text")
    this.items.push({
      type: isFreeForm ? "custom_tool_call_output" : "function_call_output",
      call_id: fittedId.responses(id),
      output: isText
        ? all.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join(isError ? " " : "\n\n")
        : all.flatMap((part) => writtenPart(part, this.#losses)),
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
            ? { type: "custom_tool_call", call_id: fittedId.responses(id), name: nameOf(name), input }
            : {
                type: "function_call",
                call_id: fittedId.responses(id),
                name: nameOf(name),
                arguments: input === "" ? "{}" : input,
              },
        )
        return
      }
      case "reasoning": {
        const { seal } = part
        if (seal?.dialect !== "responses" || !isFrom(seal, this.#upstream)) this.#losses.tell("reasoning")
        else
          this.items.push(
            membersOf({ type: "reasoning", id: seal.id, summary: [], encrypted_content: seal.sealed }),
          )
        return
      }
      case "image":
        this.#losses.tell("image of the model")
        return
      case "foreign":
        this.#losses.tell(part.as)
    }
  }

  #say(content: JsonObject): void {
    this.items.push({ type: "message", role: "assistant", content: [content] })
  }
}

/** Instructions at the beginning, which have a member of their own, and the rest. Where they are all, they are what there is to answer. */
const apart = (
  turns: ReadonlyArray<Turn>,
  losses: Losses,
): readonly [string | undefined, ReadonlyArray<Turn>] => {
  const [first, ...rest] = turns
  return first?.role === "instructions" && first.voice === "system" && rest.length > 0
    ? [instructionText(first.parts, losses), rest]
    : [undefined, turns]
}

/** `DialectForm.writeRequest` */
export const writeRequest = (
  conversation: Conversation,
  { abilities, model, upstream }: WriteFor,
): WrittenRequest => {
  const { freeFormTools } = abilities
  const { foreign, settings, stream, tools, turns } = freeFormTools
    ? conversation
    : withoutFreeForm(conversation)
  const losses = new Losses()
  losses.tellAll(foreign)
  tellMarks(turns, losses)
  const [instructions, others] = apart(turns, losses)
  const { items } = new Items(others, upstream, losses)
  const written = writtenTools(tools, nameOf, writtenTool, losses)
  if (!freeFormTools && losesGrammar(conversation)) losses.tell("tools.format")
  const freeForm = freeFormNames(tools, nameOf)
  return {
    body: membersOf({
      model,
      instructions,
      input: items,
      stream: stream ? true : undefined,
      tools: written.length === 0 ? undefined : written,
      ...writtenSettings(
        written.length === 0 ? withoutChoice(settings, losses) : settings,
        abilities,
        freeForm,
        losses,
      ),
    }),
    losses: losses.all,
    renamed: renamedTools(conversation.tools, longestToolName.responses, freeFormTools),
  }
}
