import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { describe, expect } from "vitest"
import { choiceGrammar } from "../../src/answer/ChoiceGrammar.ts"
import type { ShapedError } from "../../src/errors/SaidError.ts"
import { beginAtOnce, type Coming } from "../../src/gateway/BeginAtOnce.ts"
import type { Outlet, Relay } from "../../src/gateway/Relay.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An outlet, and what was written to it. */
const outlet = () => {
  const written: Array<string> = []
  const takes: Outlet = {
    write: (bytes) => written.push(new TextDecoder().decode(bytes)) > 0,
    onDrain: () => {},
  }
  return { written, takes }
}

const shutDown: ShapedError = { message: "shut down", type: "server_error", param: null, code: null }

/** An answer that begins at once. What it came to is a word. */
const relayOf = (answer: Effect.Effect<Coming<string>>) => {
  const cuts: Array<string> = []
  const relay = beginAtOnce<string>({
    grammar: choiceGrammar(chatShape, undefined),
    answer,
    left: "left",
    cutWith: ({ message }) => {
      cuts.push(message)
      return { body: bytesOf(`"${message}"`), ending: "cut" }
    },
  })
  return { relay, cuts }
}

/** A stream that says a word and waits, and is told how it was cut. */
const stream = () => {
  let ended: string | undefined
  const relay: Relay<string> = {
    run: ({ write }) =>
      Effect.zipRight(
        Effect.sync(() => void write(bytesOf("said"))),
        Effect.onInterrupt(Effect.never, () =>
          Effect.sync(() => {
            ended = "stream left"
          }),
        ),
      ),
    cut: ({ message }) => {
      ended = `stream: ${message}`
    },
    ended: () => ended,
  }
  return relay
}

/** Collects all that nobody holds. */
const collect = (): void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
}

const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("An answer that begins at once", () => {
  it.scoped("brings a heartbeat at once and after each 15 s, until it is known what is answered", () =>
    Effect.gen(function* () {
      const { takes, written } = outlet()
      const { relay } = relayOf(Effect.delay(Effect.succeed({ body: stream() }), "40 seconds"))
      yield* Effect.fork(relay.run(takes))
      yield* settle
      expect(written).toEqual([": ping\n"])
      yield* TestClock.adjust("14 seconds")
      expect(written.length).toBe(1)
      yield* TestClock.adjust("1 second")
      expect(written.length).toBe(2)
      yield* TestClock.adjust("15 seconds")
      expect(written.length).toBe(3)
      yield* TestClock.adjust("10 seconds")
      expect(written).toEqual([": ping\n", ": ping\n", ": ping\n", "said"])
      yield* TestClock.adjust("60 seconds")
      expect(written.length).toBe(4)
      expect(relay.ended()).toBeUndefined()
    }),
  )

  it.scoped("tells an error as one event of one line, and is over with it", () =>
    Effect.gen(function* () {
      const { takes, written } = outlet()
      const body = bytesOf('{\r\n  "error": {\n    "message": "a\\nb"\n  }\n}\n')
      const { relay } = relayOf(Effect.succeed({ body, ending: "refused" }))
      yield* relay.run(takes)
      expect(written).toEqual([": ping\n", 'data: {"error": {"message": "a\\nb"}}\n\n'])
      expect(relay.ended()).toBe("refused")
    }),
  )

  it.scoped("ends with what was to come when its client leaves", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const { takes } = outlet()
      const { relay } = relayOf(Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++)))
      const running = yield* Effect.fork(relay.run(takes))
      yield* settle
      yield* Fiber.interrupt(running)
      expect([interrupted, relay.ended()]).toEqual([1, "left"])
    }),
  )

  it.scoped("is as any stream once that has begun: when it is left, and when it is cut", () =>
    Effect.gen(function* () {
      const begun = Effect.gen(function* () {
        const { takes } = outlet()
        const { cuts, relay } = relayOf(Effect.succeed({ body: stream() }))
        const running = yield* Effect.fork(relay.run(takes))
        yield* settle
        return { cuts, relay, running }
      })
      const left = yield* begun
      yield* Fiber.interrupt(left.running)
      expect(left.relay.ended()).toBe("stream left")
      const cut = yield* begun
      cut.relay.cut(shutDown)
      expect([cut.relay.ended(), cut.cuts]).toEqual(["stream: shut down", []])
    }),
  )

  it.scoped("ends what was to come, and says so, when it is cut before; once", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const { takes, written } = outlet()
      const { cuts, relay } = relayOf(
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++)),
      )
      const running = yield* Effect.fork(relay.run(takes))
      yield* settle
      relay.cut(shutDown)
      relay.cut(shutDown)
      yield* Fiber.join(running)
      relay.cut(shutDown)
      expect(written).toEqual([": ping\n", 'data: "shut down"\n\n'])
      expect([interrupted, relay.ended(), cuts]).toEqual([1, "cut", ["shut down"]])
    }),
  )

  it.scoped("is cut though what was to come is there in the same moment", () =>
    Effect.gen(function* () {
      const { takes, written } = outlet()
      const { relay } = relayOf(Effect.succeed({ body: stream() }))
      const running = yield* Effect.fork(relay.run(takes))
      for (let turn = 0; turn < 20 && written.length === 0; turn++) yield* Effect.yieldNow()
      relay.cut(shutDown)
      yield* Fiber.join(running)
      expect([written.at(-1), relay.ended()]).toEqual(['data: "shut down"\n\n', "cut"])
    }),
  )

  it.scoped("lets go of what its answer was asked with while the stream goes on", () => {
    let held: WeakRef<object> | undefined
    /** Apart, so that nothing of the test keeps it. */
    const asking = () => {
      const prompt = { text: "Once upon a time" }
      held = new WeakRef(prompt)
      return relayOf(
        Effect.delay(
          Effect.sync(() => ({ body: stream(), prompt })),
          "1 second",
        ),
      ).relay
    }
    return Effect.gen(function* () {
      const { takes, written } = outlet()
      const relay = asking()
      yield* Effect.fork(relay.run(takes))
      yield* settle
      collect()
      expect(held?.deref()).toBeDefined()
      yield* TestClock.adjust("1 second")
      expect(written.at(-1)).toBe("said")
      // What this turn has touched of it lives until its end.
      yield* Effect.promise(() => new Promise<void>((resume) => setTimeout(resume, 10)))
      collect()
      expect(held?.deref()).toBeUndefined()
      expect(relay.ended()).toBeUndefined()
    })
  })
})
