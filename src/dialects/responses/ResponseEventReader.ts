/** A streamed response, read as it comes. */
import { shaped } from "../../errors/faces/OpenAiFace.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent } from "../Answer.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { listIn, numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import { countsOf, finishOf, headOf } from "./ResponseAnswer.ts"
import { callOf } from "./ResponseCalls.ts"
import { ownSeal } from "./ResponseItems.ts"
import { citationOf, spokenPartsOf } from "./ResponseParts.ts"
import { type StreamedItem, StreamedItems, type Voice } from "./StreamedItems.ts"

const isCall = (type: string | undefined): boolean => type === "function_call" || type === "custom_tool_call"

const contentOf = ({ content }: JsonObject): ReadonlyArray<Json> =>
  typeof content === "string" ? [{ type: "output_text", text: content }] : listIn(content)

/** What of a whole text was not told before, where it goes on as that did. */
const untold = (whole: string, length: number, last: string): string =>
  whole.startsWith(last, length - last.length) ? whole.slice(length) : ""

/** Mutable on purpose: one stream. */
class Reader implements EventReading {
  readonly #line: EventLine
  readonly #items = new StreamedItems((units) => this.#line.keep(units))
  #hasCalls = false

  constructor(ownId: string | undefined) {
    this.#line = new EventLine(ownId)
  }

  /** The last event says all that there is. */
  get isFinished(): boolean {
    return false
  }

  take(events: Iterable<SseEvent>): ReadonlyArray<AnswerEvent> {
    for (const event of events) {
      if (this.#line.isOver) break
      const data = parseObject(event.data)
      if (data !== undefined) this.#read(textIn(data["type"]) ?? event.event, data)
    }
    return this.#line.take()
  }

  rest(): ReadonlyArray<AnswerEvent> {
    return this.#line.take()
  }

  #read(type: string | undefined, data: JsonObject): void {
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        this.#line.begin(headOf(objectIn(data["response"]) ?? {}))
        break
      case "response.output_item.added": {
        const item = objectIn(data["item"]) ?? {}
        this.#begin(this.#items.begun(data, item), item)
        break
      }
      case "response.output_text.delta":
        this.#speak("text", data, data["delta"])
        break
      case "response.output_text.done":
        this.#speak("text", data, data["text"], true)
        break
      case "response.output_text.annotation.added":
        this.#cite(data)
        break
      case "response.refusal.delta":
        this.#speak("refusal", data, data["delta"])
        break
      case "response.refusal.done":
        this.#speak("refusal", data, data["refusal"], true)
        break
      case "response.content_part.done":
        this.#whole(this.#items.of(data), numberIn(data["content_index"]) ?? 0, data["part"])
        break
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        this.#call(data, data["delta"])
        break
      case "response.function_call_arguments.done":
        this.#call(data, data["arguments"], true)
        break
      case "response.custom_tool_call_input.done":
        this.#call(data, data["input"], true)
        break
      case "response.reasoning_summary_text.delta":
        this.#reason("summary", data, data["delta"])
        break
      case "response.reasoning_summary_text.done":
        this.#reason("summary", data, data["text"], true)
        break
      case "response.reasoning_text.delta":
        this.#reason("content", data, data["delta"])
        break
      case "response.reasoning_text.done":
        this.#reason("content", data, data["text"], true)
        break
      case "response.output_item.done": {
        const item = objectIn(data["item"]) ?? {}
        this.#endItem(this.#items.ended(data, item), item)
        break
      }
      case "response.completed":
      case "response.incomplete":
        this.#end(objectIn(data["response"]) ?? {})
        break
      case "response.failed":
      case "response.cancelled":
        this.#fail(objectIn(data["response"])?.["error"])
        break
      case "error":
        this.#fail(data["error"] ?? data)
        break
    }
  }

  #begin(item: StreamedItem, json: JsonObject): void {
    if (item.isBegun) return
    if (isCall(item.type)) {
      const { input: _, ...call } = callOf(json)
      this.#hasCalls = true
      item.isBegun = true
      this.#line.open(item.key, call, "close")
    } else if (item.type === "reasoning") {
      item.isBegun = true
      this.#line.open(item.key, { kind: "reasoning" }, "close")
    }
  }

  /**
   * Says more of a part of an item.
   *
   * @param at the place of the text in it
   * @param isWhole all of the text is given, of which deltas may have told some
   */
  #say(item: StreamedItem, key: string, at: number, given: string, isWhole: boolean): void {
    const said = item.said.get(at)
    const text = isWhole && said !== undefined ? untold(given, said.length, said.last) : given
    if (text === "") return
    if (said === undefined) item.said.set(at, { length: text.length, last: text })
    else {
      said.length += text.length
      said.last = text
    }
    this.#line.more(key, text)
  }

  #speak(kind: "text" | "refusal", data: JsonObject, given: Json | undefined, isWhole = false): void {
    const text = saidIn(given)
    if (text === undefined) return
    const item = this.#items.of(data)
    item.type ??= "message"
    this.#part(item, kind, numberIn(data["content_index"]) ?? 0, text, isWhole)
  }

  /** Says more of a part of a message, which ends the one before it. */
  #part(item: StreamedItem, kind: "text" | "refusal", at: number, text: string, isWhole: boolean): void {
    const key = `${item.key}.${at}`
    if (item.partKey !== key && !item.said.has(at) && !item.isDone) {
      if (item.partKey !== undefined) this.#line.close(item.partKey)
      item.partKey = key
      this.#line.open(key, { kind }, "close")
    }
    this.#say(item, key, at, text, isWhole)
  }

  #cite(data: JsonObject): void {
    const item = this.#items.of(data)
    const at = numberIn(data["content_index"]) ?? 0
    const citation = citationOf(objectIn(data["annotation"]) ?? {})
    if (citation === undefined || !item.said.has(at)) return
    item.cited.set(at, (item.cited.get(at) ?? 0) + 1)
    this.#line.cite(`${item.key}.${at}`, citation)
  }

  #call(data: JsonObject, given: Json | undefined, isWhole = false): void {
    const text = saidIn(given)
    const item = this.#items.of(data)
    // What comes before its item is told with that.
    if (text !== undefined && item.isBegun) this.#say(item, item.key, 0, text, isWhole)
  }

  #reason(voice: Voice, data: JsonObject, given: Json | undefined, isWhole = false): void {
    const text = saidIn(given)
    if (text === undefined) return
    const item = this.#items.of(data)
    item.type ??= "reasoning"
    this.#begin(item, {})
    const at = numberIn(data[voice === "summary" ? "summary_index" : "content_index"]) ?? 0
    this.#section(item, voice, at, text, isWhole)
  }

  /** Reasoning is told once: by itself, or by its summary. */
  #section(item: StreamedItem, voice: Voice, at: number, text: string, isWhole: boolean): void {
    item.voice ??= voice
    if (item.voice !== voice || at < item.section) return
    if (at > item.section) this.#line.section(item.key)
    item.section = at
    this.#say(item, item.key, at, text, isWhole)
  }

  /** Whatever of the item was not told before. */
  #endItem(item: StreamedItem, json: JsonObject): void {
    if (item.isDone) return
    this.#begin(item, json)
    if (isCall(item.type)) this.#say(item, item.key, 0, callOf(json).input, true)
    else if (item.type === "reasoning") this.#endReasoning(item, json)
    else if (item.type === "message") {
      for (const [at, part] of contentOf(json).entries()) this.#whole(item, at, part)
      if (item.partKey !== undefined) this.#line.close(item.partKey)
    }
    this.#line.close(item.key)
    item.isDone = true
  }

  #endReasoning(item: StreamedItem, json: JsonObject): void {
    const voice = objectsIn(json["summary"]).some(({ text }) => saidIn(text) !== undefined)
      ? "summary"
      : "content"
    for (const [at, { text }] of objectsIn(json[voice]).entries()) {
      const said = saidIn(text)
      if (said !== undefined) this.#section(item, voice, at, said, true)
    }
    const encrypted = saidIn(json["encrypted_content"])
    if (encrypted === undefined) return
    const id = saidIn(json["id"])
    this.#line.seal(item.key, ownSeal(encrypted, id, item.said.size === 0))
  }

  /** A part of a message with all that it says. */
  #whole(item: StreamedItem, at: number, json: Json | undefined): void {
    const [part] = spokenPartsOf(json === undefined ? undefined : [json])
    if (part?.kind !== "text" && part?.kind !== "refusal") return
    item.type ??= "message"
    this.#part(item, part.kind, at, part.text, true)
    if (part.kind !== "text") return
    const { citations = [] } = part
    for (const citation of citations.slice(item.cited.get(at) ?? 0)) {
      this.#line.cite(`${item.key}.${at}`, citation)
    }
    item.cited.set(at, citations.length)
  }

  #end(response: JsonObject): void {
    const { error, output, status } = response
    if (status === "failed" || status === "cancelled") {
      this.#fail(error)
      return
    }
    this.#line.begin(headOf(response))
    // Some tell nothing before.
    for (const [item, json] of this.#items.whole(objectsIn(output))) this.#endItem(item, json)
    this.#line.count(countsOf(response))
    this.#line.end(finishOf(response, this.#hasCalls))
  }

  #fail(error: Json | undefined): void {
    const said = error === undefined || error === null || listIn(error).length > 0 ? undefined : error
    this.#line.fail(shaped(said ?? { message: "The upstream's response failed.", code: "server_error" }))
  }
}

/** `DialectForm.readEvents` */
export const readEvents = (ownId?: string): EventReading => new Reader(ownId)
