/** How answers of a target are given out that was asked in another dialect than the caller's: in the caller's. */
import type { ChoiceTransform } from "../../answer/ChoiceTransform.ts"
import { mergeUsage, noUsage, type Usage } from "../../answer/Usage.ts"
import type { AnswerEvent } from "../../dialects/Answer.ts"
import { callersTools, withCallersTools } from "../../dialects/CallersTools.ts"
import type { AskedFor, EventReading } from "../../dialects/DialectForm.ts"
import { forms } from "../../dialects/Forms.ts"
import { guardedAnswer } from "../../dialects/GuardedAnswer.ts"
import { encodeJson, parseObject } from "../../wire/JsonBytes.ts"
import { type Finishing, MachineRun, type Running } from "../../wire/Machine.ts"
import type { SseEvent } from "../../wire/Sse.ts"
import { conversations } from "./Conversations.ts"
import type { Translation } from "./Translation.ts"

/** What holds of an answer that does not say it of itself. Plain values: long answers come out of another thread. */
export interface Unsaid {
  /** The request's: no two answers have the same. */
  readonly id: string
  /** Seconds since 1970. */
  readonly askedAt: number
}

/** @param beganAt epoch milliseconds */
export const unsaidBy = (requestId: string, beganAt: number): Unsaid => ({
  id: requestId,
  askedAt: Math.floor(beganAt / 1_000),
})

/** An upstream's thinking between tags becomes reasoning that is told apart, as other dialects have it. */
const apart = ({ tags }: Translation): ChoiceTransform => ({
  prefix: undefined,
  thinking: "reasoning_content",
  tags,
})

const askedFor = ({ repeated, upstream }: Translation, { askedAt }: Unsaid): AskedFor => ({
  repeated,
  upstream,
  askedAt,
})

/** A whole answer. Plain values: long ones come out of another thread. */
export interface TranslatedAnswer {
  readonly body: Uint8Array
  /** What its upstream reported; the body has zeros for what was not, since SDKs add them up. */
  readonly counts: Usage
}

/** A whole answer in the caller's dialect; `undefined` where it is none that can be told there. */
export const translatedAnswer = (
  translation: Translation,
  unsaid: Unsaid,
  body: Uint8Array,
): TranslatedAnswer | undefined => {
  const { from, renamed, to } = translation
  const told =
    from === "chat" ? (conversations.chat.plain.transform?.(apart(translation), body) ?? body) : body
  const object = parseObject(told)
  const read = object === undefined ? undefined : forms[from].readAnswer(object, told)
  const answer = read === undefined ? undefined : guardedAnswer(read, unsaid.id)
  if (answer === undefined) return undefined
  const { exactBytes, writeAnswer } = forms[to]
  const given = withCallersTools(answer, renamed)
  const written = encodeJson(writeAnswer(given, askedFor(translation, unsaid)))
  if (written === undefined) return undefined
  return { body: exactBytes?.(written, given.parts) ?? written, counts: answer.counts }
}

/** The events of an answer in the caller's dialect, as they come, and what its upstream has reported so far. */
export interface TranslatedStream extends Finishing<SseEvent, SseEvent> {
  readonly counts: Usage
}

/** Mutable on purpose: one stream. */
class TranslatedEvents implements TranslatedStream {
  readonly #tags: Running<SseEvent, SseEvent> | undefined
  readonly #reading: EventReading
  readonly #tools: Running<AnswerEvent, AnswerEvent> | undefined
  readonly #writing: Running<AnswerEvent, SseEvent>
  #counts = noUsage

  constructor(translation: Translation, unsaid: Unsaid) {
    const { from, renamed, to } = translation
    this.#tags = from === "chat" ? conversations.chat.stream?.changed(apart(translation), false) : undefined
    this.#reading = forms[from].readEvents(unsaid.id)
    this.#tools = renamed.length === 0 ? undefined : new MachineRun(callersTools(renamed))
    this.#writing = forms[to].writeEvents(askedFor(translation, unsaid))
  }

  get counts(): Usage {
    return this.#counts
  }

  get isFinished(): boolean {
    return this.#reading.isFinished
  }

  take(events: Iterable<SseEvent>): ReadonlyArray<SseEvent> {
    return this.#write(this.#reading.take(this.#tags === undefined ? events : this.#tags.take(events)))
  }

  rest(): ReadonlyArray<SseEvent> {
    const held = this.#write(this.#reading.take(this.#tags?.rest() ?? []))
    return [...held, ...this.#write(this.#reading.rest())]
  }

  #write(events: ReadonlyArray<AnswerEvent>): ReadonlyArray<SseEvent> {
    for (const event of events) {
      if (event.kind === "counts") this.#counts = mergeUsage(this.#counts, event.counts)
    }
    return this.#writing.take(this.#tools === undefined ? events : this.#tools.take(events))
  }
}

/** The events of an answer in the caller's dialect. */
export const translatedEvents = (translation: Translation, unsaid: Unsaid): TranslatedStream =>
  new TranslatedEvents(translation, unsaid)
