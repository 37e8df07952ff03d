/** Requests of nobody: how many leave a row, and that the others are told of. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as Strangers from "../../src/access/Strangers.ts"

describe("Strangers", () => {
  it.effect("are noted up to a burst, then ten a second, and the others told of together", () => {
    const told: Array<unknown> = []
    const log = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => void told.push(message)),
    )
    return Effect.gen(function* () {
      const { isNoted, status } = yield* Strangers.Strangers
      const come = (count: number) => Array.from({ length: count }, isNoted).filter((noted) => noted).length
      expect(come(1_000)).toBe(100)
      yield* TestClock.adjust("1 second")
      expect(come(1_000)).toBe(10)
      expect(status()).toEqual({ turned_away: 2_000, unrecorded: 1_890 })
      yield* TestClock.adjust("9 seconds")
      expect(told).toMatchObject([[expect.stringContaining("left no row"), { requests: 1_890 }]])
      yield* TestClock.adjust("1 minute")
      expect(told).toHaveLength(1)
    }).pipe(Effect.provide(Strangers.layer.pipe(Layer.provideMerge(log))))
  })
})
