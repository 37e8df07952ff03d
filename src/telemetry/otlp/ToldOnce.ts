/** What the log says of exports: once that they fail, and once that they work again. */
import * as Effect from "effect/Effect"

/**
 * Told how each export went: why it failed, where it did.
 *
 * @param what as the log calls what is sent
 */
export const toldOnce = (what: string): ((failure: string | undefined) => Effect.Effect<void>) => {
  let isFailing = false
  return (failure) =>
    Effect.suspend(() => {
      if (isFailing === (failure !== undefined)) return Effect.void
      isFailing = failure !== undefined
      return isFailing
        ? Effect.logWarning(`${what} could not be exported: ${failure}`)
        : Effect.logInfo(`${what} are exported again`)
    })
}
