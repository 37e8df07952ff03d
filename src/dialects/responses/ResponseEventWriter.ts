/** A streamed answer, written in the events of responses. */
import { mergeUsage, noUsage } from "../../answer/Usage.ts"
import { inOpenAiTerms } from "../../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../../errors/SaidError.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { Running } from "../../wire/Machine.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import { printedEvent } from "../../wire/SseWriting.ts"
import { type AnswerEvent, type Finish, noHead } from "../Answer.ts"
import { ToldPart, type WithinPart } from "../AnswerParts.ts"
import { type AroundText, aroundText, printedWith } from "../AroundText.ts"
import type { AskedFor } from "../DialectForm.ts"
import { weightOf } from "../LinePart.ts"
import type { AssistantPart } from "../Part.ts"
import { begunResponse, endedResponse, itemKey } from "./ResponseAnswer.ts"
import { isToldAtOnce, ownName } from "./ResponseCalls.ts"
import { itemOf } from "./ResponseItems.ts"
import { writtenCitation, writtenText } from "./ResponseParts.ts"

type Events = ReadonlyArray<SseEvent>

/** The most that an answer may say, in UTF-16 units: its last event says all of it again. */
export const mostSaid = 32 * 1024 * 1024

const tooMuch: ShapedError = {
  message: `The answer is longer than ${mostSaid} characters, which is more than its last event can repeat.`,
  type: "server_error",
  param: null,
  code: "answer_too_long",
}

/** Mutable on purpose: one stream. */
class Writer implements Running<AnswerEvent, SseEvent> {
  readonly #asked: AskedFor
  readonly #items: Array<JsonObject> = []
  #head = noHead
  #counts = noUsage
  #part: ToldPart | undefined
  /** Of the item that is being told. */
  #itemId: Json = ""
  #sequence = 0
  #said = 0
  /** Of the deltas of the text that is being told. */
  #around: AroundText | undefined
  #isOver = false

  constructor(asked: AskedFor) {
    this.#asked = asked
  }

  take(events: Iterable<AnswerEvent>): Events {
    const written: Array<SseEvent> = []
    for (const event of events) if (!this.#isOver) for (const one of this.#event(event)) written.push(one)
    return written
  }

  /** What was not ended is not ended here. */
  rest(): Events {
    return []
  }

  #event(event: AnswerEvent): Events {
    switch (event.kind) {
      case "begins": {
        this.#head = event.head
        const response = begunResponse(event.head, this.#asked)
        return [
          this.#write("response.created", { response }),
          this.#write("response.in_progress", { response }),
        ]
      }
      case "part_begins":
        this.#part = new ToldPart(event.part)
        return this.#weighed(event) ?? this.#begin(this.#part.part())
      case "part_ends":
        return this.#endPart()
      case "counts":
        this.#counts = mergeUsage(this.#counts, event.counts)
        return []
      case "ends":
        return [this.#end(event.finish)]
      case "error":
        return this.#fail(event.error)
      case "more":
      case "section":
      case "sealed":
      case "cited":
        return this.#within(event)
    }
  }

  #begin(part: AssistantPart): Events {
    this.#around = undefined
    const begun = this.#item(part, "in_progress")
    if (begun === undefined) return []
    this.#itemId = begun["id"] ?? ""
    const isMessage = begun["type"] === "message"
    const item = isMessage ? { ...begun, content: [] } : begun
    const added = this.#write("response.output_item.added", { output_index: this.#items.length, item })
    return isMessage
      ? [added, this.#write("response.content_part.added", { ...this.#place(), part: partOf(part) })]
      : [added]
  }

  /** What it comes to where more was said by now than may be. */
  #weighed(event: AnswerEvent): Events | undefined {
    this.#said += weightOf(event)
    return this.#said > mostSaid ? this.#fail(tooMuch) : undefined
  }

  #within(event: WithinPart): Events {
    const part = this.#part
    if (part === undefined) return []
    const events = this.#weighed(event) ?? this.#tell(part, event)
    part.add(event)
    return events
  }

  /** @param part as it was before */
  #tell(part: ToldPart, event: WithinPart): Events {
    switch (event.kind) {
      case "more":
        return this.#more(part, event.text)
      case "section":
        return part.head.kind === "reasoning" ? this.#endSummary(part) : []
      case "cited":
        return part.head.kind === "text"
          ? [
              this.#write("response.output_text.annotation.added", {
                ...this.#place(),
                annotation_index: part.citations,
                annotation: writtenCitation(event.citation),
              }),
            ]
          : []
      case "sealed":
        return []
    }
  }

  #more({ head, sections, text: before }: ToldPart, delta: string): Events {
    switch (head.kind) {
      case "text":
        return [this.#add("response.output_text.delta", delta, () => this.#place(), { logprobs: [] })]
      case "refusal":
        return [this.#add("response.refusal.delta", delta, () => this.#place())]
      case "tool_call": {
        if (isToldAtOnce(head)) return []
        const type = head.isFreeForm
          ? "response.custom_tool_call_input.delta"
          : "response.function_call_arguments.delta"
        return [this.#add(type, delta, () => this.#itemPlace())]
      }
      case "reasoning": {
        const place = { ...this.#itemPlace(), summary_index: sections }
        const added = { ...place, part: summaryOf("") }
        return [
          ...(before === "" ? [this.#write("response.reasoning_summary_part.added", added)] : []),
          this.#add("response.reasoning_summary_text.delta", delta, () => place),
        ]
      }
    }
  }

  #endSummary({ sections, text }: ToldPart): Events {
    this.#around = undefined
    if (text === "") return []
    const place = { ...this.#itemPlace(), summary_index: sections }
    return [
      this.#write("response.reasoning_summary_text.done", { ...place, text }),
      this.#write("response.reasoning_summary_part.done", { ...place, part: summaryOf(text) }),
    ]
  }

  #endPart(): Events {
    const told = this.#part
    const part = told?.part()
    const item = part === undefined ? undefined : this.#item(part, "completed")
    if (told === undefined || part === undefined || item === undefined) return []
    this.#part = undefined
    const events = [
      ...(part.kind === "reasoning" ? this.#endSummary(told) : this.#endOf(part)),
      this.#write("response.output_item.done", { output_index: this.#items.length, item }),
    ]
    this.#items.push(item)
    return events
  }

  #endOf(part: AssistantPart): Events {
    switch (part.kind) {
      case "text":
        return [
          this.#write("response.output_text.done", { ...this.#place(), text: part.text, logprobs: [] }),
          this.#write("response.content_part.done", { ...this.#place(), part: partOf(part) }),
        ]
      case "refusal":
        return [
          this.#write("response.refusal.done", { ...this.#place(), refusal: part.text }),
          this.#write("response.content_part.done", { ...this.#place(), part: partOf(part) }),
        ]
      case "tool_call":
        if (isToldAtOnce(part)) return []
        return [
          part.isFreeForm
            ? this.#write("response.custom_tool_call_input.done", { ...this.#itemPlace(), input: part.input })
            : this.#write("response.function_call_arguments.done", {
                ...this.#itemPlace(),
                name: ownName(part),
                arguments: part.input,
              }),
        ]
      case "reasoning":
      case "image":
      case "foreign":
        return []
    }
  }

  #end(finish: Finish): SseEvent {
    this.#isOver = true
    const response = endedResponse({ ...this.#head, finish, counts: this.#counts }, this.#items, this.#asked)
    return this.#write(response["status"] === "incomplete" ? "response.incomplete" : "response.completed", {
      response,
    })
  }

  #fail(error: ShapedError): Events {
    this.#isOver = true
    const { code, message, param, type } = inOpenAiTerms(error)
    const failed = {
      ...begunResponse(this.#head, this.#asked),
      status: "failed",
      error: { code: code ?? type, message },
    }
    return [
      this.#write("response.failed", { response: failed }),
      this.#write("error", { code: code ?? type, message, param, error: { message, type, code, param } }),
    ]
  }

  #item(part: AssistantPart, status: "completed" | "in_progress"): JsonObject | undefined {
    return itemOf(part, itemKey(this.#head, this.#items.length), status, this.#asked.upstream)
  }

  #itemPlace(): JsonObject {
    return { item_id: this.#itemId, output_index: this.#items.length }
  }

  #place(): JsonObject {
    return { ...this.#itemPlace(), content_index: 0 }
  }

  #write(type: string, members: JsonObject): SseEvent {
    return this.#print(type, JSON.stringify(members))
  }

  /** More of what is being told, which has one place until its end. */
  #add(type: string, delta: string, place: () => JsonObject, beside: JsonObject = {}): SseEvent {
    this.#around ??= aroundText((said) => ({ ...place(), delta: said, ...beside }))
    return this.#print(type, printedWith(this.#around, delta))
  }

  /** @param members the JSON of an object that has some */
  #print(type: string, members: string): SseEvent {
    return printedEvent(type, `{"type":"${type}","sequence_number":${this.#sequence++},${members.slice(1)}`)
  }
}

const summaryOf = (text: string): JsonObject => ({ type: "summary_text", text })

const partOf = (part: AssistantPart): JsonObject =>
  part.kind === "text"
    ? writtenText(part)
    : { type: "refusal", refusal: part.kind === "refusal" ? part.text : "" }

/** `DialectForm.writeEvents` */
export const writeEvents = (asked: AskedFor): Running<AnswerEvent, SseEvent> => new Writer(asked)
