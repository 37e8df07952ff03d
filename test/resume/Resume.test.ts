import { it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import fc from "fast-check"
import { describe, expect } from "vitest"
import { answerStream, summary } from "../../src/answer/AnswerStream.ts"
import { assemble } from "../../src/answer/transcript/Transcript.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import { choiceResume } from "../../src/resume/ChoiceResume.ts"
import {
  type Broken,
  maxResumableBytes,
  type ResumeOptions,
  resumed as resumedBy,
} from "../../src/resume/Resume.ts"
import { readSoFar } from "../../src/resume/SaidSoFar.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb } from "../support/answers.ts"
import { runs } from "../support/Runs.ts"
import { streamed } from "../support/StreamedAnswers.ts"
import { chunk, finishChunk, textChunk } from "../support/Wire.ts"

const event = (value: unknown, name?: string): SseEvent => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: name,
})

const done = event("[DONE]")

const errorOf = (message: string) => ({ error: { message, type: "server_error", param: null, code: null } })

const textOf = (data: Uint8Array): string => new TextDecoder().decode(data)

type Events = Stream.Stream<SseEvent, string>

/** Events in reads of these sizes, over and over. */
const inReads = (events: ReadonlyArray<SseEvent>, sizes: ReadonlyArray<number> = [1]): Events => {
  const reads: Array<Chunk.Chunk<SseEvent>> = []
  for (let at = 0; at < events.length; ) {
    const size = sizes[reads.length % sizes.length] ?? 1
    reads.push(Chunk.fromIterable(events.slice(at, at + size)))
    at += size
  }
  return Stream.flattenChunks(Stream.fromIterable(reads))
}

const failing = (events: Events, error = "reset"): Events => Stream.concat(events, Stream.fail(error))

/** A stream that resumes with what `next` finds, and what it was asked. */
const resumed = (
  events: Events,
  next: ReadonlyArray<Events> | ((broken: Broken, asked: number) => Events | undefined) = [],
  given: Partial<ResumeOptions<string>> = {},
): { readonly stream: Events; readonly asked: ReadonlyArray<Broken> } => {
  const asked: Array<Broken> = []
  const stream = resumedBy<string>({
    rules: choiceResume(chatShape),
    beginning: { prefix: "", tags: ["think"] },
    reasonOf: (error) => error,
    next: (broken) =>
      Effect.sync(() => {
        asked.push(broken)
        const found = typeof next === "function" ? next(broken, asked.length - 1) : next[asked.length - 1]
        return Option.map(Option.fromNullable(found), (going) => ({ events: going }))
      }),
    ...given,
  })(events)
  return { stream, asked }
}

interface Ran {
  readonly events: ReadonlyArray<SseEvent>
  readonly exit: Exit.Exit<void, string>
}

const running = (stream: Events): Effect.Effect<Ran> =>
  Effect.gen(function* () {
    const events: Array<SseEvent> = []
    const exit = yield* stream.pipe(
      Stream.runForEach((one) => Effect.sync(() => void events.push(one))),
      Effect.exit,
    )
    return { events, exit }
  })

const datas = ({ events }: Ran): ReadonlyArray<unknown> =>
  events.map(({ data }) => (textOf(data) === "[DONE]" ? "[DONE]" : JSON.parse(textOf(data))))

const first = { id: "first", model: "one" }
const second = { id: "second", model: "two" }
const third = { id: "third", model: "three" }

const beginning = [
  chunk({ role: "assistant", content: "" }, first),
  textChunk("Hel", first),
  textChunk("lo", first),
].map((one) => event(one))

const ending = (name: typeof first) =>
  [
    chunk({ role: "assistant", content: "" }, name),
    textChunk(" you", name),
    finishChunk("stop", name),
    "[DONE]",
  ].map((one) => event(one))

const wholeAnswer = [
  chunk({ role: "assistant", content: "" }, first),
  textChunk("Hel", first),
  textChunk("lo", first),
  chunk({ content: "" }, first),
  textChunk(" you", first),
  finishChunk("stop", first),
  "[DONE]",
]

describe("an answer that breaks off is resumed", () => {
  const breaks: ReadonlyArray<readonly [name: string, events: Events, reason: string]> = [
    ["where its stream fails", failing(inReads(beginning)), "broke off: reset"],
    ["where its stream fails in one read", failing(inReads(beginning, [9])), "broke off: reset"],
    ["where it just ends", inReads(beginning), "broke off: it ended before it said that it was finished"],
    [
      "where a chunk is an error",
      inReads([...beginning, event(errorOf("overloaded")), done], [9]),
      "broke off: it sent an error event (overloaded)",
    ],
    [
      "where an event is called an error",
      inReads([...beginning, event("Gone", "error")]),
      "broke off: it sent an error event (Gone)",
    ],
  ]
  for (const [name, events, reason] of breaks) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { asked, stream } = resumed(events, [inReads(ending(second))])
        const ran = yield* running(stream)
        expect(datas(ran)).toEqual(wholeAnswer)
        expect(ran.exit).toEqual(Exit.void)
        expect(asked).toMatchObject([{ text: "Hello", reason }])
      }),
    )
  }

  it.effect("again, when the one that went on breaks off too", () =>
    Effect.gen(function* () {
      const { asked, stream } = resumed(failing(inReads(beginning)), [
        failing(inReads(ending(second).slice(0, 1)), "timeout"),
        inReads(ending(third)),
      ])
      const ran = yield* running(stream)
      expect(ran.exit).toEqual(Exit.void)
      expect(
        assemble(
          chatShape,
          ran.events.map(({ data }) => data),
        ),
      ).toMatchObject({
        id: "first",
        choices: [{ message: { role: "assistant", content: "Hello you" } }],
      })
      expect(asked.map(({ reason }) => reason)).toEqual(["broke off: reset", "broke off: timeout"])
    }),
  )

  it.effect("anew, where nothing was said yet", () =>
    Effect.gen(function* () {
      const { asked, stream } = resumed(failing(inReads(beginning.slice(0, 1))), [inReads(ending(second))])
      expect(datas(yield* running(stream))).toEqual([wholeAnswer[0], ...wholeAnswer.slice(3)])
      expect(asked[0]?.text).toBe("")
    }),
  )

  it.effect("from what follows the thinking its prefix opened", () =>
    Effect.gen(function* () {
      const events = failing(inReads([event(textChunk("hm</think>So"))]))
      const { asked, stream } = resumed(events, [], { beginning: { prefix: "<think>\n", tags: ["think"] } })
      yield* running(stream)
      expect(asked.map(({ text }) => text)).toEqual(["So"])
    }),
  )
})

/** Pieces of text of which no joining is a tag. */
const textPartsArb = fc.array(
  fc.constantFrom("a", "word ", "é", "😀", "\n", "<", '"', "\\", "漢", " usage:"),
  {
    minLength: 1,
    maxLength: 12,
  },
)

const breakArb = fc.record({
  /** Events that come before it. */
  after: fc.nat({ max: 14 }),
  how: fc.constantFrom("fails", "ends", "error chunk", "error event", "error in a read"),
  saysRole: fc.boolean(),
})

const sizesArb = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })

describe("laws of resumed answers", () => {
  it.effect(
    "law: for every answer cut at any event, with any number of breaks, the client has the whole text under one name, with one role",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.constantFrom(chatShape, completionShape),
            fc.boolean(),
            textPartsArb,
            fc.array(breakArb, { maxLength: 4 }),
            sizesArb,
            async (shape, thinks, tail, breaks, sizes) => {
              const parts = ["So", ...tail]
              const whole = parts.join("")
              const isChat = shape === chatShape
              const said = (text: string, id: string) =>
                isChat
                  ? textChunk(text, { id, model: id })
                  : { id, model: id, object: "text_completion", choices: [{ index: 0, text }] }
              const thought = thinks && isChat ? "<think>hm</think>\n" : ""

              /** What target `at` sends, resuming from `text`, until its break. */
              const target = (at: number, text: string): Events => {
                const id = `answer-${at}`
                const { after, how, saysRole } = breaks[at] ?? { after: 99, how: "never", saysRole: true }
                const rest = at === 0 ? parts : [...whole.slice(text.length)]
                const texts = [...(at === 0 && thought !== "" ? [thought + rest[0], ...rest.slice(1)] : rest)]
                const values = [
                  ...(isChat && saysRole ? [chunk({ role: "assistant" }, { id, model: id })] : []),
                  ...texts.map((one) => said(one, id)),
                ]
                const sent = values.slice(0, after).map((one) => event(one))
                if (how === "never") {
                  const finish = {
                    ...said("", id),
                    choices: [{ index: 0, delta: {}, text: "", finish_reason: "stop" }],
                  }
                  return inReads([...sent, event(finish), done], sizes)
                }
                if (how === "fails") return failing(inReads(sent, sizes))
                if (how === "error chunk") return inReads([...sent, event(errorOf("x"))], sizes)
                if (how === "error event") return inReads([...sent, event("x", "error"), done], sizes)
                if (how === "error in a read") return inReads([...sent, event(errorOf("x")), done], [99])
                return inReads(sent, sizes)
              }

              const { asked, stream } = resumed(target(0, ""), ({ text }, at) => target(at + 1, text), {
                rules: choiceResume(shape),
              })
              const ran = await Effect.runPromise(running(stream))
              expect(ran.exit).toEqual(Exit.void)
              expect(asked.length).toBe(breaks.length)
              for (const { text } of asked) expect(whole.startsWith(text)).toBe(true)

              const chunks = ran.events.slice(0, -1).map(({ data }): JsonObject => JSON.parse(textOf(data)))
              expect(new Set(chunks.map((one) => `${one["id"]} ${one["model"]}`)).size).toBe(1)
              const roles = ran.events.filter(({ data }) => textOf(data).includes('"role"'))
              expect(roles.length).toBeLessThanOrEqual(1)

              const transform = { prefix: undefined, thinking: "strip" } as const
              const { data: sent, state } = streamed(
                { shape, transform, includeUsage: false, choices: 1, secrets: noSecrets },
                ran.events,
              )
              expect(summary(state).outcome).toBe("ok")
              expect(assemble(shape, sent)).toMatchObject({
                choices: [isChat ? { message: { content: whole } } : { text: whole }],
              })
            },
          ),
        ),
      ),
  )

  it.effect(
    "law: somebody is asked to resume exactly where AnswerStream says that a resumable answer broke, and all else passes as it came",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            answerArb,
            cuttingArb,
            fc.nat({ max: 30 }),
            fc.constantFrom("nothing", "done", "error chunk", "error event", "nonsense"),
            fc.boolean(),
            fc.option(fc.constantFrom("reset"), { nil: undefined }),
            fc.boolean(),
            sizesArb,
            async (given, cutting, cut, last, goesOn, failure, isFound, sizes) => {
              const { shape } = given
              const events = chunksOf(given, cutting)
                .slice(0, cut)
                .map((one) => event(one))
              if (last === "done") events.push(done)
              if (last === "error chunk") events.push(event(errorOf("x")))
              if (last === "error event") events.push(event("x", "error"))
              if (last === "nonsense") events.push(event("nonsense"))
              if (goesOn) events.push(event(textChunk("late")), done)

              const answer = answerStream({
                shape,
                includeUsage: true,
                choices: 1,
                secrets: noSecrets,
              })
              let state = answer.initial
              let before = 0
              for (const one of events) {
                state = answer.step(state, one, 0)[0]
                if (state.phase !== "open") break
                before++
              }
              const [ended] = answer.end(
                state,
                failure === undefined ? { kind: "ended" } : { kind: "broken", reason: failure },
                0,
              )
              const datasBefore = events.slice(0, before).map(({ data }) => data)
              const isAsked =
                ended.phase === "broken" &&
                Either.isRight(readSoFar(shape, { prefix: "", tags: ["think"] }, datasBefore))

              const upstream = inReads(events, sizes)
              const marker = event("[DONE]")
              const { asked, stream } = resumed(
                failure === undefined ? upstream : failing(upstream, failure),
                isFound ? [inReads([marker])] : [],
                { rules: choiceResume(shape) },
              )
              const ran = await Effect.runPromise(running(stream))
              expect(asked.length).toBe(isAsked ? 1 : 0)
              const isResumed = isAsked && isFound
              const expected = isResumed ? [...events.slice(0, before), marker] : events
              expect(ran.events.length).toBe(expected.length)
              ran.events.forEach((one, at) => {
                expect(one).toBe(expected[at])
              })
              expect(ran.exit).toEqual(isResumed || failure === undefined ? Exit.void : Exit.fail(failure))
            },
          ),
          { numRuns: runs(200) },
        ),
      ),
  )
})

describe("an answer that breaks off ends as it would have", () => {
  it.effect("when nobody resumes it: its error event and all behind it pass, and its failure", () =>
    Effect.gen(function* () {
      const events = [...beginning, event(errorOf("x")), event(textChunk("late"))]
      const { asked, stream } = resumed(failing(inReads(events, [9])))
      expect(yield* running(stream)).toEqual({ events, exit: Exit.fail("reset") })
      expect(asked.length).toBe(1)
    }),
  )

  it.effect("when nobody resumes what was resumed", () =>
    Effect.gen(function* () {
      const { asked, stream } = resumed(failing(inReads(beginning)), [
        failing(inReads(ending(second).slice(0, 2)), "timeout"),
      ])
      const ran = yield* running(stream)
      expect(ran.exit).toEqual(Exit.fail("timeout"))
      expect(datas(ran)).toEqual(wholeAnswer.slice(0, 5))
      expect(asked.map(({ text }) => text)).toEqual(["Hello", "Hello you"])
    }),
  )

  it.effect("when it was calling a tool", () =>
    Effect.gen(function* () {
      const events = [...beginning, event(chunk({ tool_calls: [{ index: 0, id: "call_1" }] }))]
      const { asked, stream } = resumed(failing(inReads(events)), [inReads(ending(second))])
      expect(yield* running(stream)).toEqual({ events, exit: Exit.fail("reset") })
      expect(asked).toEqual([])
    }),
  )

  it.effect("when a fault in the gateway broke it", () =>
    Effect.gen(function* () {
      const events = Stream.concat(inReads(beginning), Stream.die("fault"))
      const { asked, stream } = resumed(events, [inReads(ending(second))])
      const ran = yield* running(stream)
      expect(ran.exit).toEqual(Exit.failCause(Cause.die("fault")))
      expect(asked).toEqual([])
    }),
  )
})

describe("what is kept of an answer", () => {
  const large = event(textChunk("x".repeat(maxResumableBytes / 4)))

  it.effect("is bounded: a larger one is not resumed, and passes as it came", () =>
    Effect.gen(function* () {
      const isAskedAfter = (events: ReadonlyArray<SseEvent>) =>
        Effect.gen(function* () {
          const { asked, stream } = resumed(failing(inReads(events, [100])))
          const ran = yield* running(stream)
          expect(ran.events.length).toBe(events.length)
          expect(ran.exit).toEqual(Exit.fail("reset"))
          return asked.length === 1
        })
      expect(yield* isAskedAfter([large, large, large])).toBe(true)
      expect(yield* isAskedAfter([large, large, large, large])).toBe(false)
      // An empty event is not kept for nothing either.
      const empty = event({ choices: [] })
      const most = maxResumableBytes / 64
      expect(yield* isAskedAfter(new Array<SseEvent>(most).fill(empty))).toBe(true)
      expect(yield* isAskedAfter(new Array<SseEvent>(most + 1).fill(empty))).toBe(false)
    }),
  )

  it.effect("is bounded over all that went on with it", () =>
    Effect.gen(function* () {
      const { asked, stream } = resumed(failing(inReads([large, large])), [
        failing(inReads([large, large]), "timeout"),
        inReads(ending(third)),
      ])
      expect((yield* running(stream)).exit).toEqual(Exit.fail("timeout"))
      expect(asked.length).toBe(1)
    }),
  )
})

describe("reading", () => {
  it.effect("goes no further than is asked for", () =>
    Effect.gen(function* () {
      let reads = 0
      const counting = Stream.repeatEffect(Effect.sync(() => event(textChunk(String(++reads)))))
      yield* Stream.runDrain(Stream.take(resumed(counting).stream, 2))
      expect(reads).toBe(2)
    }),
  )

  it.effect("gives what came before an error event at once, not when somebody resumes it", () =>
    Effect.gen(function* () {
      const { stream } = resumed(inReads([...beginning, event(errorOf("x"))], [9]), [], {
        next: () => Effect.never,
      })
      const came = yield* Stream.runCollect(Stream.take(stream, 3))
      expect([...came]).toEqual(beginning)
    }),
  )
})

describe("what an upstream holds", () => {
  /** Events whose reading is noted when it begins and when it ends. */
  const noted = (log: Array<string>, name: string, events: Events): Events =>
    Stream.ensuring(
      Stream.concat(Stream.drain(Stream.sync(() => log.push(`${name} begins`))), events),
      Effect.sync(() => log.push(`${name} ends`)),
    )

  /** The scope of `next` holds something too, as an attempt's connection. */
  const holding = (log: Array<string>, streams: ReadonlyArray<Events>): ResumeOptions<string>["next"] => {
    let at = 0
    return () =>
      Effect.gen(function* () {
        const name = `connection ${at + 2}`
        const events = streams[at++]
        yield* Effect.addFinalizer(() => Effect.sync(() => log.push(`${name} closes`)))
        return Option.map(Option.fromNullable(events), (found) => ({ events: found }))
      })
  }

  it.effect("is let go when another has taken over, and in the end", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { stream } = resumed(noted(log, "1", inReads([...beginning, event(errorOf("x"))])), [], {
        next: holding(log, [
          noted(log, "2", failing(inReads(ending(second).slice(0, 2)))),
          noted(log, "3", inReads(ending(third))),
        ]),
      })
      yield* running(stream)
      expect(log).toEqual([
        "1 begins",
        "1 ends",
        "2 begins",
        "2 ends",
        "connection 2 closes",
        "3 begins",
        "3 ends",
        "connection 3 closes",
      ])
    }),
  )

  it.effect("is let go at once where nobody was found", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { stream } = resumed(inReads([...beginning, event(errorOf("x")), event(textChunk("late"))]), [], {
        next: holding(log, []),
      })
      yield* Stream.runForEach(stream, ({ data }) => Effect.sync(() => log.push(textOf(data).slice(0, 8))))
      expect(log.slice(-3)).toEqual(["connection 2 closes", '{"error"', '{"id":"c'])
    }),
  )

  it.effect("is let go by a client that leaves while somebody is looked for", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const isAsked = yield* Deferred.make<void>()
      const { stream } = resumed(noted(log, "1", inReads([...beginning, event(errorOf("x"))])), [], {
        next: () =>
          Effect.zipRight(Deferred.succeed(isAsked, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Effect.sync(() => log.push("search interrupted"))),
          ),
      })
      const fiber = yield* Effect.fork(running(stream))
      yield* Deferred.await(isAsked)
      yield* Fiber.interrupt(fiber)
      expect(log).toEqual(["1 begins", "search interrupted", "1 ends"])
    }),
  )

  it.effect("is let go by a client that leaves while another resumes it", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const isRead = yield* Deferred.make<void>()
      const waits: Events = Stream.fromEffect(
        Effect.zipRight(Deferred.succeed(isRead, undefined), Effect.never).pipe(
          Effect.onInterrupt(() => Effect.sync(() => log.push("read interrupted"))),
        ),
      )
      const { stream } = resumed(failing(inReads(beginning)), [], {
        next: holding(log, [noted(log, "2", waits)]),
      })
      const fiber = yield* Effect.fork(running(stream))
      yield* Deferred.await(isRead)
      yield* Fiber.interrupt(fiber)
      expect(log).toEqual(["2 begins", "read interrupted", "2 ends", "connection 2 closes"])
    }),
  )
})
