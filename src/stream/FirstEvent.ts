/** An upstream's bytes as events, the first of them apart: until it is known that it is no error, another target can still be asked. */
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { decoder, isOverflow, type SseEvent, type SseOutput } from "../domain/Sse.ts"
import { lift } from "./Lift.ts"

/** The stream ended, cleanly, before it said anything. */
export class EndedBeforeFirstEvent extends Data.TaggedError("EndedBeforeFirstEvent") {}

/** One event was larger than is held in memory. */
export class EventTooLarge extends Data.TaggedError("EventTooLarge")<{ readonly limitBytes: number }> {}

/** The most that is held of one event. Larger than any answer, since some upstreams send images in one. */
const maxEventBytes = 32 * 1024 * 1024

/** A stream that has begun. */
export interface Begun<E> {
  readonly first: SseEvent
  /** All events, the first one included. To be run once. */
  readonly events: Stream.Stream<SseEvent, E>
}

const isEvent = (output: SseOutput): output is SseEvent => !isOverflow(output)

/** Waits for the first event of a body. The reading ends with the scope. */
export const firstEvent = <E>(
  bytes: Stream.Stream<Uint8Array, E>,
): Effect.Effect<Begun<E | EventTooLarge>, E | EventTooLarge | EndedBeforeFirstEvent, Scope.Scope> =>
  Effect.gen(function* () {
    type Pull = Effect.Effect<Chunk.Chunk<SseEvent>, Option.Option<E | EventTooLarge>>

    const pull = yield* Stream.toPull(lift(decoder({ maxEventBytes }))(bytes))
    const tooLarge = Effect.fail(Option.some(new EventTooLarge({ limitBytes: maxEventBytes })))
    let ready: Chunk.Chunk<SseEvent> | undefined
    let overflowed = false

    const next: Pull = Effect.flatMap(pull, (outputs): Pull => {
      if (Chunk.every(outputs, isEvent)) return Effect.succeed(outputs)
      overflowed = true
      return Effect.succeed(Chunk.filter(outputs, isEvent))
    })
    const events: Pull = Effect.suspend((): Pull => {
      if (ready !== undefined) {
        const chunk = ready
        ready = undefined
        return Effect.succeed(chunk)
      }
      return overflowed ? tooLarge : next
    })

    for (;;) {
      const chunk = yield* Effect.mapError(
        events,
        Option.getOrElse(() => new EndedBeforeFirstEvent()),
      )
      if (Chunk.isNonEmpty(chunk)) {
        ready = chunk
        return { first: Chunk.headNonEmpty(chunk), events: Stream.fromPull(Effect.succeed(events)) }
      }
    }
  })
