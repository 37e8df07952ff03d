/** The requests under way, and the memory of their bodies. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import fc from "fast-check"
import * as OpenRequests from "../src/OpenRequests.ts"

describe("Requests under way", () => {
  it.effect(
    "law: hold together what each was granted, never more than the limit, and nothing once they ended",
    () =>
      Effect.gen(function* () {
        const requests = yield* OpenRequests.OpenRequests
        const limit = 1_000
        fc.assert(
          fc.property(fc.array(fc.array(fc.nat(600), { maxLength: 5 }), { maxLength: 6 }), (claims) => {
            let held = 0
            const begun = claims.map((sizes) => {
              const request = requests.begin()
              for (const bytes of sizes) {
                const fits = held + bytes <= limit
                expect(request.hold(bytes, limit)).toBe(fits)
                if (fits) held += bytes
              }
              return request
            })
            expect([requests.count(), requests.held()]).toEqual([claims.length, held])
            for (const request of begun) request.end()
            expect([requests.count(), requests.held()]).toEqual([0, 0])
          }),
        )
      }).pipe(Effect.provide(OpenRequests.layer)),
  )

  it.effect("are said to have ended when the last one has", () =>
    Effect.gen(function* () {
      const requests = yield* OpenRequests.OpenRequests
      yield* requests.allEnded
      const [first, second] = [requests.begin(), requests.begin()]
      const ended = yield* Effect.fork(requests.allEnded)
      first.end()
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      expect((yield* Fiber.poll(ended))._tag).toBe("None")
      second.end()
      yield* Fiber.join(ended)
    }).pipe(Effect.provide(OpenRequests.layer)),
  )
})
