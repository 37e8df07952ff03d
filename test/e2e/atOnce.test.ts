/** `stream_start: at_once`: streams that begin before any upstream has answered, as bytes, through the official package, and as rows. */
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { parseAnswer, post, postBytes, rawConnection } from "../support/RawHttp.ts"
import {
  type Answer,
  chat,
  controlled,
  hang,
  json,
  reset,
  scriptedUpstream,
  sse,
  status,
} from "../support/ScriptedUpstream.ts"
import { call, collect, collectUntilError, sdk, textOf } from "../support/Sdk.ts"
import { chatCompletion, finishChunk, openAiError, textChunk } from "../support/Wire.ts"

const path = "/v1/chat/completions"
const body = {
  model: "gpt-4o",
  stream: true as const,
  messages: [{ role: "user" as const, content: "Hello?" }],
}

/** A gateway that begins at once, with upstreams that answer so. */
const stack = (
  answers: ReadonlyArray<Answer>,
  rest: Readonly<Record<string, unknown>> = {},
  settings: Readonly<Record<string, unknown>> = {},
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(answers, (answer) => scriptedUpstream(answer))
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ base_url: url, ...settings })),
        { stream_start: "at_once", ...rest },
      ),
    )
    return { upstreams, gateway, record: Effect.map(gateway.awaitRecords(1), ([record]) => record) }
  })

const dechunked = (soFar: string): string => parseAnswer(soFar)?.body.toString("utf8") ?? ""

describe("A stream that begins at once", () => {
  it.scopedLive("is answered with a heartbeat while its upstream has not said a word", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { gateway, record } = yield* stack([answer.answer])
      const connection = yield* rawConnection(gateway.port)
      yield* connection.send(postBytes(path, body))
      const begun = yield* within(
        "the heartbeat",
        connection.until((soFar) => dechunked(soFar) === ": ping\n"),
      )
      const head = parseAnswer(begun)
      expect(head?.status).toBe(200)
      expect(head?.headers).toMatchObject({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "x-request-id": expect.any(String),
      })
      expect(head?.headers["x-sluice-upstream"]).toBeUndefined()

      yield* answer.push(textChunk("one"))
      yield* within(
        "the first event",
        connection.until((soFar) => dechunked(soFar).endsWith("\n\n")),
      )
      yield* answer.push(finishChunk())
      yield* answer.end()
      const whole = yield* within(
        "the end",
        connection.until((soFar) => parseAnswer(soFar)?.whole === true),
      )
      expect(dechunked(whole)).toBe(
        [
          ": ping\n",
          ...[textChunk("one"), finishChunk()].map((event) => `data: ${JSON.stringify(event)}\n\n`),
          "data: [DONE]\n\n",
        ].join(""),
      )
      const row = yield* within("its row", record)
      expect(row).toMatchObject({ status: 200, outcome: "ok", upstream: "first", ttftMs: expect.any(Number) })
    }),
  )

  it.scopedLive("comes from whoever answers in the end: other upstreams, other rounds", () =>
    Effect.gen(function* () {
      let asked = 0
      const failing: Answer = {
        give: (exchange) => (asked++ < 2 ? status(503) : chat("At last.")).give(exchange),
      }
      const { gateway, record } = yield* stack([status(500), failing, reset()], {
        retry: { rounds: 3, base_delay_ms: 1, max_delay_ms: 5 },
      })
      const { data, response } = yield* call(() => sdk(gateway).chat.completions.create(body).withResponse())
      expect(textOf(yield* collect(data))).toBe("At last.")
      expect(response.headers.get("x-sluice-attempts")).toBeNull()
      const row = yield* within("its row", record)
      expect(row).toMatchObject({ status: 200, outcome: "ok", upstream: "second" })
      expect(row?.attempts.length).toBeGreaterThan(3)
    }),
  )

  it.scopedLive("gives a plain answer out as a stream", () =>
    Effect.gen(function* () {
      const { gateway } = yield* stack([json(chatCompletion("Plainly."))])
      const stream = yield* call(() => sdk(gateway).chat.completions.create(body))
      expect(textOf(yield* collect(stream))).toBe("Plainly.")
    }),
  )

  it.scopedLive(
    "ends in the error where all fail, which the official package raises; nothing is sent twice",
    () =>
      Effect.gen(function* () {
        const { gateway, record, upstreams } = yield* stack([status(500), reset()])
        const stream = yield* call(() => sdk(gateway).chat.completions.create(body))
        const { error, items } = yield* collectUntilError(stream)
        expect(items).toEqual([])
        expect(error).toBeInstanceOf(OpenAI.APIError)
        expect([error.type, error.code]).toEqual(["upstream_error", "upstream_unreachable"])
        expect(upstreams.map(({ requests }) => requests.length)).toEqual([1, 1])
        const row = yield* within("its row", record)
        expect(row).toMatchObject({ status: 200, outcome: "upstream_error", ttftMs: undefined })
        expect(row?.error).toContain("No upstream could be reached")
        expect(row?.attempts.map(({ upstream }) => upstream)).toEqual(["first", "second"])
      }),
  )

  it.scopedLive("tells a provider's refusal in its own words, as the one event", () =>
    Effect.gen(function* () {
      const refusal = openAiError("temperature is beyond 2", {
        type: "invalid_request_error",
        code: "decimal_above_max_value",
      })
      const { gateway, record } = yield* stack([
        status(400, JSON.stringify(refusal, null, 2)),
        chat("never asked"),
      ])
      const answer = yield* post(gateway.port, path, body)
      const [ping, data, ...others] = answer?.body.toString("utf8").split("\n") ?? []
      expect([answer?.status, ping, others]).toEqual([200, ": ping", ["", ""]])
      expect(JSON.parse(data?.slice("data: ".length) ?? "")).toEqual(refusal)
      const row = yield* within("its row", record)
      expect(row).toMatchObject({ status: 200, outcome: "rejected" })
    }),
  )

  it.scopedLive("is told as broken where it breaks off after it has begun", () =>
    Effect.gen(function* () {
      const { gateway, record } = yield* stack([sse([textChunk("one")], { done: false })])
      const stream = yield* call(() => sdk(gateway).chat.completions.create(body))
      const { error, items } = yield* collectUntilError(stream)
      expect([textOf(items), error.code]).toEqual(["one", "upstream_stream_broken"])
      expect(yield* within("its row", record)).toMatchObject({ status: 200, outcome: "stream_broken" })
    }),
  )

  it.scopedLive("stops all attempts when its caller leaves while nobody has answered", () =>
    Effect.gen(function* () {
      const { gateway, record, upstreams } = yield* stack([hang(), chat("never asked")])
      const [first, second] = upstreams
      const connection = yield* rawConnection(gateway.port)
      yield* connection.send(postBytes(path, body))
      yield* connection.until((soFar) => dechunked(soFar) === ": ping\n")
      const asked = yield* first?.awaitRequest(1) ?? Effect.die("no upstream")
      connection.socket.destroy()
      yield* within("the upstream's connection closes", asked.abandoned)
      const row = yield* within("its row", record)
      expect(row).toMatchObject({ status: 200, outcome: "client_closed", error: undefined })
      expect(row?.attempts).toMatchObject([{ upstream: "first", cause: "the caller left" }])
      expect(second?.requests).toEqual([])
    }),
  )

  it.scopedLive("is asked for beside others where hedging is configured", () =>
    Effect.gen(function* () {
      const { gateway, record } = yield* stack([hang(), chat("From the second.")], {}, { hedge_after_ms: 20 })
      const stream = yield* call(() => sdk(gateway).chat.completions.create(body))
      expect(textOf(yield* collect(stream))).toBe("From the second.")
      expect(yield* within("its row", record)).toMatchObject({ outcome: "ok", upstream: "second" })
    }),
  )

  it.scopedLive(
    "ends in an error, and is told as broken, where the gateway ends before anybody answered",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(hang())
        const life = yield* Scope.make()
        const gateway = yield* Scope.extend(
          startGateway(configOf([{ base_url: upstream.url }], { stream_start: "at_once" }), {
            shutdownGrace: Duration.millis(50),
          }),
          life,
        )
        const connection = yield* rawConnection(gateway.port)
        yield* connection.send(postBytes(path, body))
        const asked = yield* upstream.awaitRequest(1)
        yield* Scope.close(life, Exit.void)
        const whole = parseAnswer(connection.received().toString("latin1"))
        const events = whole?.body.toString("utf8") ?? ""
        expect([whole?.status, whole?.whole]).toEqual([200, true])
        expect(events).toMatch(/^: ping\ndata: \{"error":.*"code":"shutting_down"\}\}\n\n$/)
        yield* within("the upstream's connection closes", asked.abandoned)
        const [row] = yield* gateway.records
        expect(row).toMatchObject({ status: 200, outcome: "stream_broken" })
        expect(row?.error).toContain("cut at the end of the grace period")
        expect(row?.attempts).toMatchObject([{ upstream: "first", cause: "cut with the gateway" }])
      }),
  )

  it.scopedLive("has a status where that is known before any upstream is asked, as plain answers have", () =>
    Effect.gen(function* () {
      const { gateway, upstreams } = yield* stack([status(500)], {
        server: { access_keys: ["an-access-key"], max_body_bytes: 1_000 },
      })
      const key = { authorization: "Bearer an-access-key" }
      const empty = { ...body, messages: [{ role: "user", content: "" }] }
      const long = { ...body, messages: [{ role: "user", content: "x".repeat(2_000) }] }
      const cases = [
        [body, {}, 401],
        [{ ...body, model: "nobody's" }, key, 404],
        [{ ...body, messages: [] }, key, 400],
        [empty, key, 400],
        [long, key, 413],
      ] as const
      for (const [sent, headers, expected] of cases) {
        expect((yield* post(gateway.port, path, sent, headers))?.status).toBe(expected)
      }
      expect(upstreams[0]?.requests).toEqual([])
      expect((yield* post(gateway.port, path, { ...body, stream: false }, key))?.status).toBe(500)
    }),
  )
})
