import { it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { describe, expect } from "vitest"
import type { AnswerSettings, AnswerSummary } from "../../src/answer/AnswerRun.ts"
import { choiceGrammar } from "../../src/answer/ChoiceGrammar.ts"
import { messageGrammar } from "../../src/answer/messages/MessageGrammar.ts"
import { ping } from "../../src/answer/StreamEvent.ts"
import type { KeptData } from "../../src/answer/transcript/KeptData.ts"
import { assemble } from "../../src/answer/transcript/Transcript.ts"
import { cutStream } from "../../src/errors/StreamError.ts"
import type { Outlet, Relay } from "../../src/gateway/Relay.ts"
import { makeRespond } from "../../src/gateway/Respond.ts"
import type { ResponseOptions } from "../../src/gateway/ResponseStream.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import { type EventSource, sourceOf } from "../../src/wire/EventSource.ts"
import { lift, type Transformation } from "../../src/wire/Lift.ts"
import { unpack } from "../../src/wire/PackedData.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { bytesOf } from "../support/answers.ts"
import { finishChunk, textChunk, usageChunk } from "../support/Wire.ts"

const event = (value: unknown): SseEvent => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: undefined,
})

const done = event("[DONE]")

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const wire = (...values: ReadonlyArray<unknown>): string =>
  values.map((value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`).join("")

const grammar = choiceGrammar(chatShape, undefined)

const settings: AnswerSettings = {
  includeUsage: false,
  choices: 1,
  secrets: noSecrets,
}

/** Takes thinking out. */
const stripping = (): Transformation<string> => {
  const texts = grammar.changed({ prefix: undefined, thinking: "strip" }, true)
  return texts === undefined ? identity : lift(texts)
}

/** What a response told when it was over. */
interface ResponseEnd extends AnswerSummary {
  readonly sent: KeptData
}

/** What a relay writes, no faster than it is pulled: its outlet is full after each piece. */
const written = (relay: Relay<unknown>): Stream.Stream<Uint8Array> =>
  Stream.fromPull(
    Effect.map(
      Effect.gen(function* () {
        const pieces = yield* Queue.unbounded<Option.Option<Uint8Array>>()
        let drain: (() => void) | undefined
        const run = relay.run({
          write: (bytes) => {
            Queue.unsafeOffer(pieces, Option.some(bytes))
            return false
          },
          onDrain: (go) => {
            drain = go
          },
        })
        yield* Effect.forkScoped(
          Effect.interruptible(Effect.ensuring(run, Queue.offer(pieces, Option.none()))),
        )
        const pull = Effect.suspend(() => {
          const go = drain
          drain = undefined
          go?.()
          return Effect.flatMap(Queue.take(pieces), (piece) =>
            Option.isNone(piece) ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of(piece.value)),
          )
        })
        return { pull }
      }),
      ({ pull }) => pull,
    ),
  )

/** A response and the ends it told of. */
const responding = (
  events: Stream.Stream<SseEvent, string>,
  given: Partial<ResponseOptions<string, void>> = {},
  transformed: Transformation<string> = identity,
) =>
  Effect.gen(function* () {
    const runFork = yield* FiberSet.makeRuntime<never>()
    const respond = yield* makeRespond(runFork)
    const ends: Array<ResponseEnd> = []
    const relay = respond({
      grammar,
      settings,
      events: transformed(sourceOf(events, runFork)),
      reasonOf: (error) => error,
      keepBytes: 100_000,
      hasBegun: false,
      onEnd: (end, sent) => void ends.push({ ...end, sent }),
      ...given,
    })
    return { bytes: written(relay), ends }
  })

/** Interrupting an upstream takes a moment. */
const settle = Effect.repeatN(Effect.yieldNow(), 20)

/** An upstream that sends what is put into a queue, an event for each read. */
const scripted = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<SseEvent>()
  let reads = 0
  let interrupted = 0
  const events = Stream.repeatEffect(
    Effect.suspend(() => {
      reads++
      return Queue.take(queue)
    }),
  ).pipe(Stream.ensuring(Effect.sync(() => void interrupted++)))
  return {
    events,
    queue,
    send: (value: unknown) => Queue.offer(queue, event(value)),
    reads: () => reads,
    interrupted: () => interrupted,
  }
})

/** Reads a stream in a fiber; what came is put into a queue. */
const reading = (bytes: Stream.Stream<Uint8Array>) =>
  Effect.gen(function* () {
    const came = yield* Queue.unbounded<string>()
    const fiber = yield* Effect.fork(Stream.runForEach(bytes, (one) => Queue.offer(came, textOf(one))))
    return { came, fiber }
  })

describe("respond", () => {
  it.scoped("frames the upstream's events and ends in [DONE]", () =>
    Effect.gen(function* () {
      const { bytes, ends } = yield* responding(
        Stream.make(event(textChunk("a")), event(finishChunk()), event(usageChunk()), done),
      )
      const sent = yield* Stream.runCollect(bytes)
      expect(textOf(Buffer.concat([...sent]))).toBe(wire(textChunk("a"), finishChunk(), "[DONE]"))
      expect(ends).toMatchObject([
        { outcome: "ok", finishReason: "stop", usage: { inputTokens: 7 }, error: undefined },
      ])
    }),
  )

  it.scoped("gives out what came in one read in one piece, and no empty pieces", () =>
    Effect.gen(function* () {
      const reads = [[textChunk("a"), textChunk("b")], [usageChunk()], [finishChunk(), "[DONE]"]]
      const events = Stream.fromIterable(reads.map((read) => Chunk.fromIterable(read.map(event)))).pipe(
        Stream.flattenChunks,
      )
      const sent = yield* Stream.runCollect((yield* responding(events)).bytes)
      expect([...sent].map(textOf)).toEqual([
        wire(textChunk("a"), textChunk("b")),
        wire(finishChunk(), "[DONE]"),
      ])
    }),
  )

  it.scoped("keeps what was sent, to be reassembled", () =>
    Effect.gen(function* () {
      const { bytes, ends } = yield* responding(
        Stream.make(event(textChunk("a")), event(textChunk("b")), event(finishChunk()), done),
      )
      yield* Stream.runDrain(bytes)
      const sent = ends[0]?.sent
      expect(sent?.truncated).toBe(false)
      expect(assemble(chatShape, sent === undefined ? [] : unpack(sent.packed))).toMatchObject({
        choices: [{ index: 0, message: { role: "assistant", content: "ab" }, finish_reason: "stop" }],
      })
    }),
  )

  it.scoped("says a failure of the upstream in a last event, and does not fail", () =>
    Effect.gen(function* () {
      const { bytes, ends } = yield* responding(
        Stream.concat(Stream.make(event(textChunk("a"))), Stream.fail("connection reset")),
      )
      const sent = [...(yield* Stream.runCollect(bytes))].map(textOf)
      expect(sent[0]).toBe(wire(textChunk("a")))
      expect(sent[1]).toContain("connection reset")
      expect(sent[1]).toContain('"code":"upstream_stream_broken"')
      expect(sent.length).toBe(2)
      expect(ends).toMatchObject([{ outcome: "stream_broken" }])
      expect(ends[0]?.error).toContain("connection reset")
    }),
  )

  it.scoped("says a defect in a last event too, without its details", () =>
    Effect.gen(function* () {
      const { bytes, ends } = yield* responding(
        Stream.concat(Stream.make(event(textChunk("a"))), Stream.die(new Error("inner secret"))),
      )
      const sent = textOf(Buffer.concat([...(yield* Stream.runCollect(bytes))]))
      expect(sent).toContain("upstream_stream_broken")
      expect(sent).not.toContain("inner secret")
      expect(ends.map((end) => end.outcome)).toEqual(["stream_broken"])
    }),
  )

  it.scoped("says a defect of its own in a last event too, and reads no further", () =>
    Effect.gen(function* () {
      const poisoned: SseEvent = {
        get data(): Uint8Array {
          throw new Error("inner secret")
        },
        event: undefined,
      }
      const { bytes, ends } = yield* responding(
        Stream.make(event(textChunk("a")), poisoned, event(textChunk("b"))).pipe(Stream.rechunk(1)),
      )
      const sent = textOf(Buffer.concat([...(yield* Stream.runCollect(bytes))]))
      expect(sent).toContain("upstream_stream_broken")
      expect(sent).not.toMatch(/inner secret|"b"/)
      expect(ends.map((end) => end.outcome)).toEqual(["stream_broken"])
    }),
  )

  it.scoped("takes an upstream that just ends for a broken one", () =>
    Effect.gen(function* () {
      const { bytes, ends } = yield* responding(Stream.make(event(textChunk("a"))))
      expect(textOf(Buffer.concat([...(yield* Stream.runCollect(bytes))]))).not.toContain("[DONE]")
      expect(ends.map((end) => end.outcome)).toEqual(["stream_broken"])
    }),
  )

  it.scoped("flushes held-back text before it says what broke", () =>
    Effect.gen(function* () {
      const { bytes } = yield* responding(
        Stream.concat(Stream.make(event(textChunk("a\n<thi"))), Stream.fail("reset")),
        {},
        stripping(),
      )
      const sent = [...(yield* Stream.runCollect(bytes))].map(textOf)
      expect(sent.slice(1).join("")).toMatch(/"content":"<thi".*\n\n.*upstream_stream_broken/)
    }),
  )
})

describe("an answer that is cut", () => {
  it.scoped("gives out what was held back before it says so", () =>
    Effect.gen(function* () {
      const runFork = yield* FiberSet.makeRuntime<never>()
      const respond = yield* makeRespond(runFork)
      const upstream = yield* scripted
      const relay = respond<string, void>({
        grammar,
        settings,
        events: stripping()(sourceOf(upstream.events, runFork)),
        reasonOf: (error) => error,
        keepBytes: 0,
        hasBegun: false,
        onEnd: () => {},
      })
      const { came } = yield* reading(written(relay))
      yield* upstream.send(textChunk("a\n<thi"))
      expect(yield* Queue.take(came)).toBe(wire(textChunk("a\n")))
      relay.cut(cutStream("on its way"))
      expect(yield* Queue.take(came)).toContain('"content":"<thi"')
      expect(yield* Queue.take(came)).toContain("shutting_down")
    }),
  )
})

describe("after [DONE]", () => {
  it.scoped(
    "reads on for a moment so that the connection can be used again, and ends with the upstream",
    () =>
      Effect.gen(function* () {
        const ended = yield* Deferred.make<void>()
        const tail = Stream.fromEffect(Deferred.await(ended)).pipe(Stream.drain)
        const { bytes, ends } = yield* responding(
          Stream.concat(Stream.make(event(finishChunk()), done), tail),
        )
        const { came, fiber } = yield* reading(bytes)
        expect(yield* Queue.take(came)).toBe(wire(finishChunk(), "[DONE]"))
        yield* TestClock.adjust(50)
        expect(ends).toEqual([])
        yield* Deferred.succeed(ended, undefined)
        yield* Fiber.join(fiber)
        expect(ends.map((end) => end.outcome)).toEqual(["ok"])
      }),
  )

  it.scoped("waits 100 ms and no longer for an upstream that does not end, whatever it goes on sending", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events)
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send("[DONE]")
      expect(yield* Queue.take(came)).toBe(wire("[DONE]"))
      yield* upstream.send(textChunk("late"))
      yield* TestClock.adjust(99)
      expect(ends).toEqual([])
      yield* TestClock.adjust(1)
      yield* Fiber.join(fiber)
      yield* settle
      expect(upstream.interrupted()).toBe(1)
      expect(yield* Queue.takeAll(came)).toEqual(Chunk.empty())
      expect(ends).toMatchObject([{ outcome: "ok" }])
    }),
  )
})

describe("silence", () => {
  it.scoped("brings a heartbeat after each 15 s, between events only and from the first one on", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { came, fiber } = yield* reading((yield* responding(upstream.events)).bytes)
      yield* TestClock.adjust("60 seconds")
      expect(yield* Queue.size(came)).toBe(0)

      yield* upstream.send(textChunk("a"))
      expect(yield* Queue.take(came)).toBe(wire(textChunk("a")))
      yield* TestClock.adjust("14999 millis")
      expect(yield* Queue.size(came)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* Queue.take(came)).toBe(": ping\n")
      yield* TestClock.adjust("14999 millis")
      expect(yield* Queue.size(came)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* Queue.take(came)).toBe(": ping\n")

      yield* TestClock.adjust("10 seconds")
      yield* upstream.send(textChunk("b"))
      expect(yield* Queue.take(came)).toBe(wire(textChunk("b")))
      yield* TestClock.adjust("14999 millis")
      expect(yield* Queue.size(came)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* Queue.take(came)).toBe(": ping\n")

      yield* upstream.send(finishChunk())
      expect(yield* Queue.take(came)).toBe(wire(finishChunk()))
      yield* Fiber.interrupt(fiber)
    }),
  )

  it.scoped("brings a ping to those who are sent a message, in an event", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const response = yield* responding(upstream.events, { grammar: messageGrammar(undefined) })
      const { came, fiber } = yield* reading(response.bytes)
      yield* TestClock.adjust("60 seconds")
      expect(yield* Queue.size(came)).toBe(0)
      yield* upstream.send({ type: "message_start", message: {} })
      expect(yield* Queue.take(came)).toMatch(/^event: message_start\ndata: /)
      yield* TestClock.adjust("15 seconds")
      expect(yield* Queue.take(came)).toBe('event: ping\ndata: {"type":"ping"}\n\n')
      yield* Fiber.interrupt(fiber)
    }),
  )

  it.scoped("is silence towards the client: events that are withheld do not break it", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { came, fiber } = yield* reading((yield* responding(upstream.events)).bytes)
      yield* upstream.send(textChunk("a"))
      yield* Queue.take(came)
      yield* TestClock.adjust("10 seconds")
      yield* upstream.send(usageChunk())
      yield* TestClock.adjust("5 seconds")
      expect(yield* Queue.take(came)).toBe(": ping\n")
      yield* Fiber.interrupt(fiber)
    }),
  )

  it.scoped("goes on with the heartbeats that went before it, though nothing is to be sent yet", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes } = yield* responding(upstream.events, { hasBegun: true }, stripping())
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send(textChunk("<think>"))
      yield* settle
      expect(yield* Queue.size(came)).toBe(0)
      yield* TestClock.adjust("1 second")
      expect(yield* Queue.take(came)).toBe(": ping\n")
      yield* TestClock.adjust("15 seconds")
      expect(yield* Queue.take(came)).toBe(": ping\n")
      yield* Fiber.interrupt(fiber)
    }),
  )

  it.scoped("of a client that reads slowly is not filled with heartbeats", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes } = yield* responding(upstream.events)
      yield* upstream.send(textChunk("a"))
      yield* upstream.send(textChunk("b"))
      const came: Array<string> = []
      const fiber = yield* bytes.pipe(
        Stream.take(2),
        Stream.runForEach((one) =>
          Effect.zipRight(
            Effect.sync(() => came.push(textOf(one))),
            Effect.sleep("1 minute"),
          ),
        ),
        Effect.fork,
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(fiber)
      expect(came).toEqual([wire(textChunk("a")), wire(textChunk("b"))])
    }),
  )
})

describe("an answer of which all choices have ended", () => {
  it.scoped.each([
    { company: "silence", sign: undefined },
    { company: "pings", sign: ping },
  ])("is whole without [DONE] after 2 s of $company, and lets its upstream go", ({ sign }) =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events, {
        settings: { ...settings, includeUsage: true },
      })
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send(textChunk("a"))
      yield* upstream.send(finishChunk())
      expect([yield* Queue.take(came), yield* Queue.take(came)]).toEqual([
        wire(textChunk("a")),
        wire(finishChunk()),
      ])
      yield* TestClock.adjust("1 second")
      yield* upstream.send(usageChunk())
      expect(yield* Queue.take(came)).toBe(wire(usageChunk()))
      if (sign !== undefined) {
        yield* Queue.offer(upstream.queue, sign)
        expect(yield* Queue.take(came)).toBe(": ping\n")
      }
      yield* settle
      expect(yield* Queue.size(came)).toBe(0)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Queue.take(came)).toBe(wire("[DONE]"))
      yield* Fiber.join(fiber)
      yield* settle
      expect(upstream.interrupted()).toBe(1)
      expect(ends).toMatchObject([{ outcome: "ok", finishReason: "stop", usage: { inputTokens: 7 } }])
    }),
  )

  it.scoped("is waited for while one of as many as were asked for has not", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes } = yield* responding(upstream.events, { settings: { ...settings, choices: 2 } })
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send(finishChunk())
      expect(yield* Queue.take(came)).toBe(wire(finishChunk()))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Queue.size(came)).toBe(0)
      yield* upstream.send(finishChunk("stop", { index: 1 }))
      expect(yield* Queue.take(came)).toBe(wire(finishChunk("stop", { index: 1 })))
      yield* TestClock.adjust("3 seconds")
      expect(yield* Queue.take(came)).toBe(wire("[DONE]"))
      yield* Fiber.join(fiber)
    }),
  )

  it.scoped("goes on where a further choice begins all the same", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { came, fiber } = yield* reading((yield* responding(upstream.events)).bytes)
      yield* upstream.send(finishChunk())
      yield* upstream.send(textChunk("b", { index: 1 }))
      expect(yield* Queue.take(came)).toBe(wire(finishChunk()))
      expect(yield* Queue.take(came)).toBe(wire(textChunk("b", { index: 1 })))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Queue.size(came)).toBe(0)
      yield* Fiber.interrupt(fiber)
    }),
  )
})

describe("a ping of the upstream", () => {
  it.scoped("reaches the client as a comment, once the answer has begun", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { came, fiber } = yield* reading((yield* responding(upstream.events)).bytes)
      yield* Queue.offer(upstream.queue, ping)
      yield* upstream.send(textChunk("a"))
      expect(yield* Queue.take(came)).toBe(wire(textChunk("a")))
      yield* Queue.offer(upstream.queue, ping)
      expect(yield* Queue.take(came)).toBe(": ping\n")
      yield* Fiber.interrupt(fiber)
    }),
  )
})

describe("an outlet that fails", () => {
  const failing: Outlet = {
    write: () => {
      throw new Error("no outlet")
    },
    onDrain: () => {},
  }

  it.scoped("ends an answer whose end cannot be sent, and does not pass for its whole", () =>
    Effect.gen(function* () {
      const respond = yield* makeRespond(yield* FiberSet.makeRuntime<never>())
      const ends: Array<ResponseEnd> = []
      const relay = respond<string, void>({
        grammar,
        settings,
        events: {
          attach: (sink) => sink.onEnd({ kind: "failed", error: "reset" }),
          pause: () => {},
          resume: () => {},
          close: () => {},
        },
        reasonOf: (error) => error,
        keepBytes: 0,
        hasBegun: false,
        onEnd: (end, sent) => void ends.push({ ...end, sent }),
      })
      const exit = yield* Effect.exit(relay.run(failing))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(ends.map((end) => end.outcome)).toEqual(["stream_broken"])
    }),
  )

  it.scoped("at a heartbeat leaves the other streams theirs", () =>
    Effect.gen(function* () {
      const respond = yield* makeRespond(yield* FiberSet.makeRuntime<never>())
      const sourceOfOne: EventSource<string> = {
        attach: (sink) => sink.onEvents([event(textChunk("a"))]),
        pause: () => {},
        resume: () => {},
        close: () => {},
      }
      const relay = () =>
        respond({
          grammar,
          settings,
          events: sourceOfOne,
          reasonOf: (error) => error,
          keepBytes: 0,
          hasBegun: false,
          onEnd: () => {},
        })
      const came: Array<string> = []
      let written = 0
      const once: Outlet = { ...failing, write: (bytes) => written++ === 0 || failing.write(bytes) }
      const well: Outlet = { ...failing, write: (bytes) => came.push(textOf(bytes)) > 0 }
      const broken = yield* Effect.fork(relay().run(once))
      yield* Effect.fork(relay().run(well))
      yield* TestClock.adjust("15 seconds")
      expect(Exit.isFailure(yield* Fiber.await(broken))).toBe(true)
      expect(came).toEqual([wire(textChunk("a")), ": ping\n"])
      yield* TestClock.adjust("15 seconds")
      expect(came.length).toBe(3)
    }),
  )
})

describe("backpressure", () => {
  it.scoped("reads the upstream no faster than the client reads", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      for (let i = 0; i < 100; i++) yield* upstream.send(textChunk("a"))
      const gate = yield* Queue.unbounded<void>()
      let taken = 0
      const { bytes } = yield* responding(upstream.events)
      const fiber = yield* Effect.fork(
        Stream.runForEach(bytes, () =>
          Effect.zipRight(
            Effect.sync(() => void taken++),
            Queue.take(gate),
          ),
        ),
      )
      yield* TestClock.adjust("1 second")
      expect([taken, upstream.reads()]).toEqual([1, 1])
      yield* Queue.offer(gate, undefined)
      yield* TestClock.adjust("1 second")
      expect([taken, upstream.reads()]).toEqual([2, 2])
      yield* Fiber.interrupt(fiber)
    }),
  )
})

describe("a client that leaves", () => {
  it.scoped("interrupts the upstream at once, and the end says what was sent until then", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events)
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send(textChunk("a"))
      yield* Queue.take(came)
      yield* Fiber.interrupt(fiber)
      yield* settle
      expect(upstream.interrupted()).toBe(1)
      expect(ends).toMatchObject([{ outcome: "client_closed", error: undefined }])
      expect(ends.map(({ sent }) => unpack(sent.packed).map(textOf))).toEqual([
        [JSON.stringify(textChunk("a"))],
      ])
    }),
  )

  it.scoped("before anything came leaves nothing behind", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events)
      const { fiber } = yield* reading(bytes)
      yield* TestClock.adjust("1 second")
      expect(upstream.reads()).toBe(1)
      yield* Fiber.interrupt(fiber)
      yield* settle
      expect(upstream.interrupted()).toBe(1)
      expect(ends).toMatchObject([{ outcome: "client_closed" }])
    }),
  )

  it.scoped("by reading no further ends the upstream as well", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events)
      yield* upstream.send(textChunk("a"))
      yield* Stream.runDrain(Stream.take(bytes, 1))
      yield* settle
      expect(upstream.interrupted()).toBe(1)
      expect(ends.map((end) => end.outcome)).toEqual(["client_closed"])
    }),
  )

  it.scoped("while the rest of a complete answer is drained had its whole answer", () =>
    Effect.gen(function* () {
      const upstream = yield* scripted
      const { bytes, ends } = yield* responding(upstream.events)
      const { came, fiber } = yield* reading(bytes)
      yield* upstream.send("[DONE]")
      yield* Queue.take(came)
      yield* Fiber.interrupt(fiber)
      expect(ends.map((end) => end.outcome)).toEqual(["ok"])
    }),
  )
})
