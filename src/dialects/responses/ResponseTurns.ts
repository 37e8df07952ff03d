/** The input of a request in responses, read to turns. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { Turn } from "../Conversation.ts"
import { type Losses, tellUnknown } from "../Losses.ts"
import { objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart, ForeignPart, ToolResultPart, UserPart } from "../Part.ts"
import { unwrap } from "../Seal.ts"
import { callOf, isCallersSearch, searchCallOf } from "./ResponseCalls.ts"
import { reasoningOf } from "./ResponseItems.ts"
import { givenPartsOf, instructionPartsOf, spokenPartsOf } from "./ResponseParts.ts"
import { toldOf, toolsIn } from "./ResponseTools.ts"

const resultOf = ({ call_id: id, output, type }: JsonObject): ToolResultPart => ({
  kind: "tool_result",
  id: textIn(id) ?? "",
  parts: givenPartsOf(output, "input.output"),
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

const foreign = (as: string): ForeignPart => ({ kind: "foreign", as })

/** Members of items that are read, whatever their type, or that say what is known anyway: of those of which the dialect says them all. */
const known: ReadonlySet<string> = new Set([
  "type",
  "id",
  "status",
  "role",
  "content",
  "phase",
  "call_id",
  "name",
  "namespace",
  "arguments",
  "input",
  "output",
  "execution",
  "tools",
  "summary",
  "encrypted_content",
])

/** Members of parts that are read, whatever their type. */
const knownOfParts: ReadonlySet<string> = new Set([
  "type",
  "text",
  "refusal",
  "annotations",
  "logprobs",
  "image_url",
  "detail",
  "file_data",
  "file_id",
  "file_url",
  "filename",
  "prompt_cache_breakpoint",
])

/** What of an item nobody else has; an item that nobody else has is told as a whole. */
const tellForeign = (item: JsonObject, foreign: Losses): void => {
  if (!read.has(item["type"])) return
  tellUnknown(foreign, item, known, "input")
  for (const part of [...objectsIn(item["content"]), ...objectsIn(item["output"])])
    tellUnknown(foreign, part, knownOfParts, "input.content")
}

/** Items that others can say. */
const read: ReadonlySet<Json | undefined> = new Set([
  undefined,
  null,
  "message",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "reasoning",
])

/** Mutable on purpose: one input. */
class Turns {
  readonly turns: Array<Turn> = []
  readonly #foreign: Losses
  /** Results of tools, until who speaks next; and what stands for more of the conversation than it says, which must not be missing. */
  #results: Array<UserPart> = []
  /** What the model said, item by item, until somebody else does. */
  #said: Array<AssistantPart> = []

  constructor(foreign: Losses) {
    this.#foreign = foreign
  }

  add(item: JsonObject): void {
    tellForeign(item, this.#foreign)
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
        this.#speak([isCallersSearch(item) ? searchCallOf(item) : foreign("input.tool_search_call")])
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
            : [foreign("reasoning.encrypted_content")]),
        ])
        return
      }
      case "item_reference":
      case "compaction":
        this.#endSaid()
        this.#results.push(foreign(`input.${item["type"]}`))
        return
      case "message":
      case undefined:
      case null:
        this.#message(item)
        return
      default:
        this.#speak([foreign(`input.${textIn(item["type"]) ?? "item"}`)])
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
    } else this.#speak([foreign("input.tool_search_output")])
  }

  #message({ content, role }: JsonObject): void {
    switch (role) {
      case "assistant":
        this.#speak(spokenPartsOf(content))
        return
      case "system":
      case "developer":
        this.flush()
        this.#push({ role: "instructions", voice: role, parts: instructionPartsOf(content) })
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
export const turnsOf = (
  instructions: Json | undefined,
  input: Json | undefined,
  foreign: Losses,
): ReadonlyArray<Turn> => {
  const read = new Turns(foreign)
  const said = saidIn(instructions)
  if (said !== undefined) read.add({ role: "system", content: said })
  if (typeof input === "string") read.add({ role: "user", content: input })
  else for (const item of objectsIn(input)) read.add(item)
  read.flush()
  return read.turns
}
