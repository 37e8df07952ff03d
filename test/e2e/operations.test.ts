/** What every operation has, tried of each of them through sockets: a new one is tested by its row in support/OperationSamples.ts. */
import { describe, expect, it, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { allOperations, type OperationName } from "../../src/operations/Operations.ts"
import { fieldsIn } from "../support/Forms.ts"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { givenOf, sampleBody, samples } from "../support/OperationSamples.ts"
import {
  accessKey,
  failures,
  modelOf,
  OperationStage,
  refusals,
  stage,
  unreachable,
} from "../support/OperationStage.ts"
import { within } from "../support/Patience.ts"
import { exchange, head, jsonOf, parseAnswer, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const key: Readonly<Record<string, string>> = { authorization: `Bearer ${accessKey}` }

let asked = 0

/** Sends a request, and gives the answer with the record that it leaves. */
const tell = (path: string, body: string | Buffer, headers: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const { awaitRecord, port } = yield* OperationStage
    const id = `operation-${asked++}`
    const answer = yield* exchange(port, postBytes(path, body, { "x-request-id": id, ...headers }))
    return { answer, record: yield* within("the record", awaitRecord(id)) }
  })

/** An error as it is told in a face. */
const toldIn = {
  openai: (_type: string, error: Readonly<Record<string, unknown>>) => ({ error }),
  anthropic: (type: string) => ({ type: "error", error: { type } }),
}

const bodyOf = (name: OperationName, what: string) => ({
  model: modelOf(name, what),
  ...samples[name].request,
  seed: 1,
})

layer(stage, { excludeTestServices: true })((it) => {
  describe.each(allOperations)("$name", ({ dialect, face, method, name, paths: [path], plain, stream }) => {
    const {
      files,
      tokens,
      writesText,
      bounds = writesText ? { stop: ["<|end|>"], max_tokens: 9 } : {},
    } = samples[name]
    const toldAs = toldIn[face]
    const takesJson = files === undefined
    const told = (where: string, given: string | Readonly<Record<string, unknown>>, sent = key) => {
      if (typeof given === "string") return tell(where, given, sent)
      const { bytes, type } = sampleBody(name, given)
      return tell(where, bytes, { "content-type": type, ...sent })
    }
    /** The members that an upstream was sent, and those that it should be: all text in a form, whose files are another's to look at. */
    const membersOf = (request: Scripted.RecordedRequest | undefined): unknown => {
      if (takesJson) return request?.body
      const fields = fieldsIn(request?.bytes ?? Buffer.from(""), request?.headers["content-type"])
      return Object.fromEntries(
        Object.entries(fields).filter(([field]) => !files.some(([file]) => file === field)),
      )
    }
    const sentAs = (members: object): object =>
      takesJson ? members : Object.fromEntries(Object.entries(members).map(([at, one]) => [at, String(one)]))
    const { headers, whole } = givenOf(samples[name])
    const good = modelOf(name, "good")
    const body = bodyOf(name, "good")

    it.scoped.runIf(takesJson)(
      "is sent to the path of its upstream, and answered and audited as it came",
      () =>
        Effect.gen(function* () {
          const { asked } = yield* OperationStage
          const spellings = [`/v1${path}`, path, `/v1/${path}/`, `/openai/deployments/${good}${path}`]
          const text = `{"seed" : 12345678901234567890, ${JSON.stringify(body).slice(1)}`
          for (const spelled of [...spellings, `/v1${path}`]) {
            const { answer: got, record } = yield* told(spelled, text)
            expect([spelled, got?.status]).toEqual([spelled, 200])
            expect(got?.headers["x-sluice-upstream"]).toBe(encodeURI(`${name} good`))
            expect(got?.body.equals(whole)).toBe(true)
            expect(record).toMatchObject({
              endpoint: name,
              model: good,
              upstream: `${name} good`,
              upstreamModel: good,
              status: 200,
              outcome: "ok",
              stream: false,
              tools: false,
              multimodal: false,
              toolCalls: false,
              usage: { inputTokens: tokens.input, outputTokens: tokens.output },
            })
            expect(Buffer.from(record.request ?? []).toString()).toBe(text)
            expect(record.response).toMatchObject({ kind: "plain" })
          }
          const sent = asked("good", name)
          expect(sent.map((one) => `${one.method} ${one.path}`)).toEqual(
            Array.from({ length: 5 }, () => `${method} /${name}/v1${path}`),
          )
          for (const { bytes } of sent) expect(bytes.toString()).toBe(text)
        }),
    )

    it.scoped.runIf(takesJson)("is sent as it came where its body is long, and read aside", () =>
      Effect.gen(function* () {
        const { asked } = yield* OperationStage
        const long = { ...body, tokens: Array.from({ length: 400_000 }, (_, at) => at) }
        const { answer: got, record } = yield* told(`/v1${path}`, long)
        expect(got?.status).toBe(200)
        expect(
          asked("good", name)
            .at(-1)
            ?.bytes.equals(Buffer.from(JSON.stringify(long))),
        ).toBe(true)
        expect(record).toMatchObject({ endpoint: name, model: good, usage: { inputTokens: tokens.input } })
      }),
    )

    it.scoped(
      "has another model's name and extra_body in its body, and nothing else that it is not about",
      () =>
        Effect.gen(function* () {
          const { asked } = yield* OperationStage
          const { answer: got } = yield* told(`/v1${path}`, bodyOf(name, "changed"))
          const sent = asked("changed", name).at(-1)
          expect(membersOf(sent)).toEqual(sentAs({ ...body, model: "gpt-other", top_k: 4, ...bounds }))
          expect(sent?.headers).toMatchObject({ "x-custom": "v", authorization: `Bearer ${configuredKey}` })
          if (!writesText) expect(got?.body.equals(whole)).toBe(true)
        }),
    )

    it.scoped.each([...Object.keys(failures), unreachable])(
      "is answered by the next upstream where the first %s",
      (what) =>
        Effect.gen(function* () {
          const { answer: got, record } = yield* told(`/v1${path}`, bodyOf(name, what))
          expect([got?.status, got?.headers["x-sluice-attempts"]]).toEqual([200, "2"])
          expect(got?.body.equals(whole)).toBe(true)
          expect(record).toMatchObject({ outcome: "ok", upstream: `${name} spare` })
          expect(record.attempts.map(({ upstream }) => upstream)).toEqual([
            `${name} ${what}`,
            `${name} spare`,
          ])
        }),
    )

    it.scoped("ends in an error of its callers' shape where nobody answers", () =>
      Effect.gen(function* () {
        const { answer: got, record } = yield* told(`/v1${path}`, bodyOf(name, "busy"))
        expect([got?.status, got?.headers["retry-after"]]).toEqual([429, "7"])
        expect(jsonOf(got)).toMatchObject(toldAs("rate_limit_error", {}))
        expect(jsonOf(got)).toMatchObject({ error: { message: expect.stringContaining("slow down") } })
        expect(record).toMatchObject({ endpoint: name, status: 429, outcome: "upstream_error" })
      }),
    )

    it.scoped("is refused in the upstream's own words where its caller is to mend it", () =>
      Effect.gen(function* () {
        const { answer: got, record } = yield* told(`/v1${path}`, bodyOf(name, "refusing"))
        expect([got?.status, got?.body.toString()]).toEqual([422, refusals[face]])
        expect(record).toMatchObject({ endpoint: name, status: 422, outcome: "rejected" })
        expect(record.attempts.length).toBe(1)
      }),
    )

    it.scoped("is given up where no upstream answers in time", () =>
      Effect.gen(function* () {
        const { asked } = yield* OperationStage
        const { answer: got, record } = yield* told(`/v1${path}`, bodyOf(name, "late"))
        const timedOut = toldAs("timeout_error", { code: "upstream_timeout" })
        expect([got?.status, jsonOf(got)]).toMatchObject([504, timedOut])
        yield* within("that it is given up", asked("late", name)[0]?.abandoned ?? Effect.never)
        expect(record).toMatchObject({ endpoint: name, outcome: "upstream_error" })
      }),
    )

    it.scoped("is given up where its caller leaves, which is nobody's failure", () =>
      Effect.gen(function* () {
        const { asked, awaitRecord, port, upstream } = yield* OperationStage
        const connection = yield* rawConnection(port)
        const id = `left-${name}`
        const left = sampleBody(name, bodyOf(name, "left"))
        const arrives = upstream("left").awaitRequest(upstream("left").requests.length + 1)
        yield* connection.send(
          postBytes(`/v1${path}`, left.bytes, { ...key, "content-type": left.type, "x-request-id": id }),
        )
        const sent = yield* within("the request", arrives)
        connection.socket.destroy()
        yield* within("that it is given up", sent.abandoned)
        const record = yield* within("the record", awaitRecord(id))
        expect(record).toMatchObject({ endpoint: name, outcome: "client_closed" })
        expect(record.attempts.map((attempt) => attempt.upstream)).toEqual([`${name} left`])
        expect(asked("left", name)).toEqual([sent])
      }),
    )

    it.scoped("is refused as every request is", () =>
      Effect.gen(function* () {
        const { asked, lines, port } = yield* OperationStage
        const before = asked("good", name).length
        const refused = (given: string | Readonly<Record<string, unknown>>, headers?: typeof key) =>
          Effect.map(told(`/v1${path}`, given, headers), ({ answer: got, record }) => {
            expect(record).toMatchObject({ endpoint: name, outcome: "rejected" })
            const line = lines.find((one) => one.includes(`"${record.id}"`))
            expect(line).toContain(`"endpoint":"${name}"`)
            return [got?.status, jsonOf(got)]
          })
        const ofModel = toldAs("invalid_request_error", { param: "model" })
        expect(yield* refused(body, {})).toMatchObject([
          401,
          toldAs("authentication_error", { code: "invalid_api_key" }),
        ])
        expect(yield* refused({ ...body, model: takesJson ? 5 : "" })).toMatchObject([400, ofModel])
        expect(yield* refused({ ...body, Model: "gpt-y" })).toMatchObject([400, ofModel])
        expect(yield* refused({ ...body, model: "claude" })).toMatchObject([
          404,
          toldAs("not_found_error", { code: "model_not_found" }),
        ])
        expect(yield* refused("{", key)).toMatchObject([
          400,
          toldAs("invalid_request_error", { param: null }),
        ])
        expect(yield* refused("x", { ...key, "content-length": "5000000" })).toMatchObject([
          413,
          toldAs("request_too_large", {}),
        ])
        expect(yield* refused(body, { ...key, "content-encoding": "compress" })).toMatchObject([
          415,
          toldAs("invalid_request_error", { code: "unsupported_encoding" }),
        ])
        expect(asked("good", name).length).toBe(before)
        const wrong = yield* request(port, "GET", `/v1${path}`, key)
        expect([wrong?.status, wrong?.headers["allow"]]).toEqual([405, `${method}, OPTIONS`])
        expect(jsonOf(wrong)).toMatchObject(toldAs("invalid_request_error", { code: "method_not_allowed" }))
        const preflight = yield* request(port, "OPTIONS", `/v1${path}`, {
          origin: "https://page.example",
          "access-control-request-method": "POST",
        })
        expect([preflight?.status, preflight?.headers["access-control-allow-origin"]]).toEqual([204, "*"])
      }),
    )

    it.scoped("asks the next upstream beside one that takes long, and takes the first answer", () =>
      Effect.gen(function* () {
        const { asked } = yield* OperationStage
        const { answer: got } = yield* told(`/v1${path}`, bodyOf(name, "hedged"))
        expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([200, encodeURI(`${name} spare`)])
        yield* within("that the first is given up", asked("hedged", name)[0]?.abandoned ?? Effect.never)
      }),
    )

    it.scoped("sets an upstream aside that fails again and again", () =>
      Effect.gen(function* () {
        const { asked } = yield* OperationStage
        for (let at = 0; at < 5; at++) {
          expect((yield* told(`/v1${path}`, bodyOf(name, "aside"))).answer?.status).toBe(200)
        }
        expect(asked("aside", name).length).toBe(2)
      }),
    )

    it.scoped("streams where it can, and says so where it cannot", () =>
      Effect.gen(function* () {
        const { asked } = yield* OperationStage
        const asking = samples[name].streamed?.asked ?? { stream: true }
        const { answer: got } = yield* told(`/v1${path}`, { ...body, ...asking })
        if (stream === undefined && plain.kind === "judged" && dialect === undefined) {
          expect([got?.status, jsonOf(got)]).toMatchObject([400, { error: { param: "stream" } }])
          return
        }
        expect(got?.status).toBe(200)
        expect(got?.headers["content-type"]).toContain(
          stream === undefined ? headers["content-type"] : "text/event-stream",
        )
        expect(membersOf(asked("good", name).at(-1))).toMatchObject(sentAs({ ...body, ...asking }))
        if (stream === undefined) expect(got?.body.equals(whole)).toBe(true)
      }),
    )

    it.scoped("tells no key, whatever its upstream says of what it was sent", () =>
      Effect.gen(function* () {
        const { asked, lines } = yield* OperationStage
        const { answer: got, record } = yield* told(`/v1${path}`, bodyOf(name, "telling"))
        expect(got?.status).toBe(400)
        expect(asked("telling", name)[0]?.headers.authorization).toBe(`Bearer ${configuredKey}`)
        const { request: sent, response, ...row } = record
        const bodies = [sent ?? [], response?.kind === "plain" ? response.bytes : []]
        const all = [
          `${JSON.stringify(got?.headers)} ${got?.body}`,
          JSON.stringify(row),
          ...bodies.map((bytes) => Buffer.from(bytes).toString()),
          ...lines,
        ].join("\n")
        expect(all).toContain("no good")
        for (const secret of [accessKey, configuredKey]) expect(all).not.toContain(secret)
      }),
    )
  })
})

/** A connection that is kept alive, and what it is answered next. */
const keptAlive = (port: number) =>
  Effect.gen(function* () {
    const connection = yield* rawConnection(port)
    let answered = 0
    const ask = (bytes: Buffer) =>
      Effect.gen(function* () {
        yield* connection.send(bytes)
        const text = yield* connection.until((all) => parseAnswer(all.slice(answered))?.whole === true)
        const answer = parseAnswer(text.slice(answered))
        answered = text.length
        return answer
      })
    yield* ask(head("GET", "/livez"))
    return ask
  })

describe("A gateway that drains", () => {
  it.scopedLive("takes no request of any operation", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json({}))
      const scope = yield* Scope.make()
      const { awaitRecords, port } = yield* startGateway(configOf([{ base_url: upstream.url }]), {
        shutdownGrace: Duration.seconds(10),
      }).pipe(Scope.extend(scope))
      const probe = yield* keptAlive(port)
      const connections = yield* Effect.forEach(allOperations, () => keptAlive(port))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Effect.repeat(probe(head("GET", "/readyz")), { until: (answer) => answer?.status === 503 })
      const answers = yield* Effect.forEach(
        allOperations,
        ({ name, paths: [path] }, at) =>
          connections[at]?.(postBytes(`/v1${path}`, { model: "gpt-x", ...samples[name].request })) ??
          Effect.succeed(undefined),
        { concurrency: "unbounded" },
      )
      yield* closing
      for (const [at, got] of answers.entries()) {
        const shuttingDown = toldIn[allOperations[at]?.face ?? "openai"]("overloaded_error", {
          code: "shutting_down",
        })
        expect([got?.status, jsonOf(got)]).toMatchObject([503, shuttingDown])
      }
      const records = yield* awaitRecords(allOperations.length)
      const names = allOperations.map(({ name }) => name)
      expect(records.map(({ endpoint }) => endpoint).sort()).toEqual(names.sort())
      expect(upstream.requests.length).toBe(0)
    }),
  )
})
