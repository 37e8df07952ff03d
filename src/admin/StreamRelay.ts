/** A stream of bytes as the edge hands answers on: written as fast as its reader takes it. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Outlet, Relay } from "../gateway/Relay.ts"

const drained = (outlet: Outlet): Effect.Effect<void> =>
  Effect.async((resume) => outlet.onDrain(() => resume(Effect.void)))

export class StreamRelay implements Relay<true> {
  readonly #stream: Stream.Stream<Uint8Array, unknown>
  #isOver = false

  constructor(stream: Stream.Stream<Uint8Array, unknown>) {
    this.#stream = stream
  }

  run(outlet: Outlet): Effect.Effect<void> {
    return this.#stream.pipe(
      Stream.runForEach((bytes) => (outlet.write(bytes) ? Effect.void : drained(outlet))),
      // Nothing can be said any more: its connection is cut.
      Effect.catchAll(() => Effect.interrupt),
      Effect.ensuring(
        Effect.sync(() => {
          this.#isOver = true
        }),
      ),
    )
  }

  /** Its readers know that what is live ends. */
  cut(): void {}

  ended(): true | undefined {
    return this.#isOver ? true : undefined
  }
}
