/** A streamed answer, written in the chunks of chat. */
import { mergeUsage, noUsage } from "../../answer/Usage.ts"
import { errorData, inOpenAiTerms } from "../../errors/faces/OpenAiFace.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Running } from "../../wire/Machine.ts"
import { doneEvent, type SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent, Finish, NeutralHead, PartBeginning } from "../Answer.ts"
import type { AskedFor } from "../DialectForm.ts"
import { membersOf } from "../Members.ts"
import { idFor, writtenCitation } from "./ChatAnswer.ts"
import { writtenFinish, writtenUsage } from "./ChatFinish.ts"
import { writtenSeal } from "./ChatSeals.ts"

type Events = ReadonlyArray<SseEvent>

const encoder = new TextEncoder()

const nobody: NeutralHead = { id: "", model: "", createdAt: undefined, serviceTier: undefined }

/** Mutable on purpose: one stream. */
class Writer implements Running<AnswerEvent, SseEvent> {
  readonly #asked: AskedFor
  #head = nobody
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
    switch (this.#part?.kind) {
      case "text":
        this.#told += text.length
        return [this.#chunk({ content: text }, null)]
      case "refusal":
        return [this.#chunk({ refusal: text }, null)]
      case "reasoning": {
        const told = this.#isApart && this.#hasReasoned ? `\n\n${text}` : text
        this.#isApart = false
        this.#hasReasoned = true
        return [this.#chunk({ reasoning_content: told }, null)]
      }
      case "tool_call": {
        const input = this.#part.isFreeForm ? { custom: { input: text } } : { function: { arguments: text } }
        return [this.#chunk({ tool_calls: [{ index: this.#calls - 1, ...input }] }, null)]
      }
      default:
        return []
    }
  }

  #end(finish: Finish): Events {
    const usage = this.#object({ choices: [], usage: writtenUsage(this.#counts) })
    return [this.#chunk({}, writtenFinish(finish)), usage, doneEvent]
  }

  #chunk(delta: JsonObject, finishReason: string | null): SseEvent {
    return this.#object({ choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }] })
  }

  #object(members: JsonObject): SseEvent {
    const head = this.#head
    const chunk = membersOf({
      id: idFor(head),
      object: "chat.completion.chunk",
      created: head.createdAt ?? this.#asked.askedAt,
      model: head.model,
      service_tier: head.serviceTier,
      ...members,
    })
    return { data: encoder.encode(JSON.stringify(chunk)), event: undefined }
  }
}

/** `DialectForm.writeEvents`. The chunk of usage is always there: whoever did not ask for it is not shown it. */
export const writeEvents = (asked: AskedFor): Running<AnswerEvent, SseEvent> => new Writer(asked)
