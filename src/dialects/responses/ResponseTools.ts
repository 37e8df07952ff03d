/** Tools in responses and what is said of their use, read and written. */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { Tool, ToolChoice } from "../Conversation.ts"
import { booleanIn, membersOf, objectIn, objectsIn, textIn } from "../Members.ts"
import { fittedName, longestToolName } from "../ToolNames.ts"

const toolOf = (tool: JsonObject): Tool => {
  const { description, format, name, parameters, strict, type } = tool
  const called = textIn(name)
  if (called !== undefined && (type === "function" || type === undefined)) {
    return {
      kind: "function",
      name: called,
      description: textIn(description),
      schema: objectIn(parameters),
      strict: booleanIn(strict),
      isCached: false,
    }
  }
  if (called !== undefined && type === "custom") {
    const grammar = objectIn(format)
    return {
      kind: "free_form",
      name: called,
      description: textIn(description),
      grammar:
        grammar?.["type"] === "grammar"
          ? { syntax: textIn(grammar["syntax"]) ?? "", definition: textIn(grammar["definition"]) ?? "" }
          : undefined,
    }
  }
  return { kind: "foreign", as: `tools.${textIn(type) ?? "tool"}`, json: tool }
}

export const toolsOf = ({ tools }: JsonObject): ReadonlyArray<Tool> => objectsIn(tools).map(toolOf)

/** `undefined` for what no other dialect knows. */
export const toolChoiceOf = (choice: Json | undefined): ToolChoice | undefined => {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice }
  if (choice === undefined || !isJsonObject(choice)) return undefined
  const { mode, name, tools, type } = choice
  if (type === "allowed_tools") {
    const names = objectsIn(tools).flatMap((tool) => textIn(tool["name"]) ?? [])
    return { kind: "allowed", mode: mode === "required" ? "required" : "auto", names }
  }
  return (type === "function" || type === "custom") && typeof name === "string"
    ? { kind: "tool", name }
    : undefined
}

/** What does not say whether it is strict would be taken for strict. */
export const writtenTool = (tool: Exclude<Tool, { readonly kind: "foreign" }>): JsonObject => {
  const { description, name } = tool
  if (tool.kind === "function") {
    const { schema = { type: "object", properties: {} }, strict = false } = tool
    return membersOf({ type: "function", name, description, parameters: schema, strict })
  }
  const { grammar } = tool
  return membersOf({
    type: "custom",
    name,
    description,
    format: grammar === undefined ? undefined : { type: "grammar", ...grammar },
  })
}

/** @param freeForm the tools that take any text, by the names they are sent with */
export const writtenToolChoice = (choice: ToolChoice, freeForm: ReadonlySet<string>): Json => {
  const chosen = (called: string) => {
    const name = fittedName(called, longestToolName.responses)
    return { type: freeForm.has(name) ? "custom" : "function", name }
  }
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind
    case "tool":
      return chosen(choice.name)
    case "allowed":
      return { type: "allowed_tools", mode: choice.mode, tools: choice.names.map(chosen) }
  }
}
