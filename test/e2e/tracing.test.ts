/** Which spans a collector receives of requests, how they hang together, and what the upstreams are told. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { OtlpSettings } from "../../src/telemetry/otlp/OtlpSettings.ts"
import { ask } from "../support/Ask.ts"
import { type ArrivedSpan, collector, targetAt, tracesTo } from "../support/Collector.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }

const entry = (name: string, url: string, more = "") =>
  `  - { name: ${name}, base_url: "${url}", api_key: sk-own, model_match: { type: exact, value: [${name}-m] }${more} }\n`

const server = 2
const client = 3

/** The span of a request, and those of its attempts as they began. */
const familyOf = (spans: ReadonlyArray<ArrivedSpan>) => {
  const request = spans.find(({ kind }) => kind === server)
  const attempts = spans
    .filter(({ kind }) => kind === client)
    .toSorted((a, b) => a.startTimeUnixNano - b.startTimeUnixNano)
  return { request, attempts }
}

const reasons = (attempts: ReadonlyArray<ArrivedSpan>) =>
  attempts.map(({ attributes }) => [attributes["sluice.attempt.reason"], attributes["sluice.attempt.result"]])

const callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
const callersSpan = "00f067aa0ba902b7"
const traceparent = `00-${callersTrace}-${callersSpan}-01`

describe("traces", () => {
  it.scopedLive(
    "hang a request below its caller's span and its attempt below it, and tell both of them",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(
          Scripted.json({ ...chatCompletion("hello"), usage }),
        )
        const to = yield* collector
        const lines: Array<string> = []
        const { baseUrl } = yield* startGateway(
          `openai_clients:\n${entry("plain", upstream.url)}`,
          { otlp: to.settings },
          (line) => lines.push(line),
        )
        yield* ask(baseUrl, { model: "plain-m", headers: { traceparent, tracestate: "vendor=1" } })
        const { attempts, request } = familyOf(yield* to.awaitSpans(2))
        expect(request).toMatchObject({
          name: "POST /v1/chat/completions",
          traceId: callersTrace,
          parentSpanId: callersSpan,
          traceState: "vendor=1",
          status: { code: 0 },
          attributes: {
            "http.request.method": "POST",
            "http.route": "/v1/chat/completions",
            "http.response.status_code": 200,
            "sluice.outcome": "ok",
          },
        })
        expect(attempts).toHaveLength(1)
        const [attempt] = attempts
        expect(attempt).toMatchObject({
          name: "chat plain-m",
          traceId: callersTrace,
          parentSpanId: request?.spanId,
          attributes: {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "plain",
            "gen_ai.system": "plain",
            "gen_ai.request.model": "plain-m",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.response.finish_reasons": ["stop"],
            "server.address": "127.0.0.1",
            "server.port": Number(new URL(upstream.url).port),
            "sluice.attempt.reason": "first",
          },
        })
        expect(upstream.requests[0]?.headers["traceparent"]).toBe(`00-${callersTrace}-${attempt?.spanId}-01`)
        expect(upstream.requests[0]?.headers["tracestate"]).toBe("vendor=1")
        expect(to.requests[0]?.headers["x-tenant"]).toBe("of-the-test")
        const line = lines.find((text) => text.includes('"request"'))
        expect(line).toContain(`"trace_id":"${callersTrace}"`)
        const page = yield* Effect.promise(async () =>
          (await fetch(`${baseUrl}/metrics`, { headers: { accept: "application/openmetrics-text" } })).text(),
        )
        expect(page).toContain(`trace_id="${callersTrace}"`)
      }),
  )

  it.scopedLive("tell a fallback as a sibling of the attempt that failed", () =>
    Effect.gen(function* () {
      const down = yield* Scripted.scriptedUpstream(Scripted.status(429, { error: { message: "slow down" } }))
      const well = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nopenai_clients:\n${entry("first", down.url, ", fallback: spare")}${entry("spare", well.url)}`,
        { otlp: to.settings },
      )
      yield* ask(baseUrl, { model: "first-m" })
      const { attempts, request } = familyOf(yield* to.awaitSpans(3))
      expect(request?.parentSpanId).toBeFalsy()
      expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([request?.spanId, request?.spanId])
      expect(reasons(attempts)).toEqual([
        ["first", "429"],
        ["fallback", "ok"],
      ])
      expect(attempts[0]).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "429" } })
      expect(attempts[1]?.status.code).toBe(0)
      expect(request?.status.code).toBe(0)
      const [one, two] = [down, well].map(({ requests }) => requests[0]?.headers["traceparent"])
      expect([one, two]).toEqual(attempts.map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`))
    }),
  )

  it.scopedLive("tell a hedge beside the slow attempt that it overtook", () =>
    Effect.gen(function* () {
      const slow = yield* Scripted.scriptedUpstream(Scripted.hang())
      const fast = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(
        `openai_clients:\n${entry("slow", slow.url, ", fallback: fast, hedge_after_ms: 20")}${entry("fast", fast.url)}`,
        { otlp: to.settings },
      )
      yield* ask(baseUrl, { model: "slow-m" })
      const { attempts, request } = familyOf(yield* to.awaitSpans(3))
      expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([request?.spanId, request?.spanId])
      expect(reasons(attempts)).toEqual([
        ["first", "cancelled"],
        ["hedge", "ok"],
      ])
      const [first, second] = attempts
      expect(first?.endTimeUnixNano).toBeGreaterThan(second?.startTimeUnixNano ?? Number.NaN)
    }),
  )

  it.scopedLive("tell a resume after the stream that it goes on with, and a cut where nobody does", () =>
    Effect.gen(function* () {
      const chunk = { choices: [{ index: 0, delta: { content: "one" } }] }
      const breaking = yield* Scripted.scriptedUpstream(
        Scripted.sse([chunk], { done: false, ending: "reset" }),
      )
      const going = yield* Scripted.scriptedUpstream(Scripted.chat("two"))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nopenai_clients:\n${entry("breaking", breaking.url, ", fallback: going")}${entry("going", going.url, ", resume: true")}${entry("alone", breaking.url)}`,
        { otlp: to.settings },
      )
      yield* ask(baseUrl, { model: "breaking-m", stream: true })
      const { attempts, request } = familyOf(yield* to.awaitSpans(3))
      expect(attempts.map(({ parentSpanId }) => parentSpanId)).toEqual([request?.spanId, request?.spanId])
      expect(reasons(attempts)).toEqual([
        ["first", "cut"],
        ["resume", "ok"],
      ])
      const [cut, resumed] = attempts
      expect(cut?.endTimeUnixNano).toBeLessThanOrEqual(resumed?.startTimeUnixNano ?? 0)
      expect(resumed?.endTimeUnixNano).toBeLessThanOrEqual(request?.endTimeUnixNano ?? 0)
      yield* ask(baseUrl, { model: "alone-m", stream: true })
      const lost = familyOf((yield* to.awaitSpans(5)).slice(3))
      expect(reasons(lost.attempts)).toEqual([["first", "cut"]])
      expect(lost.request).toMatchObject({
        status: { code: 2 },
        attributes: { "error.type": "stream_broken" },
      })
    }),
  )

  it.scopedLive("are not kept where the caller does not keep them, and go on through all the same", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const to = yield* collector
      const { awaitRecords, baseUrl } = yield* startGateway(
        `openai_clients:\n${entry("quiet", upstream.url)}`,
        {
          otlp: to.settings,
        },
      )
      yield* ask(baseUrl, {
        model: "quiet-m",
        headers: { traceparent: `00-${callersTrace}-${callersSpan}-00` },
      })
      yield* ask(baseUrl, { model: "quiet-m" })
      yield* awaitRecords(2)
      const spans = yield* to.awaitSpans(2)
      expect(spans.map(({ traceId }) => traceId)).not.toContain(callersTrace)
      const told = upstream.requests[0]?.headers["traceparent"] ?? ""
      expect(told).toMatch(new RegExp(`^00-${callersTrace}-[0-9a-f]{16}-00$`))
      expect(told).not.toContain(callersSpan)
    }),
  )

  it.scopedLive("are lost without harm while no collector is there, and counted", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const lines: Array<string> = []
      const { baseUrl } = yield* startGateway(
        `openai_clients:\n${entry("lonely", upstream.url)}`,
        {
          otlp: tracesTo("http://127.0.0.1:1/v1/traces", {
            target: { ...targetAt("http://127.0.0.1:1/v1/traces"), timeoutMs: 100 },
          }),
        },
        (line) => lines.push(line),
      )
      expect(yield* ask(baseUrl, { model: "lonely-m" })).toBe(200)
      const page = eventually(
        "dropped spans",
        Effect.promise(async () => (await fetch(`${baseUrl}/metrics`)).text()),
        (text) => /^sluice_telemetry_dropped_total\{[^}]*"traces"\} 2$/m.test(text),
      )
      yield* page
      expect(yield* ask(baseUrl, { model: "lonely-m" })).toBe(200)
    }),
  )

  it.scopedLive("go on where a collector's answer comes without end", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const endless = yield* Scripted.scriptedUpstream(
        Scripted.trickle("HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", 20),
      )
      const target = { ...targetAt(`${endless.origin}/v1/traces`), timeoutMs: 100 }
      const { baseUrl } = yield* startGateway(`openai_clients:\n${entry("lonely", upstream.url)}`, {
        otlp: tracesTo(target.url, { target }),
      })
      for (const batch of [1, 2]) {
        expect(yield* ask(baseUrl, { model: "lonely-m" })).toBe(200)
        yield* eventually(
          "an export",
          Effect.sync(() => endless.requests.length),
          (exports) => exports >= batch,
        )
      }
    }),
  )

  it.scopedLive("tell how the answer was to be; prompt and answer only where that is asked for", () =>
    Effect.gen(function* () {
      const plain = Scripted.json({ ...chatCompletion("a secret answer"), usage })
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        JSON.stringify(body).includes('"stream":true') ? Scripted.chat("a secret answer") : plain,
      )
      const to = yield* collector
      const config = `openai_clients:\n${entry("said", upstream.url)}`
      const body = (stream: boolean) => ({
        model: "said-m",
        stream,
        temperature: 0.5,
        max_tokens: 7,
        messages: [
          { role: "system", content: "be brief" },
          { role: "user", content: "a secret question" },
        ],
      })
      const asking = (baseUrl: string, stream: boolean) =>
        Effect.promise(async () => {
          const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
            method: "POST",
            body: JSON.stringify(body(stream)),
          })
          await answer.arrayBuffer()
        })
      const quiet = yield* startGateway(config, { otlp: to.settings })
      yield* asking(quiet.baseUrl, false)
      const [without] = familyOf(yield* to.awaitSpans(2)).attempts
      expect(without?.attributes).toMatchObject({
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 7,
      })
      expect(JSON.stringify(to.spans())).not.toContain("secret")
      const telling = yield* startGateway(config, {
        otlp: tracesTo(`${to.origin}/v1/traces`, { capturesContent: true }),
      })
      for (const stream of [false, true]) {
        const before = to.spans().length
        yield* asking(telling.baseUrl, stream)
        const [attempt] = familyOf((yield* to.awaitSpans(before + 2)).slice(before)).attempts
        const told = (name: string): unknown => JSON.parse(String(attempt?.attributes[name]))
        expect(told("gen_ai.system_instructions")).toEqual([{ type: "text", content: "be brief" }])
        expect(told("gen_ai.input.messages")).toEqual([
          { role: "user", parts: [{ type: "text", content: "a secret question" }] },
        ])
        expect(told("gen_ai.output.messages")).toEqual([
          {
            role: "assistant",
            parts: [{ type: "text", content: "a secret answer" }],
            finish_reason: "stop",
          },
        ])
      }
    }),
  )

  it.scopedLive("are off unless an endpoint is named: the caller's own goes through as it came", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { awaitRecords, baseUrl } = yield* startGateway(`openai_clients:\n${entry("off", upstream.url)}`)
      yield* ask(baseUrl, { model: "off-m", headers: { traceparent } })
      yield* ask(baseUrl, { model: "off-m" })
      expect(upstream.requests.map(({ headers }) => headers["traceparent"])).toEqual([traceparent, undefined])
      for (const { attempts, trace } of yield* awaitRecords(2)) {
        expect(trace).toBeUndefined()
        expect(attempts.map(({ span }) => span)).toEqual([undefined])
      }
    }),
  )
})

describe("metrics to a collector", () => {
  const exporting = (url: string, more: Partial<OtlpSettings>): OtlpSettings => ({
    traces: undefined,
    metrics: { target: targetAt(`${url}/v1/metrics`), intervalMs: 50, temporality: "cumulative" },
    generation: "stable",
    resource: { "service.name": "mine" },
    ...more,
  })

  const exported = (generation: "latest" | "stable", model: string) =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json({ ...chatCompletion("hello"), usage }))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(`openai_clients:\n${entry(model, upstream.url)}`, {
        otlp: exporting(to.origin, { generation }),
      })
      yield* ask(baseUrl, { model: `${model}-m` })
      const found = yield* eventually("metrics of the request", Effect.sync(to.metrics), (metrics) =>
        metrics.some(
          ({ name, points }) =>
            name === "sluice.requests" && points.some(({ attributes }) => attributes["client"] === model),
        ),
      )
      expect(upstream.requests[0]?.headers["traceparent"]).toBeUndefined()
      /** The last that was said of this model by a metric. */
      return (name: string) =>
        found
          .filter((metric) => metric.name === name)
          .at(-1)
          ?.points.filter(({ attributes }) => Object.values(attributes).includes(`${model}-m`))
          .map((point) => ({ ...point, resource: found[0]?.resource }))
    })

  it.scopedLive("tell what /metrics tells, and what the conventions had until version 1.36", () =>
    Effect.gen(function* () {
      const of = yield* exported("stable", "pushed")
      expect(of("sluice.requests")).toMatchObject([
        {
          asDouble: 1,
          attributes: { endpoint: "chat.completions", status: "200", outcome: "ok" },
          resource: { "service.name": "mine" },
        },
      ])
      expect(of("gen_ai.client.token.usage")).toMatchObject([
        { count: 1, sum: 10, attributes: { "gen_ai.token.type": "input", "gen_ai.provider.name": "pushed" } },
        { count: 1, sum: 5, attributes: { "gen_ai.token.type": "output" } },
      ])
      expect(of("gen_ai.client.operation.duration")).toMatchObject([
        {
          count: 1,
          attributes: {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "pushed",
            "server.address": "127.0.0.1",
            "server.port": expect.any(Number),
          },
        },
      ])
      expect(of("gen_ai.server.request.duration")).toHaveLength(1)
      expect(of("gen_ai.client.inference.duration")).toBeUndefined()
    }),
  )

  it.scopedLive("tell those of autumn 2026 instead on wish", () =>
    Effect.gen(function* () {
      const of = yield* exported("latest", "newer")
      expect(of("gen_ai.client.inference.usage.input_tokens")).toMatchObject([
        { asDouble: 10, attributes: { "gen_ai.token.modality": "unknown" } },
      ])
      expect(of("gen_ai.client.inference.operation.output_tokens")).toMatchObject([{ count: 1, sum: 5 }])
      const [inference] = of("gen_ai.client.inference.duration") ?? []
      expect(inference).toMatchObject({ count: 1 })
      expect(inference?.attributes).not.toHaveProperty("gen_ai.system")
      expect(of("gen_ai.server.request.duration")).toMatchObject([{ count: 1 }])
      expect(of("gen_ai.client.token.usage")).toBeUndefined()
    }),
  )

  it.scopedLive("count an inference that failed, at none of its tokens, in those of autumn 2026", () =>
    Effect.gen(function* () {
      const down = yield* Scripted.scriptedUpstream(Scripted.status(429, { error: { message: "slow down" } }))
      const well = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(
        `retry: { rounds: 1 }\nopenai_clients:\n${entry("counted", down.url, ", fallback: saved")}${entry("saved", well.url)}`,
        { otlp: exporting(to.origin, { generation: "latest" }) },
      )
      yield* ask(baseUrl, { model: "counted-m", stream: true })
      const last = (name: string, metrics: ReturnType<typeof to.metrics>) =>
        metrics
          .filter((metric) => metric.name === name)
          .at(-1)
          ?.points.filter(({ attributes }) => attributes["gen_ai.request.model"] === "counted-m") ?? []
      const inputs = "gen_ai.client.inference.usage.input_tokens"
      const found = yield* eventually(
        "its metrics",
        Effect.sync(to.metrics),
        (metrics) => last(inputs, metrics).length === 2,
      )
      const told = (name: string) =>
        last(name, found).map(({ asDouble, attributes, count }) => [
          attributes["gen_ai.provider.name"],
          asDouble ?? count,
        ])
      expect(told(inputs)).toEqual([
        ["counted", 0],
        ["saved", 7],
      ])
      expect(told("gen_ai.client.inference.operation.input_tokens")).toEqual([["saved", 1]])
      expect(told("gen_ai.client.inference.time_to_first_chunk")).toEqual([["saved", 1]])
    }),
  )

  it.scopedLive("tell what was added since they were last told, to a collector that adds up", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const to = yield* collector
      const { baseUrl } = yield* startGateway(`openai_clients:\n${entry("added", upstream.url)}`, {
        otlp: exporting(to.origin, {
          metrics: { target: targetAt(`${to.origin}/v1/metrics`), intervalMs: 50, temporality: "delta" },
        }),
      })
      const sums = (name: string) =>
        to
          .metrics()
          .filter((metric) => metric.name === name)
          .flatMap(({ points, temporality }) =>
            points
              .filter(({ attributes }) => attributes["client"] === "added")
              .map(({ asDouble, count }) => [temporality, asDouble ?? count]),
          )
      const delta = 1
      for (const times of [1, 2]) {
        yield* ask(baseUrl, { model: "added-m" })
        yield* eventually(
          `request ${times}`,
          Effect.sync(() => sums("sluice.requests")),
          ({ length }) => length === times,
        )
      }
      const each = [
        [delta, 1],
        [delta, 1],
      ]
      expect([sums("sluice.requests"), sums("sluice.request_duration")]).toEqual([each, each])
    }),
  )
})
