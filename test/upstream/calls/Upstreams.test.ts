import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import type { UpstreamCall } from "../../../src/upstream/calls/UpstreamCall.ts"
import * as Upstreams from "../../../src/upstream/calls/Upstreams.ts"
import { whole } from "../../../src/upstream/calls/WholeAnswer.ts"
import { defaultTimeouts, makeUpstream } from "../../support/arbitraries.ts"
import * as Scripted from "../../support/ScriptedUpstream.ts"

const call = (upstream: Upstream, awaits: "answer" | "event" = "answer"): UpstreamCall => ({
  upstream,
  method: "POST",
  path: "/chat/completions",
  headers: { "content-type": "application/json" },
  body: new TextEncoder().encode("{}"),
  awaits,
  unpacks: "any",
  deadline: undefined,
})

/** Sends one call and reads its whole answer. */
const exchange = (upstream: Upstream, limitBytes = 1_000_000) =>
  Effect.gen(function* () {
    const upstreams = yield* Upstreams.Upstreams
    const answer = yield* whole(upstreams, call(upstream), limitBytes)
    return {
      status: answer.status,
      headers: answer.headers,
      text: new TextDecoder().decode(answer.body),
    }
  })

const quick = {
  ...defaultTimeouts,
  connectMs: 1000,
  firstByteMs: 60,
  answerMs: 5000,
  idleMs: 60,
  totalMs: 5000,
}

describe("Upstreams", () => {
  it.scopedLive("sends the call below the base URL and gives the answer back", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.json({ ok: true }, { "x-ratelimit-limit": "5" }),
      )
      const { headers, status, text } = yield* exchange(makeUpstream({ baseUrl: upstream.url }))
      expect([status, JSON.parse(text), headers["x-ratelimit-limit"]]).toEqual([200, { ok: true }, "5"])
      expect(upstream.requests[0]).toMatchObject({ method: "POST", path: "/v1/chat/completions", body: {} })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("uses connections again for calls that follow each other", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json({}))
      const target = makeUpstream({ baseUrl: upstream.url })
      for (let i = 0; i < 10; i++) yield* exchange(target)
      expect(new Set(upstream.requests.map(({ connection }) => connection)).size).toBeLessThanOrEqual(2)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("sends once more, unseen, when a pooled connection turns out to be dead", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.staleWhenReused(Scripted.json({})))
      const target = makeUpstream({ baseUrl: upstream.url })
      for (let i = 0; i < 4; i++) expect((yield* exchange(target)).status).toBe(200)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("does not send again on a fresh connection that the upstream resets", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.reset("before"))
      const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url })))
      expect(failure._tag).toBe("BrokenOff")
      expect(upstream.requests).toHaveLength(1)
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("tells a refused connection and an unknown host from a broken one", () =>
    Effect.gen(function* () {
      const port = yield* Scripted.closedPort
      const refused = yield* Effect.flip(exchange(makeUpstream({ baseUrl: `http://127.0.0.1:${port}/v1` })))
      expect(refused).toMatchObject({ _tag: "ConnectFailed", reason: "ECONNREFUSED" })
      const unknown = yield* Effect.flip(exchange(makeUpstream({ baseUrl: "http://nowhere.invalid/v1" })))
      expect(unknown._tag).toBe("ConnectFailed")
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive(
    "gives up when a plain answer has not come in its time, be it its head or its last byte",
    () =>
      Effect.gen(function* () {
        const endless = Scripted.controlled()
        for (const answer of [Scripted.hang(), endless.answer]) {
          const upstream = yield* Scripted.scriptedUpstream(answer)
          const timeouts = { ...quick, answerMs: 80, idleMs: 5000 }
          const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url, timeouts })))
          expect(failure).toMatchObject({ _tag: "TimedOut", phase: "answer", afterMs: 80 })
        }
      }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("counts the wait for a stream's first event until it is told that it came", () =>
    Effect.gen(function* () {
      const silent = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(silent.answer)
      const target = makeUpstream({ baseUrl: upstream.url, timeouts: { ...quick, idleMs: 5000 } })
      const failure = yield* Effect.flip(whole(yield* Upstreams.Upstreams, call(target, "event"), 1_000_000))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "first_byte" })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("waits for the first event as long as the upstream shows that it lives", () =>
    Effect.gen(function* () {
      const endless = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(endless.answer)
      const timeouts = { ...quick, firstByteMs: 150, idleMs: 5000, totalMs: 700 }
      const target = makeUpstream({ baseUrl: upstream.url, timeouts })
      yield* endless.push({}).pipe(Effect.zipRight(Effect.sleep(5)), Effect.forever, Effect.fork)
      const failure = yield* Effect.flip(whole(yield* Upstreams.Upstreams, call(target, "event"), 1_000_000))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "total" })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive(
    "does not take the wait behind a good head, before anything is answered, for silence in an answer",
    () =>
      Effect.gen(function* () {
        for (const [awaits, phase] of [
          ["event", "first_byte"],
          ["answer", "answer"],
        ] as const) {
          const silent = Scripted.controlled()
          const upstream = yield* Scripted.scriptedUpstream(silent.answer)
          const timeouts = { ...quick, firstByteMs: 300, answerMs: 300, idleMs: 30 }
          const target = makeUpstream({ baseUrl: upstream.url, timeouts })
          const failure = yield* Effect.flip(
            whole(yield* Upstreams.Upstreams, call(target, awaits), 1_000_000),
          )
          expect(failure).toMatchObject({ _tag: "TimedOut", phase, afterMs: 300 })
        }
      }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives up on an error whose body does not come", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.raw("HTTP/1.1 500 No\r\ncontent-length: 5\r\n\r\n", "silence"),
      )
      const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url, timeouts: quick })))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "idle", afterMs: 60 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives up on a body that goes silent", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.streamed(Buffer.from("data: {}\n\n"), { ending: "silence" }),
      )
      const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url, timeouts: quick })))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "idle" })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives up when an answer takes too long as a whole, however lively it is", () =>
    Effect.gen(function* () {
      const endless = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(endless.answer)
      const timeouts = { ...quick, firstByteMs: 5000, idleMs: 5000, totalMs: 150 }
      const fiber = yield* Effect.fork(
        Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url, timeouts }))),
      )
      yield* endless.push({}).pipe(Effect.zipRight(Effect.sleep(5)), Effect.forever, Effect.fork)
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "TimedOut", phase: "total", afterMs: 150 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives an answer that is handed on the time of one, though it was to be a plain one", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const timeouts = { ...quick, answerMs: 80, idleMs: 5000, totalMs: 300 }
      const upstreams = yield* Upstreams.Upstreams
      const failure = yield* Effect.async<unknown>((resume) => {
        const listener = {
          onHead: () => {},
          onBytes: () => {},
          onEnd: (why: unknown) => resume(Effect.succeed(why)),
        }
        const open = upstreams.open(call(makeUpstream({ baseUrl: upstream.url, timeouts })), listener)
        open.handedOn()
        return Effect.sync(() => open.close())
      })
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "total", afterMs: 300 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives up on the whole as well where the first byte came in its own, shorter time", () =>
    Effect.gen(function* () {
      const endless = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(endless.answer)
      const timeouts = { ...quick, firstByteMs: 500, idleMs: 5000, totalMs: 700 }
      const fiber = yield* Effect.fork(
        Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url, timeouts }))),
      )
      yield* endless.push({}).pipe(Effect.zipRight(Effect.sleep(5)), Effect.forever, Effect.fork)
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "TimedOut", phase: "total", afterMs: 700 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("gives up when the request's own time is over, though the upstream has more", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const upstreams = yield* Upstreams.Upstreams
      const deadline = { at: Date.now() + 50, afterMs: 70 }
      const target = makeUpstream({
        baseUrl: upstream.url,
        timeouts: { ...quick, firstByteMs: 5000, idleMs: 5000 },
      })
      const failure = yield* Effect.flip(whole(upstreams, { ...call(target), deadline }, 1_000_000))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "deadline", afterMs: 70 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("takes a body that is cut short for broken, not for whole", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.truncate({ some: "body" }))
      const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url })))
      expect(failure._tag).toBe("BrokenOff")
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("never holds more of a body than the limit", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json("x".repeat(100_000)))
      const failure = yield* Effect.flip(exchange(makeUpstream({ baseUrl: upstream.url }), 10_000))
      expect(failure).toMatchObject({ _tag: "BrokenOff", reason: "a body of over 10000 bytes" })
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive(
    "closes the connection of a call that is interrupted, and counts it no longer as in flight",
    () =>
      Effect.gen(function* () {
        const { inFlight } = yield* Upstreams.Upstreams
        const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
        const fiber = yield* Effect.fork(exchange(makeUpstream({ name: "a", baseUrl: upstream.url })))
        const request = yield* upstream.awaitRequest(1)
        expect(inFlight("a")).toBe(1)
        yield* Fiber.interrupt(fiber)
        yield* request.abandoned
        expect(inFlight("a")).toBe(0)
      }).pipe(Effect.provide(Upstreams.layer)),
  )
})
