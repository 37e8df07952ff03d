/** What a model said before, as blocks: texts, its reasoning where its maker takes it back, and calls. */
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { hasEndless } from "../CallInput.ts"
import type { WriteFor } from "../DialectForm.ts"
import type { Losses } from "../Losses.ts"
import type {
  AssistantPart,
  CacheMark,
  GivenPart,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from "../Part.ts"
import { isFrom } from "../Seal.ts"
import { fittedId } from "../ToolNames.ts"
import { givenBlocks, textBlocks, withMark } from "./MessagesGiven.ts"
import { sentName } from "./MessagesTools.ts"

const encoder = new TextEncoder()

/** Reasoning without the seal of who made it is refused, and so is that of others. */
const reasoningBlocks = (
  { seal, texts }: ReasoningPart,
  upstream: string,
  losses: Losses,
): ReadonlyArray<JsonObject> => {
  if (seal === undefined || seal.dialect !== "messages" || !isFrom(seal, upstream)) {
    losses.tell("reasoning")
    return []
  }
  const { isAll, sealed } = seal
  return isAll
    ? [{ type: "redacted_thinking", data: sealed }]
    : [{ type: "thinking", thinking: texts.join("\n\n"), signature: sealed }]
}

/** Whole numbers of so many digits may be others once they are read. */
const longestExact = 15

/** Whether a JSON text has a whole number outside of its strings that is another one once it is read. */
const losesDigits = (json: string): boolean => {
  let inText = false
  let digits = 0
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (inText) {
      if (character === "\\") at++
      else if (character === '"') inText = false
      continue
    }
    if (character === '"') inText = true
    const isDigit = character !== undefined && character >= "0" && character <= "9"
    digits = isDigit ? digits + 1 : 0
    if (digits <= longestExact || /[\d.eE]/.test(json[at + 1] ?? "")) continue
    const number = json.slice(at + 1 - digits, at + 1)
    if (!/[.eE+]/.test(json[at - digits] ?? "") && String(Number(number)) !== number) return true
  }
  return false
}

const inputOf = ({ input }: ToolCallPart, losses: Losses): JsonObject => {
  if (input.trim() === "") return {}
  const read = parseObject(encoder.encode(input))
  // Printed anew, numbers of more digits than the engine has become others.
  if (read === undefined || losesDigits(input) || hasEndless(read)) losses.tellInPart("tool_calls.arguments")
  return read ?? {}
}

export const saidBlocks = (
  part: AssistantPart,
  { upstream }: WriteFor,
  losses: Losses,
): ReadonlyArray<JsonObject> => {
  switch (part.kind) {
    // What it refers to it said itself, and need not be told.
    case "text":
      return textBlocks(part)
    case "refusal":
      return textBlocks({ kind: "text", text: part.text })
    case "reasoning":
      return reasoningBlocks(part, upstream, losses)
    case "tool_call": {
      const { cache, id, name } = part
      const call = {
        type: "tool_use",
        id: fittedId.messages(id),
        name: sentName(name),
        input: inputOf(part, losses),
      }
      return [withMark(call, cache)]
    }
    case "image":
      losses.tell("image of the model")
      return []
    case "foreign":
      losses.tell(part.as)
      return []
  }
}

const unmarked = (part: GivenPart): GivenPart => ("cache" in part ? { ...part, cache: undefined } : part)

const markOf = (part: GivenPart): CacheMark | undefined => ("cache" in part ? part.cache : undefined)

/** The result of a call. A mark within it is one of its end. */
export const resultBlock = (part: ToolResultPart, losses: Losses): JsonObject => {
  const { cache, id, isError, parts } = part
  const content = parts.flatMap((one) => givenBlocks(unmarked(one), losses))
  const mark = cache ?? parts.map(markOf).findLast((one) => one !== undefined)
  return withMark(
    {
      type: "tool_result",
      tool_use_id: fittedId.messages(id),
      ...(content.length === 0 ? {} : { content }),
      ...(isError ? { is_error: true } : {}),
    },
    mark,
  )
}
