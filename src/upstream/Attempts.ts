/** The attempts of a request, from its plan to the client's answer. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Aside } from "../aside/Aside.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Answered } from "./Answered.ts"
import { makeAsking } from "./Asking.ts"
import { makeAttempt } from "./Attempt.ts"
import { Breakers } from "./Breakers.ts"
import type { Upstreams } from "./calls/Upstreams.ts"
import { Dialects } from "./Dialects.ts"
import { Learned } from "./Learned.ts"
import type { Slots } from "./Slots.ts"
import { Walk, type WalkRequest, type WalkSurroundings } from "./Walk.ts"

export class Attempts extends Context.Tag("sluice/Attempts")<
  Attempts,
  {
    /**
     * The first answer that is the client's. A stream's connection lives until its end or that of the request. Fails when every attempt of every
     * round failed.
     */
    readonly run: (request: WalkRequest) => Effect.Effect<Answered, GatewayError>
  }
>() {}

export const layer: Layer.Layer<Attempts, never, Aside | Breakers | Dialects | Slots | Upstreams> =
  Layer.scoped(
    Attempts,
    Effect.gen(function* () {
      const learned = new Learned()
      const dialects = yield* Dialects
      const surroundings: WalkSurroundings = {
        asking: makeAsking(yield* makeAttempt, learned, dialects),
        dialects,
        learned,
        breakers: yield* Breakers,
        clock: yield* Effect.clock,
      }
      return Attempts.of({ run: (request) => new Walk(request, surroundings).run() })
    }),
  )
