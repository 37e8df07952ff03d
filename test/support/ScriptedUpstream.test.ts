/** The scripted upstream does on the wire what its script says: tests that rest on it are worth no more than that. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { within } from "./Patience.ts"
import { parseAnswer, post, postBytes, rawConnection, request } from "./RawHttp.ts"
import * as Scripted from "./ScriptedUpstream.ts"
import { chatCompletion, textChunk } from "./Wire.ts"

const portOf = ({ origin }: Scripted.ScriptedUpstream) => Number(new URL(origin).port)

const ask = (upstream: Scripted.ScriptedUpstream) =>
  post(portOf(upstream), "/v1/chat/completions", { model: "m" })

/** What a connection received, and how it was closed. */
const fate = (upstream: Scripted.ScriptedUpstream) =>
  Effect.gen(function* () {
    const connection = yield* rawConnection(portOf(upstream))
    yield* connection.send(postBytes("/v1/chat/completions", { model: "m" }))
    const how = yield* within("the close", connection.closed)
    return { how, text: connection.received().toString() }
  })

describe("A scripted upstream", () => {
  it.scopedLive("records what arrived and answers what it is told", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const answer = yield* ask(upstream)
      expect(answer?.status).toBe(200)
      expect(JSON.parse(String(answer?.body))).toEqual(chatCompletion("Hello."))
      const [recorded] = upstream.requests
      expect(recorded?.path).toBe("/v1/chat/completions")
      expect(recorded?.body).toEqual({ model: "m" })
      expect(recorded?.isAbandoned()).toBe(false)
      expect((yield* upstream.awaitRequest(1)).method).toBe("POST")
    }),
  )

  it.scopedLive("walks through a sequence and stays at its last answer", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.sequence(
          Scripted.status(500),
          Scripted.status(429, {}, { "retry-after": "3" }),
          Scripted.models(["m"]),
        ),
      )
      const answers = yield* Effect.all([ask(upstream), ask(upstream), ask(upstream), ask(upstream)])
      expect(answers.map((answer) => answer?.status)).toEqual([500, 429, 200, 200])
      expect(answers[1]?.headers["retry-after"]).toBe("3")
    }),
  )

  it.scopedLive("streams its events, whatever they are cut into", () =>
    Effect.gen(function* () {
      const events = [textChunk("a"), textChunk("é")]
      for (const framing of ["\n", "\r\n", "\r"] as const) {
        const bytes = Scripted.eventStream(events, { framing })
        const upstream = yield* Scripted.scriptedUpstream(Scripted.sse(events, { framing, chunkSize: 7 }))
        expect((yield* ask(upstream))?.body).toEqual(bytes)
      }
    }),
  )

  it.scopedLive("resets before the answer, in its head and in its body", () =>
    Effect.gen(function* () {
      const at = (answer: Scripted.Answer) => Effect.flatMap(Scripted.scriptedUpstream(answer), fate)
      const before = yield* at(Scripted.reset("before"))
      expect(before).toEqual({ how: "ECONNRESET", text: "" })
      const inHead = yield* at(Scripted.reset("in_head"))
      expect(inHead.how).toBe("ECONNRESET")
      expect(inHead.text).toMatch(/^HTTP.*\r\ncontent-ty$/)
      const inBody = yield* at(Scripted.reset("in_body"))
      expect(inBody.how).toBe("ECONNRESET")
      expect(inBody.text).toMatch(/chatcmpl-$/)
    }),
  )

  it.scopedLive("truncates a body that its head promised whole", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.truncate({ a: 1 }, 2))
      const { how, text } = yield* fate(upstream)
      expect(how).toBe("end")
      expect(parseAnswer(text)?.whole).toBe(false)
      expect(text).toMatch(/content-length: 7\r\n\r\n\{"a":$/)
    }),
  )

  it.scopedLive("writes a controlled answer as the test says, and notices that its caller left", () =>
    Effect.gen(function* () {
      const answer = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(answer.answer)
      const connection = yield* rawConnection(portOf(upstream))
      yield* connection.send(postBytes("/v1/chat/completions", {}))
      yield* answer.push("one")
      expect(
        yield* within(
          "one",
          connection.until((text) => text.includes("data: one\n\n")),
        ),
      ).not.toContain("two")
      yield* answer.push("two")
      yield* within(
        "two",
        connection.until((text) => text.includes("data: two\n\n")),
      )
      const recorded = yield* answer.opened
      expect(recorded.isAbandoned()).toBe(false)
      connection.socket.destroy()
      yield* within("the close", answer.closed)
      expect(recorded.isAbandoned()).toBe(true)
    }),
  )

  it.scopedLive("notices a caller that leaves a request it never answers", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const connection = yield* rawConnection(portOf(upstream))
      yield* connection.send(postBytes("/v1/chat/completions", {}))
      const recorded = yield* upstream.awaitRequest(1)
      connection.socket.destroy()
      yield* within("the close", recorded.abandoned)
    }),
  )

  it.scopedLive("destroys a kept-alive connection when it is used again", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.staleWhenReused(Scripted.chat("once")))
      const connection = yield* rawConnection(portOf(upstream))
      yield* connection.send(postBytes("/v1/chat/completions", {}))
      yield* connection.until((text) => parseAnswer(text)?.whole === true)
      const answered = connection.received().length
      yield* connection.send(postBytes("/v1/chat/completions", {}))
      yield* within("the close", connection.closed)
      expect(connection.received().length).toBe(answered)
      expect(upstream.requests.map((one) => [one.connection, one.onConnection])).toEqual([
        [0, 0],
        [0, 1],
      ])
    }),
  )

  it.scopedLive("stalls a flood when its reader stops, and finishes it when the reader goes on", () =>
    Effect.gen(function* () {
      const total = 32 * 1024 * 1024
      const flood = Scripted.flood(total, 65_536)
      const upstream = yield* Scripted.scriptedUpstream(flood.answer)
      const connection = yield* rawConnection(portOf(upstream))
      yield* connection.send(postBytes("/v1/chat/completions", {}))
      yield* Effect.async<void>((resume) => {
        connection.socket.once("data", () => {
          connection.socket.pause()
          resume(Effect.void)
        })
      })
      yield* within("the stall", flood.stalled(200))
      expect(flood.sentBytes()).toBeLessThan(total)
      yield* Effect.async<void>((resume) => {
        connection.socket.on("data", (piece: Buffer) => {
          if (piece.toString("latin1").endsWith("0\r\n\r\n")) resume(Effect.void)
        })
        connection.socket.resume()
      })
      expect(flood.sentBytes()).toBe(total)
      expect(connection.received().length).toBeGreaterThan(total)
    }),
  )

  it.scopedLive("lends a port that refuses connections", () =>
    Effect.gen(function* () {
      const port = yield* Scripted.closedPort
      const code = yield* Effect.tryPromise({
        try: () => fetch(`http://127.0.0.1:${port}/`),
        catch: (cause) => (cause instanceof Error ? String(Object(cause.cause).code) : ""),
      }).pipe(Effect.flip)
      expect(code).toBe("ECONNREFUSED")
    }),
  )

  it.effect("destroys open connections with its scope", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(
        Effect.gen(function* () {
          const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
          yield* Effect.fork(request(portOf(upstream), "GET", "/v1/models"))
          yield* upstream.awaitRequest(1)
          expect(upstream.openConnections()).toBe(1)
          return portOf(upstream)
        }),
      )
      const refused = yield* Effect.tryPromise({
        try: () => fetch(`http://127.0.0.1:${port}/`),
        catch: () => "refused",
      }).pipe(Effect.flip)
      expect(refused).toBe("refused")
    }),
  )
})
