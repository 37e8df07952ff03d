/**
 * How a streamed message is resumed that broke off within its first text: what was said becomes the last turn, which the model goes on with, and its
 * events those of the block that is open. Not after thinking, nor within a call of a tool: neither can be begun for a model.
 */
import { blockIndexOf, errorOfEvent, isTextDelta, typeOf, within } from "../answer/messages/MessageEvent.ts"
import type { AnswerBeginning, ResumePoint, ResumeRules, Seen } from "../answer/ResumeRules.ts"
import { isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { encodeJson, parseObject, rewriteJson } from "../wire/JsonBytes.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { type Machine, MachineRun } from "../wire/Machine.ts"
import { isDone, type SseEvent } from "../wire/Sse.ts"
import { endsInHalf } from "./SaidSoFar.ts"

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "")

/** The text that an event adds to the answer; `undefined` of one that adds something else. */
const textIn = (type: string | undefined, data: JsonObject): string | undefined => {
  const said = within(data, type === "content_block_start" ? "content_block" : "delta")
  const isText = said["type"] === "text" || said["type"] === "text_delta"
  return isText ? textOf(said["text"]) : undefined
}

const seen: ResumeRules["seen"] = (event): Seen => {
  if (isTextDelta(event)) return "part"
  if (isDone(event)) return "over"
  const data = outlineOf(event.data, answerLimits)
  const error = errorOfEvent(event, data)
  if (error !== undefined) return { error: error.message }
  const type = typeOf(event, data)
  if (data === undefined) return "over"
  if (type === "message_start") return "part"
  const isOfText = type === "content_block_start" || type === "content_block_delta"
  return isOfText && textIn(type, data) !== undefined ? "part" : "over"
}

/** Whether what breaks off may be thinking, which nobody resumes. */
const mayThink = (text: string, { prefix, tags }: AnswerBeginning): boolean =>
  tags.some((tag) => text.includes(`<${tag}>`) || prefix.includes(`<${tag}>`))

/** Where a message broke off. */
interface BreakPoint {
  readonly text: string
  /** The number of the block that is open. */
  readonly block: number
}

const breakIn = (datas: ReadonlyArray<Uint8Array>): BreakPoint | undefined => {
  const texts: Array<string> = []
  let block: number | undefined
  for (const data of datas) {
    const event = parseObject(data)
    if (event === undefined) return undefined
    const type = typeOf({ event: undefined }, event)
    if (type === "message_start") continue
    if (block === undefined) block = blockIndexOf(event)
    else if (blockIndexOf(event) !== block) return undefined
    texts.push(textIn(type, event) ?? "")
  }
  return block === undefined ? undefined : { block, text: texts.join("") }
}

interface JoinedState {
  /** White space that was said already, and may come again. */
  readonly space: string
  /** What is added to the number of a block; `undefined` until the first. */
  readonly shift: number | undefined
  /** The usage with which the message began that is resumed in. */
  readonly usage: JsonObject
}

type Step = readonly [JoinedState, ReadonlyArray<SseEvent>]

const nothing: ReadonlyArray<SseEvent> = []

const changed = (event: SseEvent, before: JsonObject, after: JsonObject): SseEvent => {
  const data = rewriteJson(event.data, before, after)
  return data === undefined ? event : { data, event: event.event }
}

const eventOf = (type: string, members: JsonObject): SseEvent => ({
  data: encodeJson({ type, ...members }) ?? new Uint8Array(),
  event: type,
})

/** What of a text was not said yet, and how much of the space may still come again. */
const withoutSpace = (space: string, text: string): readonly [string, string] => {
  let at = 0
  while (at < space.length && at < text.length && space[at] === text[at]) at++
  return [at === text.length ? space.slice(at) : "", text.slice(at)]
}

/** The machine that makes the events of the upstream that resumes a message those of the one that broke off. */
const joinedTo = (block: number, space: string): Machine<JoinedState, SseEvent, SseEvent> => {
  const stopOfBlock = eventOf("content_block_stop", { index: block })

  const text = (state: JoinedState, event: SseEvent, data: JsonObject, said: string): Step => {
    const [left, rest] = withoutSpace(state.space, said)
    const next = { ...state, space: left }
    if (rest === "" && said !== "") return [next, nothing]
    const index = blockIndexOf(data) + (state.shift ?? block)
    return [next, [changed(event, data, { ...data, index, delta: { ...within(data, "delta"), text: rest } })]]
  }

  /** The first block goes on with the open one where it is a text; else that ends. */
  const begun = (state: JoinedState, event: SseEvent, data: JsonObject): Step => {
    const index = blockIndexOf(data)
    if (state.shift !== undefined)
      return [state, [changed(event, data, { ...data, index: index + state.shift })]]
    const said = textIn("content_block_start", data)
    if (said === undefined) {
      const shift = block + 1 - index
      return [{ ...state, shift }, [stopOfBlock, changed(event, data, { ...data, index: index + shift })]]
    }
    const next = { ...state, shift: block - index }
    if (said === "") return [next, nothing]
    const delta = { type: "content_block_delta", index, delta: { type: "text_delta", text: said } }
    return text(next, eventOf("content_block_delta", delta), delta, said)
  }

  const ended = (state: JoinedState, event: SseEvent, data: JsonObject): Step => {
    const usage = { ...state.usage, ...within(data, "usage") }
    const last = Object.keys(usage).length === 0 ? event : changed(event, data, { ...data, usage })
    return state.shift === undefined ? [{ ...state, shift: block + 1 }, [stopOfBlock, last]] : [state, [last]]
  }

  return {
    initial: { space, shift: undefined, usage: {} },
    step: (state, event) => {
      const data = parseObject(event.data)
      if (data === undefined || errorOfEvent(event, data) !== undefined) return [state, [event]]
      const type = typeOf(event, data)
      switch (type) {
        case "message_start": {
          const usage = within(data, "message")["usage"]
          return [isJsonObject(usage) ? { ...state, usage } : state, nothing]
        }
        case "content_block_start":
          return begun(state, event, data)
        case "content_block_delta": {
          const said = textIn(type, data)
          if (said !== undefined) return text(state, event, data, said)
          return [
            state,
            [changed(event, data, { ...data, index: blockIndexOf(data) + (state.shift ?? block) })],
          ]
        }
        case "content_block_stop":
          return [
            state,
            [changed(event, data, { ...data, index: blockIndexOf(data) + (state.shift ?? block) })],
          ]
        case "message_delta":
          return ended(state, event, data)
        default:
          return [state, [event]]
      }
    },
    halt: () => [],
  }
}

const pointAfter: ResumeRules["pointAfter"] = (beginning, datas): ResumePoint | undefined => {
  const point = breakIn(datas)
  if (point === undefined) return undefined
  // White space at the end of a turn is refused by Anthropic: it is left out, and not said twice.
  const text = point.text.trimEnd()
  if (text === "" || mayThink(text, beginning) || endsInHalf(text)) return undefined
  const space = point.text.slice(text.length)
  return {
    text,
    joined: () => new MachineRun(joinedTo(point.block, space)),
  }
}

export const messageResume: ResumeRules = { seen, pointAfter }
