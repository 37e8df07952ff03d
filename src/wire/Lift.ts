/**
 * The one way from a machine to the events of an answer: everything a machine is composed of stays pure, and only the whole is lifted.
 *
 * It is lifted to events that are pushed, not to Effect's `Stream`, which costs an event that comes alone four times what all else does that is done to
 * it (docs/performance.md).
 */
import type { EventSink, EventSource, SourceEnd } from "./EventSource.ts"
import type { Finishing, Running } from "./Machine.ts"
import type { SseEvent } from "./Sse.ts"

/** What makes other events of the events of an answer: a step of its pipeline. */
export type Transformation<E> = (events: EventSource<E>) => EventSource<E>

/** How long the end may take after all has been said, should its source not tell it. */
interface Grace {
  readonly run: { readonly isFinished: boolean }
  readonly ms: number
}

/** Mutable on purpose: one source, one sink. */
class Lifted<E> implements EventSource<E>, EventSink<E> {
  readonly #source: EventSource<E>
  readonly #run: Running<SseEvent, SseEvent>
  readonly #grace: Grace | undefined
  #sink: EventSink<E> | undefined
  /** Rings when the grace is over. */
  #ending: NodeJS.Timeout | undefined
  #isPaused = false
  #isOver = false

  constructor(source: EventSource<E>, run: Running<SseEvent, SseEvent>, grace: Grace | undefined) {
    this.#source = source
    this.#run = run
    this.#grace = grace
  }

  attach(sink: EventSink<E>): void {
    this.#sink = sink
    this.#source.attach(this)
  }

  /** What is not read cannot end: the grace is for the source alone. */
  pause(): void {
    this.#isPaused = true
    this.#wait()
    this.#source.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#wait()
    this.#source.resume()
  }

  close(): void {
    this.#source.close()
    if (this.#isOver) return
    this.#give(undefined)
    this.#leave()
  }

  // Members, since a source may keep them apart from what they are of.
  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => {
    if (!this.#isOver && this.#give(events)) this.#wait()
  }

  readonly onEnd = (end: SourceEnd<E>): void => {
    if (this.#isOver) return
    const isGiven = this.#give(undefined)
    this.#leave()
    if (isGiven) this.#sink?.onEnd(end)
  }

  /** Gives out what the machine makes of these events, or what it held back where no more come; false where that is a fault, with which all ends. */
  #give(events: ReadonlyArray<SseEvent> | undefined): boolean {
    let outputs: ReadonlyArray<SseEvent>
    try {
      outputs = events === undefined ? this.#run.rest() : this.#run.take(events)
    } catch (defect) {
      // It would end in the socket, as a fault of the upstream, or with a timer, and this process.
      this.#leave()
      this.#source.close()
      this.#sink?.onEnd({ kind: "died", defect })
      return false
    }
    if (outputs.length > 0) this.#sink?.onEvents(outputs)
    return true
  }

  #leave(): void {
    this.#isOver = true
    clearTimeout(this.#ending)
  }

  /** Waits for the end of what was said to its end, and not while it is not read. */
  #wait(): void {
    const grace = this.#grace
    if (grace === undefined || !grace.run.isFinished || this.#isOver) return
    if (this.#isPaused) {
      clearTimeout(this.#ending)
      this.#ending = undefined
    } else this.#ending ??= setTimeout(this.#endIt, grace.ms)
  }

  readonly #endIt = (): void => {
    this.#source.close()
    this.onEnd({ kind: "ended" })
  }
}

/**
 * Runs a machine over events as they come, once: what those of one read bring is given out at once, and nothing where they bring nothing. What the machine
 * holds back goes out when the events end, before their failure where they fail, and when they are left.
 */
export const lift =
  (run: Running<SseEvent, SseEvent>) =>
  <E>(events: EventSource<E>): EventSource<E> =>
    new Lifted(events, run, undefined)

/**
 * The same of a machine that knows when all has been said: it is ended then, should the events not end in time.
 *
 * @param graceMs how long their end may take, while they are read
 */
export const liftFinishing =
  (run: Finishing<SseEvent, SseEvent>, graceMs: number) =>
  <E>(events: EventSource<E>): EventSource<E> =>
    new Lifted(events, run, { run, ms: graceMs })
