/**
 * Requests of nobody this gateway knows, or for nothing it serves: anybody may send them without end, so only so many leave a row or a line. What
 * is beyond is counted, and told together now and then: nothing is passed over in silence.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type BucketRate, fullBucket, taken } from "./TokenBucket.ts"

/** A person that tries, or a monitor, is always noted. */
const noted: BucketRate = { perSecond: 10, burst: 100 }

/** How often those are told of that were not noted. */
const tellEverySeconds = 10

export interface StrangersStatus {
  readonly turned_away: number
  /** Those of them that left neither a row nor a line. */
  readonly unrecorded: number
}

export class Strangers extends Context.Tag("sluice/Strangers")<
  Strangers,
  {
    /** Counts one; whether it leaves a row and a line. */
    readonly isNoted: () => boolean
    /** Since the start. */
    readonly status: () => StrangersStatus
  }
>() {}

export const layer: Layer.Layer<Strangers> = Layer.scoped(
  Strangers,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    let bucket = fullBucket(noted, clock.unsafeCurrentTimeMillis())
    let turnedAway = 0
    let unrecorded = 0
    let told = 0
    const tell = Effect.suspend(() => {
      const requests = unrecorded - told
      told = unrecorded
      return requests === 0
        ? Effect.void
        : Effect.logWarning("requests without a valid key, or for nothing that is served, left no row", {
            requests,
            at_most_per_second: noted.perSecond,
          })
    })
    yield* Effect.forkScoped(Effect.forever(Effect.delay(tell, `${tellEverySeconds} seconds`)))
    yield* Effect.addFinalizer(() => tell)
    return Strangers.of({
      isNoted: () => {
        turnedAway += 1
        const left = taken(bucket, noted, clock.unsafeCurrentTimeMillis())
        if (left === undefined) unrecorded += 1
        else bucket = left
        return left !== undefined
      },
      status: () => ({ turned_away: turnedAway, unrecorded }),
    })
  }),
)
