/**
 * Names and ids of tools as a dialect takes them. What does not fit is written otherwise, always in the same way, in calls of the past as in what may be
 * called; answers say names as the caller does (CallersTools.ts), and ids are given out as they come.
 */
import type { Dialect } from "../routing/Dialect.ts"
import type { Tool } from "./Conversation.ts"
import type { RenamedTool } from "./DialectForm.ts"
import { digestOf } from "./Digest.ts"

/** What a name may have in chat and in responses, and in messages. */
export const longestToolName = { chat: 64, responses: 64, messages: 128 } as const

const unfit = /[^a-zA-Z0-9_-]/g

const fits = (text: string, longest: number): boolean =>
  text !== "" && text.length <= longest && text.search(unfit) === -1

/** A name that is taken: the same one where it fits, else its beginning and eight digits of its digest. */
export const fittedName = (name: string, longest: number): string =>
  fits(name, longest)
    ? name
    : `${name.slice(0, longest - 9).replace(unfit, "_")}_${digestOf(name).slice(0, 8)}`

const longestId = 64

const digested = (id: string): string => `call_${digestOf(id).slice(0, 32)}`

/**
 * The id of a call as a dialect takes it, there and where its result says it: the same one where it fits. In chat any does, and hosts carry in it what they
 * ask back for (Gemini's signature of a thought).
 */
export const fittedId: { readonly [D in Dialect]: (id: string) => string } = {
  chat: (id) => (id === "" ? digested(id) : id),
  responses: (id) => (id === "" || id.length > longestId ? digested(id) : id),
  messages: (id) => (fits(id, longestId) ? id : digested(id)),
}

/** How a tool is sent. */
const sentAs = (tool: Tool, longest: number, takesFreeForm: boolean): ReadonlyArray<RenamedTool> => {
  if (tool.kind === "foreign") return []
  const { calling, name } = tool
  const sent = fittedName(name, longest)
  const isFreeForm = tool.kind === "free_form" && !takesFreeForm
  if (calling !== undefined) return [{ sent, name, isFreeForm, calling }]
  return sent === name && !isFreeForm ? [] : [{ sent, name, isFreeForm }]
}

/** The tools that are sent otherwise than the caller says them. */
export const renamedTools = (
  tools: ReadonlyArray<Tool>,
  longest: number,
  takesFreeForm: boolean,
): ReadonlyArray<RenamedTool> => tools.flatMap((tool) => sentAs(tool, longest, takesFreeForm))
