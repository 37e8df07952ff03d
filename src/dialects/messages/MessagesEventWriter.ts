/** The events of an answer as those of a streamed message: one block open at a time, and none of it closed that did not come to its end. */
import { deltaName } from "../../answer/messages/MessageEvent.ts"
import { mergeUsage, noUsage } from "../../answer/Usage.ts"
import { anthropicFace } from "../../errors/faces/AnthropicFace.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { type Machine, MachineRun, type Running } from "../../wire/Machine.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import { printedEvent } from "../../wire/SseWriting.ts"
import type { AnswerEvent, Counts, Finish, PartBeginning } from "../Answer.ts"
import { type AroundText, aroundText, printedWith } from "../AroundText.ts"
import type { AskedFor } from "../DialectForm.ts"
import { type Seal, unsealed, wrap } from "../Seal.ts"
import { writtenCall, writtenHead, writtenRedacted } from "./MessagesAnswerWriter.ts"
import { writtenCitation } from "./MessagesCitations.ts"
import { writtenDeltaUsage } from "./MessagesCounts.ts"
import { writtenFinish } from "./MessagesFinish.ts"

/** How far a message is written. */
export interface MessageWriting {
  /** The part that is told; `undefined` between two. */
  readonly part: PartBeginning | undefined
  /** Its block has begun: those of texts and of reasoning only once they say something. */
  readonly isOpen: boolean
  /** It has its seal. */
  readonly isSealed: boolean
  /** Of the deltas of its text. */
  readonly around: AroundText | undefined
  /** The number of its block, or of the next one. */
  readonly index: number
  readonly counts: Counts
  readonly calls: boolean
  readonly isOver: boolean
}

const initial: MessageWriting = {
  part: undefined,
  isOpen: false,
  isSealed: false,
  around: undefined,
  index: 0,
  counts: noUsage,
  calls: false,
  isOver: false,
}

type Written = readonly [MessageWriting, ReadonlyArray<SseEvent>]

const eventOf = (type: string, members: JsonObject): SseEvent =>
  printedEvent(type, JSON.stringify({ type, ...members }))

const starts = (index: number, block: JsonObject): SseEvent =>
  eventOf("content_block_start", { index, content_block: block })

const adds = (index: number, delta: JsonObject): SseEvent => eventOf(deltaName, { index, delta })

const stops = (index: number): SseEvent => eventOf("content_block_stop", { index })

const emptyText: JsonObject = { type: "text", text: "", citations: null }
const emptyThinking: JsonObject = { type: "thinking", thinking: "", signature: "" }

/** The beginning of a block that waited until it says something. */
const opened = ({ index, isOpen, part }: MessageWriting): ReadonlyArray<SseEvent> =>
  isOpen ? [] : [starts(index, part?.kind === "reasoning" ? emptyThinking : emptyText)]

const deltaOf = ({ kind }: PartBeginning, text: string): JsonObject => {
  switch (kind) {
    case "text":
    case "refusal":
      return { type: "text_delta", text }
    case "reasoning":
      return { type: "thinking_delta", thinking: text }
    case "tool_call":
      return { type: "input_json_delta", partial_json: text }
  }
}

const begun = (state: MessageWriting, part: PartBeginning): Written => {
  const next = { ...state, part, around: undefined }
  if (part.kind !== "tool_call") return [{ ...next, isOpen: false }, []]
  const block = writtenCall(part.id, part.name, {})
  return [{ ...next, isOpen: true, calls: true }, [starts(state.index, block)]]
}

const said = (state: MessageWriting, delta: JsonObject): Written => [
  { ...state, isOpen: true },
  [...opened(state), adds(state.index, delta)],
]

const saidMore = (state: MessageWriting, part: PartBeginning, text: string): Written => {
  const { index } = state
  const around =
    state.around ?? aroundText((said) => ({ type: deltaName, index, delta: deltaOf(part, said) }))
  const event = printedEvent(deltaName, printedWith(around, text))
  return state.around === undefined || !state.isOpen
    ? [{ ...state, isOpen: true, around }, [...opened(state), event]]
    : [state, [event]]
}

/** A seal comes behind what is told of the reasoning, or is all of it. */
const sealed = (state: MessageWriting, seal: Seal, { upstream }: AskedFor): Written => {
  const text = wrap(seal, upstream)
  return state.isOpen
    ? said({ ...state, isSealed: true }, { type: "signature_delta", signature: text })
    : [{ ...state, isOpen: true, isSealed: true }, [starts(state.index, writtenRedacted(text))]]
}

const ended = (state: MessageWriting, { upstream }: AskedFor): Written => {
  const { index, isOpen, isSealed, part } = state
  const next = { ...state, part: undefined, isOpen: false, isSealed: false }
  if (!isOpen) return [next, []]
  const unsigned =
    part?.kind === "reasoning" && !isSealed
      ? [adds(index, { type: "signature_delta", signature: unsealed(upstream) })]
      : []
  return [{ ...next, index: index + 1 }, [...unsigned, stops(index)]]
}

const over = (state: MessageWriting, finish: Finish): Written => {
  const { calls, counts } = state
  const delta = writtenFinish(finish, calls)
  return [
    { ...state, isOver: true },
    [eventOf("message_delta", { delta, usage: writtenDeltaUsage(counts) }), eventOf("message_stop", {})],
  ]
}

const within = (state: MessageWriting, event: AnswerEvent, asked: AskedFor): Written => {
  const { part } = state
  if (part === undefined) return [state, []]
  switch (event.kind) {
    case "more":
      return saidMore(state, part, event.text)
    case "section":
      return part.kind === "reasoning" ? said(state, deltaOf(part, "\n\n")) : [state, []]
    case "cited":
      return said(state, { type: "citations_delta", citation: writtenCitation(event.citation) })
    case "sealed":
      return sealed(state, event.seal, asked)
    case "part_ends":
      return ended(state, asked)
    default:
      return [state, []]
  }
}

const writing = (asked: AskedFor): Machine<MessageWriting, AnswerEvent, SseEvent> => {
  const step = (state: MessageWriting, event: AnswerEvent): Written => {
    if (state.isOver) return [state, []]
    switch (event.kind) {
      case "begins":
        return [state, [eventOf("message_start", { message: writtenHead(event.head, state.counts) })]]
      case "part_begins":
        return begun(state, event.part)
      case "counts":
        return [{ ...state, counts: mergeUsage(state.counts, event.counts) }, []]
      case "ends":
        return over(state, event.finish)
      case "error":
        return [
          { ...state, isOver: true },
          [{ data: anthropicFace.errorData(event.error, undefined), event: "error" }],
        ]
      default:
        return within(state, event, asked)
    }
  }
  // A message that was cut has no end, and no block of it is closed.
  return { initial, step, halt: () => [] }
}

export const messagesEventWriter = (asked: AskedFor): Running<AnswerEvent, SseEvent> =>
  new MachineRun(writing(asked))
