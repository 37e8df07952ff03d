import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { Deadline } from "../../src/access/Deadline.ts"
import { untouched } from "../../src/answer/ChoiceTransform.ts"
import { Aside } from "../../src/aside/Aside.ts"
import { asideJobs } from "../../src/aside/AsideJobs.ts"
import type { AttemptRecord } from "../../src/audit/record/AuditRecord.ts"
import { DialectNotSpoken, InvalidRequest } from "../../src/errors/RequestErrors.ts"
import { nothingAdded } from "../../src/operations/Additions.ts"
import { chat } from "../../src/operations/chat/Chat.ts"
import type { Target, Upstream } from "../../src/routing/Upstream.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import * as Attempts from "../../src/upstream/Attempts.ts"
import * as Breakers from "../../src/upstream/Breakers.ts"
import type { AnswerHead, UpstreamCall } from "../../src/upstream/calls/UpstreamCall.ts"
import { Upstreams } from "../../src/upstream/calls/Upstreams.ts"
import * as Dialects from "../../src/upstream/Dialects.ts"
import { AttemptFailure } from "../../src/upstream/policy/AttemptFailure.ts"
import type { BreakerPolicy } from "../../src/upstream/policy/Breaker.ts"
import type { RetryPolicy } from "../../src/upstream/policy/Retry.ts"
import * as Slots from "../../src/upstream/Slots.ts"
import { streamOf } from "../../src/wire/EventSource.ts"
import { makeUpstream } from "../support/arbitraries.ts"

/** Made where nothing is that they could keep. */
const ignored = (): void => {}
const oneChoice = (): number => 1

const bytes = (text: string) => new TextEncoder().encode(text)

const target = (upstream: string | Partial<Upstream>): Target => ({
  upstream: makeUpstream(typeof upstream === "string" ? { name: upstream } : upstream),
  upstreamModel: "m",
})

/** Does what is done aside at once. */
const atOnce = Layer.succeed(Aside, {
  run: (name, input) => Effect.sync(() => asideJobs[name](input)),
  waiting: () => 0,
})

const policy: RetryPolicy = {
  rounds: 2,
  baseDelayMs: 200,
  maxDelayMs: 5000,
  retryOn: (status) => [401, 404, 429].includes(status) || status >= 500,
}

/** A deadline that no test reaches. */
const never: Deadline = { at: Number.POSITIVE_INFINITY, afterMs: 3_600_000, setBy: "configuration" }

/** What an upstream says, as the script of a test has it. */
interface ScriptedAnswer extends AnswerHead {
  /** Of a stream. */
  readonly body: Stream.Stream<Uint8Array, AttemptFailure>
  /** Of a plain answer. */
  readonly bytes: () => Effect.Effect<Uint8Array, AttemptFailure>
}

type Reply = Effect.Effect<ScriptedAnswer, AttemptFailure>

/** An answer that says this. */
const saying = (text: string) =>
  bytes(
    JSON.stringify({ choices: [{ message: { role: "assistant", content: text }, finish_reason: "stop" }] }),
  )

/** A chunk of a role, which says nothing, and one of a word. */
const role = '{"choices":[{"delta":{"role":"assistant"}}]}'
const word = '{"choices":[{"delta":{"content":"a"}}]}'
const stream = `data: ${word}\n\ndata: [DONE]\n\n`

const answer = (status: number, text = "", headers: Record<string, string> = {}): Reply =>
  Effect.succeed({
    status,
    headers: { "content-type": "application/json", ...headers },
    body: Stream.make(bytes(text)),
    bytes: () => Effect.succeed(saying(text)),
    retryAfterMs: undefined,
  })

const events = (text: string): Reply =>
  Effect.map(answer(200, text), (one) => ({ ...one, headers: { "content-type": "text/event-stream" } }))

const refused: Reply = Effect.fail(AttemptFailure.ConnectFailed({ reason: "ECONNREFUSED" }))

/** Upstreams that reply from a script, per name, each in turn and then the last one again. */
const scripted = (script: Readonly<Record<string, ReadonlyArray<Reply>>>, aside = atOnce) => {
  const asked: Array<string> = []
  const open = new Set<UpstreamCall>()
  const layer = Layer.effect(
    Upstreams,
    Effect.map(Effect.runtime<never>(), (runtime) =>
      Upstreams.of({
        inFlight: () => 0,
        open: (call, listener) => {
          let told = listener
          const { name } = call.upstream
          const replies = script[name] ?? []
          const reply = replies[Math.min(asked.filter((one) => one === name).length, replies.length - 1)]
          asked.push(name)
          open.add(call)
          const said = Effect.gen(function* () {
            const one = yield* reply ?? refused
            told.onHead(one)
            const isStream = one.headers["content-type"] === "text/event-stream"
            const body = isStream ? one.body : Stream.fromEffect(one.bytes())
            yield* Stream.runForEach(body, (some) => Effect.sync(() => told.onBytes(some)))
          })
          const fiber = Runtime.runFork(runtime)(said)
          fiber.addObserver((exit) => {
            if (!open.has(call)) return
            if (Exit.isSuccess(exit)) told.onEnd(undefined)
            else told.onEnd(Option.getOrUndefined(Cause.failureOption(exit.cause)))
          })
          return {
            tell: (other) => {
              told = other
            },
            begun: () => {},
            handedOn: () => {},
            isUnpacked: false,
            pause: () => {},
            resume: () => {},
            close: () => {
              open.delete(call)
              fiber.unsafeInterruptAsFork(FiberId.none)
            },
          }
        },
      }),
    ),
  )
  return {
    asked,
    open,
    layer: Layer.provideMerge(
      Attempts.layer,
      Layer.mergeAll(layer, Breakers.layer, Dialects.layer, Slots.layer, aside),
    ),
  }
}

const run = (
  targets: ReadonlyArray<string | Partial<Upstream>>,
  options: {
    readonly stream?: boolean
    readonly log?: Array<AttemptRecord>
    readonly retry?: RetryPolicy
    readonly breaker?: BreakerPolicy
    readonly deadline?: Deadline
    readonly hold?: (bytes: number) => boolean
    /** Those in whose dialects the request cannot be said. */
    readonly unsaid?: ReadonlyArray<string>
  } = {},
) =>
  Effect.gen(function* () {
    const attempts = yield* Attempts.Attempts
    const { unsaid = [] } = options
    const releases: Array<() => void> = []
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const release of releases) release()
      }),
    )
    return yield* attempts.run({
      requestId: "request",
      operation: chat,
      asked: {},
      stream: options.stream ?? false,
      mayBeBytes: true,
      choicesFor: oneChoice,
      transformFor: () => untouched,
      targets: targets
        .map(target)
        .map((one) => (unsaid.includes(one.upstream.name) ? { ...one, dialect: "messages" } : one)),
      retry: options.retry ?? policy,
      breaker: options.breaker ?? { failures: 0, openMs: 1, maxOpenMs: 1 },
      deadline: options.deadline ?? never,
      hold: options.hold ?? (() => true),
      whenOver: (release) => void releases.push(release),
      onPassedOver: ignored,
      onDropped: ignored,
      onPassedBy: ignored,
      bodyFor: ({ upstream }) =>
        unsaid.includes(upstream.name)
          ? Either.left(new InvalidRequest({ message: `${upstream.name} cannot say it.`, param: "n" }))
          : Either.right({ body: bytes("{}"), asItCame: true, added: nothingAdded }),
      lacked: () =>
        new DialectNotSpoken({ model: "m", dialect: "responses", speakers: [], paths: [], part: undefined }),
      headersFor: () => ({}),
      secrets: noSecrets,
      onAsking: () => undefined,
      onAttempt: (attempt) => void options.log?.push(attempt),
    })
  })

/** Runs to the end whatever it waits for. */
const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.exit(effect))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("Attempts past an upstream whose breaker is open", () => {
  const breaker: BreakerPolicy = { failures: 2, openMs: 1_000, maxOpenMs: 3_000 }
  const once: RetryPolicy = { ...policy, rounds: 1 }

  it.scoped("asks it last, then probes it with one request at a time, and takes it back", () => {
    const { asked, layer } = scripted({
      a: [answer(500), answer(500), answer(500), answer(200, "a")],
      b: [answer(200, "b")],
    })
    const ask = run(["a", "b"], { breaker, retry: once })
    return Effect.gen(function* () {
      yield* ask
      yield* ask
      expect(asked).toEqual(["a", "b", "a", "b"])
      yield* ask
      expect(asked.slice(4)).toEqual(["b"])
      yield* TestClock.adjust("1 second")
      yield* ask
      // The probe failed: now twice as long.
      expect(asked.slice(5)).toEqual(["a", "b"])
      yield* TestClock.adjust("1 second")
      yield* ask
      expect(asked.slice(7)).toEqual(["b"])
      yield* TestClock.adjust("1 second")
      yield* ask
      yield* ask
      expect(asked.slice(8)).toEqual(["a", "a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("still asks it when all are open, and is answered by the one that works again", () => {
    const { asked, layer } = scripted({ a: [refused, refused, answer(200, "a")], b: [refused] })
    const ask = Effect.exit(run(["a", "b"], { breaker, retry: once }))
    return Effect.gen(function* () {
      yield* ask
      yield* ask
      expect(Exit.isSuccess(yield* ask)).toBe(true)
      expect(asked).toEqual(["a", "b", "a", "b", "a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("sends no second probe while one is under way, and another when its client left", () => {
    const { asked, layer } = scripted({
      a: [answer(500), answer(500), Effect.never, answer(200, "a")],
      b: [answer(200, "b")],
    })
    const ask = run(["a", "b"], { breaker, retry: once })
    return Effect.gen(function* () {
      yield* ask
      yield* ask
      yield* TestClock.adjust("1 second")
      const probe = yield* Effect.fork(ask)
      yield* Effect.yieldNow()
      yield* ask
      expect(asked.slice(4)).toEqual(["a", "b"])
      yield* Fiber.interrupt(probe)
      yield* ask
      expect(asked.slice(6)).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })
})

describe("Attempts past an upstream in whose dialect a request cannot be said", () => {
  const breaker: BreakerPolicy = { failures: 1, openMs: 1_000, maxOpenMs: 3_000 }
  const once: RetryPolicy = { ...policy, rounds: 1 }

  it.scoped("leave it to the next request to probe it", () => {
    const { asked, layer } = scripted({ a: [answer(500), answer(200, "a")], b: [answer(200, "b")] })
    return Effect.gen(function* () {
      yield* run(["a", "b"], { breaker, retry: once })
      yield* TestClock.adjust("1 second")
      yield* run(["a", "b"], { breaker, retry: once, unsaid: ["a"] })
      expect(asked.slice(2)).toEqual(["b"])
      yield* run(["a", "b"], { breaker, retry: once })
      expect(asked.slice(3)).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("ask the next one beside one that is late", () => {
    const { asked, layer } = scripted({ a: [Effect.never], c: [answer(200, "c")] })
    const slow = { name: "a", hedgeAfterMs: 100 }
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run([slow, "b", "c"], { retry: once, unsaid: ["b"] }))
      yield* TestClock.adjust("100 millis")
      expect((yield* Fiber.join(fiber)).target.upstream.name).toBe("c")
      expect(asked).toEqual(["a", "c"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped(
    "fail with what one of them cannot say where nobody was asked, and else with what was answered",
    () => {
      const { layer } = scripted({ b: [answer(503, "busy")] })
      return Effect.gen(function* () {
        expect(yield* Effect.flip(run(["a", "b"], { retry: once, unsaid: ["a", "b"] }))).toMatchObject({
          _tag: "InvalidRequest",
          message: "a cannot say it.",
        })
        expect(yield* Effect.flip(run(["a", "b"], { retry: once, unsaid: ["a"] }))).toMatchObject({
          _tag: "UpstreamRefused",
          status: 503,
        })
      }).pipe(Effect.provide(layer))
    },
  )
})

describe("Attempts", () => {
  it.scoped("fails over to the next target at once, without waiting", () => {
    const { asked, layer } = scripted({ a: [refused], b: [answer(503)], c: [answer(200, "whole")] })
    return Effect.gen(function* () {
      const log: Array<AttemptRecord> = []
      const answered = yield* run(["a", "b", "c"], { log })
      expect(asked).toEqual(["a", "b", "c"])
      expect(answered).toMatchObject({ kind: "plain", status: 200, target: { upstream: { name: "c" } } })
      expect(log.map(({ cause, status, upstream }) => [upstream, status, cause])).toEqual([
        ["a", undefined, "could not connect (ECONNREFUSED)"],
        ["b", 503, undefined],
        ["c", 200, undefined],
      ])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("takes a status that is not worth another target as the client's answer", () => {
    const { asked, layer } = scripted({ a: [answer(422, "no")], b: [answer(200)] })
    return Effect.gen(function* () {
      expect(yield* run(["a", "b"])).toMatchObject({ status: 422 })
      expect(asked).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("goes round again after a wait, asking only what waiting may have mended", () => {
    const { asked, layer } = scripted({ a: [answer(401)], b: [answer(503), answer(200)], c: [answer(404)] })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run(["a", "b", "c"]))
      yield* Effect.repeatN(Effect.yieldNow(), 50)
      expect(asked).toEqual(["a", "b", "c"])
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ status: 200 })
      expect(asked).toEqual(["a", "b", "c", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("does not wait when nothing that failed can mend", () => {
    const { asked, layer } = scripted({ a: [answer(401)], b: [answer(404)] })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(run(["a", "b"]))
      expect(error).toMatchObject({ _tag: "UpstreamRefused", status: 404 })
      expect(asked).toEqual(["a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("ends after as many rounds as are configured", () => {
    const { asked, layer } = scripted({ a: [refused], b: [refused] })
    return Effect.gen(function* () {
      const exit = yield* patiently(run(["a", "b"], { retry: { ...policy, rounds: 3 } }))
      expect(Exit.isFailure(exit)).toBe(true)
      expect(asked).toEqual(["a", "b", "a", "b", "a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped.each([
    {
      fault: "that is a page",
      body: "<html>busy</html>",
      cause: "answered 200 with a body that is no JSON object",
    },
    { fault: "that is empty", body: "", cause: "answered 200 with a body that is no JSON object" },
    { fault: "cut short", body: '{"choices":[', cause: "answered 200 with a body that is no JSON object" },
    { fault: "that is an error", body: '{"error":{"message":"no"}}', cause: "answered with an error (no)" },
    {
      fault: "without a choice",
      body: '{"choices":[]}',
      cause: "answered 200 and said nothing: no choice, no text, no finish reason",
    },
  ])("fails over from a plain body $fault", ({ body, cause }) => {
    const given = Effect.map(answer(200), (one) => ({ ...one, bytes: () => Effect.succeed(bytes(body)) }))
    const { layer } = scripted({ a: [given], b: [answer(200, "whole")] })
    return Effect.gen(function* () {
      const log: Array<AttemptRecord> = []
      expect((yield* run(["a", "b"], { log })).target.upstream.name).toBe("b")
      expect(log[0]?.cause).toBe(cause)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("fails over when a plain body breaks", () => {
    const broken = Effect.map(answer(200), (one) => ({
      ...one,
      bytes: () => Effect.fail(AttemptFailure.BrokenOff({ reason: "ECONNRESET" })),
    }))
    const { layer } = scripted({ a: [broken], b: [answer(200, "whole")] })
    return Effect.gen(function* () {
      const answered = yield* run(["a", "b"])
      expect(answered.target.upstream.name).toBe("b")
    }).pipe(Effect.provide(layer))
  })

  it.scoped.each([
    { fault: "whose first event is an error", text: 'data: {"error":{"message":"overloaded"}}\n\n' },
    { fault: "whose first event is named error", text: 'event: error\ndata: {"message":"overloaded"}\n\n' },
    { fault: "whose first event is a line of an error", text: 'error: {"message":"overloaded"}\n\n' },
    { fault: "that is an error after a role", text: `data: ${role}\n\ndata: {"error":"overloaded"}\n\n` },
    { fault: "that ends before its first event", text: ": hello\n\n" },
    { fault: "that says nothing", text: `data: ${role}\n\ndata: [DONE]\n\n` },
    { fault: "that breaks off after a role", text: `data: ${role}\n\n` },
    { fault: "of text", text: "data: loading\n\ndata: [DONE]\n\n" },
  ])("fails over from a stream $fault", ({ text }) => {
    const { layer } = scripted({ a: [events(text)], b: [events(`: hello\n\ndata: ${role}\n\n${stream}`)] })
    return Effect.gen(function* () {
      const answered = yield* run(["a", "b"], { stream: true })
      expect(answered).toMatchObject({ kind: "stream", target: { upstream: { name: "b" } } })
      if (answered.kind === "stream") {
        const all = yield* Stream.runCollect(streamOf(answered.events))
        expect(Array.from(all, ({ data }) => new TextDecoder().decode(data))).toEqual([role, word, "[DONE]"])
      }
    }).pipe(Effect.provide(layer))
  })

  it.scoped(
    "gives back what each attempt held as soon as it is over, and a stream's only with the scope",
    () => {
      const { layer, open } = scripted({ a: [answer(500)], b: [events(`data: ${word}\n\n`)] })
      return Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* run(["a", "b"], { stream: true })
            expect([...open].map(({ upstream }) => upstream.name)).toEqual(["b"])
          }),
        )
        expect(open.size).toBe(0)
      }).pipe(Effect.provide(layer))
    },
  )

  it.scoped("ends the call under way and starts no other when the client leaves", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const silent = Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
      const { asked: names, layer, open } = scripted({ a: [silent], b: [answer(200)] })
      const log: Array<AttemptRecord> = []
      const fiber = yield* Effect.fork(Effect.provide(run(["a", "b"], { log }), layer))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      expect(names).toEqual(["a"])
      expect(open.size).toBe(0)
      expect(log).toMatchObject([{ upstream: "a", status: undefined, cause: "the caller left" }])
    }),
  )

  it.scoped("asks for nothing aside any more when the client leaves", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const busy = Layer.succeed(Aside, {
        run: () =>
          Effect.onInterrupt(Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never), () =>
            Deferred.succeed(left, undefined),
          ),
        waiting: () => 1,
      })
      const long = Effect.map(answer(200), (one) => ({
        ...one,
        bytes: () => Effect.succeed(saying("a".repeat(100_000))),
      }))
      const { layer } = scripted({ a: [long] }, busy)
      const fiber = yield* Effect.fork(Effect.provide(run(["a"], { stream: true }), layer))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(left)
    }),
  )

  it.scoped("starts no other attempt when the client leaves while it waits for a round", () => {
    const { asked, layer } = scripted({ a: [refused] })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run(["a"]))
      yield* Effect.repeatN(Effect.yieldNow(), 50)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 hour")
      expect(asked).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })
})

describe("Attempts and the time of the request as a whole", () => {
  const deadlineIn = (afterMs: number): Deadline => ({ at: afterMs, afterMs, setBy: "client" })

  it.scoped("end with it, and say so with what each upstream had come to", () => {
    const slow = Effect.delay(refused, "400 millis")
    const { asked, layer } = scripted({ a: [slow], b: [slow], c: [answer(200)] })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.flip(run(["a", "b", "c"], { deadline: deadlineIn(700), retry: { ...policy, rounds: 1 } })),
      )
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({
        _tag: "DeadlineExceeded",
        afterMs: 700,
        setBy: "client",
        failures: [{ upstream: "a" }, { upstream: "b" }],
      })
      expect(asked).toEqual(["a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("do not wait for a round that it leaves no time for", () => {
    const limited = Effect.map(answer(429), (one) => ({ ...one, retryAfterMs: 3_000 }))
    const { asked, layer } = scripted({ a: [limited] })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(run(["a"], { deadline: deadlineIn(2_000) }))
      expect(error).toMatchObject({ _tag: "UpstreamRefused", status: 429 })
      expect(asked).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("do not blame the upstream that was cut off by it", () => {
    const cut = Effect.fail(AttemptFailure.TimedOut({ phase: "deadline", afterMs: 1 }))
    const { asked, layer } = scripted({ a: [cut], b: [answer(200)] })
    const breaker: BreakerPolicy = { failures: 1, openMs: 1_000, maxOpenMs: 3_000 }
    return Effect.gen(function* () {
      yield* run(["a", "b"], { breaker, retry: { ...policy, rounds: 1 } })
      yield* run(["a", "b"], { breaker, retry: { ...policy, rounds: 1 } })
      expect(asked).toEqual(["a", "b", "a", "b"])
    }).pipe(Effect.provide(layer))
  })
})

describe("Attempts at an upstream that takes only so many requests at once", () => {
  const busy = { name: "a", concurrency: { max: 1, maxWaiting: 1, maxWaitMs: 500 } }
  const once: RetryPolicy = { ...policy, rounds: 1 }

  it.scoped("wait their turn, then ask the next one, and only then give up", () => {
    const { asked, layer } = scripted({ a: [Effect.never], b: [answer(200, "b")] })
    return Effect.gen(function* () {
      const log: Array<AttemptRecord> = []
      yield* Effect.fork(run([busy], { retry: once }))
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(run([busy, "b"], { retry: once, log }))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      const turnedAway = yield* run([busy, "b"], { retry: once, log })
      expect(turnedAway.target.upstream.name).toBe("b")
      const hopeless = yield* Effect.flip(run([busy], { retry: once, log }))
      expect(hopeless).toMatchObject({ _tag: "Overloaded", reason: "upstreams" })
      yield* TestClock.adjust("500 millis")
      expect((yield* Fiber.join(waiting)).target.upstream.name).toBe("b")
      expect(asked).toEqual(["a", "b", "b"])
      expect(log.map(({ cause, upstream }) => [upstream, cause])).toEqual([
        ["a", "is busy (1 requests under way, and its line is full)"],
        ["b", undefined],
        ["a", "is busy (1 requests under way, and its line is full)"],
        ["a", "is busy (1 requests under way, none ended in 500 ms)"],
        ["b", undefined],
      ])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("keep the place of a stream until it is over", () => {
    const { layer } = scripted({ a: [events(stream)], b: [answer(200)] })
    return Effect.gen(function* () {
      const alone = { ...busy, concurrency: { max: 1, maxWaiting: 0, maxWaitMs: 1 } }
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* run([alone], { stream: true })
          expect((yield* run([alone, "b"])).target.upstream.name).toBe("b")
        }),
      )
      expect((yield* run([alone, "b"], { stream: true })).target.upstream.name).toBe("a")
    }).pipe(Effect.provide(layer))
  })

  it.scoped("give up a place at once when their client leaves", () => {
    const { asked, layer } = scripted({ a: [Effect.never] })
    return Effect.gen(function* () {
      const first = yield* Effect.fork(run([busy]))
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(run([busy]))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      yield* Fiber.interrupt(waiting)
      const other = yield* Effect.fork(run([busy]))
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      yield* Fiber.interrupt(first)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      expect(asked).toEqual(["a", "a"])
      yield* Fiber.interrupt(other)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("go on where there is no memory for an answer, and say so where there is none for any", () => {
    const large = Effect.map(answer(200, "large"), (one) => ({
      ...one,
      bytes: () => Effect.fail(AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left" })),
    }))
    const { asked, layer } = scripted({ a: [large], b: [large] })
    return Effect.gen(function* () {
      const error = yield* Effect.flip(run(["a", "b"]))
      expect(error).toMatchObject({ _tag: "Overloaded", reason: "memory" })
      expect(asked).toEqual(["a", "b"])
    }).pipe(Effect.provide(layer))
  })
})

describe("Hedged attempts", () => {
  const slow = { name: "a", hedgeAfterMs: 100 }
  const once: RetryPolicy = { ...policy, rounds: 1 }
  const later = (ms: number, reply: Reply): Reply => Effect.delay(reply, ms)

  it.scoped(
    "ask the next upstream when the first is late, take the first answer, and cancel the other",
    () => {
      const { asked, layer, open } = scripted({ a: [Effect.never], b: [later(50, answer(200, "b"))] })
      return Effect.gen(function* () {
        const log: Array<AttemptRecord> = []
        const fiber = yield* Effect.fork(run([slow, "b"], { log, retry: once }))
        yield* TestClock.adjust("99 millis")
        expect(asked).toEqual(["a"])
        yield* TestClock.adjust("1 millis")
        expect(asked).toEqual(["a", "b"])
        yield* TestClock.adjust("50 millis")
        expect((yield* Fiber.join(fiber)).target.upstream.name).toBe("b")
        expect(open.size).toBe(0)
        expect(log).toEqual([
          {
            upstream: "a",
            upstreamModel: "m",
            status: undefined,
            cause: "cancelled, another upstream answered first",
            ms: 150,
          },
          { upstream: "b", upstreamModel: "m", status: 200, cause: undefined, ms: 50, hedged: true },
        ])
      }).pipe(Effect.provide(layer))
    },
  )

  it.scoped("ask nobody else where the first answers in time, or has begun to", () => {
    const { asked, layer } = scripted({ a: [later(99, answer(200, "a"))], b: [answer(200, "b")] })
    const beginning = Effect.map(answer(200, "a"), (one) => ({
      ...one,
      bytes: () => Effect.delay(Effect.succeed(saying("a")), "10 seconds"),
    }))
    const begun = scripted({ a: [beginning], b: [answer(200, "b")] })
    return Effect.gen(function* () {
      const inTime = yield* Effect.fork(run([slow, "b"]))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(inTime)).target.upstream.name).toBe("a")
      expect(asked).toEqual(["a"])
      const slowly = yield* Effect.fork(Effect.provide(run([slow, "b"]), begun.layer))
      yield* TestClock.adjust("10 seconds")
      expect((yield* Fiber.join(slowly)).target.upstream.name).toBe("a")
      expect(begun.asked).toEqual(["a"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("fail over at once when the first fails before it is late", () => {
    const { asked, layer } = scripted({ a: [refused], b: [answer(200, "b")] })
    return Effect.gen(function* () {
      expect((yield* run([slow, "b"])).target.upstream.name).toBe("b")
      expect(asked).toEqual(["a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped.each([
    { failing: "first", script: { a: [later(150, refused)], b: [later(200, answer(200, "it"))] } },
    { failing: "second", script: { a: [later(300, answer(200, "it"))], b: [refused] } },
  ])("wait for the other when the $failing fails", ({ script }) => {
    const { asked, layer } = scripted(script)
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run([slow, "b"], { retry: once }))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ kind: "plain", body: saying("it") })
      expect(asked).toEqual(["a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("go on with the plan when both fail", () => {
    const { asked, layer } = scripted({
      a: [later(150, refused)],
      b: [later(20, refused)],
      c: [answer(200, "c")],
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run([slow, "b", "c"], { retry: once }))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber)).target.upstream.name).toBe("c")
      expect(asked).toEqual(["a", "b", "c"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("both end when the client leaves", () => {
    const { asked, layer, open } = scripted({ a: [Effect.never], b: [Effect.never] })
    return Effect.gen(function* () {
      const log: Array<AttemptRecord> = []
      const fiber = yield* Effect.fork(run([slow, "b", "c"], { log }))
      yield* TestClock.adjust("200 millis")
      expect(open.size).toBe(2)
      yield* Fiber.interrupt(fiber)
      expect([asked, open.size]).toEqual([["a", "b"], 0])
      expect(log.map(({ cause, upstream }) => [upstream, cause])).toEqual([
        ["a", "the caller left"],
        ["b", "the caller left"],
      ])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("do not blame the upstream that lost", () => {
    const breaker: BreakerPolicy = { failures: 1, openMs: 100_000, maxOpenMs: 100_000 }
    const { asked, layer } = scripted({
      a: [Effect.never, answer(200, "a")],
      b: [answer(200, "b")],
    })
    return Effect.gen(function* () {
      const fiber = yield* Effect.fork(run([slow, "b"], { breaker }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      yield* run([slow, "b"], { breaker })
      expect(asked).toEqual(["a", "b", "a"])
    }).pipe(Effect.provide(layer))
  })
})

describe("Attempts that gave a stream", () => {
  /** Collects all that nobody holds. */
  const collect = (): void => {
    setFlagsFromString("--expose-gc")
    const gc: unknown = runInNewContext("gc")
    if (typeof gc === "function") gc()
  }

  it.scoped("let go of what it was asked with while it goes on", () => {
    const { layer } = scripted({ a: [events(stream)] })
    const releases: Array<() => void> = []
    let held: WeakRef<object> | undefined
    const asked = Effect.flatMap(Attempts.Attempts, (attempts) => {
      const prompt = { text: "Once upon a time" }
      held = new WeakRef(prompt)
      return attempts.run({
        requestId: "request",
        operation: chat,
        asked: {},
        stream: true,
        mayBeBytes: true,
        choicesFor: oneChoice,
        transformFor: () => untouched,
        targets: [target("a")],
        retry: policy,
        breaker: { failures: 0, openMs: 1, maxOpenMs: 1 },
        deadline: never,
        hold: () => true,
        whenOver: (release) => void releases.push(release),
        onPassedOver: ignored,
        onDropped: ignored,
        onPassedBy: ignored,
        bodyFor: () => Either.right({ body: bytes(prompt.text), asItCame: true, added: nothingAdded }),
        lacked: () =>
          new DialectNotSpoken({ model: "m", dialect: "chat", speakers: [], paths: [], part: undefined }),
        headersFor: () => ({}),
        secrets: noSecrets,
        onAsking: () => undefined,
        onAttempt: () => {},
      })
    })
    return Effect.gen(function* () {
      const answered = yield* asked
      // Whatever a reference was made of or followed to lives until the turn of the event loop is over.
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      collect()
      expect(answered.kind).toBe("stream")
      expect(held).toBeInstanceOf(WeakRef)
      expect(held?.deref()).toBeUndefined()
      expect(releases).toHaveLength(1)
    }).pipe(Effect.provide(layer))
  })
})
