/** A body between socket and reader: nothing lost, nothing out of order, and no more waiting than its bound. */
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import fc from "fast-check"
import { IncomingBody } from "../../src/upstream/IncomingBody.ts"

/** A socket that counts how often it was told to stop, and knows whether it may go on. */
const socket = () => {
  const told = { stops: 0, flowing: true }
  const stop = () => {
    told.stops += 1
    told.flowing = false
    return () => {
      told.flowing = true
    }
  }
  return { told, stop }
}

const pulled = <E>(body: IncomingBody<E>) =>
  Effect.map(
    Effect.either(body.pull),
    Either.map((chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString()),
  )

describe("A body on its way", () => {
  it.effect("law: is read as it came, however reading and coming take turns, and then ends as it ended", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(fc.constant("read" as const), fc.nat(9).map(String)), { maxLength: 30 }),
          fc.option(fc.string()),
          (turns, failure) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const body = new IncomingBody<string>()
                const { stop } = socket()
                const read = yield* Effect.fork(
                  Effect.gen(function* () {
                    let all = ""
                    for (;;) {
                      const next = yield* pulled(body)
                      if (Either.isLeft(next)) return { all, end: next.left }
                      all += next.right
                    }
                  }),
                )
                for (const turn of turns) {
                  if (turn === "read") yield* Effect.yieldNow()
                  else body.give(Buffer.from(turn), stop)
                }
                body.end(Option.fromNullable(failure))
                body.end(Option.some("a second end"))
                expect(yield* Fiber.join(read)).toEqual({
                  all: turns.filter((turn) => turn !== "read").join(""),
                  end: Option.fromNullable(failure),
                })
              }),
            ),
        ),
      ),
    ),
  )

  it.effect("stops the socket once where much waits, and lets it go on when that was taken", () =>
    Effect.gen(function* () {
      const body = new IncomingBody<never>()
      const { stop, told } = socket()
      body.give(Buffer.alloc(64 * 1024 - 1), stop)
      expect(told).toEqual({ stops: 0, flowing: true })
      body.give(Buffer.alloc(1), stop)
      body.give(Buffer.alloc(100), stop)
      expect(told).toEqual({ stops: 1, flowing: false })
      yield* body.pull
      expect(told).toEqual({ stops: 1, flowing: true })
    }),
  )

  it.effect("loses nothing to a reader that left while it waited", () =>
    Effect.gen(function* () {
      const body = new IncomingBody<never>()
      const { stop } = socket()
      const left = yield* Effect.fork(body.pull)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(left)
      body.give(Buffer.from("a"), stop)
      expect(yield* pulled(body)).toEqual(Either.right("a"))
    }),
  )
})
