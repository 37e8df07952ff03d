/** A message of a model that comes whole: whether it says something, what it says of itself, and what is changed of it. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { rewriteJson } from "../../wire/JsonBytes.ts"
import { outlineOf, wholeLimits } from "../../wire/JsonOutline.ts"
import { identityOf } from "../AnswerIdentity.ts"
import type { ChoiceTransform } from "../ChoiceTransform.ts"
import type { AnswerFacts } from "../PlainAnswer.ts"
import { blocksOf } from "./MessageBlocks.ts"
import { messageTexts } from "./MessageTexts.ts"
import { readCounts, usageOf } from "./MessageUsage.ts"
import { maySeal, withMarks } from "./Sealed.ts"

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
export const changesMessage = (transform: ChoiceTransform, bytes: Uint8Array): boolean =>
  messageTexts(transform) !== undefined || (transform.madeBy !== undefined && maySeal(bytes))

/** The blocks with their texts changed, and with the mark of who made them where something in them is sealed. */
const changedBlocks = (transform: ChoiceTransform, blocks: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const { madeBy, marksOnlyAgain } = transform
  const texts = messageTexts(transform)
  let run = texts?.initial
  return blocks.flatMap((block): ReadonlyArray<Json> => {
    if (!isJsonObject(block)) return [block]
    let changed: JsonObject | undefined = block
    if (texts !== undefined && run !== undefined) [run, changed] = texts.block(run, block)
    if (changed === undefined) return []
    return [madeBy === undefined ? changed : withMarks(changed, madeBy, marksOnlyAgain)]
  })
}

/** The message as its client is given it; the same bytes where nothing changes or it is none. */
export const transformMessage = (transform: ChoiceTransform, bytes: Uint8Array): Uint8Array => {
  const message = changesMessage(transform, bytes) ? outlineOf(bytes, wholeLimits) : undefined
  const before = message?.["content"]
  if (message === undefined || before === undefined || !isJsonArray(before)) return bytes
  const after = changedBlocks(transform, before)
  if (after.length === before.length && after.every((block, at) => block === before[at])) return bytes
  return rewriteJson(bytes, message, { ...message, content: after }) ?? bytes
}
