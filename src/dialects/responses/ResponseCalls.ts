/** Calls of tools in responses, read and written: of functions, of tools that take any text, of both in namespaces, and of the search for tools. */
import type { JsonObject } from "../../wire/Json.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { argumentsText, inputText } from "../CallInput.ts"
import { membersOf, saidIn, textIn } from "../Members.ts"
import type { ToolCalling, ToolCallPart } from "../Part.ts"

/** The status of an item that is whole, or of one that is being told. */
export type ItemStatus = "completed" | "in_progress" | "incomplete"

/** What the search for tools is called in dialects that know it as any other tool. */
export const searchName = "tool_search"

/** Whether the caller looks for tools, and not the provider. */
export const isCallersSearch = ({ execution }: JsonObject): boolean => execution === "client"

/** How a tool is called that may be one of a namespace. */
export const namedIn = (
  namespace: string | undefined,
  name: string,
): { readonly name: string; readonly calling?: ToolCalling } =>
  namespace === undefined
    ? { name }
    : { name: `${namespace}__${name}`, calling: { kind: "in_namespace", namespace, name } }

/** A call of a search for tools, which the caller does. */
export const searchCallOf = (item: JsonObject): ToolCallPart => ({
  kind: "tool_call",
  id: textIn(item["call_id"]) ?? "",
  name: searchName,
  input: inputText(item["arguments"]),
  isFreeForm: false,
  calling: { kind: "search" },
})

export const callOf = (item: JsonObject): ToolCallPart => {
  const isFreeForm = item["type"] === "custom_tool_call"
  return {
    kind: "tool_call",
    id: textIn(item["call_id"]) ?? textIn(item["id"]) ?? "",
    ...namedIn(saidIn(item["namespace"]), textIn(item["name"]) ?? ""),
    input: isFreeForm ? (textIn(item["input"]) ?? "") : argumentsText(item["arguments"]),
    isFreeForm,
  }
}

/** The tool's own name. */
export const ownName = ({ calling, name }: ToolCallPart): string =>
  calling?.kind === "in_namespace" ? calling.name : name

/** Whether it is told at once, and not piece by piece. */
export const isToldAtOnce = ({ calling }: Pick<ToolCallPart, "calling">): boolean =>
  calling?.kind === "search"

const encoder = new TextEncoder()

/** What is no JSON is what the caller has to refuse. */
const searchItem = ({ id, input }: ToolCallPart, key: string, status: ItemStatus): JsonObject => ({
  type: "tool_search_call",
  id: `tsc_${key}`,
  status,
  execution: "client",
  call_id: id,
  arguments: input === "" ? {} : (parseJson(encoder.encode(input)) ?? input),
})

export const callItem = (part: ToolCallPart, key: string, status: ItemStatus): JsonObject => {
  const { calling, id, input, isFreeForm } = part
  if (calling?.kind === "search") return searchItem(part, key, status)
  const called = {
    status,
    call_id: id,
    namespace: calling?.namespace,
    name: ownName(part),
  }
  return membersOf(
    isFreeForm
      ? { type: "custom_tool_call", id: `ctc_${key}`, ...called, input }
      : { type: "function_call", id: `fc_${key}`, ...called, arguments: input },
  )
}
