/** Tools in responses and what is said of their use, read and written. */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { Tool, ToolChoice } from "../Conversation.ts"
import { booleanIn, membersOf, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import type { ToolCalling } from "../Part.ts"
import { fittedName, longestToolName } from "../ToolNames.ts"
import { isCallersSearch, namedIn, searchName } from "./ResponseCalls.ts"

interface Named {
  readonly name: string
  readonly calling?: ToolCalling
}

const functionOf = (tool: JsonObject, named: Named): Tool => ({
  kind: "function",
  ...named,
  description: textIn(tool["description"]),
  schema: objectIn(tool["parameters"]),
  strict: booleanIn(tool["strict"]),
  isCached: false,
})

const freeFormOf = ({ description, format }: JsonObject, named: Named): Tool => {
  const grammar = objectIn(format)
  return {
    kind: "free_form",
    ...named,
    description: textIn(description),
    grammar:
      grammar?.["type"] === "grammar"
        ? { syntax: textIn(grammar["syntax"]) ?? "", definition: textIn(grammar["definition"]) ?? "" }
        : undefined,
  }
}

/** The search of the caller is a tool as any other. That of the provider is none: all tools are sent, so that none has to be looked for. */
const searchOf = (tool: JsonObject): Tool =>
  isCallersSearch(tool)
    ? functionOf(tool, { name: searchName, calling: { kind: "search" } })
    : { kind: "foreign", as: "tools.tool_search", isEssential: false }

const toolOf = (tool: JsonObject, namespace?: string): Tool => {
  const { name, type } = tool
  if (type === "tool_search") return searchOf(tool)
  const called = textIn(name)
  if (called !== undefined && (type ?? "function") === "function")
    return functionOf(tool, namedIn(namespace, called))
  if (called !== undefined && type === "custom") return freeFormOf(tool, namedIn(namespace, called))
  return { kind: "foreign", as: `tools.${textIn(type) ?? "tool"}`, isEssential: true }
}

/** What is said of a namespace is said of its first tool, since no other dialect has anything to say it of. */
const namespaceOf = ({ description, name, tools }: JsonObject): ReadonlyArray<Tool> => {
  const namespace = textIn(name) ?? ""
  const about = saidIn(description)
  return objectsIn(tools).map((one, at) => {
    const tool = toolOf(one, namespace)
    if (at > 0 || about === undefined || tool.kind === "foreign") return tool
    return { ...tool, description: `${tool.description ?? ""}\n\n${namespace}: ${about}`.trimStart() }
  })
}

/** The tools of a list. */
export const toolsIn = (list: Json | undefined): ReadonlyArray<Tool> =>
  objectsIn(list).flatMap((tool) => (tool["type"] === "namespace" ? namespaceOf(tool) : [toolOf(tool)]))

const offering: ReadonlySet<unknown> = new Set(["additional_tools", "tool_search_output"])

/** All tools of a request, each once: those of its list, and those that items of its input offer later on. */
export const toolsOf = ({ input, tools }: JsonObject): ReadonlyArray<Tool> => {
  const items = objectsIn(input).filter(({ type }) => offering.has(type))
  const all = [...toolsIn(tools), ...items.flatMap((item) => toolsIn(item["tools"]))]
  return items.length === 0 ? all : eachOnce(all)
}

const eachOnce = (tools: ReadonlyArray<Tool>): ReadonlyArray<Tool> => {
  const names = new Set<string>()
  return tools.filter((tool) => {
    const name = tool.kind === "foreign" ? tool.as : tool.name
    const isNew = !names.has(name)
    names.add(name)
    return isNew
  })
}

/** What is told of tools that were found. */
export const toldOf = (tools: ReadonlyArray<Tool>): string => {
  const told = tools.flatMap((tool) =>
    tool.kind === "foreign" ? [] : [`${tool.name}: ${tool.description ?? ""}`],
  )
  return told.length === 0 ? "No tools were found." : told.join("\n")
}

const chosenIn = ({ name, namespace }: JsonObject): ReadonlyArray<string> =>
  typeof name === "string" ? [namedIn(saidIn(namespace), name).name] : []

/** `undefined` for what no other dialect knows. */
export const toolChoiceOf = (choice: Json | undefined): ToolChoice | undefined => {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice }
  if (choice === undefined || !isJsonObject(choice)) return undefined
  const { mode, name, namespace, tools, type } = choice
  if (type === "allowed_tools") {
    const names = objectsIn(tools).flatMap(chosenIn)
    return { kind: "allowed", mode: mode === "required" ? "required" : "auto", names }
  }
  return (type === "function" || type === "custom") && typeof name === "string"
    ? { kind: "tool", name: namedIn(saidIn(namespace), name).name }
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
