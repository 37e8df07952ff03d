/** A message of a model that comes whole: whether it says something, what it says of itself, and its texts changed. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { rewriteJson } from "../../wire/JsonBytes.ts"
import { outlineOf, wholeLimits } from "../../wire/JsonOutline.ts"
import { identityOf } from "../AnswerIdentity.ts"
import type { ChoiceTransform } from "../ChoiceTransform.ts"
import type { AnswerFacts } from "../PlainAnswer.ts"
import { type MessageRun, messageTexts } from "./MessageTexts.ts"
import { readCounts, usageOf } from "./MessageUsage.ts"

/** The blocks of its content. */
const blocksOf = ({ content }: JsonObject): ReadonlyArray<JsonObject> =>
  content !== undefined && isJsonArray(content) ? content.filter(isJsonObject) : []

const isWords = (value: Json | undefined): value is string => typeof value === "string" && value !== ""

/** Whether a block holds a part of the answer: any but a text or a thought without a word does. */
const speaks = ({ data, signature, text, thinking, type }: JsonObject): boolean =>
  type === "text"
    ? isWords(text)
    : type === "thinking" || type === "redacted_thinking"
      ? isWords(thinking) || isWords(signature) || isWords(data)
      : isWords(type)

/** Whether a message says something: a block of it does, or it says why it ended. A model may end its turn without a word. */
export const saysSomething = (message: JsonObject): boolean =>
  isWords(message["stop_reason"]) || blocksOf(message).some(speaks)

/** Why it ended. */
export const stopReasonOf = ({ stop_reason: reason }: JsonObject): string | undefined =>
  isWords(reason) ? reason : undefined

/** Whether a block is a call of one of the client's tools. */
export const callsTool = ({ type }: JsonObject): boolean => type === "tool_use"

export const readMessage = (message: JsonObject): AnswerFacts => ({
  ...identityOf(message),
  usage: usageOf(readCounts(message["usage"])),
  finishReason: stopReasonOf(message),
  toolCalls: blocksOf(message).some(callsTool),
})

/** Whether anything of a message is changed. */
export const changesMessages = (transform: ChoiceTransform): boolean => messageTexts(transform) !== undefined

/** The message with the texts of its blocks changed; the same bytes where nothing changes or it is none. */
export const transformMessage = (transform: ChoiceTransform, bytes: Uint8Array): Uint8Array => {
  const texts = messageTexts(transform)
  const message = texts === undefined ? undefined : outlineOf(bytes, wholeLimits)
  const before = message?.["content"]
  if (texts === undefined || message === undefined || before === undefined || !isJsonArray(before))
    return bytes
  let run: MessageRun = texts.initial
  const after: Array<Json> = []
  for (const block of before) {
    if (!isJsonObject(block)) {
      after.push(block)
      continue
    }
    const [next, changed] = texts.block(run, block)
    run = next
    if (changed !== undefined) after.push(changed)
  }
  if (after.length === before.length && after.every((block, at) => block === before[at])) return bytes
  return rewriteJson(bytes, message, { ...message, content: after }) ?? bytes
}
