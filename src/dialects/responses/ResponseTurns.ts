/** The input of a request in responses, read to turns. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { Turn } from "../Conversation.ts"
import { objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart, ForeignPart, ToolResultPart, UserPart } from "../Part.ts"
import { unwrap } from "../Seal.ts"
import { callOf, isCallersSearch, searchCallOf } from "./ResponseCalls.ts"
import { reasoningOf } from "./ResponseItems.ts"
import { givenPartsOf, spokenPartsOf, textPartsOf } from "./ResponseParts.ts"
import { toldOf, toolsIn } from "./ResponseTools.ts"

const resultOf = ({ call_id: id, output, type }: JsonObject): ToolResultPart => ({
  kind: "tool_result",
  id: textIn(id) ?? "",
  parts: givenPartsOf(output, "input.output").filter((part) => part.kind !== "foreign"),
  isError: false,
  isFreeForm: type === "custom_tool_call_output",
})

/** What was found is offered from now on. */
const foundOf = (item: JsonObject): ToolResultPart => ({
  kind: "tool_result",
  id: textIn(item["call_id"]) ?? "",
  parts: [{ kind: "text", text: toldOf(toolsIn(item["tools"])) }],
  isError: false,
  isFreeForm: false,
})

const foreign = (json: JsonObject, as: string): ForeignPart => ({
  kind: "foreign",
  dialect: "responses",
  as,
  json,
})

/** Mutable on purpose: one input. */
class Turns {
  readonly turns: Array<Turn> = []
  /** Results of tools, until who speaks next; and what stands for more of the conversation than it says, which must not be missing. */
  #results: Array<UserPart> = []
  /** What the model said, item by item, until somebody else does. */
  #said: Array<AssistantPart> = []

  add(item: JsonObject): void {
    switch (item["type"]) {
      case "function_call":
      case "custom_tool_call":
        this.#speak([callOf(item)])
        return
      case "function_call_output":
      case "custom_tool_call_output":
        this.#endSaid()
        this.#results.push(resultOf(item))
        return
      case "tool_search_call":
        this.#speak([isCallersSearch(item) ? searchCallOf(item) : foreign(item, "input.tool_search_call")])
        return
      case "tool_search_output":
        this.#found(item)
        return
      // Tools that are offered.
      case "additional_tools":
        return
      case "reasoning": {
        // Seals of this dialect are nothing to another.
        const part = reasoningOf(item, (encrypted) => unwrap(encrypted))
        const sealed = saidIn(item["encrypted_content"])
        this.#speak([
          ...(part === undefined ? [] : [part]),
          ...(sealed === undefined || unwrap(sealed) !== undefined
            ? []
            : [foreign(item, "reasoning.encrypted_content")]),
        ])
        return
      }
      case "item_reference":
      case "compaction":
        this.#endSaid()
        this.#results.push(foreign(item, `input.${item["type"]}`))
        return
      case "message":
      case undefined:
        this.#message(item)
        return
      default:
        this.#speak([foreign(item, `input.${textIn(item["type"]) ?? "item"}`)])
    }
  }

  flush(): void {
    this.#endSaid()
    this.#endResults()
  }

  #found(item: JsonObject): void {
    if (isCallersSearch(item)) {
      this.#endSaid()
      this.#results.push(foundOf(item))
    } else this.#speak([foreign(item, "input.tool_search_output")])
  }

  #message({ content, role }: JsonObject): void {
    switch (role) {
      case "assistant":
        this.#speak(spokenPartsOf(content))
        return
      case "system":
      case "developer":
        this.flush()
        this.#push({ role: "instructions", voice: role, parts: textPartsOf(content) })
        return
      default: {
        this.#endSaid()
        const parts = [...this.#results, ...givenPartsOf(content)]
        this.#results = []
        this.#push({ role: "user", parts })
      }
    }
  }

  #speak(parts: ReadonlyArray<AssistantPart>): void {
    this.#endResults()
    for (const part of parts) this.#said.push(part)
  }

  #endSaid(): void {
    const parts = this.#said
    this.#said = []
    this.#push({ role: "assistant", parts })
  }

  #endResults(): void {
    const parts = this.#results
    this.#results = []
    this.#push({ role: "user", parts })
  }

  #push(turn: Turn): void {
    if (turn.parts.length > 0) this.turns.push(turn)
  }
}

/** Items of the model that follow each other are one turn; results of tools begin the turn of the user behind them. */
export const turnsOf = (instructions: Json | undefined, input: Json | undefined): ReadonlyArray<Turn> => {
  const read = new Turns()
  const said = saidIn(instructions)
  if (said !== undefined) read.add({ role: "system", content: said })
  if (typeof input === "string") read.add({ role: "user", content: input })
  else for (const item of objectsIn(input)) read.add(item)
  read.flush()
  return read.turns
}
