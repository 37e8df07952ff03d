/**
 * Events pushed by whoever reads an upstream, and the two ways between them and a `Stream`.
 *
 * Pushed, an event costs a call of a function; pulled through a `Stream` it costs about a tenth of all the CPU that an event takes otherwise
 * (docs/performance.md). So what every answer goes through is pushed, and what only some need is a `Stream`.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { SseEvent } from "./Sse.ts"

/** How events end: all of them are there, something of the upstream broke, or of this gateway. */
export type SourceEnd<E> =
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: E }
  | { readonly kind: "died"; readonly defect: unknown }

/** Takes events, those of one read at once, and then their end. */
export interface EventSink<E> {
  readonly onEvents: (events: ReadonlyArray<SseEvent>) => void
  readonly onEnd: (end: SourceEnd<E>) => void
}

export interface EventSource<E> {
  /** Gives everything to this sink, what came already at once. To be called once. */
  readonly attach: (sink: EventSink<E>) => void
  /** No more events until `resume`, except for those that are on their way. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends the reading; the sink hears nothing any more, but for what was held back, which it is given at once. */
  readonly close: () => void
}

/** Keeps what comes until there is a sink, and hands it on from then on. */
export class EventBuffer<E> implements EventSink<E> {
  #events: Array<SseEvent> = []
  #end: SourceEnd<E> | undefined
  #sink: EventSink<E> | undefined

  readonly onEvents = (events: ReadonlyArray<SseEvent>): void => {
    if (this.#sink !== undefined) this.#sink.onEvents(events)
    else for (const event of events) this.#events.push(event)
  }

  readonly onEnd = (end: SourceEnd<E>): void => {
    if (this.#sink !== undefined) this.#sink.onEnd(end)
    else this.#end = end
  }

  readonly attach = (sink: EventSink<E>): void => {
    this.#sink = sink
    const events = this.#events
    this.#events = []
    if (events.length > 0) sink.onEvents(events)
    if (this.#end !== undefined) sink.onEnd(this.#end)
  }
}

/** Events that are all there, as a source: one each of these data. */
export const eventsOf = <E>(datas: ReadonlyArray<Uint8Array>): EventSource<E> => {
  const buffer = new EventBuffer<E>()
  buffer.onEvents(datas.map((data) => ({ data, event: undefined })))
  buffer.onEnd({ kind: "ended" })
  return { attach: buffer.attach, pause: () => {}, resume: () => {}, close: () => {} }
}

type Pull<E> = Effect.Effect<Chunk.Chunk<SseEvent>, Option.Option<E>>

const pullOfEnd = <E>(end: SourceEnd<E>): Pull<E> =>
  end.kind === "ended"
    ? Effect.fail(Option.none())
    : end.kind === "failed"
      ? Effect.fail(Option.some(end.error))
      : Effect.die(end.defect)

/** The source as a `Stream` that reads no further than it is pulled; it is closed with the stream. */
export const streamOf = <E>(source: EventSource<E>): Stream.Stream<SseEvent, E> =>
  Stream.fromPull(
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => Effect.sync(() => source.close()))
      let waiting: Array<SseEvent> = []
      let end: SourceEnd<E> | undefined
      let reader: ((pull: Pull<E>) => void) | undefined
      const take = (): Pull<E> | undefined => {
        if (waiting.length > 0) {
          const events = waiting
          waiting = []
          return Effect.succeed(Chunk.unsafeFromArray(events))
        }
        return end === undefined ? undefined : pullOfEnd(end)
      }
      const wake = () => {
        if (reader === undefined) return source.pause()
        const next = take()
        if (next === undefined) return
        const wakened = reader
        reader = undefined
        wakened(next)
      }
      source.attach({
        onEvents: (events) => {
          for (const event of events) waiting.push(event)
          wake()
        },
        onEnd: (how) => {
          end = how
          wake()
        },
      })
      const pull: Pull<E> = Effect.suspend(
        () =>
          take() ??
          Effect.async<Chunk.Chunk<SseEvent>, Option.Option<E>>((resume) => {
            reader = resume
            source.resume()
            return Effect.sync(() => {
              reader = undefined
            })
          }),
      )
      return pull
    }),
  )

const endOf = <E>(exit: Exit.Exit<void, E>): SourceEnd<E> =>
  Exit.match(exit, {
    onSuccess: () => ({ kind: "ended" }),
    onFailure: (cause) => {
      const failure = Cause.failureOrCause(cause)
      return Either.isLeft(failure)
        ? { kind: "failed", error: failure.left }
        : { kind: "died", defect: Cause.squash(failure.right) }
    },
  })

/** Runs an effect in a fiber that ends with a scope at the latest. */
export type RunFork = <A, E>(effect: Effect.Effect<A, E>) => Fiber.RuntimeFiber<A, E>

/** The stream as a source: it runs in a fiber of its own from `attach` on, and is interrupted when the source is closed. */
export const sourceOf = <E>(stream: Stream.Stream<SseEvent, E>, runFork: RunFork): EventSource<E> => {
  let fiber: Fiber.RuntimeFiber<void, E> | undefined
  let isClosed = false
  let isPaused = false
  let go: (() => void) | undefined
  const wanted: Effect.Effect<void> = Effect.async((resume) => {
    // The fiber may have let others run since it saw that nothing is wanted.
    if (isPaused) go = () => resume(Effect.void)
    else resume(Effect.void)
  })
  return {
    attach: (sink) => {
      fiber = runFork(
        Stream.runForEachChunk(stream, (events) =>
          Effect.suspend(() => {
            sink.onEvents(Chunk.toReadonlyArray(events))
            return isPaused ? wanted : Effect.void
          }),
        ),
      )
      fiber.addObserver((exit) => {
        if (!isClosed) sink.onEnd(endOf(exit))
      })
    },
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
      go?.()
      go = undefined
    },
    close: () => {
      isClosed = true
      fiber?.unsafeInterruptAsFork(FiberId.none)
    },
  }
}
