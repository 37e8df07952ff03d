/** An upstream's bytes as events: framed as they come, kept until somebody takes them, and stopped where that takes too long. */
import * as Data from "effect/Data"
import { decoder, isOverflow, type SseEvent, type SseState } from "../domain/Sse.ts"
import { EventBuffer, type EventSink, type SourceEnd } from "./EventSource.ts"

/** One event was larger than is held in memory. */
export class EventTooLarge extends Data.TaggedError("EventTooLarge")<{ readonly limitBytes: number }> {}

/** The most that is held of one event. Larger than any answer, since some upstreams send images in one. */
const maxEventBytes = 32 * 1024 * 1024

const machine = decoder({ maxEventBytes })

/** Mutable on purpose: one body, one socket. */
export class EventReader<E> {
  readonly #buffer = new EventBuffer<E | EventTooLarge>()
  #state: SseState = machine.initial

  #first: SseEvent | undefined
  #excess: EventTooLarge | undefined

  /** The first event, once it is there. */
  get first(): SseEvent | undefined {
    return this.#first
  }

  /** That an event was larger than is held: nothing is read any more, and the sink was told its end. */
  get excess(): EventTooLarge | undefined {
    return this.#excess
  }

  read(bytes: Uint8Array): void {
    const [state, outputs] = machine.step(this.#state, bytes)
    this.#state = state
    const events: Array<SseEvent> = []
    for (const output of outputs) {
      if (isOverflow(output)) {
        this.#give(events)
        this.#excess = new EventTooLarge({ limitBytes: output.limitBytes })
        this.#buffer.onEnd({ kind: "failed", error: this.#excess })
        return
      }
      events.push(output)
    }
    this.#give(events)
  }

  /** No more bytes come: gives out what an upstream that left out the last blank line still said. */
  end(end: SourceEnd<E>): void {
    if (end.kind === "ended") {
      this.#give(machine.halt(this.#state).filter((output): output is SseEvent => !isOverflow(output)))
    }
    this.#buffer.onEnd(end)
  }

  attach(sink: EventSink<E | EventTooLarge>): void {
    this.#buffer.attach(sink)
  }

  #give(events: ReadonlyArray<SseEvent>): void {
    if (events.length === 0) return
    this.#first ??= events[0]
    this.#buffer.onEvents(events)
  }
}
