/** What a request says of the use of its tools. */
import type { Setting, Settings, ToolChoice } from "./Conversation.ts"
import type { Losses } from "./Losses.ts"

/** Whether a tool has to be called. */
export const isForced = (choice: Setting<ToolChoice> | undefined): boolean => {
  const value = choice?.value
  return (
    value?.kind === "required" ||
    value?.kind === "tool" ||
    (value?.kind === "allowed" && value.mode === "required")
  )
}

/** Settings of a request without tools: there is nothing to choose from, and most providers refuse one that says how. */
export const withoutChoice = (settings: Settings, losses: Losses): Settings => {
  const { parallelToolCalls: _, toolChoice, ...rest } = settings
  if (toolChoice !== undefined && isForced(toolChoice)) losses.tell(toolChoice.as)
  return rest
}
