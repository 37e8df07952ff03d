import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { describe, expect } from "vitest"
import { firstEvent } from "../../src/stream/FirstEvent.ts"

const bytes = (...texts: ReadonlyArray<string>): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(texts).pipe(
    Stream.map((text) => new TextEncoder().encode(text)),
    Stream.rechunk(1),
  )

const text = (data: Uint8Array): string => new TextDecoder().decode(data)

describe("firstEvent", () => {
  it.scoped("gives the first event apart, and all of them again", () =>
    Effect.gen(function* () {
      const { first, events } = yield* firstEvent(
        bytes(": ping\n\nda", "ta: a\n\ndata: b\n\n", "data: c\n\n"),
      )
      expect(text(first.data)).toBe("a")
      const all = yield* Stream.runCollect(events)
      expect([...all].map((event) => text(event.data))).toEqual(["a", "b", "c"])
    }),
  )

  it.scoped("reads no further than the first event", () =>
    Effect.gen(function* () {
      const read = yield* Ref.make(0)
      const counting = Stream.repeatEffect(
        Ref.updateAndGet(read, (n) => n + 1).pipe(
          Effect.map((n) => new TextEncoder().encode(n === 1 ? ": ping\n\n" : "data: a\n\n")),
        ),
      )
      yield* firstEvent(counting)
      expect(yield* Ref.get(read)).toBe(2)
    }),
  )

  it.scoped("fails where the stream ends before its first event", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.either(firstEvent(bytes(": ping\n\n", "event: x\n\n")))
      expect(exit).toMatchObject({ left: { _tag: "EndedBeforeFirstEvent" } })
    }),
  )

  it.scoped("takes an event that ends with the stream for the first", () =>
    Effect.gen(function* () {
      const { first } = yield* firstEvent(bytes('data: {"a":1}'))
      expect(text(first.data)).toBe('{"a":1}')
    }),
  )

  it.scoped("fails as the stream does", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(firstEvent(Stream.concat(bytes(": ping\n"), Stream.fail("reset"))))
      expect(exit).toEqual(Exit.fail("reset"))
    }),
  )

  it.scoped("passes on a failure that comes after the first event", () =>
    Effect.gen(function* () {
      const { events } = yield* firstEvent(Stream.concat(bytes("data: a\n\n"), Stream.fail("reset")))
      const seen: Array<string> = []
      const exit = yield* events.pipe(
        Stream.runForEach((event) => Effect.sync(() => void seen.push(text(event.data)))),
        Effect.exit,
      )
      expect(seen).toEqual(["a"])
      expect(exit).toEqual(Exit.fail("reset"))
    }),
  )

  const megabyte = "x".repeat(1024 * 1024)
  const endless = Stream.concat(bytes("data: a\n\n", "data: "), Stream.forever(bytes(megabyte)))

  it.scoped("fails on an event without end, after those before it", () =>
    Effect.gen(function* () {
      const { events } = yield* firstEvent(endless)
      const seen: Array<string> = []
      const exit = yield* events.pipe(
        Stream.runForEach((event) => Effect.sync(() => void seen.push(text(event.data)))),
        Effect.either,
      )
      expect(seen).toEqual(["a"])
      expect(exit).toMatchObject({ left: { _tag: "EventTooLarge" } })
    }),
  )

  it.scoped("fails on a first event without end", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.either(firstEvent(Stream.drop(endless, 1)))
      expect(exit).toMatchObject({ left: { _tag: "EventTooLarge" } })
    }),
  )

  it.effect("lets go of the stream when the scope ends", () =>
    Effect.gen(function* () {
      const released = yield* Ref.make(false)
      const held = Stream.ensuring(Stream.concat(bytes("data: a\n\n"), Stream.never), Ref.set(released, true))
      yield* Effect.scoped(firstEvent(held))
      expect(yield* Ref.get(released)).toBe(true)
    }),
  )
})
