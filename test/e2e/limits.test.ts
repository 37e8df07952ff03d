/** What callers see of the limits: on requests under way, on memory, on what one upstream is sent at once, and on time; and of hedging. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const client = (name: string, url: string, more = "") =>
  `  - { name: ${name}, base_url: "${url}", api_key: sk-own, model_match: { type: keyword, value: [gpt] }${more} }\n`

const ask = (baseUrl: string, headers: Readonly<Record<string, string>> = {}, content = "hello") =>
  Effect.promise(async (signal) => {
    const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "gpt-4", messages: [{ role: "user", content }] }),
      headers,
      signal,
    })
    const body: unknown = await answer.json()
    return {
      status: answer.status,
      by: answer.headers.get("x-sluice-upstream"),
      attempts: answer.headers.get("x-sluice-attempts"),
      retryAfter: answer.headers.get("retry-after"),
      body,
    }
  })

const verbose = (baseUrl: string) =>
  Effect.promise(async (): Promise<unknown> => (await fetch(`${baseUrl}/health?verbose`)).json())

/** An upstream whose answers wait until it is told to give them. */
const heldUpstream = Effect.gen(function* () {
  const held: Array<Parameters<Scripted.Answer["give"]>[0]> = []
  const upstream = yield* Scripted.scriptedUpstream({ give: (exchange) => void held.push(exchange) })
  const release = Effect.sync(() => {
    upstream.setScript(Scripted.chat("at last"))
    for (const exchange of held) Scripted.chat("at last").give(exchange)
  })
  return { upstream, release }
})

describe("Limits", () => {
  it.scopedLive("turn requests away beyond server.max_in_flight, and let them in again", () =>
    Effect.gen(function* () {
      const { release, upstream } = yield* heldUpstream
      const { awaitRecords, baseUrl } = yield* startGateway(
        `server: { max_in_flight: 2 }\nopenai_clients:\n${client("a", upstream.url)}`,
      )
      const under = yield* Effect.fork(Effect.all([ask(baseUrl), ask(baseUrl)], { concurrency: 2 }))
      yield* eventually(
        "both to be under way",
        Effect.sync(() => upstream.requests.length),
        (n) => n === 2,
      )
      expect(yield* ask(baseUrl)).toMatchObject({
        status: 503,
        retryAfter: "1",
        body: { error: { type: "server_error", code: "overloaded" } },
      })
      yield* release
      expect(yield* Fiber.join(under)).toMatchObject([{ status: 200 }, { status: 200 }])
      expect(yield* ask(baseUrl)).toMatchObject({ status: 200 })
      const records = yield* awaitRecords(4)
      expect(records.map(({ outcome }) => outcome).sort()).toEqual(["ok", "ok", "ok", "rejected"])
    }),
  )

  it.scopedLive("turn requests away whose bodies there is no memory for, and give memory back", () =>
    Effect.gen(function* () {
      const { release, upstream } = yield* heldUpstream
      const { baseUrl } = yield* startGateway(
        `server: { max_buffered_bytes: 40000 }\nopenai_clients:\n${client("a", upstream.url)}`,
      )
      // Held as it came, as text, as what that is read to, and as it is sent on.
      const large = "x".repeat(6_000)
      const first = yield* Effect.fork(ask(baseUrl, {}, large))
      yield* eventually(
        "it to be under way",
        Effect.sync(() => upstream.requests.length),
        (n) => n === 1,
      )
      expect(yield* ask(baseUrl, {}, large)).toMatchObject({
        status: 503,
        retryAfter: "1",
        body: { error: { code: "overloaded", message: expect.stringContaining("max_buffered_bytes") } },
      })
      yield* release
      expect(yield* Fiber.join(first)).toMatchObject({ status: 200 })
      expect(yield* ask(baseUrl, {}, large)).toMatchObject({ status: 200 })
      yield* eventually("all to be given back", verbose(baseUrl), (health) =>
        JSON.stringify(health).includes('"requests":{"in_flight":0,"buffered_bytes":0}'),
      )
    }),
  )

  it.scopedLive("count the plain answers that are being read", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(() => Scripted.chat("y".repeat(20_000)))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `server: { max_buffered_bytes: 10000 }\nopenai_clients:\n${client("a", upstream.url)}`,
      )
      expect(yield* ask(baseUrl)).toMatchObject({ status: 503, body: { error: { code: "overloaded" } } })
      expect(yield* awaitRecords(1)).toMatchObject([
        { outcome: "rejected", attempts: [{ cause: "no memory left for its answer" }] },
      ])
      expect(yield* verbose(baseUrl)).toMatchObject({ upstreams: [{ name: "a", state: "closed" }] })
    }),
  )

  it.scopedLive("send an upstream max_concurrent at once, then ask the next one, then answer 503", () =>
    Effect.gen(function* () {
      const { release, upstream } = yield* heldUpstream
      const spare = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const limits = ", max_concurrent: 1, max_waiting: 1, max_wait_ms: 60000"
      const alone = `openai_clients:\n${client("a", upstream.url, limits)}`
      const { baseUrl, reload } = yield* startGateway(
        `${alone}${client("b", spare.url, ", priority: 0, max_concurrent: 8")}`,
      )
      const first = yield* Effect.fork(ask(baseUrl))
      yield* eventually(
        "it to be under way",
        Effect.sync(() => upstream.requests.length),
        (n) => n === 1,
      )
      const second = yield* Effect.fork(ask(baseUrl))
      yield* eventually("the other to wait", verbose(baseUrl), (health) =>
        JSON.stringify(health).includes('"waiting":1'),
      )
      expect(yield* ask(baseUrl)).toMatchObject({ status: 200, by: "b", attempts: "2" })
      yield* reload(alone)
      expect(yield* ask(baseUrl)).toMatchObject({
        status: 503,
        retryAfter: "1",
        by: "a",
        body: { error: { code: "overloaded", message: expect.stringContaining("max_concurrent") } },
      })
      yield* release
      expect(yield* Fiber.join(first)).toMatchObject({ status: 200, by: "a", attempts: "1" })
      expect(yield* Fiber.join(second)).toMatchObject({ status: 200, by: "a", attempts: "1" })
      expect(upstream.requests).toHaveLength(2)
    }),
  )
})

describe("The time of a request as a whole", () => {
  it.scopedLive("is cut short by its caller's header, and the upstream's call with it", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { awaitRecords, baseUrl } = yield* startGateway(`openai_clients:\n${client("a", upstream.url)}`)
      expect(yield* ask(baseUrl, { "x-request-timeout-ms": "80" })).toMatchObject({
        status: 504,
        by: "a",
        body: { error: { type: "upstream_error", code: "deadline_exceeded" } },
      })
      expect(yield* awaitRecords(1)).toMatchObject([
        { outcome: "upstream_error", status: 504, attempts: [{ cause: "timed out (deadline after 80 ms)" }] },
      ])
      yield* eventually("the call to be over", verbose(baseUrl), (health) =>
        JSON.stringify(health).includes('"in_flight":0,"waiting":0'),
      )
    }),
  )

  it.scopedLive("is never lengthened by it", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { baseUrl } = yield* startGateway(
        `timeouts: { request_ms: 80 }\nopenai_clients:\n${client("a", upstream.url)}`,
      )
      expect(yield* ask(baseUrl, { "x-request-timeout-ms": "60000" })).toMatchObject({
        status: 504,
        body: { error: { message: expect.stringContaining("timeouts.request_ms") } },
      })
    }),
  )

  it.scopedLive("must be a number of milliseconds where a caller says one", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { baseUrl } = yield* startGateway(`openai_clients:\n${client("a", upstream.url)}`)
      expect(yield* ask(baseUrl, { "x-request-timeout-ms": "2s" })).toMatchObject({
        status: 400,
        body: { error: { param: "x-request-timeout-ms" } },
      })
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("ends a stream that has begun with one error event, and does not blame the upstream", () =>
    Effect.gen(function* () {
      const live = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(live.answer)
      const { awaitRecords, baseUrl } = yield* startGateway(
        `breaker: { failures: 1 }\nopenai_clients:\n${client("a", upstream.url)}`,
      )
      const text = yield* Effect.fork(
        Effect.promise(async () => {
          const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
            method: "POST",
            body: JSON.stringify({
              model: "gpt-4",
              stream: true,
              messages: [{ role: "user", content: "hello" }],
            }),
            headers: { "x-request-timeout-ms": "300" },
          })
          return answer.text()
        }),
      )
      yield* live.write('data: {"choices":[{"index":0,"delta":{"content":"He"}}]}\n\n')
      const said = yield* Fiber.join(text)
      expect(said).toContain('"He"')
      expect(said).toContain("deadline after 300 ms")
      expect(said).not.toContain("[DONE]")
      expect(yield* awaitRecords(1)).toMatchObject([{ outcome: "stream_broken" }])
      expect(yield* verbose(baseUrl)).toMatchObject({ upstreams: [{ name: "a", state: "closed" }] })
    }),
  )
})

describe("Hedging", () => {
  it.scopedLive("asks the next upstream when the first is late, cancels the loser, and audits both", () =>
    Effect.gen(function* () {
      const silent = yield* Scripted.scriptedUpstream(Scripted.hang())
      const spare = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `openai_clients:\n${client("a", silent.url, ", hedge_after_ms: 50")}${client("b", spare.url, ", priority: 0")}`,
      )
      expect(yield* ask(baseUrl)).toMatchObject({ status: 200, by: "b", attempts: "2" })
      expect(yield* awaitRecords(1)).toMatchObject([
        {
          outcome: "ok",
          upstream: "b",
          attempts: [
            { upstream: "a", cause: "cancelled, another upstream answered first" },
            { upstream: "b", status: 200 },
          ],
        },
      ])
      yield* eventually("the loser's call to be over", verbose(baseUrl), (health) =>
        JSON.stringify(health).includes('"name":"a","state":"closed"'),
      )
    }),
  )
})
