/**
 * The machine that changes the texts of a streamed message: events in, the same events out with a prefix, or without thinking. A block of which nothing
 * is left is left out, and those behind it are numbered on without a gap, since SDKs find a block by its place.
 *
 * It judges nothing. What it holds back goes before the end of its block, so that nothing of a text is lost.
 */
import type { JsonObject } from "../../wire/Json.ts"
import { encodeJson, rewriteJson } from "../../wire/JsonBytes.ts"
import { outlineOf, wholeLimits } from "../../wire/JsonOutline.ts"
import type { Machine } from "../../wire/Machine.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import type { ChoiceTransform } from "../ChoiceTransform.ts"
import { longestChanged, ping, tooLong, unreadable } from "../StreamEvent.ts"
import { blockIndexOf, typeOf, within } from "./MessageEvent.ts"
import {
  type MessageRun,
  type MessageTexts,
  messageTexts,
  thinkingDeltas,
  thinkingTypes,
} from "./MessageTexts.ts"

/** A block that has begun. */
interface OpenBlock {
  /** As the upstream numbers it. */
  readonly index: number
  /** As the client does; `undefined` of one that is left out. */
  readonly given: number | undefined
  readonly isText: boolean
  /** How far its text has come: blocks may come in turns. */
  readonly thinking: MessageRun[1]
  /** Its beginning, and what was said of its text, which wait until something is left of that. */
  readonly waiting: ReadonlyArray<SseEvent>
  /** It had a text. */
  readonly hadText: boolean
}

export interface MessageEventState {
  /** Whether the prefix has come, which all texts have in common. */
  readonly prefix: MessageRun[0]
  /** The numbers of blocks that were left out. */
  readonly left: ReadonlyArray<number>
  readonly open: ReadonlyArray<OpenBlock>
  /** The event that ends the answer has passed. */
  readonly isOver: boolean
}

export type MessageEventTexts = Machine<MessageEventState, SseEvent, SseEvent>

type Step = readonly [MessageEventState, ReadonlyArray<SseEvent>]

/** Blocks follow each other; those of a hostile upstream beyond these pass as they are. */
const mostOpen = 64

/** No message has so many thoughts; those that a hostile upstream has beyond these leave gaps. */
const mostLeft = 1_024

/** What is said of a text that is held back, at most: so many events, and none more once they have so many bytes. */
const mostWaiting = 256
const mostWaitingBytes = 1024 * 1024

const mayWait = ({ hadText, waiting }: OpenBlock): boolean =>
  hadText &&
  waiting.length > 0 &&
  waiting.length < mostWaiting &&
  waiting.reduce((bytes, { data }) => bytes + data.length, 0) < mostWaitingBytes

const nothing: ReadonlyArray<SseEvent> = []

const changed = (event: SseEvent, before: JsonObject, after: JsonObject): SseEvent => {
  const data = rewriteJson(event.data, before, after)
  return data === undefined ? event : { data, event: event.event }
}

/** The event under the number that its block has for the client. */
const numbered = (event: SseEvent, data: JsonObject, given: number): SseEvent =>
  blockIndexOf(data) === given ? event : changed(event, data, { ...data, index: given })

const textDelta = (index: number, text: string): SseEvent => ({
  event: "content_block_delta",
  data:
    encodeJson({ type: "content_block_delta", index, delta: { type: "text_delta", text } }) ??
    new Uint8Array(),
})

const withBlock = (state: MessageEventState, block: OpenBlock): MessageEventState => ({
  ...state,
  open: [...state.open.filter(({ index }) => index !== block.index), block].slice(-mostOpen),
})

const withoutBlock = (state: MessageEventState, block: OpenBlock): MessageEventState => ({
  ...state,
  open: state.open.filter((one) => one !== block),
})

/** The beginning of a block where that has waited, before what there is of it. */
const begun = ({ waiting }: OpenBlock, events: ReadonlyArray<SseEvent>): ReadonlyArray<SseEvent> =>
  waiting.length === 0 ? events : [...waiting, ...events]

/** The state in which nothing of a block waits any more. */
const asBegun = (state: MessageEventState, block: OpenBlock): MessageEventState =>
  block.waiting.length === 0 ? state : withBlock(state, { ...block, waiting: nothing })

/** What is still held back of a block's text, of which no more comes. */
const restOf = (texts: MessageTexts, state: MessageEventState, block: OpenBlock): Step => {
  if (!block.isText || block.given === undefined) return [state, nothing]
  const [[, thinking], text] = texts.rest([state.prefix, block.thinking])
  const ended: OpenBlock = { ...block, thinking }
  return text === ""
    ? [withBlock(state, ended), nothing]
    : [asBegun(withBlock(state, ended), ended), begun(block, [textDelta(block.given, text)])]
}

/** The beginnings of blocks that wait: what begins behind them would be numbered as if they had begun. */
const allBegun = (state: MessageEventState): Step => {
  const events = state.open.flatMap(({ waiting }) => waiting)
  return events.length === 0
    ? [state, nothing]
    : [{ ...state, open: state.open.map((block) => ({ ...block, waiting: nothing })) }, events]
}

/** The number that the client has for a block. */
const givenAt = ({ left }: MessageEventState, index: number): number =>
  left.length === 0 ? index : index - left.filter((one) => one < index).length

/** A block is left out, of which more may come once it has ended. */
const leftOut = (state: MessageEventState, index: number): MessageEventState =>
  state.left.length === mostLeft || state.left.includes(index)
    ? state
    : { ...state, left: [...state.left, index] }

/** The state after a thought, which is left out where thinking is. */
const thought = (texts: MessageTexts, state: MessageEventState, index: number): MessageEventState => {
  const next = { ...state, prefix: texts.thought([state.prefix, texts.initial[1]])[0] }
  return texts.strips ? leftOut(next, index) : next
}

/** A block of which a delta comes, and no beginning came. */
const unbegun = (
  texts: MessageTexts,
  before: MessageEventState,
  data: JsonObject,
): readonly [MessageEventState, OpenBlock] => {
  const { type } = within(data, "delta")
  const index = blockIndexOf(data)
  const isThought = thinkingDeltas.has(type)
  const state = isThought ? thought(texts, before, index) : before
  const block: OpenBlock = {
    index,
    given: isThought && texts.strips ? undefined : givenAt(before, index),
    isText: type === "text_delta",
    thinking: texts.initial[1],
    waiting: nothing,
    hadText: false,
  }
  return [withBlock(state, block), block]
}

/** What is still held back of all texts. */
const restOfAll = (texts: MessageTexts, before: MessageEventState): Step => {
  let state = before
  const events: Array<SseEvent> = []
  for (const block of before.open) {
    const [next, some] = restOf(texts, state, block)
    state = next
    events.push(...some)
  }
  return [state, events]
}

const started = (texts: MessageTexts, state: MessageEventState, event: SseEvent, data: JsonObject): Step => {
  const block = within(data, "content_block")
  const index = blockIndexOf(data)
  const given = givenAt(state, index)
  const open: OpenBlock = {
    index,
    given,
    isText: block["type"] === "text",
    thinking: texts.initial[1],
    waiting: nothing,
    hadText: false,
  }
  if (thinkingTypes.has(block["type"])) {
    const next = thought(texts, state, index)
    return texts.strips ? [withBlock(next, { ...open, given: undefined }), nothing] : [next, [event]]
  }
  const before = block["text"]
  if (!open.isText || typeof before !== "string") {
    return [withBlock(state, open), [numbered(event, data, given)]]
  }
  const [[prefix, read], text] = texts.text([state.prefix, open.thinking], before)
  const next = { ...state, prefix }
  const start =
    text === before && given === index
      ? event
      : changed(event, data, { ...data, index: given, content_block: { ...block, text } })
  return texts.strips && text === ""
    ? [withBlock(next, { ...open, thinking: read, waiting: [start], hadText: before !== "" }), nothing]
    : [withBlock(next, { ...open, thinking: read }), [start]]
}

const continued = (
  texts: MessageTexts,
  before: MessageEventState,
  event: SseEvent,
  data: JsonObject,
): Step => {
  const index = blockIndexOf(data)
  const known = before.open.find((one) => one.index === index)
  const [state, block] = known === undefined ? unbegun(texts, before, data) : [before, known]
  const { given } = block
  if (given === undefined) return [state, nothing]
  const delta = within(data, "delta")
  const said = delta["text"]
  if (!block.isText || delta["type"] !== "text_delta" || typeof said !== "string") {
    const sent = numbered(event, data, given)
    // What is said of a text goes with it.
    return mayWait(block)
      ? [withBlock(state, { ...block, waiting: [...block.waiting, sent] }), nothing]
      : [asBegun(state, block), begun(block, [sent])]
  }
  const [[prefix, thinking], text] = texts.text([state.prefix, block.thinking], said)
  const next = prefix === state.prefix ? state : { ...state, prefix }
  if (text === "" && (said !== "" || block.waiting.length > 0)) {
    return [withBlock(next, { ...block, thinking, hadText: block.hadText || said !== "" }), nothing]
  }
  const sent =
    text === said && given === index
      ? event
      : changed(event, data, { ...data, index: given, delta: { ...delta, text } })
  const after: OpenBlock = { ...block, thinking, waiting: nothing }
  return [
    after.thinking === block.thinking ? asBegun(next, block) : withBlock(next, after),
    begun(block, [sent]),
  ]
}

const stopped = (texts: MessageTexts, before: MessageEventState, event: SseEvent, data: JsonObject): Step => {
  const index = blockIndexOf(data)
  const block = before.open.find((one) => one.index === index)
  if (block === undefined) return [before, [numbered(event, data, givenAt(before, index))]]
  const { given } = block
  if (given === undefined) return [withoutBlock(before, block), nothing]
  const [state, rest] = restOf(texts, before, block)
  const last = state.open.find((one) => one.index === index) ?? block
  const closed = withoutBlock(state, last)
  if (last.waiting.length > 0 && last.hadText) return [leftOut(closed, index), rest]
  return [closed, [...rest, ...begun(last, [numbered(event, data, given)])]]
}

/** The machine; `undefined` where there is nothing to change. */
export const messageEventTexts = (transform: ChoiceTransform): MessageEventTexts | undefined => {
  const texts = messageTexts(transform)
  if (texts === undefined) return undefined

  /** What was held back, and then the event that ends the answer. */
  const endedBy = (state: MessageEventState, event: SseEvent): Step => {
    const [next, rest] = restOfAll(texts, state)
    return [{ ...next, isOver: true }, [...rest, event]]
  }

  const step = (state: MessageEventState, event: SseEvent): Step => {
    // Once there is a prefix, and no more than a prefix is wanted, all passes.
    if (state.isOver || event === ping || (!texts.strips && state.prefix.begun)) return [state, [event]]
    const data = outlineOf(event.data, wholeLimits)
    if (data === undefined) return [state, [event.event === "error" ? event : unreadable]]
    const type = typeOf(event, data)
    if (type === "error" || event.event === "error") return endedBy(state, event)
    if (event.data.length > longestChanged) return endedBy(state, tooLong)
    switch (type) {
      case "content_block_start": {
        const [next, waited] = allBegun(state)
        const [after, events] = started(texts, next, event, data)
        return [after, waited.length === 0 ? events : [...waited, ...events]]
      }
      case "content_block_delta":
        return continued(texts, state, event, data)
      case "content_block_stop":
        return stopped(texts, state, event, data)
      case "message_delta": {
        const [next, rest] = restOfAll(texts, state)
        return [next, [...rest, event]]
      }
      case "message_stop":
        return endedBy(state, event)
      default:
        return [state, [event]]
    }
  }

  return {
    initial: { prefix: texts.initial[0], left: [], open: [], isOver: false },
    step,
    halt: (state) => (state.isOver ? nothing : restOfAll(texts, state)[1]),
  }
}
