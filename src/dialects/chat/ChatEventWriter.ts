/** A streamed answer, written in the chunks of chat. */
import { mergeUsage, noUsage } from "../../answer/Usage.ts"
import { errorData, inOpenAiTerms } from "../../errors/faces/OpenAiFace.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Running } from "../../wire/Machine.ts"
import { doneEvent, type SseEvent } from "../../wire/Sse.ts"
import { printedEvent } from "../../wire/SseWriting.ts"
import { type AnswerEvent, type Finish, noHead, type PartBeginning } from "../Answer.ts"
import { type AroundText, aroundText, printedWith } from "../AroundText.ts"
import type { AskedFor } from "../DialectForm.ts"
import { membersOf } from "../Members.ts"
import { idFor, writtenCitation } from "./ChatAnswer.ts"
import { writtenFinish, writtenUsage } from "./ChatFinish.ts"
import { writtenSeal } from "./ChatSeals.ts"

type Events = ReadonlyArray<SseEvent>

const eventOf = (chunk: JsonObject): SseEvent => printedEvent(undefined, JSON.stringify(chunk))

/** More of a part; of a call, the one of this index. */
const deltaOf = (part: PartBeginning, index: number, text: string): JsonObject => {
  switch (part.kind) {
    case "text":
      return { content: text }
    case "refusal":
      return { refusal: text }
    case "reasoning":
      return { reasoning_content: text }
    case "tool_call": {
      const input = part.isFreeForm ? { custom: { input: text } } : { function: { arguments: text } }
      return { tool_calls: [{ index, ...input }] }
    }
  }
}

/** Mutable on purpose: one stream. */
class Writer implements Running<AnswerEvent, SseEvent> {
  readonly #asked: AskedFor
  #head = noHead
  #counts = noUsage
  #part: PartBeginning | undefined
  /** Calls that have begun. */
  #calls = 0
  /** Reasoning was told. */
  #hasReasoned = false
  /** What is told of it next is another section. */
  #isApart = false
  /** How much text was told, and how much of it before the part that is being told. */
  #told = 0
  #toldBefore = 0
  /** Of the chunks of the part that is being told. */
  #around: AroundText | undefined

  constructor(asked: AskedFor) {
    this.#asked = asked
  }

  take(events: Iterable<AnswerEvent>): Events {
    const written: Array<SseEvent> = []
    for (const event of events) for (const one of this.#event(event)) written.push(one)
    return written
  }

  /** What was not ended is not ended here. */
  rest(): Events {
    return []
  }

  #event(event: AnswerEvent): Events {
    switch (event.kind) {
      case "begins":
        this.#head = event.head
        return [this.#chunk({ role: "assistant", content: "" }, null)]
      case "part_begins":
        return this.#begin(event.part)
      case "more":
        return this.#more(event.text)
      case "section":
        this.#isApart = true
        return []
      case "sealed":
        return [this.#chunk({ reasoning_details: [writtenSeal(event.seal, this.#asked.upstream)] }, null)]
      case "cited":
        return [this.#chunk({ annotations: [writtenCitation(event.citation, this.#toldBefore)] }, null)]
      case "part_ends":
        if (this.#part?.kind === "reasoning") this.#isApart = true
        return []
      case "counts":
        this.#counts = mergeUsage(this.#counts, event.counts)
        return []
      case "ends":
        return this.#end(event.finish)
      case "error":
        return [{ data: errorData(inOpenAiTerms(event.error)), event: undefined }]
    }
  }

  #begin(part: PartBeginning): Events {
    this.#part = part
    this.#around = undefined
    this.#toldBefore = this.#told
    if (part.kind !== "tool_call") return []
    const { id, isFreeForm, name } = part
    const index = this.#calls++
    const call = isFreeForm
      ? { index, id, type: "custom", custom: { name, input: "" } }
      : { index, id, type: "function", function: { name, arguments: "" } }
    return [this.#chunk({ tool_calls: [call] }, null)]
  }

  #more(text: string): Events {
    const part = this.#part
    if (part === undefined) return []
    if (part.kind === "text") this.#told += text.length
    this.#around ??= aroundText((said) => this.#chunkOf(deltaOf(part, this.#calls - 1, said), null))
    return [
      printedEvent(
        undefined,
        printedWith(this.#around, part.kind === "reasoning" ? this.#reasoned(text) : text),
      ),
    ]
  }

  #reasoned(text: string): string {
    const told = this.#isApart && this.#hasReasoned ? `\n\n${text}` : text
    this.#isApart = false
    this.#hasReasoned = true
    return told
  }

  #end(finish: Finish): Events {
    const usage = eventOf(this.#object({ choices: [], usage: writtenUsage(this.#counts) }))
    return [this.#chunk({}, writtenFinish(finish)), usage, doneEvent]
  }

  #chunk(delta: JsonObject, finishReason: string | null): SseEvent {
    return eventOf(this.#chunkOf(delta, finishReason))
  }

  #chunkOf(delta: JsonObject, finishReason: string | null): JsonObject {
    return this.#object({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] })
  }

  #object(members: JsonObject): JsonObject {
    const head = this.#head
    return membersOf({
      id: idFor(head),
      object: "chat.completion.chunk",
      created: head.createdAt ?? this.#asked.askedAt,
      model: head.model,
      service_tier: head.serviceTier,
      ...members,
    })
  }
}

/** `DialectForm.writeEvents`. The chunk of usage is always there: whoever did not ask for it is not shown it. */
export const writeEvents = (asked: AskedFor): Running<AnswerEvent, SseEvent> => new Writer(asked)
