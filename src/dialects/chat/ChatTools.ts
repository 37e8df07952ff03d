/** Tools in chat and what is said of their use, read and written. */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { hasInexact } from "../CallInput.ts"
import type { Tool, ToolChoice } from "../Conversation.ts"
import { type Losses, tellUnknown } from "../Losses.ts"
import { booleanIn, listIn, membersOf, objectIn, objectsIn, textIn } from "../Members.ts"
import { fittedName, longestToolName } from "../ToolNames.ts"

const functionOf = (named: JsonObject): Tool | undefined => {
  const name = textIn(named["name"])
  return name === undefined
    ? undefined
    : {
        kind: "function",
        name,
        description: textIn(named["description"]),
        schema: objectIn(named["parameters"]),
        strict: booleanIn(named["strict"]),
        isCached: false,
      }
}

const freeFormOf = (custom: JsonObject): Tool | undefined => {
  const name = textIn(custom["name"])
  const format = objectIn(custom["format"])
  const grammar = objectIn(format?.["grammar"])
  return name === undefined
    ? undefined
    : {
        kind: "free_form",
        name,
        description: textIn(custom["description"]),
        grammar:
          grammar === undefined
            ? undefined
            : { syntax: textIn(grammar["syntax"]) ?? "", definition: textIn(grammar["definition"]) ?? "" },
      }
}

/** Members of tools that are read. */
const known: ReadonlySet<string> = new Set(["type", "function", "custom"])
const knownOfFunctions: ReadonlySet<string> = new Set(["name", "description", "parameters", "strict"])

const toolOf = (tool: JsonObject, foreign: Losses): Tool => {
  const { custom, function: named, type } = tool
  tellUnknown(foreign, tool, known, "tools")
  if (hasInexact(tool)) foreign.tellInPart("tools.function.parameters")
  tellUnknown(foreign, objectIn(named) ?? {}, knownOfFunctions, "tools.function")
  const read =
    type === "custom"
      ? freeFormOf(objectIn(custom) ?? {})
      : (type ?? "function") === "function"
        ? functionOf(objectIn(named) ?? {})
        : undefined
  return read ?? { kind: "foreign", as: `tools.${textIn(type) ?? "tool"}`, isEssential: true }
}

/** Tools, and functions as they were called before. */
export const toolsOf = ({ functions, tools }: JsonObject, foreign: Losses): ReadonlyArray<Tool> => [
  ...objectsIn(tools).map((tool) => toolOf(tool, foreign)),
  ...objectsIn(functions).flatMap((named) => functionOf(named) ?? []),
]

const nameOf = (choice: JsonObject): string | undefined =>
  textIn(objectIn(choice["function"])?.["name"]) ??
  textIn(objectIn(choice["custom"])?.["name"]) ??
  textIn(choice["name"])

/** `undefined` for what says nothing that is known. */
export const toolChoiceOf = (choice: Json | undefined): ToolChoice | undefined => {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice }
  if (choice === undefined || !isJsonObject(choice)) return undefined
  const allowed = objectIn(choice["allowed_tools"])
  if (allowed !== undefined) {
    const names = listIn(allowed["tools"]).flatMap((tool) => (isJsonObject(tool) ? (nameOf(tool) ?? []) : []))
    return { kind: "allowed", mode: allowed["mode"] === "required" ? "required" : "auto", names }
  }
  const name = nameOf(choice)
  return name === undefined ? undefined : { kind: "tool", name }
}

export const writtenTool = (tool: Exclude<Tool, { readonly kind: "foreign" }>): JsonObject => {
  const { description, name } = tool
  if (tool.kind === "function") {
    const { schema, strict } = tool
    return {
      type: "function",
      function: membersOf({ name, description, parameters: schema, strict }),
    }
  }
  const { grammar } = tool
  const format = grammar === undefined ? undefined : { type: "grammar", grammar }
  return { type: "custom", custom: membersOf({ name, description, format }) }
}

const chosen = (called: string, freeForm: ReadonlySet<string>): JsonObject => {
  const name = fittedName(called, longestToolName.chat)
  return freeForm.has(name) ? { type: "custom", custom: { name } } : { type: "function", function: { name } }
}

/** @param freeForm the tools that take any text, by the names they are sent with */
export const writtenToolChoice = (choice: ToolChoice, freeForm: ReadonlySet<string>): Json => {
  switch (choice.kind) {
    case "auto":
    case "none":
    case "required":
      return choice.kind
    case "tool":
      return chosen(choice.name, freeForm)
    case "allowed":
      return {
        type: "allowed_tools",
        allowed_tools: { mode: choice.mode, tools: choice.names.map((name) => chosen(name, freeForm)) },
      }
  }
}
