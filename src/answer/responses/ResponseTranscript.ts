/** A streamed response put together again: as its last event tells it, else of the items as far as they came. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import { memberText } from "../../wire/JsonText.ts"
import { unpack } from "../../wire/PackedData.ts"
import { placeIn } from "./Place.ts"
import { itemsOf } from "./PlainResponse.ts"
import { endings, failedEnding, itemIn, responseIn } from "./ResponseEvents.ts"

/** A text on its way: what is said of it so far, and where it belongs among its like. */
interface GrowingText {
  readonly kind: string
  readonly at: number
  readonly pieces: Array<string>
}

/** An item on its way: as it was begun, and what was said of it since, by where that belongs. */
interface GrowingItem {
  item: JsonObject
  readonly texts: Map<string, GrowingText>
}

/** The most items of one response. */
const mostItems = 4_096

/** The most texts of one item. */
const mostTexts = 4_096

/** What the deltas of an event's kind add to. */
const grows: Readonly<Record<string, string>> = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.reasoning_text.delta": "reasoning",
  "response.reasoning_summary_text.delta": "summary",
  "response.function_call_arguments.delta": "arguments",
  "response.custom_tool_call_input.delta": "input",
  "response.mcp_call_arguments.delta": "arguments",
}

/** A text as the part of content that it is. */
const partOf = (kind: string, text: string): JsonObject => {
  switch (kind) {
    case "refusal":
      return { type: "refusal", refusal: text }
    case "reasoning":
      return { type: "reasoning_text", text }
    case "summary":
      return { type: "summary_text", text }
    default:
      return { type: "output_text", annotations: [], text }
  }
}

const listIn = (item: JsonObject, member: string): ReadonlyArray<Json> => {
  const list = item[member]
  return list !== undefined && isJsonArray(list) ? list : []
}

/** Texts that are a member of their own. */
const members: ReadonlySet<string> = new Set(["arguments", "input"])

/** The item with what its deltas said. */
const grown = ({ item, texts }: GrowingItem): JsonObject => {
  const said = [...texts.values()]
    .sort((a, b) => a.at - b.at)
    .map(({ kind, pieces }) => ({ kind, text: pieces.join("") }))
  const parts = said.filter(({ kind }) => !members.has(kind))
  const ofMember = (member: string): JsonObject => {
    const own = parts.filter(({ kind }) => (kind === "summary") === (member === "summary"))
    if (own.length === 0) return {}
    return { [member]: [...listIn(item, member), ...own.map(({ kind, text }) => partOf(kind, text))] }
  }
  return {
    ...item,
    ...Object.fromEntries(said.flatMap(({ kind, text }) => (members.has(kind) ? [[kind, text]] : []))),
    ...ofMember("content"),
    ...ofMember("summary"),
  }
}

/** What the events of a response said of its items. */
class GrowingOutput {
  readonly #items = new Map<number, GrowingItem>()

  take(data: JsonObject): void {
    const at = placeIn(data["output_index"])
    if (at === undefined || (!this.#items.has(at) && this.#items.size === mostItems)) return
    const item = itemIn(data)
    // What an item is when it is done is all that was said of it.
    if (item !== undefined) this.#items.set(at, { item, texts: new Map() })
    const { delta, type } = data
    const kind = typeof type === "string" ? grows[type] : undefined
    if (kind !== undefined && typeof delta === "string") this.#grow(at, kind, data, delta)
  }

  #grow(
    at: number,
    kind: string,
    { content_index: content, summary_index: summary }: JsonObject,
    delta: string,
  ) {
    const growing = this.#items.get(at)
    if (growing === undefined) return
    const index = placeIn(content ?? summary) ?? 0
    const place = `${kind}:${index}`
    const text = growing.texts.get(place)
    if (text !== undefined) text.pieces.push(delta)
    else if (growing.texts.size < mostTexts) growing.texts.set(place, { kind, at: index, pieces: [delta] })
  }

  get items(): ReadonlyArray<JsonObject> {
    return [...this.#items].sort(([a], [b]) => a - b).map(([, growing]) => grown(growing))
  }
}

const nameIn = ({ type }: JsonObject): string | undefined => (typeof type === "string" ? type : undefined)

const isEnding = (data: JsonObject): boolean => {
  const name = nameIn(data)
  return endings.has(name) || name === failedEnding
}

const nothing = new Uint8Array()

/** What events made of their response. */
interface Assembled {
  /** As the last event tells it that tells it as a whole. */
  readonly response: JsonObject | undefined
  readonly isEnded: boolean
  readonly items: ReadonlyArray<JsonObject>
  readonly error: Json | undefined
}

const assemble = (datas: ReadonlyArray<Uint8Array>): Assembled => {
  const output = new GrowingOutput()
  let response: JsonObject | undefined
  let isEnded = false
  let error: Json | undefined
  for (const bytes of datas) {
    const data = parseObject(bytes)
    if (data === undefined) continue
    const told = responseIn(data)
    // A failure that this gateway tells has no more than the name of the response.
    if (told !== undefined) response = { ...response, ...told }
    isEnded ||= isEnding(data)
    error = data["error"] ?? error
    output.take(data)
  }
  return { response, isEnded, items: output.items, error }
}

/** The response of a stream whose last event tells all of it: nothing that came before need be read. */
const toldLast = (datas: ReadonlyArray<Uint8Array>): JsonObject | undefined => {
  const last = parseObject(datas.at(-1) ?? nothing)
  const response = last !== undefined && endings.has(nameIn(last)) ? responseIn(last) : undefined
  return response !== undefined && itemsOf(response).length > 0 ? response : undefined
}

/** The plain response that the data of a stream make, as far as they do. */
export const assembled = (datas: ReadonlyArray<Uint8Array>, truncated: boolean): JsonObject => {
  const last = truncated ? undefined : toldLast(datas)
  if (last !== undefined) return last
  const { error, items, response = {} } = assemble(datas)
  const whole = itemsOf(response).length > 0 || items.length === 0 ? response : { ...response, output: items }
  const told = error === undefined || isJsonObject(whole["error"]) ? whole : { ...whole, error }
  return truncated ? { ...told, truncated: true } : told
}

/** The bytes of the response that an event tells as a whole, with the items that the data of the stream make where it does not repeat them. */
const bytesOf = (event: Uint8Array, datas: ReadonlyArray<Uint8Array>): Uint8Array | undefined => {
  const data = parseObject(event)
  const response = data === undefined ? undefined : responseIn(data)
  if (data === undefined || response === undefined) return undefined
  const whole = itemsOf(response).length > 0 ? response : { ...response, output: assemble(datas).items }
  // The event's text in the place of which its response stands keeps how every number is written.
  return rewriteJson(responseText(event), response, whole) ?? encodeJson(whole)
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const responseText = (event: Uint8Array): Uint8Array =>
  encoder.encode(memberText(decoder.decode(event), "response") ?? "{}")

/** The plain response that packed data of events make; `undefined` where they tell of none that ended. */
export const gathered = (packed: Uint8Array): Uint8Array | undefined => {
  const datas = unpack(packed)
  const last = datas.findLast((bytes) => isEnding(parseObject(bytes) ?? {}))
  return last === undefined ? undefined : bytesOf(last, datas)
}
