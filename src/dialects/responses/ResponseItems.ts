/** Items of a model's output in responses, read and written, in requests as in answers. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import { membersOf, objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart, ReasoningPart } from "../Part.ts"
import { type Seal, wrap } from "../Seal.ts"
import { callItem, callOf, type ItemStatus } from "./ResponseCalls.ts"
import { spokenPartsOf, writtenText } from "./ResponseParts.ts"

/** What is told of reasoning: its summary, or else itself. */
export const reasoningTexts = ({ content, summary }: JsonObject): ReadonlyArray<string> => {
  const texts = (list: Json | undefined) => objectsIn(list).flatMap(({ text }) => saidIn(text) ?? [])
  const summed = texts(summary)
  return summed.length > 0 ? summed : texts(content)
}

/** @param sealOf what its encrypted content is to whoever reads it */
export const reasoningOf = (
  item: JsonObject,
  sealOf: (encrypted: string, id: string | undefined, isAll: boolean) => Seal | undefined,
): ReasoningPart | undefined => {
  const texts = reasoningTexts(item)
  const encrypted = saidIn(item["encrypted_content"])
  const seal = encrypted === undefined ? undefined : sealOf(encrypted, saidIn(item["id"]), texts.length === 0)
  return texts.length === 0 && seal === undefined ? undefined : { kind: "reasoning", texts, seal }
}

/** A seal of the one who answers. */
export const ownSeal = (sealed: string, id: string | undefined, isAll: boolean): Seal => ({
  dialect: "responses",
  sealed,
  id,
  isAll,
})

/** The parts that an item of an answer is. */
export const partsOf = (item: JsonObject): ReadonlyArray<AssistantPart> => {
  switch (item["type"]) {
    case "message":
      return spokenPartsOf(item["content"])
    case "function_call":
    case "custom_tool_call":
      return [callOf(item)]
    case "reasoning": {
      const part = reasoningOf(item, ownSeal)
      return part === undefined ? [] : [part]
    }
    default:
      return [{ kind: "foreign", as: `output.${textIn(item["type"]) ?? "item"}` }]
  }
}

/** An item of an answer; `undefined` for what no item can say. */
export const itemOf = (
  part: AssistantPart,
  key: string,
  status: ItemStatus,
  upstream: string,
): JsonObject | undefined => {
  switch (part.kind) {
    case "text":
      return { type: "message", id: `msg_${key}`, status, role: "assistant", content: [writtenText(part)] }
    case "refusal":
      return {
        type: "message",
        id: `msg_${key}`,
        status,
        role: "assistant",
        content: [{ type: "refusal", refusal: part.text }],
      }
    case "reasoning":
      return membersOf({
        type: "reasoning",
        id: `rs_${key}`,
        summary: part.texts.map((text) => ({ type: "summary_text", text })),
        encrypted_content: part.seal === undefined ? undefined : wrap(part.seal, upstream),
      })
    case "tool_call":
      return callItem(part, key, status)
    case "image":
    case "foreign":
      return undefined
  }
}
