/**
 * The one way from a machine to the events of an answer: everything a machine is composed of stays pure, and only the whole is lifted.
 *
 * It is lifted to events that are pushed, not to Effect's `Stream`, which costs an event that comes alone four times what all else does that is done to
 * it (docs/performance.md).
 */
import type { EventSink, EventSource, SourceEnd } from "./EventSource.ts"
import type { Running } from "./Machine.ts"
import type { SseEvent } from "./Sse.ts"

/** What makes other events of the events of an answer: a step of its pipeline. */
export type Transformation<E> = (events: EventSource<E>) => EventSource<E>

/** Mutable on purpose: one source, one sink. */
class Lifted<E> implements EventSource<E>, EventSink<E> {
  readonly #source: EventSource<E>
  readonly #run: Running<SseEvent, SseEvent>
  #sink: EventSink<E> | undefined

  constructor(source: EventSource<E>, run: Running<SseEvent, SseEvent>) {
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
    this.#source.close()
    this.#give(undefined)
  }

  // Members, since a source may keep them apart from what they are of.
  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => {
    this.#give(events)
  }

  readonly onEnd = (end: SourceEnd<E>): void => {
    if (this.#give(undefined)) this.#sink?.onEnd(end)
  }

  /** Gives out what the machine makes of these events, or what it held back where no more come; false where that is a fault, with which all ends. */
  #give(events: ReadonlyArray<SseEvent> | undefined): boolean {
    let outputs: ReadonlyArray<SseEvent>
    try {
      outputs = events === undefined ? this.#run.rest() : this.#run.take(events)
    } catch (defect) {
      // It would end in the socket, as a fault of the upstream.
      this.#source.close()
      this.#sink?.onEnd({ kind: "died", defect })
      return false
    }
    if (outputs.length > 0) this.#sink?.onEvents(outputs)
    return true
  }
}

/**
 * Runs a machine over events as they come, once: what those of one read bring is given out at once, and nothing where they bring nothing. What the machine
 * holds back goes out when the events end, before their failure where they fail, and when they are left.
 */
export const lift =
  (run: Running<SseEvent, SseEvent>) =>
  <E>(events: EventSource<E>): EventSource<E> =>
    new Lifted(events, run)
