/** The events of a streamed message as those of an answer. */
import { blockIndexOf, errorOfEvent, typeOf, within } from "../../answer/messages/MessageEvent.ts"
import { mergeCounts, noCounts, readCounts, usageOf } from "../../answer/messages/MessageUsage.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent } from "../Answer.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { textIn } from "../Members.ts"
import type { Seal } from "../Seal.ts"
import { headOf, sealOf } from "./MessagesAnswerReader.ts"
import { callOfBlock } from "./MessagesBlocks.ts"
import { citationOf } from "./MessagesCitations.ts"
import { explanationOf, finishOf } from "./MessagesFinish.ts"

/** A block that is open. Mutable on purpose: one block. */
interface OpenBlock {
  readonly kind: "text" | "reasoning" | "tool_call"
  readonly key: string
  /** It is told only once it says something. */
  isTold: boolean
  /** UTF-16 units that it has said. */
  length: number
  /** What it refers to is told of all of it, at its end. */
  readonly citations: Array<JsonObject>
  /** Signatures come whole as a rule. */
  signature: string
  /** What a call was given when it began, unless it comes in pieces. */
  readonly input: string
  /** What is kept of it. */
  weight: number
}

/** What it takes to know a block, in UTF-16 units. */
const blockWeight = 256

const memberText = (holder: JsonObject, name: string): string => textIn(holder[name]) ?? ""

/** Mutable on purpose: one stream. */
export class MessagesEventReader implements EventReading {
  readonly #line: EventLine
  readonly #blocks = new Map<number, OpenBlock>()
  #begun = 0
  #counts = noCounts
  #calls = false
  #ending: JsonObject | undefined

  constructor(ownId: string | undefined) {
    this.#line = new EventLine(ownId)
  }

  /** Its end is said. */
  get isFinished(): boolean {
    return this.#ending?.["stop_reason"] !== undefined && this.#ending["stop_reason"] !== null
  }

  take(events: Iterable<SseEvent>): ReadonlyArray<AnswerEvent> {
    for (const event of events) {
      if (this.#line.isOver) break
      this.#read(event)
    }
    return this.#line.take()
  }

  /** What has said why it ends has ended. */
  rest(): ReadonlyArray<AnswerEvent> {
    if (this.isFinished && !this.#line.isOver) this.#end()
    return this.#line.take()
  }

  #read(event: SseEvent): void {
    // Gateways before the upstream may end its answer as chats end.
    if (isDone(event)) {
      if (this.#ending !== undefined) this.#end()
      return
    }
    const data = parseObject(event.data)
    const error = errorOfEvent(event, data)
    if (error !== undefined) this.#line.fail(error)
    else if (data !== undefined) this.#readData(typeOf(event, data), data)
  }

  #readData(type: string | undefined, data: JsonObject): void {
    switch (type) {
      case "message_start": {
        const message = within(data, "message")
        this.#line.begin(headOf(message))
        this.#count(message["usage"])
        break
      }
      case "content_block_start":
        this.#start(blockIndexOf(data), within(data, "content_block"))
        break
      case "content_block_delta":
        this.#add(blockIndexOf(data), within(data, "delta"))
        break
      case "content_block_stop":
        this.#stop(blockIndexOf(data))
        break
      case "message_delta":
        this.#ending = { ...this.#ending, ...within(data, "delta") }
        this.#count(data["usage"])
        break
      case "message_stop":
        this.#end()
        break
    }
  }

  #count(usage: Json | undefined): void {
    this.#counts = mergeCounts(this.#counts, readCounts(usage))
    this.#line.count(usageOf(this.#counts))
  }

  #start(index: number, block: JsonObject): void {
    this.#stop(index)
    switch (block["type"]) {
      case "text":
        this.#say(this.#open(index, "text"), memberText(block, "text"))
        break
      case "thinking": {
        const open = this.#open(index, "reasoning")
        this.#sign(open, memberText(block, "signature"))
        this.#say(open, memberText(block, "thinking"))
        break
      }
      case "redacted_thinking":
        this.#seal(this.#open(index, "reasoning"), sealOf(block["data"], true))
        break
      case "tool_use":
        this.#call(index, block)
        break
      // What no other dialect has is not told, nor what comes of it.
    }
  }

  #open(index: number, kind: OpenBlock["kind"], input = ""): OpenBlock {
    const key = String(this.#begun++)
    const open: OpenBlock = {
      kind,
      key,
      isTold: false,
      length: 0,
      citations: [],
      signature: "",
      input,
      weight: 0,
    }
    this.#keep(open, blockWeight + input.length)
    this.#blocks.set(index, open)
    return open
  }

  /** Keeps so many units of a block until it ends. */
  #keep(open: OpenBlock, units: number): void {
    open.weight += units
    this.#line.keep(units)
  }

  #tell(open: OpenBlock): void {
    if (open.isTold || open.kind === "tool_call") return
    open.isTold = true
    this.#line.open(open.key, { kind: open.kind }, "close")
  }

  #say(open: OpenBlock, text: string): void {
    if (text === "") return
    open.length += text.length
    this.#tell(open)
    this.#line.more(open.key, text)
  }

  #sign(open: OpenBlock, signature: string): void {
    this.#keep(open, signature.length)
    open.signature += signature
  }

  #seal(open: OpenBlock, seal: Seal | undefined): void {
    if (seal === undefined) return
    this.#tell(open)
    this.#line.seal(open.key, seal)
  }

  #call(index: number, block: JsonObject): void {
    this.#calls = true
    const { id, input, name } = callOfBlock(block)
    const { key } = this.#open(index, "tool_call", input)
    this.#line.open(key, { kind: "tool_call", id, name, isFreeForm: false }, "close")
  }

  #add(index: number, delta: JsonObject): void {
    const { type } = delta
    const open = this.#blocks.get(index) ?? this.#unbegun(index, type)
    if (open === undefined) return
    switch (type) {
      case "text_delta":
        this.#sayAs("text", open, memberText(delta, "text"))
        break
      case "thinking_delta":
        this.#sayAs("reasoning", open, memberText(delta, "thinking"))
        break
      case "input_json_delta":
        this.#sayAs("tool_call", open, memberText(delta, "partial_json"))
        break
      case "signature_delta":
        this.#sign(open, memberText(delta, "signature"))
        break
      case "citations_delta":
        this.#cite(open, within(delta, "citation"))
        break
    }
  }

  /** Of what a citation says, only what is told of it is kept. */
  #cite(open: OpenBlock, { title, type, url }: JsonObject): void {
    this.#keep(open, blockWeight + (textIn(title)?.length ?? 0) + (textIn(url)?.length ?? 0))
    if (!this.#line.isOver)
      open.citations.push({ title: title ?? null, type: type ?? null, url: url ?? null })
  }

  /** Several servers say texts without having begun a block. */
  #unbegun(index: number, type: Json | undefined): OpenBlock | undefined {
    const kind = type === "text_delta" ? "text" : type === "thinking_delta" ? "reasoning" : undefined
    return kind === undefined ? undefined : this.#open(index, kind)
  }

  /** A delta that is not of its block's kind is none of it. */
  #sayAs(kind: OpenBlock["kind"], open: OpenBlock, text: string): void {
    if (open.kind === kind) this.#say(open, text)
  }

  #stop(index: number): void {
    const open = this.#blocks.get(index)
    if (open === undefined) return
    this.#blocks.delete(index)
    this.#endOf(open)
    this.#line.keep(-open.weight)
    this.#line.close(open.key)
  }

  /** What is said of a block at its end. */
  #endOf(open: OpenBlock): void {
    switch (open.kind) {
      case "text":
        for (const one of open.citations) {
          const citation = citationOf(one, open.length)
          if (citation !== undefined) this.#line.cite(open.key, citation)
        }
        return
      case "reasoning":
        this.#seal(open, sealOf(open.signature, false))
        break
      case "tool_call":
        if (open.length === 0) this.#line.more(open.key, open.input)
    }
  }

  #end(): void {
    const ending = this.#ending ?? {}
    const finish = finishOf(ending, this.#calls)
    // A call that is not closed was given no more input than came: the line knows whether that is all of it.
    for (const index of [...this.#blocks.keys()]) this.#stop(index)
    this.#line.end(finish, finish.kind === "refused" ? explanationOf(ending["stop_details"]) : undefined)
  }
}
