/** The tools of a conversation in Anthropic's dialect, and whether they have to be called. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation, Setting, Tool, ToolChoice, Turn } from "../Conversation.ts"
import type { Losses } from "../Losses.ts"
import { isForced, withoutChoice } from "../ToolChoices.ts"
import { fittedName, longestToolName } from "../ToolNames.ts"
import { type HeldSchemas, toolSchema } from "./MessagesSchema.ts"

type FunctionTool = Extract<Tool, { readonly kind: "function" }>

export const sentName = (name: string): string => fittedName(name, longestToolName.messages)

const ephemeral: JsonObject = { type: "ephemeral" }

const functionTool = (
  { description, isCached, name, schema, strict }: FunctionTool,
  held: HeldSchemas | undefined,
  losses: Losses,
): JsonObject => {
  const { isLess, schema: loose } = toolSchema(schema)
  if (isLess) losses.tellInPart("tools.parameters")
  const strictly = strict === true && !isLess ? held?.held(loose, false) : undefined
  if (strict === true && strictly === undefined) {
    if (held === undefined) losses.tellUntaken("tools.strict")
    else losses.tellInPart("tools.strict")
  }
  return {
    name: sentName(name),
    ...(description === undefined ? {} : { description }),
    input_schema: strictly ?? loose,
    ...(strictly === undefined ? {} : { strict: true }),
    ...(isCached ? { cache_control: ephemeral } : {}),
  }
}

const writtenTool = (
  tool: Tool,
  held: HeldSchemas | undefined,
  losses: Losses,
): ReadonlyArray<JsonObject> => {
  switch (tool.kind) {
    case "function":
      return [functionTool(tool, held, losses)]
    // Written as functions.
    case "free_form":
      return []
    case "foreign":
      losses.tell(tool.as, tool.isEssential)
      return []
  }
}

/** Some of the tools only, where the choice says so. */
const allowed = (tools: ReadonlyArray<Tool>, choice: ToolChoice | undefined): ReadonlyArray<Tool> =>
  choice?.kind === "allowed"
    ? tools.filter((tool) => tool.kind === "foreign" || choice.names.includes(tool.name))
    : tools

/** Tools that were called, of which nothing is known but that: calls are refused where no tools are. */
const calledTools = (turns: ReadonlyArray<Turn>): ReadonlyArray<JsonObject> => {
  const names = turns.flatMap((turn) =>
    turn.role === "assistant"
      ? turn.parts.flatMap((part) => (part.kind === "tool_call" ? [sentName(part.name)] : []))
      : [],
  )
  return [...new Set(names)].map((name) => ({ name, input_schema: { type: "object", properties: {} } }))
}

/** @param held the schemas that are held to; `undefined` where none can be */
export const writtenTools = (
  { settings, tools, turns }: Conversation,
  held: HeldSchemas | undefined,
  losses: Losses,
): ReadonlyArray<JsonObject> =>
  tools.length === 0
    ? calledTools(turns)
    : allowed(tools, settings.toolChoice?.value).flatMap((tool) => writtenTool(tool, held, losses))

const plainChoice = (choice: ToolChoice): JsonObject => {
  switch (choice.kind) {
    case "auto":
    case "none":
      return { type: choice.kind }
    case "required":
      return { type: "any" }
    case "tool":
      return { type: "tool", name: sentName(choice.name) }
    case "allowed":
      return { type: choice.mode === "required" ? "any" : "auto" }
  }
}

/** Models that think, or some that may, cannot be made to call a tool: then they may. */
const choiceFor = (
  choice: Setting<ToolChoice> | undefined,
  { forcedTools }: ModelAbilities,
  thinks: boolean,
  losses: Losses,
): JsonObject | undefined => {
  if (choice === undefined) return undefined
  const isRefused = forcedTools === "never" || (forcedTools === "while_not_thinking" && thinks)
  if (!isForced(choice) || !isRefused) return plainChoice(choice.value)
  losses.tellUntaken(choice.as)
  return { type: "auto" }
}

/** @param hasTools whether any are sent; there is nothing to choose from otherwise */
export const writtenChoice = (
  { settings, tools }: Conversation,
  abilities: ModelAbilities,
  { hasTools, thinks }: { readonly hasTools: boolean; readonly thinks: boolean },
  losses: Losses,
): JsonObject | undefined => {
  if (!hasTools) {
    withoutChoice(settings, losses)
    return undefined
  }
  if (tools.length === 0) return { type: "none" }
  const choice = choiceFor(settings.toolChoice, abilities, thinks, losses)
  const isSerial = settings.parallelToolCalls?.value === false
  return isSerial && choice?.["type"] !== "none"
    ? { ...(choice ?? { type: "auto" }), disable_parallel_tool_use: true }
    : choice
}
