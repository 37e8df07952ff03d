/**
 * How the answers of an operation stream: what its events mean, how they are judged, changed, ended and put together, and how they are written. All that
 * relays, judges, resumes or records a stream knows it by this alone, so that a dialect of events is one value.
 */
import type { ShapedError } from "../errors/SaidError.ts"
import type { JsonObject } from "../wire/Json.ts"
import { onOneLine } from "../wire/JsonText.ts"
import type { Running } from "../wire/Machine.ts"
import type { SseEvent } from "../wire/Sse.ts"
import type { AnswerRun, AnswerSettings } from "./AnswerRun.ts"
import type { ChoiceTransform } from "./ChoiceTransform.ts"
import type { ResumeRules } from "./ResumeRules.ts"

/** What an event means by itself. */
export type Meaning =
  /** A part of the answer: it begins. */
  | { readonly kind: "says" }
  | { readonly kind: "says_nothing" }
  | { readonly kind: "error"; readonly error: ShapedError }
  /** It is over, and nothing was said. */
  | { readonly kind: "over" }

export const saysSomething: Meaning = { kind: "says" }
export const saysNothing: Meaning = { kind: "says_nothing" }
export const isOver: Meaning = { kind: "over" }

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The body of an error as the data of one event. On one line: there are clients that read no others. */
export const errorOnOneLine = (body: Uint8Array, name: "error" | undefined): SseEvent => ({
  data: encoder.encode(onOneLine(decoder.decode(body))),
  event: name,
})

export interface StreamGrammar {
  /** What an event means for an answer that has not begun. */
  readonly meaning: (event: SseEvent) => Meaning
  /** A streamed answer, to be taken from its first event to its last. */
  readonly answer: (settings: AnswerSettings) => AnswerRun
  /** An event as it is written; the very bytes it came in, where they are written so. */
  readonly frame: (event: SseEvent) => Uint8Array
  /** What a record keeps of the data of an event, where those may hold megabytes of something encoded; `undefined` where it keeps all of them. */
  readonly kept: ((data: Uint8Array) => Uint8Array) | undefined
  /** Keeps a silent connection open, and says nothing. */
  readonly heartbeat: Uint8Array
  /** The events that tell an error, given as the body of one, where nothing was told before. */
  readonly errorEvents: (body: Uint8Array) => ReadonlyArray<SseEvent>
  /**
   * Changes the texts of an answer; `undefined` where there is nothing to change.
   *
   * @param hidesUsage whether the client is not shown the usage that only this gateway asked for
   */
  readonly changed: (
    transform: ChoiceTransform,
    hidesUsage: boolean,
  ) => Running<SseEvent, SseEvent> | undefined
  /** The data of all events that give a plain answer out, its end included; `undefined` where it is none, or they take more bytes than they may. */
  readonly givenOut: (body: Uint8Array, limitBytes: number) => ReadonlyArray<Uint8Array> | undefined
  /** The plain answer that packed data of events make; `undefined` where they make none. */
  readonly gathered: (packed: Uint8Array) => Uint8Array | undefined
  /**
   * The plain answer that the data of a stream make, or as much of one as there is, for the audit.
   *
   * @param truncated that data is missing at the end; the answer then says so
   */
  readonly assembled: (datas: ReadonlyArray<Uint8Array>, truncated: boolean) => JsonObject
  /** How an answer that broke off is resumed; `undefined` where none ever is. */
  readonly resume: ResumeRules | undefined
}
