import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type LineStream, lineWriter } from "../../src/telemetry/StandardOutput.ts"

/** A stream that takes, refuses or keeps waiting what is written, as it is told. */
const scripted = () => {
  const taken: Array<string> = []
  const waiting: Array<{ readonly text: string; readonly done: () => void }> = []
  let mode: "takes" | "waits" | { readonly code: string } = "takes"
  const stream: LineStream = {
    get writableLength() {
      return waiting.reduce((sum, { text }) => sum + text.length, 0)
    },
    write: (text, done) => {
      const take = () => {
        taken.push(text)
        done(null)
      }
      if (mode === "takes") take()
      else if (mode === "waits") waiting.push({ text, done: take })
      else done(Object.assign(new Error("no"), mode))
      return true
    },
    on: () => {},
    off: () => {},
  }
  return {
    stream,
    taken,
    become: (next: typeof mode) => {
      mode = next
    },
    drain: () => {
      for (const { done } of waiting.splice(0)) done()
    },
  }
}

/** The turn of the event loop in which lines are written. */
const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

const told = (lines: number, reason: string) => `${lines} lines were not written: ${reason}`

describe("Lines on their way to standard output", () => {
  it.scopedLive("are written a turn at a time", () =>
    Effect.gen(function* () {
      const { stream, taken } = scripted()
      const { write } = yield* lineWriter(stream, told)
      write("a")
      write("b")
      yield* turn
      write("c")
      yield* turn
      expect(taken).toEqual(["a\nb\n", "c\n"])
    }),
  )

  it.live(
    "have one listener for the errors of a stream, however many write to it, until the last has ended",
    () =>
      Effect.gen(function* () {
        const listeners: Array<() => void> = []
        const stream: LineStream = {
          ...scripted().stream,
          on: (_, heard) => void listeners.push(heard),
          off: (_, heard) => void listeners.splice(listeners.indexOf(heard), 1),
        }
        const first = yield* Scope.make()
        yield* Scope.extend(lineWriter(stream, told), first)
        yield* Effect.scoped(
          Effect.gen(function* () {
            for (let count = 0; count < 3; count++) yield* lineWriter(stream, told)
            expect(listeners).toHaveLength(1)
          }),
        )
        expect(listeners).toHaveLength(1)
        yield* Scope.close(first, Exit.void)
        expect(listeners).toEqual([])
        yield* Effect.scoped(lineWriter(stream, told))
        expect(listeners).toEqual([])
      }),
  )

  it.scopedLive.each(["EPIPE", "ENOSPC", "EIO", "EAGAIN"])(
    "are dropped and counted where writing fails with %s, and told when it works again",
    (code) =>
      Effect.gen(function* () {
        const { become, stream, taken } = scripted()
        const { dropped, write } = yield* lineWriter(stream, told)
        become({ code })
        write("a")
        write("b")
        yield* turn
        write("c")
        yield* turn
        expect(dropped()).toBe(3)
        become("takes")
        write("d")
        yield* turn
        yield* turn
        expect(taken).toEqual(["d\n", `3 lines were not written: ${code}\n`])
        expect(dropped()).toBe(3)
      }),
  )

  it.scopedLive("wait for a slow reader up to a bound, and are dropped beyond it", () =>
    Effect.gen(function* () {
      const { become, drain, stream, taken } = scripted()
      const { dropped, write } = yield* lineWriter(stream, told)
      become("waits")
      const line = "x".repeat(100_000)
      for (let i = 0; i < 20; i++) {
        write(line)
        yield* turn
      }
      expect(stream.writableLength).toBeLessThanOrEqual(1024 * 1024)
      expect(dropped()).toBe(10)
      become("takes")
      drain()
      yield* turn
      expect(taken.at(-1)).toBe("10 lines were not written: nobody reads them\n")
    }),
  )
})
