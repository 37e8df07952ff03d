/** The requests under way: how many there are, and how much memory their bodies hold together. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** One request under way. */
export interface OpenRequest {
  /** Claims memory for bytes of a body until the request ends; false where the bodies of all requests would hold more than `limitBytes`. */
  readonly hold: (bytes: number, limitBytes: number) => boolean
  /** Notes what is to be given back when it ends, should it not have been by then. */
  readonly whenOver: (release: () => void) => void
  readonly end: () => void
}

export class OpenRequests extends Context.Tag("sluice/OpenRequests")<
  OpenRequests,
  {
    readonly begin: () => OpenRequest
    readonly count: () => number
    /** Bytes. */
    readonly held: () => number
    /** Completes when none is under way. */
    readonly allEnded: Effect.Effect<void>
  }
>() {}

export const layer: Layer.Layer<OpenRequests> = Layer.effect(
  OpenRequests,
  Effect.map(Effect.makeLatch(true), (none) => {
    let count = 0
    let held = 0
    return OpenRequests.of({
      begin: () => {
        let own = 0
        let releases: Array<() => void> = []
        count += 1
        none.unsafeClose()
        return {
          hold: (bytes, limitBytes) => {
            if (held + bytes > limitBytes) return false
            held += bytes
            own += bytes
            return true
          },
          whenOver: (release) => void releases.push(release),
          end: () => {
            for (const release of releases) release()
            releases = []
            count -= 1
            held -= own
            own = 0
            if (count === 0) none.unsafeOpen()
          },
        }
      },
      count: () => count,
      held: () => held,
      allEnded: none.await,
    })
  }),
)
