/** Errors of this gateway through sockets, each in the face of those who called. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { samples } from "../support/OperationSamples.ts"
import { exchange, head, jsonOf, post, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const told = (type: string, id: unknown = expect.any(String)) => ({
  type: "error",
  error: { type, message: expect.any(String) },
  request_id: id,
})

describe("The face of errors", () => {
  it.scopedLive("is Anthropic's on its paths, served or not, with the id that its SDKs read", () =>
    Effect.gen(function* () {
      const { port } = yield* startGateway(configOf([], { server: { access_keys: ["sk-gateway"] } }))
      for (const path of ["/v1/messages/batches", "/anthropic/v1/complete?x=1", "/anthropic"]) {
        const got = yield* request(port, "GET", path, { "x-request-id": "id-1" })
        expect([path, got?.status, got?.headers["request-id"]]).toEqual([path, 404, "id-1"])
        expect(got?.headers["x-request-id"]).toBe("id-1")
        expect(jsonOf(got)).toEqual(told("not_found_error", "id-1"))
      }
      const unknown = yield* request(port, "GET", "/v1/nothing")
      expect(unknown?.headers["request-id"]).toBeUndefined()
      expect(jsonOf(unknown)).toMatchObject({ error: { code: "unknown_url" } })
    }),
  )

  it.scopedLive("is told by the headers where both families ask for models", () =>
    Effect.gen(function* () {
      const { port } = yield* startGateway(configOf([], { server: { access_keys: ["sk-gateway"] } }))
      const anthropics = yield* request(port, "GET", "/v1/models", { "x-api-key": "sk-wrong" })
      expect([anthropics?.status, jsonOf(anthropics)]).toEqual([401, told("authentication_error")])
      expect(anthropics?.headers["request-id"]).toBe(anthropics?.headers["x-request-id"])
      const openAis = yield* request(port, "GET", "/v1/models", { authorization: "Bearer sk-wrong" })
      expect(jsonOf(openAis)).toMatchObject({ error: { code: "invalid_api_key" } })
    }),
  )

  it.scopedLive("is Anthropic's before a route is found", () =>
    Effect.gen(function* () {
      const { port } = yield* startGateway(configOf([]))
      const unmet = head("POST", "/v1/messages", { expect: "a-miracle", "content-length": "2" })
      expect(jsonOf(yield* exchange(port, unmet))).toEqual(told("invalid_request_error", null))
      const twice = Buffer.from("GET /v1/messages HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n")
      expect(jsonOf(yield* exchange(port, twice))).toEqual(told("invalid_request_error", null))
    }),
  )
})

describe("A client that sends two keys", () => {
  it.scopedLive("is let in by either, and neither goes to a client of the configuration", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json(samples.messages.answer))
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: ["messages"], api_key: "" }], {
          server: { access_keys: ["sk-gateway-0123"] },
        }),
      )
      const body = { model: "gpt-4", ...samples.messages.request }
      const asked = (headers: Readonly<Record<string, string>>) =>
        Effect.map(post(port, "/v1/messages", body, headers), (got) => got?.status)
      const other = "sk-of-another-kind"
      expect(yield* asked({ authorization: `Bearer ${other}`, "x-api-key": "sk-gateway-0123" })).toBe(200)
      expect(yield* asked({ "x-api-key": other, authorization: "Bearer sk-gateway-0123" })).toBe(200)
      expect(yield* asked({ "x-api-key": other, authorization: `Bearer ${other}` })).toBe(401)
      expect(upstream.requests).toHaveLength(2)
      for (const { headers } of upstream.requests) expect(JSON.stringify(headers)).not.toContain("sk-")
      const fingerprints = (yield* awaitRecords(3)).map(({ keyFingerprint }) => keyFingerprint)
      expect(fingerprints[0]).toBe(fingerprints[1])
      expect(fingerprints[2]).not.toBe(fingerprints[0])
    }),
  )
})
