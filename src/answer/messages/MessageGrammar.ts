/** How messages stream (Anthropic's grammar): events by name, from `message_start` to `message_stop`. */
import { answerLimits, outlineOf } from "../../wire/JsonOutline.ts"
import { MachineRun } from "../../wire/Machine.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import { encodeEvent, encodeNamed } from "../../wire/SseWriting.ts"
import { AnswerMachineRun } from "../AnswerRun.ts"
import type { ResumeRules } from "../ResumeRules.ts"
import { errorOnOneLine, isOver, type StreamGrammar, saysNothing, saysSomething } from "../StreamGrammar.ts"
import { errorOfEvent, eventSays, typeOf } from "./MessageEvent.ts"
import { messageEventTexts } from "./MessageEventTexts.ts"
import { messageInEvents } from "./MessageInEvents.ts"
import { messageStream } from "./MessageStream.ts"
import { assembledMessage, gatheredMessage } from "./MessageTranscript.ts"

const encoder = new TextEncoder()

const meaning: StreamGrammar["meaning"] = (event) => {
  if (isDone(event)) return isOver
  const data = outlineOf(event.data, answerLimits)
  const error = errorOfEvent(event, data)
  if (error !== undefined) return { kind: "error", error }
  const type = typeOf(event, data)
  if (data !== undefined && eventSays(type, data)) return saysSomething
  return type === "message_stop" ? isOver : saysNothing
}

/** The names under which SDKs read a frame, whichever of them its data is. */
const readNames: ReadonlySet<string | undefined> = new Set([
  "content_block_delta",
  "content_block_start",
  "content_block_stop",
  "message",
  "message_start",
  "message_delta",
  "message_stop",
  "ping",
  "error",
])

/** SDKs pass over a frame without a name, and some over one whose name they do not know: it has that of its type. */
const frame = (event: SseEvent): Uint8Array => {
  if (readNames.has(event.event)) return encodeEvent(event)
  const { data } = event
  return encodeEvent({ data, event: typeOf(event, outlineOf(data, answerLimits)) })
}

/** @param resume how a message that broke off is resumed */
export const messageGrammar = (resume: ResumeRules | undefined): StreamGrammar => ({
  meaning,
  answer: (settings) => new AnswerMachineRun(messageStream(settings)),
  frame,
  kept: undefined,
  heartbeat: encodeNamed("ping", encoder.encode('{"type":"ping"}')),
  errorEvents: (body) => [errorOnOneLine(body, "error")],
  changed: (transform) => {
    const machine = messageEventTexts(transform)
    return machine === undefined ? undefined : new MachineRun(machine)
  },
  givenOut: messageInEvents,
  gathered: gatheredMessage,
  assembled: assembledMessage,
  resume,
})
