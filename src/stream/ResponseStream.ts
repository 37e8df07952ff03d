/**
 * A streamed answer on its way to the client: upstream events in, bytes out, pulled one by one. It never fails; what breaks it is said
 * in its last event.
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import {
  type AnswerEnd,
  type AnswerSettings,
  type AnswerSummary,
  answerStream,
  summary,
} from "../domain/AnswerStream.ts"
import { encode, heartbeat, type SseEvent } from "../domain/Sse.ts"
import { Handover } from "./Handover.ts"
import { DataKeeper, type KeptData } from "./KeptData.ts"

/** A streamed answer that is over. */
export interface ResponseEnd extends AnswerSummary {
  /** The data of the events that were sent. */
  readonly sent: KeptData
}

export interface ResponseOptions<E> {
  readonly settings: AnswerSettings
  readonly events: Stream.Stream<SseEvent, E>
  /** A failure of the upstream in a few words for the client. Holds no secret. */
  readonly reasonOf: (error: E) => string
  /** How large an answer is kept for `onEnd`; 0 keeps nothing. */
  readonly keepBytes: number
  /**
   * Told once how it ended: complete, broken, or left by the client. Nothing is read of the upstream any more by then. A stream that
   * is never run never ends.
   */
  readonly onEnd: (end: ResponseEnd) => Effect.Effect<void>
}

/** Silence after which a client is told that the answer is still coming. */
const silenceMs = 15_000

/**
 * How long an upstream may take to end its body after the answer is complete. The client has its `[DONE]` by then; a body read to
 * its end leaves a connection that can be used again.
 */
const drainMs = 100

/** What the wait for the upstream can end in. */
type Arrival =
  | { readonly kind: "events"; readonly events: Chunk.Chunk<SseEvent> }
  | { readonly kind: "end"; readonly end: AnswerEnd }
  | { readonly kind: "silence" }

type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>>

/** Events with these data, in one piece: what came in one read goes out in one write. */
const encodeAll = (datas: ReadonlyArray<Uint8Array>): Uint8Array => {
  const encoded = datas.map(encode)
  const only = encoded[0]
  if (encoded.length === 1 && only !== undefined) return only
  const joined = new Uint8Array(encoded.reduce((total, one) => total + one.length, 0))
  let at = 0
  for (const one of encoded) {
    joined.set(one, at)
    at += one.length
  }
  return joined
}

/** How the upstream's events ended: a pull fails with nothing at their end. */
const endOf = <E>(cause: Cause.Cause<Option.Option<E>>, reasonOf: (error: E) => string): AnswerEnd => {
  const failure = Cause.failureOrCause(cause)
  if (Either.isRight(failure)) return { kind: "broken", reason: "a fault in the gateway" }
  return Option.match(failure.left, {
    onNone: () => ({ kind: "ended" }),
    onSome: (error) => ({ kind: "broken", reason: reasonOf(error) }),
  })
}

/**
 * The bytes of the answer. An upstream is read no faster than the client reads; leaving the stream interrupts it at once.
 *
 * The upstream is read in a fiber of its own, a chunk for each that is asked for, since a read that has begun cannot be put aside when
 * it is time for a heartbeat; one further fiber keeps the time. So an event costs one hand-over, not a timeout.
 */
export const respond = <E>(options: ResponseOptions<E>): Stream.Stream<Uint8Array> => {
  const { events, keepBytes, onEnd, reasonOf, settings } = options
  const answer = answerStream(settings)

  const start = Effect.gen(function* () {
    const clock = yield* Effect.clock
    const scope = yield* Effect.scope
    const handover = new Handover<Arrival>()
    const keeper = new DataKeeper(keepBytes)
    let state = answer.initial
    let hasSent = false
    let upstreamEnded = false
    let waitingSince = clock.unsafeCurrentTimeMillis()

    yield* Effect.addFinalizer(() => Effect.suspend(() => onEnd({ ...summary(state), sent: keeper.kept })))

    const readUpstream = yield* Stream.toPull(events)
    const handOver: Effect.Effect<never, Option.Option<E>> = Effect.flatMap(readUpstream, (chunk) =>
      Effect.flatMap(handover.give({ kind: "events", events: chunk }), () => handOver),
    )
    yield* handOver.pipe(
      Effect.tapDefect((defect) => Effect.logError("A streamed answer broke off", defect)),
      Effect.catchAllCause((cause) => handover.give({ kind: "end", end: endOf(cause, reasonOf) })),
      Effect.interruptible,
      Effect.forkScoped,
    )

    const watchSilence = Effect.suspend(() => {
      const now = clock.unsafeCurrentTimeMillis()
      const due = (handover.isAwaited ? waitingSince : now) + silenceMs
      if (due > now) return Effect.sleep(due - now)
      waitingSince = now
      if (hasSent) handover.prompt({ kind: "silence" })
      return Effect.void
    })
    yield* watchSilence.pipe(Effect.forever, Effect.interruptible, Effect.forkScoped)

    /** Advances the answer; its outputs are kept as they go out. */
    const advance = (arrival: Exclude<Arrival, { kind: "silence" }>): ReadonlyArray<Uint8Array> => {
      if (arrival.kind === "end") {
        upstreamEnded = true
        const [next, datas] = answer.end(state, arrival.end)
        state = next
        return datas
      }
      const all: Array<Uint8Array> = []
      for (const event of arrival.events) {
        const [next, datas] = answer.step(state, event)
        state = next
        for (const data of datas) all.push(data)
      }
      return all
    }

    const read: Pull = Effect.flatMap(handover.take, (arrival): Pull => {
      if (arrival.kind === "silence") return Effect.succeed(Chunk.of(heartbeat))
      const datas = advance(arrival)
      if (datas.length === 0) return read
      for (const data of datas) keeper.keep(data)
      hasSent = true
      return Effect.succeed(Chunk.of(encodeAll(datas)))
    })

    const end: Pull = Effect.fail(Option.none())

    let isDrained = false
    const drain: Pull = Effect.flatMap(
      handover.take,
      (arrival): Pull => (arrival.kind === "events" && !isDrained ? drain : end),
    )
    const stopDraining = Effect.sync(() => {
      isDrained = true
      handover.prompt({ kind: "silence" })
    })
    const drainAwhile: Pull = Effect.sleep(drainMs).pipe(
      Effect.andThen(stopDraining),
      Effect.interruptible,
      Effect.forkIn(scope),
      Effect.andThen(drain),
    )

    const pull = Effect.suspend((): Pull => {
      if (state.phase === "open") {
        waitingSince = clock.unsafeCurrentTimeMillis()
        return read
      }
      return state.phase === "complete" && !upstreamEnded ? drainAwhile : end
    })
    return { pull }
  })

  return Stream.fromPull(Effect.map(start, ({ pull }) => pull))
}
