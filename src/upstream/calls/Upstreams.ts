/** The wire to the upstreams: HTTP calls over keep-alive pools, and how many of them are under way. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Agents } from "./Agents.ts"
import { RunningCall, type Wire } from "./RunningCall.ts"
import { staleConnections } from "./StaleConnections.ts"
import { closeUnsent } from "./UnsentBodies.ts"
import type { CallListener, OpenCall, UpstreamCall } from "./UpstreamCall.ts"

export class Upstreams extends Context.Tag("sluice/Upstreams")<
  Upstreams,
  {
    /**
     * Sends one call. The listener is called from the socket's own events: of an effect per head, chunk and end none is left, which took more
     * time than the call itself.
     */
    readonly open: (call: UpstreamCall, listener: CallListener) => OpenCall
    /** How many calls of the upstream of this name are under way, bodies included. */
    readonly inFlight: (upstreamName: string) => number
  }
>() {}

export const layer: Layer.Layer<Upstreams> = Layer.scoped(
  Upstreams,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const stale = yield* staleConnections
    yield* closeUnsent
    const agents = yield* Effect.acquireRelease(
      Effect.sync(() => new Agents(stale)),
      (made) => Effect.promise(() => made.destroy()),
    )

    const inFlight = new Map<string, number>()
    const count = (name: string, change: 1 | -1) => {
      const now = (inFlight.get(name) ?? 0) + change
      if (now > 0) inFlight.set(name, now)
      else inFlight.delete(name)
    }

    const wire: Wire = { agents, stale, now: () => clock.unsafeCurrentTimeMillis(), count }
    return Upstreams.of({
      open: (call, listener) => new RunningCall(call, listener, wire),
      inFlight: (name) => inFlight.get(name) ?? 0,
    })
  }),
)
