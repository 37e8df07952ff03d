/**
 * A streamed answer on its way to the client: upstream events in, bytes out. It never fails; what breaks it is said in its last event.
 *
 * Events are pushed through in the socket's own events, no faster than the client reads. The request's fiber waits meanwhile for the end.
 */
import * as Effect from "effect/Effect"
import {
  type AnswerEnd,
  type AnswerRun,
  type AnswerSettings,
  type AnswerSummary,
  drainMs,
  graceMs,
} from "../answer/AnswerRun.ts"
import { ping } from "../answer/StreamEvent.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import { type Keeper, type KeptData, keeperOf } from "../answer/transcript/KeptData.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import type { EventSource, SourceEnd } from "../wire/EventSource.ts"
import type { SseEvent } from "../wire/Sse.ts"
import { silenceMs } from "./Heartbeat.ts"
import type { Outlet } from "./Relay.ts"
import type { Listed, Roster } from "./Roster.ts"

export interface ResponseOptions<E, A> {
  readonly grammar: StreamGrammar
  readonly settings: AnswerSettings
  readonly events: EventSource<E>
  /** A failure of the upstream in a few words for the client. Holds no secret. */
  readonly reasonOf: (error: E) => string
  /** How large an answer is kept for `onEnd`; 0 keeps nothing. */
  readonly keepBytes: number
  /** Heartbeats went before it: it need not wait for its first event to send one. */
  readonly hasBegun: boolean
  /**
   * Told once how it ended: complete, broken, or left by the client. Nothing is read of the upstream any more by then. A stream that
   * is never run never ends. What it makes of that, the relay tells.
   *
   * @param sent the data of the events that were sent
   */
  readonly onEnd: (end: AnswerSummary, sent: KeptData) => A
}

/** Events in one piece: what came in one read goes out in one write. */
const framed = ({ frame }: StreamGrammar, events: ReadonlyArray<SseEvent>): Uint8Array => {
  const only = events[0]
  if (events.length === 1 && only !== undefined) return frame(only)
  return Buffer.concat(events.map(frame))
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

/** An answer under way, as whoever keeps the time sees it. */
export interface OpenResponse extends Listed {
  readonly look: (now: number) => void
}

/** What responses need of the layer they are made in. */
export interface StreamSurroundings {
  readonly now: () => number
  /** Calls back after so many milliseconds. */
  readonly after: (ms: number, go: () => void) => void
  /** The answers under way, for whoever keeps the time. */
  readonly open: Roster<OpenResponse>
}

/** An answer under way. Mutable on purpose: one stream, one outlet. */
export class ResponseStream<E, A> implements OpenResponse {
  place = -1
  readonly #options: ResponseOptions<E, A>
  readonly #outlet: Outlet
  readonly #surroundings: StreamSurroundings
  readonly #onDone: (done: Effect.Effect<void>) => void
  readonly #answer: AnswerRun
  readonly #keeper: Keeper
  #sentAt: number
  #hasSent: boolean
  /** When all had been said. */
  #finishedAt: number | undefined
  #isFull = false
  #isUpstreamOver = false
  #isOver = false
  /** What it came to. */
  ended: A | undefined
  /** What is to be done when it is over: tells of a fault of this gateway that broke it off. */
  #done: Effect.Effect<void> = Effect.void

  constructor(
    options: ResponseOptions<E, A>,
    outlet: Outlet,
    surroundings: StreamSurroundings,
    onDone: (done: Effect.Effect<void>) => void,
  ) {
    this.#options = options
    this.#outlet = outlet
    this.#surroundings = surroundings
    this.#onDone = onDone
    this.#answer = options.grammar.answer(options.settings)
    this.#keeper = keeperOf(options.keepBytes)
    this.#hasSent = options.hasBegun
    // How long the last heartbeat before it is past is not known: the next one comes when it is looked for.
    this.#sentAt = options.hasBegun ? Number.NEGATIVE_INFINITY : surroundings.now()
  }

  start(): void {
    this.#surroundings.open.add(this)
    this.#options.events.attach({ onEvents: this.#onEvents, onEnd: this.#onEnd })
  }

  readonly #onEvents = (events: ReadonlyArray<SseEvent>): void => {
    if (this.#isOver || this.#answer.phase !== "open") return
    try {
      const sent = this.#takeAll(events)
      if (sent.length > 0) this.#send(sent)
      else if (events.every((event) => event === ping)) this.#beat()
    } catch (defect) {
      this.#breakOff(defect)
      return
    }
    // The client has the end; the upstream's body, as a rule, ends with the bytes being read.
    if (this.#answer.phase !== "open") queueMicrotask(this.#drain)
    else if (!this.#answer.isFinished) this.#finishedAt = undefined
    else this.#finishedAt ??= this.#surroundings.now()
  }

  /** Ends it for a fault of this gateway, which would end in the socket, as one of the upstream's, or with the fiber that keeps the time of all. */
  #breakOff(defect: unknown): void {
    this.#options.events.close()
    this.#onEnd({ kind: "died", defect })
  }

  /** What these events bring. */
  #takeAll(events: ReadonlyArray<SseEvent>): ReadonlyArray<SseEvent> {
    const only = events[0]
    if (events.length === 1 && only !== undefined) return this.#answer.take(only)
    const all: Array<SseEvent> = []
    for (const event of events) for (const sent of this.#answer.take(event)) all.push(sent)
    return all
  }

  readonly #onEnd = (end: SourceEnd<E>): void => {
    if (this.#isOver) return
    this.#isUpstreamOver = true
    if (end.kind === "died") this.#done = Effect.logError("A streamed answer broke off", end.defect)
    this.#close(answerEndOf(end, this.#options.reasonOf))
  }

  /** Ends it before its upstream does. */
  cut(error: ShapedError): void {
    if (this.#isOver) return
    this.#options.events.close()
    this.#close({ kind: "cut", error })
  }

  /** Sends the last events. */
  #close(end: AnswerEnd): void {
    try {
      this.#send(this.#answer.end(end))
    } catch (defect) {
      // The client was not told: its connection is cut.
      this.#done = Effect.die(defect)
    }
    this.#finish()
  }

  readonly #drain = (): void => {
    if (!this.#isUpstreamOver) this.#surroundings.after(drainMs, this.#finish)
  }

  #send(events: ReadonlyArray<SseEvent>): void {
    if (events.length === 0) return
    const { grammar, keepBytes } = this.#options
    if (grammar.kept === undefined) for (const { data } of events) this.#keeper.keep(data)
    else if (keepBytes > 0) for (const { data } of events) this.#keeper.keep(grammar.kept(data))
    this.#hasSent = true
    this.#sentAt = this.#surroundings.now()
    if (!this.#outlet.write(framed(grammar, events)) && !this.#isFull) {
      this.#isFull = true
      this.#options.events.pause()
      this.#outlet.onDrain(() => {
        this.#isFull = false
        this.#sentAt = this.#surroundings.now()
        // What was to come may have waited unread.
        if (this.#finishedAt !== undefined) this.#finishedAt = this.#sentAt
        this.#options.events.resume()
      })
    }
  }

  /** Sends a heartbeat where one is due, and ends an answer of which no more is waited for; not while the client does not even take what there is. */
  readonly look = (now: number): void => {
    if (this.#isFull || this.#answer.phase !== "open") return
    if (this.#finishedAt !== undefined && now - this.#finishedAt >= graceMs) {
      this.#onEnd({ kind: "ended" })
    } else if (now - this.#sentAt >= silenceMs) {
      try {
        this.#beat()
      } catch (defect) {
        this.#breakOff(defect)
      }
    }
  }

  /** Tells the client that the answer is still coming, once it has begun. */
  #beat(): void {
    if (!this.#hasSent || this.#isFull) return
    this.#sentAt = this.#surroundings.now()
    this.#outlet.write(this.#options.grammar.heartbeat)
  }

  readonly #finish = (): void => {
    if (this.#isOver) return
    try {
      this.end()
    } catch (defect) {
      this.#done = Effect.die(defect)
    }
    this.#onDone(this.#done)
  }

  /** Ends it, wherever it is; once. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#surroundings.open.delete(this)
    this.#options.events.close()
    this.ended = this.#options.onEnd(this.#answer.summary, this.#keeper.kept)
  }
}
