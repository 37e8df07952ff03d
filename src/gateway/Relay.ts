/** How a streamed answer is handed on: whoever sends it is given an outlet, and says when it is over. */
import type * as Effect from "effect/Effect"
import type { ShapedError } from "../errors/SaidError.ts"

export interface Outlet {
  /** False where nothing more should be written until the outlet was drained; what is written all the same is kept. */
  readonly write: (bytes: Uint8Array) => boolean
  /** Calls back once, when it takes more. */
  readonly onDrain: (go: () => void) => void
}

/** An answer that is written piece by piece, and `A`, what is known of it when it is over. To be run once. */
export interface Relay<A> {
  /**
   * Writes everything, and is done when all is written. Interrupting it ends what it reads. It interrupts itself where it breaks off and nothing can be
   * written that says so: its connection is to be cut then.
   */
  readonly run: (outlet: Outlet) => Effect.Effect<void>
  /** Ends it with this error as its last event, where it has events, unless it is whole. */
  readonly cut: (error: ShapedError) => void
  /** What it came to, once it is over, by itself or interrupted; nothing before, and of one that was never run. */
  readonly ended: () => A | undefined
}
