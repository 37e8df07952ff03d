/**
 * Reasoning that its upstream has encrypted, and nobody else can read. What is given out names who made it, as ids do; on its way back it goes to that
 * upstream alone, and is left out of what others are sent, who would refuse the whole request for it.
 */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { markOf } from "./ResponseId.ts"

/** A dot stands in no encoding of bytes. */
const sign = ".s"

const markLength = 12

const contentOf = (item: JsonObject): string | undefined => {
  const content = item["type"] === "reasoning" ? item["encrypted_content"] : undefined
  return typeof content === "string" && content !== "" ? content : undefined
}

/** The item as it is given out. */
export const givenReasoning = (item: Json, upstream: string): Json => {
  const content = isJsonObject(item) ? contentOf(item) : undefined
  return isJsonObject(item) && content !== undefined
    ? { ...item, encrypted_content: `${content}${sign}${markOf(content, upstream)}` }
    : item
}

/** Whether an item is reasoning that was given out here. */
export const isGiven = (item: JsonObject): boolean => {
  const content = contentOf(item) ?? ""
  return content.slice(-markLength - sign.length).startsWith(sign)
}

/** What the upstream gave of an item that was given out; `undefined` where another gave it. */
export const ownReasoning = (item: JsonObject, upstream: string): string | undefined => {
  const content = contentOf(item) ?? ""
  const own = content.slice(0, -markLength - sign.length)
  return content.slice(-markLength) === markOf(own, upstream) ? own : undefined
}
