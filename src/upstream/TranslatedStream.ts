/** An open stream whose events are given out in another dialect. It ends once all is said, should its upstream not end it. */
import { graceMs } from "../answer/AnswerRun.ts"
import type { FinishingEvents } from "../operations/translation/Translation.ts"
import type { EventSink, EventSource, SourceEnd } from "../wire/EventSource.ts"
import type { SseEvent } from "../wire/Sse.ts"

/** Mutable on purpose: one stream. */
export class TranslatedStream<E> implements EventSource<E>, EventSink<E> {
  readonly #source: EventSource<E>
  readonly #run: FinishingEvents
  #sink: EventSink<E> | undefined
  /** Rings when all was said and its upstream has not ended it in time. */
  #ending: NodeJS.Timeout | undefined
  #isOver = false

  constructor(source: EventSource<E>, run: FinishingEvents) {
    this.#source = source
    this.#run = run
  }

  attach(sink: EventSink<E>): void {
    this.#sink = sink
    this.#source.attach(this)
  }

  pause(): void {
    this.#source.pause()
  }

  resume(): void {
    this.#source.resume()
  }

  close(): void {
    clearTimeout(this.#ending)
    this.#isOver = true
    this.#source.close()
  }

  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => {
    if (this.#isOver) return
    const told = this.#run.take(events)
    if (told.length > 0) this.#sink?.onEvents(told)
    if (this.#run.isFinished && this.#ending === undefined) {
      this.#ending = setTimeout(() => {
        this.#source.close()
        this.onEnd({ kind: "ended" })
      }, graceMs)
    }
  }

  readonly onEnd = (end: SourceEnd<E>): void => {
    if (this.#isOver) return
    clearTimeout(this.#ending)
    this.#isOver = true
    const held = this.#run.rest()
    if (held.length > 0) this.#sink?.onEvents(held)
    this.#sink?.onEnd(end)
  }
}
