/**
 * A streamed answer on its way to the client: upstream events in, bytes out. It never fails; what breaks it is said in its last event.
 *
 * Events are pushed through in the socket's own events, no faster than the client reads. Two fibers wait meanwhile: the request's for the end, and
 * one that keeps the time; an event wakes neither.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import {
  type AnswerEnd,
  type AnswerSettings,
  type AnswerSummary,
  answerStream,
  summary,
} from "../domain/AnswerStream.ts"
import { encode, heartbeat, type SseEvent } from "../domain/Sse.ts"
import type { EventSource, SourceEnd } from "./EventSource.ts"
import { DataKeeper, type KeptData } from "./KeptData.ts"
import type { Outlet, Relay } from "./Relay.ts"

/** A streamed answer that is over. */
export interface ResponseEnd extends AnswerSummary {
  /** The data of the events that were sent. */
  readonly sent: KeptData
}

export interface ResponseOptions<E> {
  readonly settings: AnswerSettings
  readonly events: EventSource<E>
  /** A failure of the upstream in a few words for the client. Holds no secret. */
  readonly reasonOf: (error: E) => string
  /** How large an answer is kept for `onEnd`; 0 keeps nothing. */
  readonly keepBytes: number
  /**
   * Told once how it ended: complete, broken, or left by the client. Nothing is read of the upstream any more by then. A stream that
   * is never run never ends.
   */
  readonly onEnd: (end: ResponseEnd) => void
}

/** Silence after which a client is told that the answer is still coming. */
const silenceMs = 15_000

/**
 * How long an upstream may take to end its body after the answer is complete. The client has its `[DONE]` by then; a body read to
 * its end leaves a connection that can be used again.
 */
const drainMs = 100

/** Events with these data, in one piece: what came in one read goes out in one write. */
const encodeAll = (datas: ReadonlyArray<Uint8Array>): Uint8Array => {
  const only = datas[0]
  if (datas.length === 1 && only !== undefined) return encode(only)
  return Buffer.concat(datas.map(encode))
}

const answerEndOf = <E>(end: SourceEnd<E>, reasonOf: (error: E) => string): AnswerEnd => {
  switch (end.kind) {
    case "ended":
      return { kind: "ended" }
    case "failed":
      return { kind: "broken", reason: reasonOf(end.error) }
    case "died":
      return { kind: "broken", reason: "a fault in the gateway" }
  }
}

/** An answer under way. Mutable on purpose: one stream, one outlet. */
class Response<E> {
  readonly #options: ResponseOptions<E>
  readonly #outlet: Outlet
  readonly #now: () => number
  readonly #answer: ReturnType<typeof answerStream>
  readonly #keeper: DataKeeper
  #state: ReturnType<typeof answerStream>["initial"]
  #sentAt: number
  #hasSent = false
  #isFull = false
  #isUpstreamOver = false
  #isOver = false

  /** A fault of this gateway that broke it off. */
  defect: unknown
  /** Done when the answer is closed, whether or not its upstream has ended. */
  readonly closed = Deferred.unsafeMake<void>(FiberId.none)
  /** Done when the upstream has ended. */
  readonly drained = Deferred.unsafeMake<void>(FiberId.none)

  constructor(options: ResponseOptions<E>, outlet: Outlet, now: () => number) {
    this.#options = options
    this.#outlet = outlet
    this.#now = now
    this.#answer = answerStream(options.settings)
    this.#state = this.#answer.initial
    this.#keeper = new DataKeeper(options.keepBytes)
    this.#sentAt = now()
  }

  get isUpstreamOver(): boolean {
    return this.#isUpstreamOver
  }

  start(): void {
    this.#options.events.attach({ onEvents: this.#onEvents, onEnd: this.#onEnd })
  }

  readonly #onEvents = (events: ReadonlyArray<SseEvent>): void => {
    if (this.#isOver || this.#state.phase !== "open") return
    try {
      this.#send(this.#stepAll(events))
    } catch (defect) {
      // It would end in the socket, as a fault of the upstream's.
      this.#options.events.close()
      this.#onEnd({ kind: "died", defect })
      return
    }
    this.#seeClosed()
  }

  /** What these events bring. */
  #stepAll(events: ReadonlyArray<SseEvent>): ReadonlyArray<Uint8Array> {
    const only = events[0]
    if (events.length === 1 && only !== undefined) {
      const [next, datas] = this.#answer.step(this.#state, only)
      this.#state = next
      return datas
    }
    const all: Array<Uint8Array> = []
    for (const event of events) {
      const [next, datas] = this.#answer.step(this.#state, event)
      this.#state = next
      for (const data of datas) all.push(data)
    }
    return all
  }

  readonly #onEnd = (end: SourceEnd<E>): void => {
    if (this.#isOver) return
    this.#isUpstreamOver = true
    if (end.kind === "died") this.defect = end.defect
    const [next, datas] = this.#answer.end(this.#state, answerEndOf(end, this.#options.reasonOf))
    this.#state = next
    this.#send(datas)
    this.#seeClosed()
    Deferred.unsafeDone(this.drained, Effect.void)
  }

  #seeClosed(): void {
    if (this.#state.phase !== "open") Deferred.unsafeDone(this.closed, Effect.void)
  }

  #send(datas: ReadonlyArray<Uint8Array>): void {
    if (datas.length === 0) return
    for (const data of datas) this.#keeper.keep(data)
    this.#hasSent = true
    this.#sentAt = this.#now()
    if (!this.#outlet.write(encodeAll(datas)) && !this.#isFull) {
      this.#isFull = true
      this.#options.events.pause()
      this.#outlet.onDrain(() => {
        this.#isFull = false
        this.#sentAt = this.#now()
        this.#options.events.resume()
      })
    }
  }

  /** Milliseconds until a heartbeat is due; none is while the client does not even take what there is. */
  get silentForMs(): number {
    return this.#isFull ? 0 : this.#now() - this.#sentAt
  }

  beat(): void {
    this.#sentAt = this.#now()
    if (this.#hasSent && !this.#isOver && this.#state.phase === "open") this.#outlet.write(heartbeat)
  }

  end(): void {
    this.#isOver = true
    this.#options.events.close()
    this.#options.onEnd({ ...summary(this.#state), sent: this.#keeper.kept })
  }
}

/** Keeps the time: a heartbeat after each silence. */
const heartbeats = <E>(response: Response<E>): Effect.Effect<never> =>
  Effect.suspend(() => {
    const due = silenceMs - response.silentForMs
    if (due > 0) return Effect.sleep(due)
    response.beat()
    return Effect.void
  }).pipe(Effect.forever)

/** The relay of the answer. Leaving it interrupts the upstream at once. */
export const respond =
  <E>(options: ResponseOptions<E>): Relay =>
  (outlet) =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const response = new Response(options, outlet, () => clock.unsafeCurrentTimeMillis())
      const sending = Effect.gen(function* () {
        // A child of this fiber: it ends with it.
        yield* Effect.fork(heartbeats(response))
        response.start()
        yield* Deferred.await(response.closed)
        if (response.defect !== undefined) {
          yield* Effect.logError("A streamed answer broke off", response.defect)
        }
        if (!response.isUpstreamOver) yield* Effect.timeoutOption(Deferred.await(response.drained), drainMs)
      })
      yield* Effect.onExit(sending, () => Effect.sync(() => response.end()))
    })
