/** Places at an upstream: an unlimited one, the line, its bounds, and its laws over any history of comers and goers. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import fc from "fast-check"
import * as Slots from "../../src/upstream/Slots.ts"
import { makeUpstream } from "../support/arbitraries.ts"
import { runs } from "../support/Runs.ts"

const limited = (max: number, maxWaiting = 100, maxWaitMs = 1_000) =>
  makeUpstream({ name: "a", concurrency: { max, maxWaiting, maxWaitMs } })

/** One who comes, and stays until told to go. */
const comer = (upstream = limited(1), atMostMs = 60_000) =>
  Effect.gen(function* () {
    const { take } = yield* Slots.Slots
    const leaves: Array<() => void> = []
    const keep = (leave: () => void) => void leaves.push(leave)
    const fiber = yield* Effect.fork(Effect.exit(take(upstream, atMostMs, keep)))
    yield* Effect.repeatN(Effect.yieldNow(), 5)
    return {
      leave: Effect.map(Fiber.interrupt(fiber), () => {
        for (const leave of leaves) leave()
      }),
      /** What its wait came to; nothing while it waits. */
      came: Effect.map(Fiber.poll(fiber), (polled) =>
        polled._tag === "None"
          ? "waiting"
          : Exit.match(Exit.flatten(polled.value), {
              onSuccess: () => "in",
              onFailure: (cause) => (cause._tag === "Fail" ? cause.error.reason : "left"),
            }),
      ),
    }
  })

const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("Places at an upstream", () => {
  it.effect("are for everyone where there is no limit", () =>
    Effect.gen(function* () {
      const comers = yield* Effect.all(Array.from({ length: 50 }, () => comer(makeUpstream({ name: "a" }))))
      expect(yield* Effect.forEach(comers, ({ came }) => came)).toEqual(Array(50).fill("in"))
    }).pipe(Effect.provide(Slots.layer)),
  )

  it.effect("are had in the order of coming, and passed on when one leaves", () =>
    Effect.gen(function* () {
      const slots = yield* Slots.Slots
      const [first, second, third] = yield* Effect.all([comer(), comer(), comer()])
      expect(slots.waiting("a")).toBe(2)
      yield* first.leave
      yield* settle
      expect(yield* second.came).toBe("in")
      expect(yield* third.came).toBe("waiting")
      yield* second.leave
      yield* settle
      expect(yield* third.came).toBe("in")
      expect(slots.waiting("a")).toBe(0)
    }).pipe(Effect.provide(Slots.layer)),
  )

  it.effect("are not waited for in a line that is full, nor longer than either bound", () =>
    Effect.gen(function* () {
      const upstream = limited(1, 2)
      yield* comer(upstream)
      const patient = yield* comer(upstream)
      const hurried = yield* comer(upstream, 300)
      const late = yield* comer(upstream)
      expect(yield* late.came).toBe("line_full")
      yield* TestClock.adjust("300 millis")
      expect(yield* hurried.came).toBe("waited")
      expect(yield* patient.came).toBe("waiting")
      yield* TestClock.adjust("700 millis")
      expect(yield* patient.came).toBe("waited")
    }).pipe(Effect.provide(Slots.layer)),
  )

  it.effect("are not held for one who left the line", () =>
    Effect.gen(function* () {
      const slots = yield* Slots.Slots
      const [first, second, third] = yield* Effect.all([comer(), comer(), comer()])
      yield* second.leave
      expect(slots.waiting("a")).toBe(1)
      yield* first.leave
      yield* settle
      expect(yield* third.came).toBe("in")
    }).pipe(Effect.provide(Slots.layer)),
  )

  it.effect("are passed on by one who left in the moment it got its place", () =>
    Effect.gen(function* () {
      const [first, second, third] = yield* Effect.all([comer(), comer(), comer()])
      // Both at once: the second is handed the place and interrupted before it can know.
      yield* Effect.all([first.leave, second.leave], { concurrency: "unbounded" })
      yield* settle
      expect(yield* third.came).toBe("in")
    }).pipe(Effect.provide(Slots.layer)),
  )

  it.effect("become more or fewer with a reload", () =>
    Effect.gen(function* () {
      const [, second] = yield* Effect.all([comer(), comer()])
      const third = yield* comer(limited(3))
      yield* settle
      expect([yield* second.came, yield* third.came]).toEqual(["in", "in"])
      const fourth = yield* comer(limited(1))
      expect(yield* fourth.came).toBe("waiting")
    }).pipe(Effect.provide(Slots.layer)),
  )

  type Step = { readonly comes: true } | { readonly leaves: number }
  const stepArb: fc.Arbitrary<Step> = fc.oneof(
    fc.constant<Step>({ comes: true }),
    fc.nat(20).map((leaves): Step => ({ leaves })),
  )

  it("law: never more in than there are places, none free while one waits, first come first served, all given back", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { maxLength: 25 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(4),
        (steps, max, maxWaiting) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const slots = yield* Slots.Slots
              const upstream = limited(max, maxWaiting, 1_000_000)
              let here: ReadonlyArray<Effect.Effect.Success<ReturnType<typeof comer>>> = []
              /** What a queue would do: the first `max` are in, so many wait, the others are turned away. */
              for (const step of steps) {
                if ("comes" in step) {
                  const one = yield* comer(upstream, 1_000_000)
                  const expected =
                    here.length < max ? "in" : here.length < max + maxWaiting ? "waiting" : "line_full"
                  expect(yield* one.came).toBe(expected)
                  if (expected !== "line_full") here = [...here, one]
                } else {
                  const leaver = here[step.leaves % Math.max(1, here.length)]
                  if (leaver === undefined) continue
                  yield* leaver.leave
                  yield* settle
                  here = here.filter((one) => one !== leaver)
                }
                expect(yield* Effect.forEach(here, ({ came }) => came)).toEqual(
                  here.map((_, position) => (position < max ? "in" : "waiting")),
                )
                expect(slots.waiting("a")).toBe(Math.max(0, here.length - max))
              }
              for (const one of here) yield* one.leave
              expect(slots.waiting("a")).toBe(0)
              const fresh = yield* comer(upstream)
              expect(yield* fresh.came).toBe("in")
            }).pipe(Effect.provide(Slots.layer)),
          ),
      ),
      { numRuns: runs(60) },
    ))
})
