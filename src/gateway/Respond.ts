/** Makes the relays of streamed answers, whose time one fiber keeps. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RunFork } from "../wire/EventSource.ts"
import { lookMs } from "./Heartbeat.ts"
import type { Relay } from "./Relay.ts"
import {
  type OpenResponse,
  type ResponseOptions,
  ResponseStream,
  type StreamSurroundings,
} from "./ResponseStream.ts"
import { Roster } from "./Roster.ts"

/** The relay of an answer. Leaving it interrupts the upstream at once. */
export type Respond = <E, A>(options: ResponseOptions<E, A>) => Relay<A>

/**
 * Makes relays whose silence one fiber looks after, that of the scope: one for each stream, with what it takes to wait and to be interrupted, was a
 * quarter of what the beginning and the end of a stream cost.
 */
export const makeRespond = (runFork: RunFork): Effect.Effect<Respond, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const open = new Roster<OpenResponse>()
    const look = Effect.sync(() => {
      const now = clock.unsafeCurrentTimeMillis()
      for (const response of open.all) response.look(now)
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced(lookMs)))
    const surroundings: StreamSurroundings = {
      now: () => clock.unsafeCurrentTimeMillis(),
      after: (ms, go) => void runFork(Effect.delay(Effect.sync(go), ms)),
      open,
    }
    return <E, A>(options: ResponseOptions<E, A>): Relay<A> => {
      let response: ResponseStream<E, A> | undefined
      return {
        run: (outlet) =>
          Effect.async<void>((resume) => {
            const begun = new ResponseStream(options, outlet, surroundings, resume)
            response = begun
            begun.start()
            return Effect.sync(() => begun.end())
          }),
        cut: (error) => response?.cut(error),
        ended: () => response?.ended,
      }
    }
  })
