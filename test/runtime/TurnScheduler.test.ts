import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect, it } from "vitest"
import { turnScheduler } from "../../src/runtime/TurnScheduler.ts"

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(Effect.withScheduler(effect, turnScheduler))

describe("the scheduler of turns", () => {
  it("wakes fibers in the order in which they were told to go on", async () => {
    const seen: Array<string> = []
    const twice = (name: string) =>
      Effect.repeatN(
        Effect.zipRight(
          Effect.sync(() => seen.push(name)),
          Effect.yieldNow(),
        ),
        1,
      )
    await run(Effect.all([twice("a"), twice("b"), twice("c")], { concurrency: "unbounded" }))
    expect(seen).toEqual(["a", "b", "c", "a", "b", "c"])
  })

  it("lets Node's events have their turn beside a fiber that never waits", async () => {
    const fired = await run(
      Effect.gen(function* () {
        let isDue = false
        setImmediate(() => {
          isDue = true
        })
        const busy = yield* Effect.fork(Effect.forever(Effect.yieldNow()))
        yield* Effect.repeat(Effect.yieldNow(), { until: () => isDue })
        yield* Fiber.interrupt(busy)
        return isDue
      }),
    )
    expect(fired).toBe(true)
  })

  it("goes on with others where one dies", async () => {
    const value = await run(
      Effect.gen(function* () {
        const dead = yield* Effect.fork(Effect.zipRight(Effect.yieldNow(), Effect.die("on purpose")))
        const alive = yield* Effect.fork(Effect.as(Effect.yieldNow(), 7))
        yield* Fiber.await(dead)
        return yield* Fiber.join(alive)
      }),
    )
    expect(value).toBe(7)
  })
})
