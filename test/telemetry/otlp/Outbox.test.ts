/** What waits to be exported is sent in batches, and nothing of it is lost in silence. */
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { Outbox } from "../../../src/telemetry/otlp/Outbox.ts"
import { lastMs } from "../../../src/telemetry/otlp/UntilTheEnd.ts"

type Sending = (batch: ReadonlyArray<number>) => Effect.Effect<string | undefined>

/** An outbox that runs, what it sent, and its end. */
const running = (answer: Sending, bounds: { readonly maxQueue?: number; readonly maxBatch?: number } = {}) =>
  Effect.gen(function* () {
    const sent: Array<ReadonlyArray<number>> = []
    const outbox = new Outbox<number>({
      what: "numbers",
      maxQueue: 100,
      maxBatch: 2,
      delayMs: 1_000,
      ...bounds,
      send: (batch) => {
        sent.push(batch)
        return answer(batch)
      },
    })
    const scope = yield* Scope.make()
    yield* Scope.extend(outbox.run, scope)
    return { outbox, sent, end: Scope.close(scope, Exit.void) }
  })

const went: Sending = () => Effect.succeed(undefined)

const heardBy = (lines: Array<unknown>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => void lines.push(message)),
  )

/** Lets every fiber go on until it waits. */
const settled = TestClock.adjust(0)

describe("What waits to be exported", () => {
  it.effect("goes when a batch is full, and when it has waited for long", () =>
    Effect.gen(function* () {
      const { end, outbox, sent } = yield* running(went)
      outbox.put([1])
      yield* TestClock.adjust(999)
      expect(sent).toEqual([])
      yield* TestClock.adjust(1)
      expect(sent).toEqual([[1]])
      outbox.put([2, 3])
      yield* settled
      expect(sent).toEqual([[1], [2, 3]])
      yield* end
    }),
  )

  it.effect("goes to the last when the end comes, in batches", () =>
    Effect.gen(function* () {
      const { end, outbox, sent } = yield* running(went, { maxBatch: 3 })
      outbox.put([1, 2])
      outbox.put([3, 4])
      yield* end
      expect([sent, outbox.dropped]).toEqual([[[1, 2, 3], [4]], 0])
    }),
  )

  it.effect("is neither lost nor sent twice when the end comes while it is sent", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { end, outbox, sent } = yield* running(() => Effect.as(Deferred.await(arrived), undefined))
      outbox.put([1, 2])
      yield* settled
      expect(sent).toEqual([[1, 2]])
      outbox.put([3])
      const ending = yield* Effect.fork(end)
      yield* TestClock.adjust(lastMs - 1)
      expect(sent).toEqual([[1, 2]])
      yield* Deferred.succeed(arrived, undefined)
      yield* Fiber.join(ending)
      expect([sent, outbox.dropped]).toEqual([[[1, 2], [3]], 0])
    }),
  )

  it.effect("keeps nobody from the end for long: what did not go by then is counted and told", () => {
    const lines: Array<unknown> = []
    return Effect.gen(function* () {
      const { end, outbox } = yield* running(() => Effect.never)
      outbox.put([1, 2])
      outbox.put([3])
      yield* settled
      const ending = yield* Effect.fork(end)
      yield* TestClock.adjust(lastMs)
      yield* Fiber.join(ending)
      expect(outbox.dropped).toBe(3)
      expect(lines).toEqual([["numbers could not be exported before the end: 3 are lost"]])
    }).pipe(Effect.provide(heardBy(lines)))
  })

  it.effect(
    "is counted and told where its turn does not come any more, since what went before it failed",
    () => {
      const lines: Array<unknown> = []
      return Effect.gen(function* () {
        const { end, outbox } = yield* running(() => Effect.succeed("away"))
        outbox.put([1, 2])
        outbox.put([3, 4])
        yield* end
        expect(outbox.dropped).toBe(4)
        expect(lines.flat().at(-1)).toBe("numbers could not be exported before the end: 2 are lost")
      }).pipe(Effect.provide(heardBy(lines)))
    },
  )

  it.effect(
    "is counted where there is no room for it, and where its batch failed; the rest still goes",
    () => {
      const lines: Array<unknown> = []
      return Effect.gen(function* () {
        let isWell = false
        const { end, outbox, sent } = yield* running(() => Effect.succeed(isWell ? undefined : "away"), {
          maxQueue: 3,
        })
        outbox.put([1, 2])
        outbox.put([3, 4])
        expect(outbox.dropped).toBe(2)
        yield* settled
        expect(outbox.dropped).toBe(4)
        isWell = true
        outbox.put([5])
        yield* end
        expect([sent, outbox.dropped]).toEqual([[[1, 2], [5]], 4])
        expect(lines).toEqual([["numbers could not be exported: away"], ["numbers are exported again"]])
      }).pipe(Effect.provide(heardBy(lines)))
    },
  )
})
