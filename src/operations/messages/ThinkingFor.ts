/** How a target is asked to think: as the caller asks, but for what would be refused. */
import { isJsonArray, isJsonObject, type Json } from "../../wire/Json.ts"
import { memberText, replaceElements, replaceMembers } from "../../wire/JsonText.ts"
import type { Edits, JsonRequest } from "../JsonRequest.ts"

/** Fewer tokens to think with are refused. */
const leastBudget = 1_024

/** Thinking is turned off. */
export const noThinking: Json = { type: "disabled" }

/**
 * What is asked of thinking; the very same where it stays.
 *
 * @param cap a limit of tokens that was set: no more is thought with than stays below it, and nothing where that is too little
 * @param losesThread whether calls lack the thought that led to them: with a budget to think with they are refused without
 */
export const thinkingFor = (said: Json, cap: Json | undefined, losesThread: boolean): Json => {
  if (!isJsonObject(said)) return said
  const { budget_tokens: budget, type } = said
  if (losesThread && type === "enabled") return noThinking
  if (typeof budget !== "number" || typeof cap !== "number" || budget < cap) return said
  return cap > leastBudget ? { ...said, budget_tokens: cap - 1 } : noThinking
}

/** Where nothing is thought, a request to clear thoughts away is refused: it goes too. */
export const clearNoThinking = ({ body, text }: JsonRequest, edits: Edits): void => {
  const context = body["context_management"]
  const strategies = context !== undefined && isJsonObject(context) ? context["edits"] : undefined
  const written = memberText(text, "context_management")
  if (written === undefined || strategies === undefined || !isJsonArray(strategies)) return
  const left = replaceElements(memberText(written, "edits") ?? "[]", (itself, at) =>
    clearsThinking(strategies[at]) ? undefined : itself,
  )
  if (strategies.some(clearsThinking))
    edits.set("context_management", replaceMembers(written, [["edits", left]]))
}

const clearsThinking = (strategy: Json | undefined): boolean =>
  strategy !== undefined && isJsonObject(strategy) && String(strategy["type"]).startsWith("clear_thinking")
