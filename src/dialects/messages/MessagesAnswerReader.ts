/** A whole message as an answer. */
import { readCounts, usageOf } from "../../answer/messages/MessageUsage.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { NeutralAnswer, NeutralHead } from "../Answer.ts"
import type { AssistantPart } from "../Part.ts"
import { isUnsealed, type Seal } from "../Seal.ts"
import { callOfBlock, foreignOf, reasoningOf, textOfBlock } from "./MessagesBlocks.ts"
import { tierOf } from "./MessagesCounts.ts"
import { explanationOf, finishOf } from "./MessagesFinish.ts"
import { inputTexts } from "./MessagesInputs.ts"

/** What Anthropic signed, or hid. */
export const sealOf = (sealed: Json | undefined, isAll: boolean): Seal | undefined =>
  typeof sealed === "string" && sealed !== "" && !isUnsealed(sealed)
    ? { dialect: "messages", sealed, id: undefined, isAll }
    : undefined

const partOf = (block: JsonObject, input: string | undefined): AssistantPart | undefined => {
  const { data, signature, thinking, type } = block
  switch (type) {
    case "text":
      return textOfBlock(block)
    case "thinking":
      return reasoningOf(typeof thinking === "string" ? thinking : "", sealOf(signature, false))
    case "redacted_thinking":
      return reasoningOf("", sealOf(data, true))
    case "tool_use":
      return input === undefined ? callOfBlock(block) : { ...callOfBlock(block), input }
    default:
      return typeof type === "string" ? foreignOf(type) : undefined
  }
}

/** What a message says of itself. */
export const headOf = ({ id, model, usage }: JsonObject): NeutralHead => {
  const tier = isJsonObject(usage) ? usage["service_tier"] : undefined
  return {
    id: typeof id === "string" ? id.replace(/^msg_/, "") : "",
    model: typeof model === "string" ? model : "",
    createdAt: undefined,
    serviceTier: tierOf(typeof tier === "string" ? tier : undefined),
  }
}

export const readMessagesAnswer = (message: JsonObject, bytes?: Uint8Array): NeutralAnswer | undefined => {
  const { content, stop_details: details, usage } = message
  if (!isJsonArray(content)) return undefined
  const inputs = bytes === undefined ? [] : inputTexts(bytes, content)
  const said = content.flatMap((block, at) => {
    const part = isJsonObject(block) ? partOf(block, inputs[at]) : undefined
    return part === undefined ? [] : [part]
  })
  const finish = finishOf(
    message,
    said.some(({ kind }) => kind === "tool_call"),
  )
  const why = finish.kind === "refused" ? explanationOf(details) : undefined
  return {
    ...headOf(message),
    parts: why === undefined ? said : [...said, { kind: "refusal", text: why }],
    finish,
    counts: usageOf(readCounts(usage)),
  }
}
