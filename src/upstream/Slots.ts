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

export const layer: Layer.Layer<Slots> = Layer.effect(
  Slots,
  Effect.map(Effect.clock, (clock) => {
    const lines = new Map<string, Line>()

    const lineOf = (name: string, max: number): Line => {
      const known = lines.get(name)
      if (known === undefined) {
        const line = { max, taken: 0, waiting: new Set<Waiter>() }
        lines.set(name, line)
        return line
      }
      known.max = max
      advance(known)
      return known
    }

    /** After a place or the line was left. */
    const tidy = (name: string, line: Line): void => {
      advance(line)
      if (line.taken === 0 && line.waiting.size === 0) lines.delete(name)
    }

    const take: Slots["Type"]["take"] = ({ concurrency, name }, atMostMs, keep) => {
      if (concurrency === undefined) return Effect.succeed(() => {})
      const { max, maxWaiting, maxWaitMs } = concurrency
      return Effect.suspend((): Effect.Effect<() => void, NoSlot> => {
        const line = lineOf(name, max)
        /** Of a place that was just taken. */
        const leaver = (): (() => void) => {
          let hasLeft = false
          const leave = () => {
            if (hasLeft) return
            hasLeft = true
            line.taken -= 1
            tidy(name, line)
          }
          keep(leave)
          return leave
        }
        if (line.waiting.size === 0 && line.taken < max) {
          line.taken += 1
          return Effect.succeed(leaver())
        }
        if (line.waiting.size >= maxWaiting) return new NoSlot({ max, reason: "line_full", waitedMs: 0 })

        const cameAt = clock.unsafeCurrentTimeMillis()
        const turn = Effect.async<() => void>((resume) => {
          const waiter: Waiter = { wake: () => resume(Effect.succeed(leaver())) }
          line.waiting.add(waiter)
          return Effect.sync(() => {
            line.waiting.delete(waiter)
            tidy(name, line)
          })
        })
        return Effect.timeoutFail(turn, {
          duration: Math.max(0, Math.min(maxWaitMs, atMostMs)),
          onTimeout: () =>
            new NoSlot({ max, reason: "waited", waitedMs: clock.unsafeCurrentTimeMillis() - cameAt }),
        })
      })
    }

    return Slots.of({ take, waiting: (name) => lines.get(name)?.waiting.size ?? 0 })
  }),
)
