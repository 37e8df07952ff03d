/** Places at upstreams that take only so many requests at once: who finds none free waits in a line that is bounded in length and time. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Upstream } from "../routing/Upstream.ts"

/** There was no place, and none became free while one could wait for it. */
export class NoSlot extends Data.TaggedError("NoSlot")<{
  /** How many requests the upstream takes at once. */
  readonly max: number
  readonly reason: "line_full" | "waited"
  /** Milliseconds. */
  readonly waitedMs: number
}> {}

export class Slots extends Context.Tag("sluice/Slots")<
  Slots,
  {
    /**
     * Takes a place, after those who asked before, and gives the way to leave it; waits as long as the upstream's `maxWaitMs` and `atMostMs`
     * allow. Of an upstream without `concurrency` everyone has a place.
     *
     * @param keep told of the way to leave in the moment the place is taken, so that nobody who is interrupted then keeps it
     */
    readonly take: (
      upstream: Upstream,
      atMostMs: number,
      keep: (leave: () => void) => void,
    ) => Effect.Effect<() => void, NoSlot>
    /** How many wait for a place at the upstream of this name. */
    readonly waiting: (upstreamName: string) => number
  }
>() {}

interface Waiter {
  /** Tells it that it has a place. */
  readonly wake: () => void
}

interface Line {
  /** As the latest comer knew it: a reload may change it. */
  max: number
  taken: number
  /** In the order they came. */
  readonly waiting: Set<Waiter>
}

/** Gives free places to those who wait. */
const advance = (line: Line): void => {
  for (const waiter of line.waiting) {
    if (line.taken >= line.max) return
    line.waiting.delete(waiter)
    line.taken += 1
    waiter.wake()
  }
}

/** Mutable on purpose: the lines at all upstreams. */
class WaitingLines {
  readonly #now: () => number
  readonly #all = new Map<string, Line>()

  constructor(now: () => number) {
    this.#now = now
  }

  waiting(name: string): number {
    return this.#all.get(name)?.waiting.size ?? 0
  }

  take(
    { concurrency, name }: Upstream,
    atMostMs: number,
    keep: (leave: () => void) => void,
  ): Effect.Effect<() => void, NoSlot> {
    if (concurrency === undefined) return Effect.succeed(() => {})
    const { max, maxWaiting, maxWaitMs } = concurrency
    return Effect.suspend((): Effect.Effect<() => void, NoSlot> => {
      const line = this.#lineOf(name, max)
      const leaver = () => this.#leaver(name, line, keep)
      if (line.waiting.size === 0 && line.taken < max) {
        line.taken += 1
        return Effect.succeed(leaver())
      }
      if (line.waiting.size >= maxWaiting) return new NoSlot({ max, reason: "line_full", waitedMs: 0 })
      const cameAt = this.#now()
      return Effect.timeoutFail(this.#turn(name, line, leaver), {
        duration: Math.max(0, Math.min(maxWaitMs, atMostMs)),
        onTimeout: () => new NoSlot({ max, reason: "waited", waitedMs: this.#now() - cameAt }),
      })
    })
  }

  #lineOf(name: string, max: number): Line {
    const known = this.#all.get(name)
    if (known === undefined) {
      const line = { max, taken: 0, waiting: new Set<Waiter>() }
      this.#all.set(name, line)
      return line
    }
    known.max = max
    advance(known)
    return known
  }

  /** The way to leave a place that was just taken. */
  #leaver(name: string, line: Line, keep: (leave: () => void) => void): () => void {
    let hasLeft = false
    const leave = () => {
      if (hasLeft) return
      hasLeft = true
      line.taken -= 1
      this.#tidy(name, line)
    }
    keep(leave)
    return leave
  }

  /** Waits in the line for a place. */
  #turn(name: string, line: Line, leaver: () => () => void): Effect.Effect<() => void> {
    return Effect.async((resume) => {
      const waiter: Waiter = { wake: () => resume(Effect.succeed(leaver())) }
      line.waiting.add(waiter)
      return Effect.sync(() => {
        line.waiting.delete(waiter)
        this.#tidy(name, line)
      })
    })
  }

  /** After a place or the line was left. */
  #tidy(name: string, line: Line): void {
    advance(line)
    if (line.taken === 0 && line.waiting.size === 0) this.#all.delete(name)
  }
}

export const layer: Layer.Layer<Slots> = Layer.effect(
  Slots,
  Effect.map(Effect.clock, (clock) => {
    const lines = new WaitingLines(() => clock.unsafeCurrentTimeMillis())
    return Slots.of({
      take: (upstream, atMostMs, keep) => lines.take(upstream, atMostMs, keep),
      waiting: (name) => lines.waiting(name),
    })
  }),
)
