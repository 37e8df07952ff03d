/** Looks at all connections, again and again, so that none needs a timer. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ServerLimits } from "../access/ServerLimits.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { Connections } from "./Connections.ts"

/** How often connections are looked at: often enough for the shortest time that is set, and seldom where thousands are open. */
const lookEveryMs = ({ receiveMs, sendMs }: ServerLimits): number =>
  Math.min(1_000, Math.max(20, Math.min(receiveMs, sendMs) / 4))

/** How often refused connections are told of. */
const tellRefusedMs = 10_000

/** Ends those that take nothing or whose time is over, for as long as the scope is open, and tells of those that were refused. */
export const lookAfterConnections = Effect.gen(function* () {
  const connections = yield* Connections
  const { snapshot } = yield* CurrentConfig
  let lookedAt = yield* Clock.currentTimeMillis
  let told = 0
  let toldAt = Number.NEGATIVE_INFINITY
  const look = Effect.gen(function* () {
    const { server } = snapshot()
    const everyMs = lookEveryMs(server)
    yield* Effect.sleep(everyMs)
    const now = yield* Clock.currentTimeMillis
    const { receiveMs, sendMs } = server
    // What passed while the process stood still, or the machine slept, was nobody's silence.
    connections.look({ now, stepMs: Math.min(now - lookedAt, 2 * everyMs), sendMs, receiveMs })
    lookedAt = now
    const { open, refused } = connections.status
    if (refused === told || now - toldAt < tellRefusedMs) return
    yield* Effect.logWarning(
      "connections were refused: server.max_connections, max_connections_per_address, or the system had no room",
      {
        refused: refused - told,
        open,
      },
    )
    told = refused
    toldAt = now
    // One look that fails is not the last.
  }).pipe(Effect.catchAllDefect((defect) => Effect.logError("connections could not be looked at", defect)))
  yield* Effect.forkScoped(Effect.forever(look))
})
