/** The events of a streamed response: what they are called, what they mean, and those in which an error is told. */
import { shaped } from "../../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../../errors/SaidError.ts"
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, quote, standsAt } from "../../wire/JsonBytes.ts"
import { answerLimits, outlineOf } from "../../wire/JsonOutline.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import { isOver, type Meaning, saysNothing, saysSomething } from "../StreamGrammar.ts"
import { errorOf } from "../Verdict.ts"
import { itemsOf, says } from "./PlainResponse.ts"

const ascii = new TextDecoder("latin1")

/** How nearly all data begin: with what they are. */
const typeFirst = ['{"type":"', '{"type": "'].map((text) => new TextEncoder().encode(text))

const longestType = 128

/** What the data of an event call it. */
const typeIn = (data: Uint8Array): string | undefined => {
  const begun = typeFirst.find((bytes) => standsAt(data, 0, bytes))
  if (begun !== undefined) {
    const end = data.subarray(0, begun.length + longestType).indexOf(quote, begun.length)
    if (end !== -1) return ascii.decode(data.subarray(begun.length, end))
  }
  const type = outlineOf(data, answerLimits)?.["type"]
  return typeof type === "string" && type.length <= longestType ? type : undefined
}

const isName = (event: string | undefined): boolean =>
  event !== undefined && (event.startsWith("response.") || event === "error")

/** The event with its name: some send none, or the same with all. */
export const named = (event: SseEvent): SseEvent => {
  if (isName(event.event)) return event
  return { data: event.data, event: typeIn(event.data) }
}

/** The response that an event tells as a whole. */
export const responseIn = ({ response }: JsonObject): JsonObject | undefined =>
  isJsonObject(response) ? response : undefined

/** The events that end a response which is one. */
export const endings: ReadonlySet<string | undefined> = new Set(["response.completed", "response.incomplete"])

export const failedEnding = "response.failed"

/** Events that tell of a response as a whole, and say nothing of its answer. */
const ofTheWhole: ReadonlySet<string | undefined> = new Set([
  "response.created",
  "response.queued",
  "response.in_progress",
])

/** Events that tell more than a part of a text: nothing else need be read. */
export const isTelling = (name: string | undefined): boolean =>
  name === undefined ||
  name === "error" ||
  name === failedEnding ||
  name === "response.cancelled" ||
  name === "response.output_item.added" ||
  name === "response.output_item.done" ||
  endings.has(name) ||
  ofTheWhole.has(name)

const unknownFault = "The upstream's response failed, and it did not say why."

/** The error that an event is, or tells of its response. */
export const errorIn = (event: SseEvent, data: JsonObject | undefined): ShapedError | undefined => {
  if (event.event === failedEnding) {
    const error = data === undefined ? undefined : responseIn(data)?.["error"]
    return shaped(
      error === undefined || error === null ? { message: unknownFault, code: "server_error" } : error,
    )
  }
  return errorOf(event, data)
}

const isBlank = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** Whether an item that begins says something already: a message or reasoning has yet to be filled. */
const saysMore = (item: Json | undefined): boolean => {
  if (!isJsonObject(item)) return false
  const isToBeFilled = item["type"] === "message" || item["type"] === "reasoning"
  return !isToBeFilled || !isBlank(item["content"]) || !isBlank(item["summary"])
}

const saysPart = (name: string | undefined, data: JsonObject): boolean => {
  if (name === "response.output_item.added") return saysMore(data["item"])
  if (name === "response.content_part.added" || name === "response.reasoning_summary_part.added") {
    const part = data["part"]
    return isJsonObject(part) && (!isBlank(part["text"]) || !isBlank(part["refusal"]))
  }
  if (name?.endsWith(".delta") === true) return !isBlank(data["delta"])
  return name?.startsWith("response.") === true
}

/** What an event means for a response that has not begun. */
export const meaning = (event: SseEvent): Meaning => {
  if (isDone(event)) return isOver
  const typed = named(event)
  const data = outlineOf(event.data, answerLimits)
  const error = errorIn(typed, data)
  if (error !== undefined) return { kind: "error", error }
  if (data === undefined || ofTheWhole.has(typed.event)) return saysNothing
  if (!endings.has(typed.event)) return saysPart(typed.event, data) ? saysSomething : saysNothing
  const response = responseIn(data)
  return response !== undefined && says(response) ? saysSomething : isOver
}

/** What of a response is kept while it is streamed. */
export interface ResponseHead {
  readonly id: Json
  readonly created: Json
  readonly model: Json
}

export const noHead: ResponseHead = { id: "", created: 0, model: "" }

const short = (value: Json | undefined, otherwise: Json): Json =>
  (typeof value === "string" && value.length <= 1_024) || typeof value === "number" ? value : otherwise

export const headOf = ({ created_at: created, id, model }: JsonObject): ResponseHead => ({
  id: short(id, ""),
  created: short(created, 0),
  model: short(model, ""),
})

const noData = new Uint8Array()

const eventOf = (name: string, data: JsonObject): SseEvent => ({
  data: encodeJson({ type: name, ...data }) ?? noData,
  event: name,
})

/** The event in which a response fails that was begun: the one that agents read. */
export const failedEvent = ({ code, message }: ShapedError, head: ResponseHead, sequence: number): SseEvent =>
  eventOf(failedEnding, {
    sequence_number: sequence,
    response: {
      id: head.id,
      object: "response",
      created_at: head.created,
      status: "failed",
      error: { code: code ?? "server_error", message },
      incomplete_details: null,
      model: head.model,
      output: [],
    },
  })

/** The event at which every official SDK raises: one reads the members of the event, another an `error` within it. */
export const errorEvent = ({ code, message, param, type }: ShapedError, sequence: number): SseEvent =>
  eventOf("error", {
    sequence_number: sequence,
    code,
    message,
    param,
    error: { message, type, code, param },
  })

/** Whether an item that is done shows that a tool is called. */
export const itemIn = ({ item }: JsonObject): JsonObject | undefined =>
  isJsonObject(item) ? item : undefined

/** The items of a response that an event tells as a whole. */
export const itemsIn = (data: JsonObject): ReadonlyArray<JsonObject> => {
  const response = responseIn(data)
  return response === undefined ? [] : itemsOf(response)
}
