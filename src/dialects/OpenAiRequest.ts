/** What chat and responses write alike of a request. */
import type { JsonObject } from "../wire/Json.ts"
import type { Tool, Turn } from "./Conversation.ts"
import type { Losses } from "./Losses.ts"

/** A tool that is not its provider's own. */
type OwnTool = Exclude<Tool, { readonly kind: "foreign" }>

/** Tells of the marks for a cache, for which there is no place. */
export const tellMarks = (turns: ReadonlyArray<Turn>, losses: Losses): void => {
  const isMarked = turns.some(({ parts }) =>
    parts.some((part) => "cache" in part && part.cache !== undefined),
  )
  if (isMarked) losses.tellOfCaches("cache_control")
}

/** @param write the tool, with the name that it is sent with */
export const writtenTools = (
  tools: ReadonlyArray<Tool>,
  nameOf: (name: string) => string,
  write: (tool: OwnTool) => JsonObject,
  losses: Losses,
): ReadonlyArray<JsonObject> =>
  tools.flatMap((tool) => {
    if (tool.kind === "foreign") {
      losses.tell(tool.as, tool.isEssential)
      return []
    }
    if (tool.kind === "function" && tool.isCached) losses.tellOfCaches("cache_control")
    return [write({ ...tool, name: nameOf(tool.name) })]
  })

/** The names with which tools that take any text are sent. */
export const freeFormNames = (
  tools: ReadonlyArray<Tool>,
  nameOf: (name: string) => string,
): ReadonlySet<string> =>
  new Set(tools.flatMap((tool) => (tool.kind === "free_form" ? [nameOf(tool.name)] : [])))
