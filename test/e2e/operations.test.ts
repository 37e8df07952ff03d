/** What every operation has, tried of each of them through sockets: a new one is tested by its row in support/OperationSamples.ts. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { allOperations } from "../../src/operations/Operations.ts"
import { configOf, configuredKey, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { bytesOfAnswer, samples } from "../support/OperationSamples.ts"
import { within } from "../support/Patience.ts"
import { exchange, head, jsonOf, post, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const model = "gpt-x"

/** A gateway before upstreams that do this, the first one asked first. */
const stack = (
  scripts: ReadonlyArray<Scripted.Script>,
  entry: Partial<Entry> = {},
  rest: Readonly<Record<string, unknown>> = {},
  onLine?: (line: string) => void,
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ ...entry, base_url: url })),
        rest,
      ),
      {},
      onLine,
    )
    return { ...gateway, upstreams }
  })

const page: Scripted.Answer = Scripted.raw(
  "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
  "end",
)

/** Ways in which an upstream gives no answer, so that the next one is asked. */
const failures: ReadonlyArray<readonly [what: string, script: Scripted.Answer]> = [
  ["refuses with 500", Scripted.status(500, { error: { message: "out of order" } })],
  ["refuses the gateway's key", Scripted.status(401, { error: { message: "no key" } })],
  ["resets the connection", Scripted.reset("before")],
  ["breaks off in its answer", Scripted.reset("in_body")],
  ["answers with a page", page],
  ["answers with nothing", Scripted.raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "end")],
  ["answers with an error and 200", Scripted.json({ error: { message: "overloaded" } })],
  ["answers with an object that says nothing", Scripted.json({ object: "list" })],
]

describe.each(allOperations)("$name", ({ method, name, paths: [path], plain, stream }) => {
  const { answer, request: asked, tokens, writesText } = samples[name]
  const body = { model, ...asked, seed: 1 }
  const whole = bytesOfAnswer(samples[name])
  const isJson = !(answer instanceof Uint8Array)
  const good = isJson ? Scripted.json(answer) : Scripted.status(200, whole, { "content-type": "audio/mpeg" })

  it.scopedLive("is sent to the path of its upstream, and answered and audited as it came", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([good])
      const text = `{"seed" : 12345678901234567890, ${JSON.stringify(body).slice(1)}`
      for (const spelled of [`/v1${path}`, path, `/v1/${path}/`, `/openai/deployments/${model}${path}`]) {
        const got = yield* exchange(port, postBytes(spelled, JSON.parse(text)))
        expect([spelled, got?.status]).toEqual([spelled, 200])
        expect(got?.headers["x-sluice-upstream"]).toBe("first")
        expect(got?.body.equals(whole)).toBe(true)
      }
      const got = yield* exchange(
        port,
        Buffer.concat([
          head("POST", `/v1${path}`, {
            "content-type": "application/json",
            "content-length": `${text.length}`,
          }),
          Buffer.from(text),
        ]),
      )
      expect(got?.status).toBe(200)
      expect(upstreams[0]?.requests.map((one) => `${one.method} ${one.path}`)).toEqual(
        Array.from({ length: 5 }, () => `${method} /v1${path}`),
      )
      expect(upstreams[0]?.requests.at(-1)?.bytes.toString()).toBe(text)
      const [record] = yield* awaitRecords(5)
      expect(record).toMatchObject({
        endpoint: name,
        model,
        upstream: "first",
        upstreamModel: model,
        status: 200,
        outcome: "ok",
        stream: false,
        tools: false,
        multimodal: false,
        toolCalls: false,
        usage: { inputTokens: tokens.input, outputTokens: tokens.output },
      })
      expect(Buffer.from(record?.request ?? []).toString()).toBe(JSON.stringify(JSON.parse(text)))
      expect(record?.response).toMatchObject({ kind: "plain" })
    }),
  )

  it.scopedLive("is sent as it came where its body is long, and read aside", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([good])
      const long = { ...body, tokens: Array.from({ length: 400_000 }, (_, at) => at) }
      expect((yield* post(port, `/v1${path}`, long))?.status).toBe(200)
      expect(upstreams[0]?.requests[0]?.bytes.equals(Buffer.from(JSON.stringify(long)))).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: name, model, usage: { inputTokens: tokens.input } })
    }),
  )

  it.scopedLive(
    "has another model's name and extra_body in its body, and nothing else that it is not about",
    () =>
      Effect.gen(function* () {
        const { port, upstreams } = yield* stack([good], {
          model: "gpt-other",
          extra_body: { top_k: 4 },
          headers: { "x-custom": "v" },
          stop: ["<|end|>"],
          max_tokens: 9,
          special_prefix: "P",
          thinking_format: "strip",
        })
        const got = yield* post(port, `/v1${path}`, body)
        const sent = upstreams[0]?.requests[0]
        const ofText = writesText ? { stop: ["<|end|>"], max_tokens: 9 } : {}
        expect(sent?.body).toEqual({ ...body, model: "gpt-other", top_k: 4, ...ofText })
        expect(sent?.headers).toMatchObject({ "x-custom": "v", authorization: `Bearer ${configuredKey}` })
        if (!writesText) expect(got?.body.equals(whole)).toBe(true)
      }),
  )

  it.scopedLive.each(failures)("is answered by the next upstream where the first %s", ([, failure]) =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([failure, good])
      const got = yield* post(port, `/v1${path}`, body)
      expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
      expect(got?.body.equals(whole)).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", upstream: "second" })
      expect(record?.attempts.map(({ upstream }) => upstream)).toEqual(["first", "second"])
    }),
  )

  it.scopedLive("ends in an error of OpenAI's shape where nobody answers", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack([
        Scripted.reset("before"),
        Scripted.status(429, { error: { message: "slow down" } }, { "retry-after": "7" }),
      ])
      const got = yield* post(port, `/v1${path}`, body)
      expect([got?.status, got?.headers["retry-after"], got?.headers["x-should-retry"]]).toEqual([
        429,
        "7",
        "false",
      ])
      expect(jsonOf(got)).toMatchObject({
        error: { message: expect.stringContaining("slow down"), code: null },
      })
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: name, status: 429, outcome: "upstream_error" })
    }),
  )

  it.scopedLive("is given up where no upstream answers in time", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([Scripted.hang()], {
        timeouts: { answer_ms: 300 },
      })
      const late = yield* post(port, `/v1${path}`, body)
      expect([late?.status, jsonOf(late)]).toMatchObject([504, { error: { code: "upstream_timeout" } }])
      yield* within("that it is given up", upstreams[0]?.requests[0]?.abandoned ?? Effect.never)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: name, outcome: "upstream_error" })
    }),
  )

  it.scopedLive("is given up where its caller leaves, which is nobody's failure", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstreams } = yield* stack([Scripted.hang(), good])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(`/v1${path}`, body))
      const sent = yield* within("the request", upstreams[0]?.awaitRequest(1) ?? Effect.never)
      connection.socket.destroy()
      yield* within("that it is given up", sent.abandoned)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: name, outcome: "client_closed" })
      expect(upstreams[1]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is refused as every request is", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const { awaitRecords, port, upstreams } = yield* stack(
        [good],
        {},
        { server: { access_keys: ["sk-open-sesame-0123"], max_body_bytes: 2_000 } },
        (line) => void lines.push(line),
      )
      const key = { authorization: "Bearer sk-open-sesame-0123" }
      const refused = (given: unknown, headers: Readonly<Record<string, string>> = key) =>
        Effect.map(post(port, `/v1${path}`, given, headers), (got) => [got?.status, jsonOf(got)])
      expect(yield* refused(body, {})).toMatchObject([401, { error: { code: "invalid_api_key" } }])
      expect(yield* refused({ ...body, model: 5 })).toMatchObject([400, { error: { param: "model" } }])
      expect(yield* refused({ ...body, Model: "gpt-y" })).toMatchObject([400, { error: { param: "model" } }])
      expect(yield* refused({ ...body, model: "claude" })).toMatchObject([
        404,
        { error: { code: "model_not_found" } },
      ])
      expect(yield* refused({ ...body, x: "x".repeat(3_000) })).toMatchObject([413, { error: {} }])
      const records = yield* awaitRecords(5)
      expect(records.map(({ endpoint, outcome }) => `${endpoint} ${outcome}`)).toEqual(
        Array.from({ length: 5 }, () => `${name} rejected`),
      )
      const wrong = yield* request(port, "GET", `/v1${path}`, key)
      expect([wrong?.status, wrong?.headers["allow"]]).toEqual([405, `${method}, OPTIONS`])
      const preflight = yield* request(port, "OPTIONS", `/v1${path}`, {
        origin: "https://page.example",
        "access-control-request-method": "POST",
      })
      expect([preflight?.status, preflight?.headers["access-control-allow-origin"]]).toEqual([204, "*"])
      expect(upstreams[0]?.requests.length).toBe(0)
      expect(lines.filter((line) => line.includes(`"endpoint":"${name}"`)).length).toBe(5)
    }),
  )

  it.scopedLive("asks the next upstream beside one that takes long, and takes the first answer", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([Scripted.hang(), good], { hedge_after_ms: 30 })
      const got = yield* post(port, `/v1${path}`, body)
      expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([200, "second"])
      yield* within("that the first is given up", upstreams[0]?.requests[0]?.abandoned ?? Effect.never)
    }),
  )

  it.scopedLive("sets an upstream aside that fails again and again", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack(
        [Scripted.status(500, { error: { message: "no" } }), good],
        {},
        { breaker: { failures: 2, open_ms: 60_000 } },
      )
      for (let at = 0; at < 5; at++) expect((yield* post(port, `/v1${path}`, body))?.status).toBe(200)
      expect(upstreams[0]?.requests.length).toBe(2)
    }),
  )

  it.scopedLive("streams where it can, and says so where it cannot", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([good])
      const got = yield* post(port, `/v1${path}`, { ...body, stream: true })
      if (stream === undefined && plain.kind === "judged") {
        expect([got?.status, jsonOf(got)]).toMatchObject([400, { error: { param: "stream" } }])
        expect(upstreams[0]?.requests).toEqual([])
        return
      }
      expect(got?.status).toBe(200)
      expect(got?.headers["content-type"]).toContain(
        stream === undefined ? (isJson ? "application/json" : "audio/mpeg") : "text/event-stream",
      )
      expect(upstreams[0]?.requests[0]?.body).toMatchObject({ ...body, stream: true })
      if (stream === undefined) expect(got?.body.equals(whole)).toBe(true)
    }),
  )
})
