/**
 * A place where one fiber hands values to another, one at a time: the giver waits until its value is taken and more is wanted, so
 * nothing is made that nobody asked for.
 *
 * It exists beside `Queue` because the taker must be able to wait for a value and for a deadline at once without a race per value: whoever
 * keeps the time calls `prompt`, and only a taker that is waiting hears it.
 */
import * as Effect from "effect/Effect"

export class Handover<A> {
  #taker: ((effect: Effect.Effect<A>) => void) | undefined
  #giver: ((effect: Effect.Effect<void>) => void) | undefined
  #value: { readonly value: A } | undefined

  /** Whether someone waits for a value. */
  get isAwaited(): boolean {
    return this.#taker !== undefined
  }

  /** Gives a value, and waits until the next one is wanted. */
  give(value: A): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      this.#giver = resume
      const taker = this.#taker
      this.#taker = undefined
      if (taker === undefined) this.#value = { value }
      else taker(Effect.succeed(value))
    })
  }

  /** Gives a value to a taker that waits, and to nobody else. The giver's next value is for the take after that. */
  prompt(value: A): void {
    const taker = this.#taker
    this.#taker = undefined
    taker?.(Effect.succeed(value))
  }

  /**
   * Waits for the next value. For one fiber only; when it is interrupted while it waits, the next value is lost with it (a finalizer
   * per value would cost as much as the rest of the hand-over).
   */
  readonly take: Effect.Effect<A> = Effect.async<A>((resume) => {
    const ready = this.#value
    if (ready !== undefined) {
      this.#value = undefined
      resume(Effect.succeed(ready.value))
      return
    }
    this.#taker = resume
    const giver = this.#giver
    this.#giver = undefined
    giver?.(Effect.void)
  })
}
