/** Places at upstreams that take only so many requests at once: who finds none free waits in a line that is bounded in length and time. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Upstream } from "../domain/Upstream.ts"

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
     * Takes a place until the scope ends, after those who asked before; waits as long as the upstream's `maxWaitMs` and `atMostMs`
     * allow. Of an upstream without `concurrency` everyone has a place.
     */
    readonly take: (upstream: Upstream, atMostMs: number) => Effect.Effect<void, NoSlot, Scope.Scope>
    /** How many wait for a place at the upstream of this name. */
    readonly waiting: (upstreamName: string) => number
  }
>() {}

interface Waiter {
  hasPlace: boolean
  /** Wakes it. */
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
    waiter.hasPlace = true
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

    const take: Slots["Type"]["take"] = ({ concurrency, name }, atMostMs) => {
      if (concurrency === undefined) return Effect.void
      const { max, maxWaiting, maxWaitMs } = concurrency
      return Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const scope = yield* Effect.scope
          const line = lineOf(name, max)
          const leave = Effect.sync(() => {
            line.taken -= 1
            tidy(name, line)
          })
          if (line.waiting.size === 0 && line.taken < max) {
            line.taken += 1
            return yield* Scope.addFinalizer(scope, leave)
          }
          if (line.waiting.size >= maxWaiting) {
            return yield* new NoSlot({ max, reason: "line_full", waitedMs: 0 })
          }

          const cameAt = clock.unsafeCurrentTimeMillis()
          let wake = () => {}
          const waiter: Waiter = { hasPlace: false, wake: () => wake() }
          line.waiting.add(waiter)
          const turn = Effect.async<void>((resume) => {
            wake = () => resume(Effect.void)
            if (waiter.hasPlace) wake()
          })
          const exit = yield* Effect.exit(
            restore(Effect.timeoutOption(turn, Math.max(0, Math.min(maxWaitMs, atMostMs)))),
          )
          // The place may have come in the same moment as the end of the wait.
          if (!waiter.hasPlace) {
            line.waiting.delete(waiter)
            tidy(name, line)
          }
          if (Exit.isFailure(exit)) {
            if (waiter.hasPlace) yield* leave
            return yield* Effect.failCause(exit.cause)
          }
          if (waiter.hasPlace) return yield* Scope.addFinalizer(scope, leave)
          return yield* new NoSlot({
            max,
            reason: "waited",
            waitedMs: clock.unsafeCurrentTimeMillis() - cameAt,
          })
        }),
      )
    }

    return Slots.of({ take, waiting: (name) => lines.get(name)?.waiting.size ?? 0 })
  }),
)
