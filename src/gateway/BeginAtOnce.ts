/**
 * A streamed answer that begins before any upstream has answered, for clients behind balancers that cut a silent connection: heartbeats until it is
 * known what is to be answered, then that. An error is told as the one event, since the status is gone.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import { silenceMs } from "./Heartbeat.ts"
import type { Outlet, Relay } from "./Relay.ts"

/** An error as the JSON that tells it, and `A`, what the answer came to with it. */
interface ToldError<A> {
  readonly body: Uint8Array
  readonly ending: A
}

/** What is answered at last. */
export type Coming<A> = ToldError<A> | { readonly body: Relay<A> }

interface AtOnceOptions<A> {
  /** How the answer streams. */
  readonly grammar: Pick<StreamGrammar, "errorEvents" | "frame" | "heartbeat">
  /** Run once. Interrupted when the client leaves, or this gateway ends. */
  readonly answer: Effect.Effect<Coming<A>>
  /** What it came to where the client left before that was known. */
  readonly left: A
  /** What is answered instead where this gateway ends before. */
  readonly cutWith: (error: ShapedError) => ToldError<A>
}

/** A heartbeat after each time of silence; so few that they need not wait for a client that does not read. */
const beating = ({ write }: Outlet, heartbeat: Uint8Array): Effect.Effect<never> =>
  Effect.forever(
    Effect.delay(
      Effect.sync(() => void write(heartbeat)),
      silenceMs,
    ),
  )

/** The relay of such an answer. */
export const beginAtOnce = <A>({ answer, cutWith, grammar, left }: AtOnceOptions<A>): Relay<A> => {
  let asked = answer
  let relay: Relay<A> | undefined
  let ending: A | undefined
  let instead: ToldError<A> | undefined
  const isCut = Deferred.unsafeMake<Coming<A>>(FiberId.none)

  const decided = (outlet: Outlet): Effect.Effect<Coming<A>> => {
    const coming = asked
    // The stream to come may take minutes, and what it was asked with be megabytes.
    asked = Effect.never
    outlet.write(grammar.heartbeat)
    return Effect.raceFirst(
      beating(outlet, grammar.heartbeat),
      Effect.raceFirst(coming, Deferred.await(isCut)),
    )
  }

  return {
    run: (outlet) =>
      Effect.suspend(() => decided(outlet)).pipe(
        Effect.flatMap((coming) => {
          const given = instead ?? coming
          if ("ending" in given) {
            ending = given.ending
            for (const event of grammar.errorEvents(given.body)) outlet.write(grammar.frame(event))
            return Effect.void
          }
          relay = given.body
          return relay.run(outlet)
        }),
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            ending ??= left
          }),
        ),
      ),
    cut: (error) => {
      if (relay !== undefined) return relay.cut(error)
      if (ending !== undefined || instead !== undefined) return
      instead = cutWith(error)
      Deferred.unsafeDone(isCut, Effect.succeed(instead))
    },
    ended: () => relay?.ended() ?? ending,
  }
}
