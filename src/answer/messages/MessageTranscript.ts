/**
 * A streamed message put together again into the plain one, from the data of its events: for the audit, and for a client that asked for a plain answer.
 * Made of the events' own text, so that no number loses a digit and no depth of nesting matters.
 */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseObject, surelyPrintableBytes } from "../../wire/JsonBytes.ts"
import { memberText, memberTexts, replaceMembers } from "../../wire/JsonText.ts"
import { unpack } from "../../wire/PackedData.ts"
import { blockIndexOf, within } from "./MessageEvent.ts"
import { thinkingDeltas } from "./MessageTexts.ts"

/** A block as it comes. Mutable on purpose: one block. */
interface ComingBlock {
  /** As it began. */
  readonly text: string
  /** What its deltas add to its members. */
  readonly added: Map<string, Array<string>>
  /** The arguments of a call, which come as JSON in pieces. */
  readonly input: Array<string>
  readonly citations: Array<string>
}

/** What a block is taken for whose beginning did not come. */
const emptyText = '{"type":"text","text":""}'
const emptyThought = '{"type":"thinking","thinking":""}'

/** Blocks of one message that are put together; of a hostile upstream the others are left out. */
const mostBlocks = 10_000

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const printed = (value: Json): string => decoder.decode(encodeJson(value) ?? encoder.encode("null"))

/** The arguments as the object that they spell, or as a text where they are not whole. */
const inputOf = (pieces: ReadonlyArray<string>): string => {
  const text = pieces.join("")
  return parseObject(encoder.encode(text)) === undefined ? JSON.stringify(text) : text
}

const textBefore = (block: string, name: string): string => {
  const before: Json | undefined = parseObject(encoder.encode(block))?.[name]
  return typeof before === "string" ? before : ""
}

const blockText = ({ added, citations, input, text }: ComingBlock): string => {
  const edits: Array<readonly [string, string]> = [...added].map(([name, pieces]) => [
    name,
    JSON.stringify(textBefore(text, name) + pieces.join("")),
  ])
  if (input.some((piece) => piece !== "")) edits.push(["input", inputOf(input)])
  if (citations.length > 0) edits.push(["citations", `[${citations.join(",")}]`])
  return edits.length === 0 ? text : replaceMembers(text, edits)
}

const isCount = (value: Json | undefined): value is number => typeof value === "number"

/** Of two reports of usage the last word on each member, and of counts the larger. */
const laterUsage = (before: JsonObject, now: JsonObject): JsonObject =>
  Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(now)])].map((name) => {
      const [was, is] = [before[name], now[name]]
      if (isCount(was) && isCount(is)) return [name, Math.max(was, is)]
      return [name, is ?? was ?? null]
    }),
  )

/** Members of the last event that are not its own: they belong to the message. */
const ofEvent: ReadonlySet<string> = new Set(["type", "delta", "usage"])

/** A message as it comes. Mutable on purpose: one answer. */
class ComingMessage {
  /** As it began. */
  #message = ""
  readonly #edits = new Map<string, string>()
  readonly #blocks = new Map<number, ComingBlock>()
  #usage: JsonObject | undefined
  error: string | undefined

  get isBegun(): boolean {
    return this.#message !== ""
  }

  take(data: Uint8Array, event: JsonObject): void {
    const text = decoder.decode(data)
    switch (event["type"]) {
      case "message_start":
        this.#message = memberText(text, "message") ?? "{}"
        this.#count(within(event, "message")["usage"])
        return
      case "content_block_start":
        this.#begin(blockIndexOf(event), memberText(text, "content_block") ?? "{}")
        return
      case "content_block_delta":
        this.#add(blockIndexOf(event), within(event, "delta"), text)
        return
      case "message_delta":
        for (const [name, value] of memberTexts(text)) if (!ofEvent.has(name)) this.#edits.set(name, value)
        if (isJsonObject(event["delta"])) {
          for (const [name, value] of memberTexts(memberText(text, "delta") ?? "{}"))
            this.#edits.set(name, value)
        }
        this.#count(event["usage"])
        return
      case "error":
        this.error = memberText(text, "error")
        return
    }
  }

  #count(usage: Json | undefined): void {
    if (usage !== undefined && isJsonObject(usage)) {
      this.#usage = this.#usage === undefined ? usage : laterUsage(this.#usage, usage)
    }
  }

  #begin(index: number, text: string): void {
    if (this.#blocks.size >= mostBlocks || !text.startsWith("{")) return
    this.#blocks.set(index, { text, added: new Map(), input: [], citations: [] })
  }

  #add(index: number, delta: JsonObject, text: string): void {
    if (!this.#blocks.has(index))
      this.#begin(index, thinkingDeltas.has(delta["type"]) ? emptyThought : emptyText)
    const block = this.#blocks.get(index)
    if (block === undefined) return
    for (const [name, value] of Object.entries(delta)) {
      if (name === "citation") {
        block.citations.push(memberText(memberText(text, "delta") ?? "{}", "citation") ?? "null")
      } else if (name === "type" || typeof value !== "string") continue
      else if (name === "partial_json") block.input.push(value)
      else {
        const pieces = block.added.get(name)
        if (pieces === undefined) block.added.set(name, [value])
        else pieces.push(value)
      }
    }
  }

  /** What it has come to. */
  whole(truncated: boolean): string {
    const edits: Array<readonly [string, string]> = [...this.#edits]
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b).map(([, block]) => blockText(block))
    edits.push(["content", `[${blocks.join(",")}]`])
    if (this.#usage !== undefined) edits.push(["usage", printed(this.#usage)])
    if (this.error !== undefined) edits.push(["error", this.error])
    if (truncated) edits.push(["truncated", "true"])
    return replaceMembers(this.isBegun ? this.#message : '{"type":"message","role":"assistant"}', edits)
  }
}

/** Whether an event can be printed: a hostile one may be nested too deep. */
const isPrintable = (data: Uint8Array, event: JsonObject): boolean =>
  data.length <= surelyPrintableBytes || encodeJson(event) !== undefined

/** @param takes which events are put together */
const comingOf = (
  datas: ReadonlyArray<Uint8Array>,
  takes: (data: Uint8Array, event: JsonObject) => boolean,
): ComingMessage => {
  const coming = new ComingMessage()
  for (const data of datas) {
    const event = parseObject(data)
    if (event !== undefined && takes(data, event)) coming.take(data, event)
  }
  return coming
}

/**
 * The message that a stream's data makes; an error event's `error` stands beside what came before it. Left out is what is nested too deep to be printed.
 *
 * @param truncated that data is missing at the end; the message then says `"truncated": true`
 */
export const assembledMessage = (datas: ReadonlyArray<Uint8Array>, truncated: boolean): JsonObject =>
  parseObject(encoder.encode(comingOf(datas, isPrintable).whole(truncated))) ?? {}

/** The plain message that packed data make; `undefined` where they begin none. */
export const gatheredMessage = (packed: Uint8Array): Uint8Array | undefined => {
  const coming = comingOf(unpack(packed), () => true)
  return coming.isBegun ? encoder.encode(coming.whole(false)) : undefined
}
