/** The events of a streamed message as those of an answer. */
import { blockIndexOf, errorOfEvent, typeOf, within } from "../../answer/messages/MessageEvent.ts"
import { mergeCounts, noCounts, readCounts, usageOf } from "../../answer/messages/MessageUsage.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent, NeutralHead } from "../Answer.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { headOf, sealOf } from "./MessagesAnswerReader.ts"
import { callOfBlock } from "./MessagesBlocks.ts"
import { citationOf } from "./MessagesCitations.ts"
import { explanationOf, finishOf } from "./MessagesFinish.ts"

type Events = ReadonlyArray<AnswerEvent>

/** A block that is open. Mutable on purpose: one block. */
interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool_call"
  readonly key: string
  /** It is told only once it says something. */
  isTold: boolean
  /** UTF-16 units that it has said. */
  length: number
  /** What it refers to is told of all of it, at its end. */
  readonly citations: Array<Json>
  /** Signatures come whole as a rule. */
  signature: string
  /** What a call was given when it began, unless it comes in pieces. */
  readonly input: string
}

/** More of a hostile upstream are left out: blocks that are open at once, and what there is of one. */
const mostOpen = 1_000
const mostCitations = 256
const longestSignature = 4 * 1024 * 1024

const noHead: NeutralHead = { id: "", model: "", createdAt: undefined, serviceTier: undefined }

const textIn = (holder: JsonObject, name: string): string => {
  const value = holder[name]
  return typeof value === "string" ? value : ""
}

/** Mutable on purpose: one stream. */
export class MessagesEventReader implements EventReading {
  readonly #line = new EventLine()
  readonly #blocks = new Map<number, OpenBlock>()
  #begun = 0
  #counts = noCounts
  #hasBegun = false
  #isOver = false
  #calls = false
  #ending: JsonObject | undefined

  /** Its end is said. */
  get isFinished(): boolean {
    return this.#ending?.["stop_reason"] !== undefined && this.#ending["stop_reason"] !== null
  }

  take(events: Iterable<SseEvent>): Events {
    const told: Array<AnswerEvent> = []
    for (const event of events) if (!this.#isOver) for (const one of this.#read(event)) told.push(one)
    return told
  }

  /** What has said why it ends has ended. */
  rest(): Events {
    return this.#isOver || !this.isFinished ? [] : this.#end()
  }

  #read(event: SseEvent): Events {
    // Gateways before the upstream may end its answer as chats end.
    if (isDone(event)) return this.#ending === undefined ? [] : this.#end()
    const data = parseObject(event.data)
    const error = errorOfEvent(event, data)
    if (error !== undefined) {
      this.#isOver = true
      return [{ kind: "error", error }]
    }
    return data === undefined ? [] : this.#readData(typeOf(event, data), data)
  }

  #readData(type: string | undefined, data: JsonObject): Events {
    switch (type) {
      case "message_start": {
        const message = within(data, "message")
        return [...this.#begin(headOf(message)), ...this.#count(message["usage"])]
      }
      case "content_block_start":
        return [...this.#begin(), ...this.#start(blockIndexOf(data), within(data, "content_block"))]
      case "content_block_delta":
        return [...this.#begin(), ...this.#add(blockIndexOf(data), within(data, "delta"))]
      case "content_block_stop":
        return this.#stop(blockIndexOf(data))
      case "message_delta":
        this.#ending = { ...this.#ending, ...within(data, "delta") }
        return [...this.#begin(), ...this.#count(data["usage"])]
      case "message_stop":
        return this.#end()
      default:
        return []
    }
  }

  #begin(head: NeutralHead = noHead): Events {
    if (this.#hasBegun) return []
    this.#hasBegun = true
    return [{ kind: "begins", head }]
  }

  #count(usage: Json | undefined): Events {
    this.#counts = mergeCounts(this.#counts, readCounts(usage))
    return [{ kind: "counts", counts: usageOf(this.#counts) }]
  }

  #start(index: number, block: JsonObject): Events {
    const before = this.#stop(index)
    if (this.#blocks.size >= mostOpen) return before
    switch (block["type"]) {
      case "text":
        return [...before, ...this.#say(this.#open(index, "text"), textIn(block, "text"))]
      case "thinking": {
        const open = this.#open(index, "reasoning")
        open.signature = textIn(block, "signature")
        return [...before, ...this.#say(open, textIn(block, "thinking"))]
      }
      case "redacted_thinking":
        return [...before, ...this.#redacted(this.#open(index, "reasoning"), block)]
      case "tool_use":
        return [...before, ...this.#call(index, block)]
      // What no other dialect has is not told, nor what comes of it.
      default:
        return before
    }
  }

  #open(index: number, kind: OpenBlock["kind"], input = ""): OpenBlock {
    const key = String(this.#begun++)
    const open: OpenBlock = { kind, key, isTold: false, length: 0, citations: [], signature: "", input }
    this.#blocks.set(index, open)
    return open
  }

  #tell(open: OpenBlock): Events {
    if (open.isTold || open.kind === "tool_call") return []
    open.isTold = true
    return this.#line.open(open.key, { kind: open.kind }, "close")
  }

  #say(open: OpenBlock, text: string): Events {
    if (text === "") return []
    open.length += text.length
    return [...this.#tell(open), ...this.#line.more(open.key, text)]
  }

  #redacted(open: OpenBlock, { data }: JsonObject): Events {
    const seal = sealOf(data, true)
    return seal === undefined
      ? []
      : [...this.#tell(open), ...this.#line.add(open.key, { kind: "sealed", seal })]
  }

  #call(index: number, block: JsonObject): Events {
    this.#calls = true
    const { id, input, name } = callOfBlock(block)
    const { key } = this.#open(index, "tool_call", input)
    return this.#line.open(key, { kind: "tool_call", id, name, isFreeForm: false }, "close")
  }

  #add(index: number, delta: JsonObject): Events {
    const { type } = delta
    const open = this.#blocks.get(index) ?? this.#unbegun(index, type)
    if (open === undefined) return []
    switch (type) {
      case "text_delta":
        return this.#sayAs("text", open, textIn(delta, "text"))
      case "thinking_delta":
        return this.#sayAs("reasoning", open, textIn(delta, "thinking"))
      case "input_json_delta":
        return this.#sayAs("tool_call", open, textIn(delta, "partial_json"))
      case "signature_delta":
        if (open.signature.length < longestSignature) open.signature += textIn(delta, "signature")
        return []
      case "citations_delta":
        if (open.citations.length < mostCitations) open.citations.push(delta["citation"] ?? null)
        return []
      default:
        return []
    }
  }

  /** Several servers say texts without having begun a block. */
  #unbegun(index: number, type: Json | undefined): OpenBlock | undefined {
    const kind = type === "text_delta" ? "text" : type === "thinking_delta" ? "reasoning" : undefined
    return kind === undefined || this.#blocks.size >= mostOpen ? undefined : this.#open(index, kind)
  }

  /** A delta that is not of its block's kind is none of it. */
  #sayAs(kind: OpenBlock["kind"], open: OpenBlock, text: string): Events {
    return open.kind === kind ? this.#say(open, text) : []
  }

  #stop(index: number): Events {
    const open = this.#blocks.get(index)
    if (open === undefined) return []
    this.#blocks.delete(index)
    return [...this.#lastOf(open), ...this.#line.close(open.key)]
  }

  /** What is said of a block at its end. */
  #lastOf(open: OpenBlock): Events {
    switch (open.kind) {
      case "text":
        return open.citations.flatMap((one) => {
          const citation = citationOf(one, open.length)
          return citation === undefined ? [] : this.#line.add(open.key, { kind: "cited", citation })
        })
      case "reasoning": {
        const seal = sealOf(open.signature, false)
        return seal === undefined
          ? []
          : [...this.#tell(open), ...this.#line.add(open.key, { kind: "sealed", seal })]
      }
      case "tool_call":
        return open.length === 0 ? this.#line.more(open.key, open.input) : []
    }
  }

  #end(): Events {
    this.#isOver = true
    const ending = this.#ending ?? {}
    const finish = finishOf(ending, this.#calls)
    const why = finish.kind === "refused" ? explanationOf(ending["stop_details"]) : undefined
    return [
      ...this.#begin(),
      ...[...this.#blocks.keys()].flatMap((index) => this.#stop(index)),
      ...this.#line.end(),
      ...(why === undefined ? [] : this.#refuse(why)),
      { kind: "ends", finish },
    ]
  }

  #refuse(why: string): Events {
    const key = String(this.#begun++)
    return [
      ...this.#line.open(key, { kind: "refusal" }, "close"),
      ...this.#line.more(key, why),
      ...this.#line.close(key),
    ]
  }
}
