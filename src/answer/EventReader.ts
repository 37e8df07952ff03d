/** An upstream's bytes as events: framed as they come, kept until somebody takes them, and stopped where that takes too long. */
import * as Data from "effect/Data"
import { EventBuffer, type EventSink, type SourceEnd } from "../wire/EventSource.ts"
import { eventLimits, isTooMuchAtOnce } from "../wire/JsonOutline.ts"
import { decoder, isOverflow, type SseEvent, type SseOutput, type SseState } from "../wire/Sse.ts"
import { ping, received } from "./StreamEvent.ts"

/** One event was larger than is held in memory, or more than is read at once. */
export class EventTooLarge extends Data.TaggedError("EventTooLarge")<{
  readonly limitBytes: number
  readonly of: "event" | "outside_texts"
}> {}

/** The most that is held of one event. Larger than any answer, since some upstreams send images in one. */
const maxEventBytes = 32 * 1024 * 1024

const machine = decoder({ maxEventBytes })

/** Mutable on purpose: one body, one socket. */
export class EventReader<E> {
  readonly #buffer = new EventBuffer<E | EventTooLarge>()
  #state: SseState = machine.initial

  readonly #onPassedOver: () => void
  #isAttached = false
  #excess: EventTooLarge | undefined

  /** @param onPassedOver told of each event that was no JSON object, and is not given out */
  constructor(onPassedOver: () => void) {
    this.#onPassedOver = onPassedOver
  }

  /** That an event was larger than is held: nothing is read any more, and the sink was told its end. */
  get excess(): EventTooLarge | undefined {
    return this.#excess
  }

  /** Takes the bytes of a read, and gives the events they brought to the sink too, or keeps them until there is one. */
  read(bytes: Uint8Array): ReadonlyArray<SseEvent> {
    if (this.#excess !== undefined) return []
    const [state, outputs] = machine.step(this.#state, bytes)
    this.#state = state
    const events = this.#give(outputs)
    const last = outputs.at(-1)
    if (this.#excess === undefined && last !== undefined && isOverflow(last)) {
      this.#excess = new EventTooLarge({ limitBytes: last.limitBytes, of: "event" })
    }
    if (this.#excess !== undefined) this.#buffer.onEnd({ kind: "failed", error: this.#excess })
    return events
  }

  /** No more bytes come: gives out what an upstream that left out the last blank line still said. */
  end(end: SourceEnd<E>): ReadonlyArray<SseEvent> {
    const events = end.kind === "ended" ? this.#give(machine.halt(this.#state)) : []
    this.#buffer.onEnd(this.#excess === undefined ? end : { kind: "failed", error: this.#excess })
    return events
  }

  attach(sink: EventSink<E | EventTooLarge>): void {
    this.#isAttached = true
    this.#buffer.attach(sink)
  }

  #give(outputs: ReadonlyArray<SseOutput>): ReadonlyArray<SseEvent> {
    const events: Array<SseEvent> = []
    for (const output of outputs) {
      if (isOverflow(output)) continue
      if (isTooMuchAtOnce(output.data)) {
        this.#excess ??= new EventTooLarge({ limitBytes: eventLimits.mostSteps, of: "outside_texts" })
        break
      }
      const event = received(output)
      if (event === undefined) this.#onPassedOver()
      // Nobody is told of pings before there is somebody to tell: hours of them are nothing to keep.
      else if (event !== ping || this.#isAttached) events.push(event)
    }
    if (events.length > 0) this.#buffer.onEvents(events)
    return events
  }
}
