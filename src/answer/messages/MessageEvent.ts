/** The events of a streamed message (Anthropic's grammar): what each is, whether it says something, and the error it tells of. */
import type { ShapedError } from "../../errors/SaidError.ts"
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { nextToken, standsAt } from "../../wire/JsonBytes.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import { errorOf } from "../Verdict.ts"
import { thinkingTypes } from "./MessageTexts.ts"

/** What an event says it is: in its data, which SDKs read, else by the name it came under. */
export const typeOf = (
  { event }: Pick<SseEvent, "event">,
  data: JsonObject | undefined,
): string | undefined => {
  const type = data?.["type"]
  return typeof type === "string" ? type : event
}

/** A member that is an object; an empty one where there is none. */
export const within = (holder: JsonObject, name: string): JsonObject => {
  const value = holder[name]
  return value !== undefined && isJsonObject(value) ? value : {}
}

const encoder = new TextEncoder()

/** What nearly all events are, which tell nothing but a piece of a block. */
export const deltaName = "content_block_delta"
const deltaStart = encoder.encode(`{"type":"${deltaName}"`)

/** Whether an event is one of those, as far as can be told without reading it. */
export const isDelta = ({ data, event }: SseEvent): boolean =>
  event === deltaName || (event === undefined && standsAt(data, 0, deltaStart))

/** What stands before and behind the number of the block in the delta of a text; white space may stand between any two. */
const beforeIndex = ["{", '"type"', ":", `"${deltaName}"`, ",", '"index"', ":"].map((one) =>
  encoder.encode(one),
)
const behindIndex = [",", '"delta"', ":", "{", '"type"', ":", '"text_delta"', ","].map((one) =>
  encoder.encode(one),
)

/** Where these tokens end that begin at `from`; -1 where others stand there. */
const behindTokens = (data: Uint8Array, from: number, tokens: ReadonlyArray<Uint8Array>): number => {
  let at = from
  for (const token of tokens) {
    at = nextToken(data, at)
    if (!standsAt(data, at, token)) return -1
    at += token.length
  }
  return at
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

/** Whether an event is a piece of a text; may say no of one that is. */
export const isTextDelta = (event: SseEvent): boolean => {
  const { data } = event
  if (!isDelta(event)) return false
  let at = behindTokens(data, 0, beforeIndex)
  if (at === -1) return false
  at = nextToken(data, at)
  if (!isDigit(data[at])) return false
  while (isDigit(data[at])) at++
  return behindTokens(data, at, behindIndex) !== -1
}

/** The number of the block that an event is of. */
export const blockIndexOf = ({ index }: JsonObject): number =>
  typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : 0

const isSomething = (value: Json | undefined): boolean =>
  value !== undefined &&
  value !== null &&
  value !== "" &&
  !(typeof value === "object" && Object.keys(value).length === 0)

/** Members of a block or a delta that say nothing of the answer. */
const quiet: ReadonlySet<string> = new Set(["type", "id", "index"])

const holdsSomething = (holder: JsonObject): boolean =>
  Object.entries(holder).some(([name, value]) => !quiet.has(name) && isSomething(value))

/** Whether the beginning of a block is part of the answer: a text and a thought are nothing yet, anything else is. */
const begins = (block: JsonObject): boolean =>
  block["type"] === "text" || thinkingTypes.has(block["type"])
    ? holdsSomething(block)
    : isSomething(block["type"])

/** Whether an event says something: a message that has only begun does not, nor a block, nor that it lives. */
export const eventSays = (type: string | undefined, data: JsonObject): boolean => {
  switch (type) {
    case "content_block_start":
      return begins(within(data, "content_block"))
    case "content_block_delta":
      return holdsSomething(within(data, "delta"))
    case "message_delta":
      return isSomething(within(data, "delta")["stop_reason"])
    case "message":
      return true
    default:
      return false
  }
}

/**
 * The error an event says: by its name or its type. One of no type is no event of a message, and read as others tell errors.
 *
 * @param data what it holds, where that is a JSON object
 */
export const errorOfEvent = (event: SseEvent, data: JsonObject | undefined): ShapedError | undefined => {
  const type = typeOf(event, data)
  return type === "error" || event.event === "error" || typeof data?.["type"] !== "string"
    ? errorOf(event, data)
    : undefined
}
