/** An event stream put together into the plain answer it makes, for a client that asked for one. What breaks it off is a failure like any other. */
import type { AnswerRun } from "../answer/AnswerRun.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import { errorData } from "../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { noSecrets } from "../secrets/Secrets.ts"
import { DataBuffer } from "../wire/DataBuffer.ts"
import type { EventSink, SourceEnd } from "../wire/EventSource.ts"
import type { SseEvent } from "../wire/Sse.ts"
import { AttemptFailure, errorInAnswer, noMemory } from "./policy/AttemptFailure.ts"

/** What an event costs to put together, however short it is. */
const minBytes = 64

export interface GatheredOptions<E> {
  readonly grammar: StreamGrammar
  /** How many choices the answer is to have. */
  readonly choices: number
  /** The most that is kept of it. */
  readonly limitBytes: number
  /** Told of all bytes before they are kept; false where there is no memory left for them. */
  readonly hold: (bytes: number) => boolean
  readonly failureOf: (error: E) => AttemptFailure
}

/** Where the answer stands: to be read on, there as a whole, or broken off. */
export type Gathered =
  | { readonly kind: "open" }
  | { readonly kind: "whole"; readonly body: Uint8Array }
  /** All of it is there, and too long to be put together on the event loop. */
  | { readonly kind: "packed"; readonly packed: Uint8Array }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }

const open: Gathered = { kind: "open" }

const failed = (failure: AttemptFailure): Extract<Gathered, { kind: "failed" }> => ({
  kind: "failed",
  failure,
})

const brokenOff = (reason: string): Extract<Gathered, { kind: "failed" }> =>
  failed(AttemptFailure.BrokenOff({ reason }))

/** An error that the events said. */
const brokenIn = (error: ShapedError): AttemptFailure => errorInAnswer(error.message, errorData(error))

/** What was no answer, put together. */
export const nothingGathered = brokenOff("its events make no answer")

/** As many bytes of events as are put together in a few milliseconds. */
const mostAtOnce = 512 * 1024

/** Mutable on purpose: one answer, one socket. */
export class GatheredAnswer<E> implements EventSink<E> {
  readonly #options: GatheredOptions<E>
  readonly #answer: AnswerRun
  #data = new DataBuffer()
  #bytes = 0
  #gathered: Gathered = open

  constructor(options: GatheredOptions<E>) {
    const { choices, grammar } = options
    this.#options = options
    this.#answer = grammar.answer({
      isGathered: true,
      includeUsage: true,
      choices,
      // What broke it off is told by whoever made the attempt.
      secrets: noSecrets,
    })
  }

  get gathered(): Gathered {
    return this.#gathered
  }

  /** All choices that were asked for have said why they ended: only usage and `[DONE]` are to come. */
  get isFinished(): boolean {
    return this.#gathered.kind === "open" && this.#answer.isFinished
  }

  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => {
    for (const event of events) {
      if (this.#gathered.kind !== "open") return
      this.#take(this.#answer.take(event))
    }
  }

  readonly onEnd = (end: SourceEnd<E>): void => {
    if (this.#gathered.kind !== "open") return
    if (end.kind === "failed") this.#gathered = failed(this.#options.failureOf(end.error))
    else {
      this.#answer.end({ kind: "ended" })
      this.#gathered =
        this.#answer.phase === "complete"
          ? this.#whole()
          : brokenOff("ended before it said that it was finished")
    }
  }

  #take(events: ReadonlyArray<SseEvent>): void {
    const { brokenBy } = this.#answer
    if (brokenBy !== undefined) {
      this.#gathered = failed(brokenIn(brokenBy))
      return
    }
    for (const { data } of events) this.#keep(data)
    if (this.#answer.phase === "complete" && this.#gathered.kind === "open") this.#gathered = this.#whole()
  }

  #keep(data: Uint8Array): void {
    const { hold, limitBytes } = this.#options
    const bytes = Math.max(minBytes, data.length)
    this.#bytes += bytes
    if (this.#bytes > limitBytes) this.#gathered = brokenOff(`an answer of over ${limitBytes} bytes`)
    else if (hold(bytes)) this.#data.add(data)
    else this.#gathered = failed(noMemory)
  }

  #whole(): Gathered {
    const { packed } = this.#data
    if (this.#bytes > mostAtOnce) return { kind: "packed", packed }
    const body = this.#options.grammar.gathered(packed)
    return body === undefined ? nothingGathered : { kind: "whole", body }
  }
}
