/** A streamed response, read as it comes. */
import { shaped } from "../../errors/faces/OpenAiFace.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent, PartBeginning } from "../Answer.ts"
import { eventsOfPart } from "../AnswerParts.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { listIn, numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart } from "../Part.ts"
import { countsOf, finishOf, headOf } from "./ResponseAnswer.ts"
import { callOf } from "./ResponseCalls.ts"
import { ownSeal, partsOf, reasoningTexts } from "./ResponseItems.ts"
import { citationOf } from "./ResponseParts.ts"

type Events = ReadonlyArray<AnswerEvent>

const none: Events = []

/** Mutable on purpose: one stream. */
class Reader implements EventReading {
  readonly #line = new EventLine()
  /** Items that were told to their end, by their place. */
  readonly #told = new Set<string>()
  /** Parts that were told in deltas. */
  readonly #said = new Set<string>()
  /** The server tells no places of items, as llama.cpp does: they are told apart by their ids. */
  #goesByIds = false
  #hasBegun = false
  #hasCalls = false
  #isOver = false

  /** The last event says all that there is. */
  get isFinished(): boolean {
    return false
  }

  take(events: Iterable<SseEvent>): Events {
    const told: Array<AnswerEvent> = []
    for (const event of events) if (!this.#isOver) told.push(...this.#event(event))
    return told
  }

  rest(): Events {
    return none
  }

  #event(event: SseEvent): Events {
    const data = parseObject(event.data)
    if (data === undefined) return none
    const type = textIn(data["type"]) ?? event.event
    const itemKey = this.#keyOf(data)
    const partKey = `${itemKey}.${numberIn(data["content_index"]) ?? 0}`
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        return this.#begin(objectIn(data["response"]) ?? {})
      case "response.output_item.added":
        return this.#itemBegins(itemKey, objectIn(data["item"]) ?? {})
      case "response.output_text.delta":
        return this.#say(partKey, { kind: "text" }, data["delta"])
      case "response.output_text.done":
        return [...this.#sayOnce(partKey, { kind: "text" }, data["text"]), ...this.#line.close(partKey)]
      case "response.output_text.annotation.added":
        return this.#cite(partKey, objectIn(data["annotation"]) ?? {})
      case "response.refusal.delta":
        return this.#say(partKey, { kind: "refusal" }, data["delta"])
      case "response.refusal.done":
        return [...this.#sayOnce(partKey, { kind: "refusal" }, data["refusal"]), ...this.#line.close(partKey)]
      case "response.function_call_arguments.delta":
      case "response.custom_tool_call_input.delta":
        return this.#say(itemKey, undefined, data["delta"])
      case "response.function_call_arguments.done":
        return this.#sayOnce(itemKey, undefined, data["arguments"])
      case "response.custom_tool_call_input.done":
        return this.#sayOnce(itemKey, undefined, data["input"])
      case "response.reasoning_summary_part.added":
        return (numberIn(data["summary_index"]) ?? 0) === 0 ? none : this.#section(itemKey)
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return this.#say(itemKey, { kind: "reasoning" }, data["delta"])
      case "response.output_item.done":
        return this.#itemEnds(itemKey, objectIn(data["item"]) ?? {})
      case "response.completed":
      case "response.incomplete":
        return this.#end(objectIn(data["response"]) ?? {})
      case "response.failed":
      case "response.cancelled":
        return this.#fail(objectIn(data["response"])?.["error"])
      case "error":
        return this.#fail(data["error"] ?? data)
      default:
        return none
    }
  }

  #keyOf({ item, item_id, output_index }: JsonObject): string {
    const place = numberIn(output_index)
    const id = saidIn(item_id) ?? saidIn(objectIn(item)?.["id"])
    if (place !== undefined || id === undefined) return `${place ?? 0}`
    this.#goesByIds = true
    return id
  }

  #begin(response: JsonObject): Events {
    if (this.#hasBegun) return none
    this.#hasBegun = true
    return [{ kind: "begins", head: headOf(response) }]
  }

  #itemBegins(key: string, item: JsonObject): Events {
    switch (item["type"]) {
      case "function_call":
      case "custom_tool_call": {
        this.#hasCalls = true
        const { input: _, ...call } = callOf(item)
        return this.#open(key, call)
      }
      case "reasoning":
        return this.#open(key, { kind: "reasoning" })
      default:
        return none
    }
  }

  #open(key: string, head: PartBeginning): Events {
    if (this.#line.has(key) || this.#told.has(key)) return none
    return [...this.#begin({}), ...this.#line.open(key, head, "close")]
  }

  /** @param head of the part, should it not have begun; absent where only an item begins it */
  #say(key: string, head: PartBeginning | undefined, delta: JsonObject[string] | undefined): Events {
    const text = saidIn(delta)
    if (text === undefined) return none
    this.#said.add(key)
    return [...(head === undefined ? none : this.#open(key, head)), ...this.#line.more(key, text)]
  }

  /** What is told at once is told once: its deltas may have said it before. */
  #sayOnce(key: string, head: PartBeginning | undefined, text: JsonObject[string] | undefined): Events {
    return this.#said.has(key) || this.#told.has(key) ? none : this.#say(key, head, text)
  }

  #cite(key: string, annotation: JsonObject): Events {
    const citation = citationOf(annotation)
    return citation === undefined ? none : this.#line.add(key, { kind: "cited", citation })
  }

  #section(key: string): Events {
    return this.#said.has(key) ? this.#line.add(key, { kind: "section" }) : none
  }

  /** Whatever of the item was not told before. */
  #itemEnds(key: string, item: JsonObject): Events {
    if (this.#told.has(key)) return none
    const events = [...this.#restOf(key, item)]
    this.#told.add(key)
    return events
  }

  #restOf(key: string, item: JsonObject): Events {
    switch (item["type"]) {
      case "function_call":
      case "custom_tool_call":
        return [
          ...this.#itemBegins(key, item),
          ...this.#sayOnce(key, undefined, callOf(item).input),
          ...this.#line.close(key),
        ]
      case "reasoning":
        return [
          ...this.#open(key, { kind: "reasoning" }),
          ...this.#reasoned(key, item),
          ...this.#line.close(key),
        ]
      case "message":
        return partsOf(item).flatMap((part, at) => this.#whole(`${key}.${at}`, part))
      default:
        return none
    }
  }

  #reasoned(key: string, item: JsonObject): Events {
    const texts = reasoningTexts(item)
    const encrypted = saidIn(item["encrypted_content"])
    const told = this.#said.has(key)
      ? none
      : texts.flatMap((text, at) => [
          ...(at === 0 ? none : this.#line.add(key, { kind: "section" })),
          ...this.#line.more(key, text),
        ])
    if (encrypted === undefined) return told
    const seal = ownSeal(encrypted, saidIn(item["id"]), texts.length === 0 && !this.#said.has(key))
    return [...told, ...this.#line.add(key, { kind: "sealed", seal })]
  }

  /** A part of a message, of which nothing was told in deltas. */
  #whole(key: string, part: AssistantPart): Events {
    if (this.#said.has(key)) return this.#line.close(key)
    const [begun, ...inner] = eventsOfPart(part)
    if (begun?.kind !== "part_begins") return none
    const events = [...this.#open(key, begun.part)]
    for (const event of inner) if (event.kind !== "part_ends") events.push(...this.#line.add(key, event))
    return [...events, ...this.#line.close(key)]
  }

  #end(response: JsonObject): Events {
    this.#isOver = true
    // Some tell nothing before.
    const untold = objectsIn(response["output"]).flatMap((item, at) =>
      this.#itemEnds((this.#goesByIds ? saidIn(item["id"]) : undefined) ?? `${at}`, item),
    )
    return [
      ...this.#begin(response),
      ...untold,
      ...this.#line.end(),
      { kind: "counts", counts: countsOf(response) },
      { kind: "ends", finish: finishOf(response, this.#hasCalls) },
    ]
  }

  #fail(error: JsonObject[string] | undefined): Events {
    this.#isOver = true
    const said = error === undefined || error === null || listIn(error).length > 0 ? undefined : error
    return [
      {
        kind: "error",
        error: shaped(said ?? { message: "The upstream's response failed.", code: "server_error" }),
      },
    ]
  }
}

/** `DialectForm.readEvents` */
export const readEvents = (): EventReading => new Reader()
