/** Who is let in where access keys are configured: however the key, the path and the method are written, nobody without one reaches an upstream. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually, within } from "../support/Patience.ts"
import {
  exchange,
  head,
  jsonOf,
  parseAnswer,
  post,
  postBytes,
  rawConnection,
  request,
} from "../support/RawHttp.ts"
import { chat, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const key = "sk-gateway-Alpha7"
const path = "/v1/chat/completions"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

const stack = Effect.gen(function* () {
  const upstream = yield* scriptedUpstream(({ method }) =>
    method === "GET" ? models(["gpt-4o"]) : chat("Hello."),
  )
  const config = (accessKeys: ReadonlyArray<string>) =>
    configOf([{ base_url: upstream.url }], { server: { access_keys: accessKeys } })
  const gateway = yield* startGateway(config(["sk-another-one", key]))
  return { upstream, gateway, config, port: gateway.port }
})

describe("A caller", () => {
  it.scopedLive("is let in with a whole key, in any of the places where SDKs put one", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      const good: ReadonlyArray<Readonly<Record<string, string>>> = [
        { authorization: `Bearer ${key}` },
        { authorization: `bearer ${key}` },
        { authorization: `Bearer   ${key}  ` },
        { "x-api-key": key },
        { "api-key": key },
        { Authorization: `Bearer ${key}`, "x-api-key": "wrong" },
        // As programs send both that were told of two keys.
        { authorization: "Bearer wrong", "x-api-key": key },
      ]
      for (const headers of good) {
        expect([headers, (yield* post(port, path, body, headers))?.status]).toEqual([headers, 200])
      }
    }),
  )

  it.scopedLive("is 401 with anything else, is told nothing of the right key, and reaches no upstream", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      const bad: ReadonlyArray<Readonly<Record<string, string>>> = [
        {},
        { authorization: "" },
        { authorization: " " },
        { authorization: "Bearer" },
        { authorization: "Bearer " },
        { authorization: key },
        { authorization: `Basic ${Buffer.from(`:${key}`).toString("base64")}` },
        { authorization: `Basic ${key}` },
        { authorization: `Token ${key}` },
        { authorization: `Bearer${key}` },
        { authorization: `Bearer ${key.slice(0, -1)}` },
        { authorization: `Bearer ${key}x` },
        { authorization: `Bearer ${key}\0` },
        { authorization: `Bearer ${key},${key}` },
        { authorization: `Bearer wrong, Bearer ${key}` },
        { authorization: `Bearer ${key.toUpperCase()}` },
        { authorization: `Bearer ${key.toLowerCase()}` },
        { authorization: `Bearer ${key.slice(0, 5)} ${key.slice(5)}` },
        { authorization: `Bearer "${key}"` },
        { authorization: `Bearer ${encodeURIComponent(key)}%00` },
        { authorization: "Bearer undefined" },
        { authorization: "Bearer [object Object]" },
        { authorization: "Bearer *" },
        { authorization: "Bearer wrong", "x-api-key": "wrong", "api-key": "wrong" },
        { "x-api-key": "" },
        { "x-api-key": `Bearer ${key}` },
        { x_api_key: key },
        { cookie: `authorization=Bearer ${key}; api_key=${key}` },
        { "proxy-authorization": `Bearer ${key}` },
        { "x-authorization": `Bearer ${key}` },
        { "x-forwarded-authorization": `Bearer ${key}` },
        { "sec-websocket-protocol": `openai-insecure-api-key.${key}` },
        { connection: "authorization" },
      ]
      for (const headers of bad) {
        const answer = yield* post(port, path, body, headers)
        // A byte that no header may have is no request at all.
        const expected = JSON.stringify(headers).includes("\\u0000") ? 400 : 401
        expect([headers, answer?.status]).toEqual([headers, expected])
        expect(answer?.body.toString()).not.toContain("Alpha7")
        expect(answer?.body.toString()).not.toContain("sk-another-one")
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("counts by the first of two keys on the wire, and by none in the query or the body", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      const twice = (first: string, second: string) =>
        Buffer.from(
          postBytes(path, body)
            .toString()
            .replace("\r\n", `\r\nauthorization: Bearer ${first}\r\nauthorization: Bearer ${second}\r\n`),
        )
      expect((yield* exchange(port, twice("wrong", key)))?.status).toBe(401)
      expect(upstream.requests).toEqual([])
      expect((yield* exchange(port, twice(key, "wrong")))?.status).toBe(200)
      const asked = upstream.requests.length
      for (const target of [`${path}?key=${key}`, `${path}?api-key=${key}`, `${path}?access_token=${key}`]) {
        expect((yield* post(port, target, { ...body, key, api_key: key }))?.status).toBe(401)
      }
      const trailers = Buffer.concat([
        head("POST", path, { "transfer-encoding": "chunked", trailer: "authorization" }),
        Buffer.from(
          `${JSON.stringify(body).length.toString(16)}\r\n${JSON.stringify(body)}\r\n0\r\nauthorization: Bearer ${key}\r\n\r\n`,
        ),
      ])
      expect((yield* exchange(port, trailers))?.status).toBe(401)
      expect(upstream.requests.length).toBe(asked)
    }),
  )

  it.scopedLive("reaches nothing without one on any route, however its path is spelt", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      const targets = [
        path,
        "/chat/completions",
        "/v1/completions",
        "/openai/deployments/gpt-4o/chat/completions",
        "//v1//chat//completions//",
        "/v1/chat/completions/",
        "/v1/%63hat/completions",
        "/%76%31/chat/completions",
        "/v1/chat/completions;x=1",
        "/v1/chat/completions?x=/livez",
        "/v1/chat/completions#/livez",
        "/livez/../v1/chat/completions",
        "/livez/%2e%2e/v1/chat/completions",
        "/livez%2f..%2fv1/chat/completions",
        "/v1\\chat\\completions",
        "/v1/./chat/completions",
        "/V1/Chat/Completions",
        "*",
        "http://127.0.0.1/v1/chat/completions",
        "http://a@127.0.0.1:1/v1/chat/completions?/livez",
        "http://health/livez/../v1/chat/completions",
      ]
      for (const target of targets) {
        for (const host of ["gateway.test", "x/#@y", "127.0.0.1/livez?", "livez"]) {
          const bytes = postBytes(target, body).toString().replace("host: gateway.test", `host: ${host}`)
          const status = (yield* within(target, exchange(port, bytes)))?.status ?? 0
          expect([target, host, [400, 401, 404, 405, 421].includes(status)]).toEqual([target, host, true])
        }
      }
      for (const target of ["/v1/models", "/models", "/v1/models/gpt-4o", "/v1//models", "/openai/models"]) {
        for (const method of ["GET", "HEAD"]) {
          expect([
            method,
            target,
            (yield* request(port, method, target, { connection: "close" }))?.status,
          ]).toEqual([method, target, 401])
        }
      }
      expect(upstream.requests).toEqual([])
      for (const target of ["/livez", "/readyz", "/health"]) {
        expect((yield* request(port, "GET", target))?.status).toBe(200)
      }
    }),
  )

  it.scopedLive(
    "whose key is taken out of the file is refused at once, on a connection that is kept too",
    () =>
      Effect.gen(function* () {
        const { config, gateway, port, upstream } = yield* stack
        const connection = yield* rawConnection(port)
        const authorization = `Bearer ${key}`
        yield* connection.send(postBytes(path, body, { authorization }))
        yield* within(
          "the first answer",
          connection.until((text) => parseAnswer(text)?.whole === true),
        )
        yield* gateway.reload(config(["sk-another-one"]))
        yield* connection.send(postBytes(path, body, { authorization, "x-request-id": "revoked" }))
        const text = yield* within(
          "the second answer",
          connection.until((soFar) => /x-request-id: revoked[\s\S]*\}\}$/i.test(soFar)),
        )
        expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 401"])
        expect(upstream.requests.length).toBe(1)
        yield* gateway.reload(config(["sk-another-one", key]))
        yield* eventually(
          "the key to be taken again",
          post(port, path, body, { authorization }),
          (answer) => answer?.status === 200,
        )
      }),
  )

  it.scopedLive("is told what is wrong, and never what was sent", () =>
    Effect.gen(function* () {
      const { port } = yield* stack
      const answer = yield* post(port, path, body, { authorization: "Bearer sk-somebody-elses" })
      expect(jsonOf(answer)).toMatchObject({
        error: { type: "invalid_request_error", code: "invalid_api_key", param: null },
      })
      expect(JSON.stringify([answer?.headers, String(answer?.body)])).not.toMatch(
        /somebody|first|127\.0\.0\.1/,
      )
    }),
  )
})
