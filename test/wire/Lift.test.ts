import { it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import fc from "fast-check"
import { describe, expect } from "vitest"
import { lift } from "../../src/wire/Lift.ts"
import { type Machine, run } from "../../src/wire/Machine.ts"

/** Gives out sums of pairs; holds back what has no partner yet. */
const pairs: Machine<number | undefined, number, number> = {
  initial: undefined,
  step: (held, input) => (held === undefined ? [input, []] : [undefined, [held + input]]),
  halt: (held) => (held === undefined ? [] : [held]),
}

const chunked = (chunks: ReadonlyArray<ReadonlyArray<number>>): Stream.Stream<number> =>
  Stream.fromIterable(chunks.map((chunk) => Chunk.fromIterable(chunk))).pipe(Stream.flattenChunks)

describe("lift", () => {
  it.effect("law: gives what the machine gives, for every cutting into chunks, flush included", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.array(fc.integer())), async (chunks) => {
          const outputs = await Effect.runPromise(Stream.runCollect(lift(pairs)(chunked(chunks))))
          expect([...outputs]).toEqual(run(pairs, chunks.flat()))
        }),
      ),
    ),
  )

  it.effect("gives no empty chunks", () =>
    Effect.gen(function* () {
      const sizes: Array<number> = []
      yield* lift(pairs)(chunked([[1], [2], [], [3], [4, 5, 6]])).pipe(
        Stream.runForEachChunk((chunk) => Effect.sync(() => void sizes.push(Chunk.size(chunk)))),
      )
      expect(sizes).toEqual([1, 2])
    }),
  )

  it.effect("passes a failure after what came before it, and drops what was held back", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const failing = Stream.concat(Stream.make(1, 2, 3), Stream.fail("broken"))
      const exit = yield* lift(pairs)(failing).pipe(
        Stream.runForEach((one) => Effect.sync(() => void seen.push(one))),
        Effect.exit,
      )
      expect(exit).toEqual(Exit.fail("broken"))
      expect(seen).toEqual([3])
    }),
  )

  it.effect("reads no further than it is asked", () =>
    Effect.gen(function* () {
      let read = 0
      const counting = Stream.repeatEffect(Effect.sync(() => ++read))
      expect([...(yield* Stream.runCollect(Stream.take(lift(pairs)(counting), 2)))]).toEqual([3, 7])
      expect(read).toBe(4)
    }),
  )

  it.effect("begins anew each time it is run", () =>
    Effect.gen(function* () {
      const stream = lift(pairs)(Stream.make(1))
      expect([...(yield* Stream.runCollect(stream))]).toEqual([1])
      expect([...(yield* Stream.runCollect(stream))]).toEqual([1])
    }),
  )
})
