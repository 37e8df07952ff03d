/** Why an answer ended, and what it cost, as chat says it. */
import { readUsage } from "../../answer/Usage.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { Counts, Finish } from "../Answer.ts"
import { withThoughts } from "../ConservedCounts.ts"
import { membersOf, saidIn } from "../Members.ts"

/**
 * What a choice says of its end; `undefined` where it says nothing. Many servers end with `stop` where tools are called. Mistral has a word of its own
 * for an answer cut by the model's window, GLM one for what its filter stopped, and others pass on those of Anthropic and Google.
 *
 * @param calls whether any tool is called
 */
export const finishOf = (choice: JsonObject, calls: boolean): Finish | undefined => {
  const reason = saidIn(choice["finish_reason"])
  if (reason === undefined) return undefined
  switch (reason) {
    case "length":
    case "model_length":
    case "max_tokens":
    case "MAX_TOKENS":
      return { kind: "length" }
    case "content_filter":
    case "sensitive":
      return { kind: "refused" }
    case "tool_calls":
    case "function_call":
      return { kind: "tool_calls" }
    default: {
      if (calls) return { kind: "tool_calls" }
      const word = saidIn(choice["stop_reason"])
      return word === undefined ? { kind: "stop" } : { kind: "stop_word", word }
    }
  }
}

export const writtenFinish = ({ kind }: Finish): string => {
  switch (kind) {
    case "stop":
    case "stop_word":
      return "stop"
    case "refused":
      return "content_filter"
    default:
      return kind
  }
}

export const countsOf = (usage: Json | undefined): Counts => withThoughts(readUsage(usage))

/** Totals are told always: SDKs add them up unasked. */
export const writtenUsage = (counts: Counts): JsonObject => {
  const { cacheWriteTokens, cachedTokens, inputTokens = 0, outputTokens = 0, reasoningTokens } = counts
  return membersOf({
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: counts.totalTokens ?? inputTokens + outputTokens,
    prompt_tokens_details:
      cachedTokens === undefined && cacheWriteTokens === undefined
        ? undefined
        : membersOf({ cached_tokens: cachedTokens ?? 0, cache_write_tokens: cacheWriteTokens }),
    completion_tokens_details:
      reasoningTokens === undefined ? undefined : { reasoning_tokens: reasoningTokens },
  })
}
