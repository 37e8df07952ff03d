import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe, expect } from "vitest"
import { Handover } from "../../src/stream/Handover.ts"

describe("Handover", () => {
  it.effect("hands over every value in order", () =>
    Effect.gen(function* () {
      const handover = new Handover<number>()
      yield* Effect.fork(Effect.forEach([1, 2, 3], (value) => handover.give(value)))
      expect([yield* handover.take, yield* handover.take, yield* handover.take]).toEqual([1, 2, 3])
    }),
  )

  it.effect("lets the giver wait until more is wanted", () =>
    Effect.gen(function* () {
      const handover = new Handover<number>()
      let made = 0
      yield* Effect.fork(Effect.forever(Effect.suspend(() => handover.give(++made))))
      yield* Effect.yieldNow()
      expect(made).toBe(1)
      expect(yield* handover.take).toBe(1)
      yield* Effect.yieldNow()
      expect(made).toBe(1)
      expect(yield* handover.take).toBe(2)
    }),
  )

  it.effect("prompts a taker that waits, and loses no value by it", () =>
    Effect.gen(function* () {
      const handover = new Handover<number>()
      const taker = yield* Effect.fork(handover.take)
      yield* Effect.yieldNow()
      expect(handover.isAwaited).toBe(true)
      handover.prompt(-1)
      expect(handover.isAwaited).toBe(false)
      expect(yield* Fiber.join(taker)).toBe(-1)
      yield* Effect.fork(handover.give(1))
      yield* Effect.yieldNow()
      expect(yield* handover.take).toBe(1)
    }),
  )

  it.effect("prompts nobody where nobody waits", () =>
    Effect.gen(function* () {
      const handover = new Handover<number>()
      handover.prompt(-1)
      yield* Effect.fork(handover.give(1))
      expect(yield* handover.take).toBe(1)
    }),
  )
})
