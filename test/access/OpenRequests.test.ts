/** The requests under way, the memory of their bodies, and what of both one caller may have. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import fc from "fast-check"
import * as OpenRequests from "../../src/access/OpenRequests.ts"
import { runs } from "../support/Runs.ts"

type Room = OpenRequests.OpenRequests["Type"]

const many = 1_000_000

/** One that must be let in. */
const begun = (room: Room, caller: string): OpenRequests.OpenRequest => {
  const request = room.begin(caller, many)
  if (typeof request === "string") throw new Error(`not let in: ${request}`)
  return request
}

/** As many as a caller gets. */
const fill = (room: Room, caller: string, most: number): Array<OpenRequests.OpenRequest> => {
  const all: Array<OpenRequests.OpenRequest> = []
  for (;;) {
    const request = room.begin(caller, most)
    if (typeof request === "string") return all
    all.push(request)
  }
}

/** Claims bit by bit, until it gets no more. */
const claimAll = (request: OpenRequests.OpenRequest, step: number, limit: number): number => {
  let claimed = 0
  while (request.hold(step, limit)) claimed += step
  return claimed
}

describe("Requests under way", () => {
  it.effect(
    "law: hold together what each was granted, never more than the limit, and nothing once they ended",
    () =>
      Effect.gen(function* () {
        const room = yield* OpenRequests.OpenRequests
        const limit = 1_000
        fc.assert(
          fc.property(
            fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.array(fc.nat(600), { maxLength: 5 })), {
              maxLength: 6,
            }),
            (claims) => {
              let held = 0
              const all = claims.map(([caller, sizes]) => {
                const request = begun(room, caller)
                for (const bytes of sizes) {
                  if (!request.hold(bytes, limit)) continue
                  held += bytes
                  expect(held).toBeLessThanOrEqual(limit)
                }
                return request
              })
              expect([room.count(), room.held()]).toEqual([claims.length, held])
              for (const request of all) request.end()
              expect([room.count(), room.held()]).toEqual([0, 0])
            },
          ),
        )
      }).pipe(Effect.provide(OpenRequests.layer)),
  )

  it.effect("law: a lone caller gets about four fifths, and a newcomer always finds room", () =>
    Effect.gen(function* () {
      const room = yield* OpenRequests.OpenRequests
      fc.assert(
        fc.property(fc.integer({ min: 5, max: 2_000 }), (most) => {
          const greedy = fill(room, "greedy", most)
          expect(greedy.length).toBeGreaterThanOrEqual(Math.floor(0.8 * most))
          expect(greedy.length).toBeLessThanOrEqual(Math.ceil(0.8 * most))
          expect(room.begin("greedy", most)).toBe("caller")
          const other = room.begin("newcomer", most)
          expect(other).not.toBe("all")
          for (const request of [...greedy, other]) if (typeof request !== "string") request.end()
          expect(room.count()).toBe(0)
        }),
      )
    }).pipe(Effect.provide(OpenRequests.layer)),
  )

  it.effect("law: callers who take all they get have about the same, and leave some", () =>
    Effect.gen(function* () {
      const room = yield* OpenRequests.OpenRequests
      const limit = 1_000_000
      const step = 500
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 20 }), (count) => {
          const all = Array.from({ length: count }, (_, at) => begun(room, `caller ${at}`))
          const sums = all.map(() => 0)
          // In turn, until nobody gets any more.
          for (let got = true; got; ) {
            got = false
            for (const [at, request] of all.entries()) {
              if (!request.hold(step, limit)) continue
              sums[at] = (sums[at] ?? 0) + step
              got = true
            }
          }
          expect(Math.max(...sums) - Math.min(...sums)).toBeLessThanOrEqual(step)
          const fair = (4 * limit) / (1 + 4 * count)
          expect(Math.abs((sums[0] ?? 0) - fair)).toBeLessThanOrEqual(4 * step * count)
          const newcomer = begun(room, "newcomer")
          expect(newcomer.hold(Math.floor(limit / (4 * (1 + 4 * count))), limit)).toBe(true)
          for (const request of [...all, newcomer]) request.end()
          expect([room.count(), room.held()]).toEqual([0, 0])
        }),
        { numRuns: runs(20) },
      )
    }).pipe(Effect.provide(OpenRequests.layer)),
  )

  it.effect("say whether everybody or the caller has the memory that was claimed in vain", () =>
    Effect.gen(function* () {
      const room = yield* OpenRequests.OpenRequests
      const greedy = begun(room, "greedy")
      expect(claimAll(greedy, 1, 100)).toBe(80)
      expect(greedy.memoryTakenBy).toBe("caller")
      const other = begun(room, "other")
      expect(other.hold(21, 100)).toBe(false)
      expect(other.memoryTakenBy).toBe("all")
      // Of its share, one request of a caller knows what another has.
      expect(begun(room, "greedy").hold(1, 100)).toBe(false)
      greedy.letGo()
      expect(room.held()).toBe(0)
      expect(other.hold(80, 100)).toBe(true)
    }).pipe(Effect.provide(OpenRequests.layer)),
  )

  it.effect("are said to have ended when the last one has", () =>
    Effect.gen(function* () {
      const room = yield* OpenRequests.OpenRequests
      yield* room.allEnded
      const [first, second] = [begun(room, "a"), begun(room, "b")]
      const ended = yield* Effect.fork(room.allEnded)
      first.end()
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      expect((yield* Fiber.poll(ended))._tag).toBe("None")
      second.end()
      yield* Fiber.join(ended)
    }).pipe(Effect.provide(OpenRequests.layer)),
  )
})
