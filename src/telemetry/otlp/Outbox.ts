/** What waits to be exported, up to a bound: what comes beyond is dropped and counted. An exporter that fails keeps nobody waiting. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { toldOnce } from "./ToldOnce.ts"
import { untilTheEnd } from "./UntilTheEnd.ts"

export interface OutboxOptions<A> {
  /** As the log calls what is sent. */
  readonly what: string
  readonly maxQueue: number
  readonly maxBatch: number
  /** Milliseconds until what waits is sent, be it ever so little. */
  readonly delayMs: number
  /** Says why it failed, where it did. */
  readonly send: (items: ReadonlyArray<A>) => Effect.Effect<string | undefined>
}

export class Outbox<A> {
  readonly #options: OutboxOptions<A>
  #waiting: Array<A> = []
  /** How many are being sent. */
  #underWay = 0
  #dropped = 0
  #wake: (() => void) | undefined
  readonly #told: (failure: string | undefined) => Effect.Effect<void>

  constructor(options: OutboxOptions<A>) {
    this.#options = options
    this.#told = toldOnce(options.what)
  }

  /** How many were never sent. */
  get dropped(): number {
    return this.#dropped
  }

  /** All of these wait together, or none does. */
  put(items: ReadonlyArray<A>): void {
    const { maxBatch, maxQueue } = this.#options
    if (this.#waiting.length + items.length > maxQueue) {
      this.#dropped += items.length
      return
    }
    this.#waiting.push(...items)
    if (this.#waiting.length >= maxBatch) this.#wake?.()
  }

  /** Sends in batches for as long as the scope is open, and the rest when it closes. */
  readonly run: Effect.Effect<void, never, Scope.Scope> = Effect.suspend(() =>
    untilTheEnd({
      pause: Effect.asVoid(Effect.timeoutOption(this.#full, this.#options.delayMs)),
      once: this.#flush,
      ended: () => this.#ended,
    }),
  )

  /** Done when a whole batch waits. */
  get #full(): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (this.#waiting.length >= this.#options.maxBatch) return resume(Effect.void)
      this.#wake = () => resume(Effect.void)
    })
  }

  /** Sends what waits. */
  get #flush(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#waiting.length === 0) return Effect.void
      const batch = this.#waiting.slice(0, this.#options.maxBatch)
      this.#waiting = this.#waiting.slice(batch.length)
      this.#underWay = batch.length
      return Effect.flatMap(this.#options.send(batch), (failure) => {
        this.#underWay = 0
        if (failure === undefined) return Effect.zipRight(this.#told(undefined), this.#flush)
        this.#dropped += batch.length
        return this.#told(failure)
      })
    })
  }

  /** The process goes: what did not go before it is lost. */
  get #ended(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const lost = this.#waiting.length + this.#underWay
      this.#dropped += lost
      if (lost === 0) return Effect.void
      return Effect.logWarning(`${this.#options.what} could not be exported before the end: ${lost} are lost`)
    })
  }
}
