/** Errors as Anthropic's clients expect them, made of this gateway's own and of what providers answer. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { AccessDenied, PageRefused } from "../../../src/errors/AccessErrors.ts"
import { anthropicFace } from "../../../src/errors/faces/AnthropicFace.ts"
import type { Addressee } from "../../../src/errors/faces/Face.ts"
import { answerOf, type GatewayError } from "../../../src/errors/GatewayError.ts"
import {
  InvalidRequest,
  MethodNotAllowed,
  ModelNotFound,
  RequestTooLarge,
  RequestTooSlow,
  UnsupportedEncoding,
} from "../../../src/errors/RequestErrors.ts"
import { named } from "../../../src/errors/SaidError.ts"
import { InternalError, Overloaded, ShareTaken, ShuttingDown } from "../../../src/errors/ServerErrors.ts"
import { UpstreamRefused, UpstreamTimeout, UpstreamUnreachable } from "../../../src/errors/UpstreamErrors.ts"
import type { Json } from "../../../src/wire/Json.ts"

const asker: Addressee = { face: "anthropic", id: "req-7" }
const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (body: Uint8Array | undefined): unknown =>
  body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body))

const failures = [{ upstream: "a", reason: "answered 503" }]

const own: ReadonlyArray<readonly [GatewayError, status: number, type: string]> = [
  [new InvalidRequest({ message: "no", param: "model" }), 400, "invalid_request_error"],
  [new AccessDenied({ reason: "missing" }), 401, "authentication_error"],
  [new PageRefused({ reason: "origin", told: undefined }), 403, "permission_error"],
  [new ModelNotFound({ model: "m" }), 404, "not_found_error"],
  [
    new MethodNotAllowed({ method: "PUT", path: "/v1/messages", allow: "POST" }),
    405,
    "invalid_request_error",
  ],
  [new RequestTooSlow({ afterMs: 1, leastBytesPerSecond: 1 }), 408, "timeout_error"],
  [new RequestTooLarge({ limitBytes: 9, setBy: "max_body_bytes" }), 413, "request_too_large"],
  [new UnsupportedEncoding({ encoding: "x", taken: "gzip" }), 415, "invalid_request_error"],
  [new ShareTaken({ of: "requests", retryAfterSeconds: 1 }), 429, "rate_limit_error"],
  [new InternalError({ requestId: "r" }), 500, "api_error"],
  [new UpstreamUnreachable({ failures }), 502, "api_error"],
  [new Overloaded({ reason: "requests", retryAfterSeconds: 1 }), 503, "overloaded_error"],
  [new ShuttingDown({ retryAfterSeconds: 1 }), 503, "overloaded_error"],
  [new UpstreamTimeout({ failures }), 504, "timeout_error"],
]

const refused = (status: number, body: Uint8Array) =>
  new UpstreamRefused({
    upstream: "a",
    status,
    said: { kind: "request", answered: status, location: undefined, baseUrl: undefined },
    isClientsFault: true,
    headers: {},
    body,
    failures: [],
  })

const toldOf = (status: number, body: string): unknown =>
  parse(answerOf(refused(status, bytes(body)), asker).body)

describe("Anthropic's face", () => {
  it.each(own)(
    "tells of $0._tag with its status, a type of Anthropic's and the request's id",
    (error, status, type) => {
      const answer = answerOf(error, asker)
      expect(answer.status).toBe(status)
      expect(parse(answer.body)).toEqual({
        type: "error",
        error: { type, message: expect.any(String) },
        request_id: "req-7",
      })
    },
  )

  it("names a model that is not served as Anthropic does", () => {
    expect(parse(answerOf(new ModelNotFound({ model: "claude-x" }), asker).body)).toMatchObject({
      error: { message: expect.stringMatching(/^model: claude-x /) },
    })
  })

  it("passes an upstream's own error on byte for byte, its type and id included", () => {
    for (const text of [
      '{ "type":"error", "error":{"type":"overloaded_error","message":"Overloaded"} }',
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum","more":[1]},"request_id":"req_011"}',
    ]) {
      const body = bytes(text)
      expect(answerOf(refused(529, body), asker).body).toBe(body)
    }
  })

  it.each([
    [
      400,
      '{"error":{"message":"too long","type":"invalid_request_error","param":null,"code":null}}',
      "invalid_request_error",
      "too long",
    ],
    [
      401,
      '{"error":{"message":"no key","type":"invalid_request_error","code":"invalid_api_key"}}',
      "authentication_error",
      "no key",
    ],
    [402, '{"detail":"pay first"}', "billing_error", "pay first"],
    [
      404,
      '{"object":"error","message":"no model","type":"NotFoundError","code":404}',
      "not_found_error",
      "no model",
    ],
    [409, '{"message":"twice"}', "conflict_error", "twice"],
    [413, '{"error":"too much"}', "request_too_large", "too much"],
    [
      422,
      '{"detail":[{"loc":["body","max_tokens"],"msg":"is missing"}]}',
      "invalid_request_error",
      "body.max_tokens: is missing",
    ],
    [429, '[{"error":{"code":429,"message":"slower"}}]', "rate_limit_error", "slower"],
    [
      429,
      '{"error":{"message":"pay","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}',
      "billing_error",
      "pay",
    ],
    [
      413,
      '{"error":{"message":"Please reduce the length of the messages or completion.","code":"context_length_exceeded"}}',
      "invalid_request_error",
      "prompt is too long (Please reduce the length of the messages or completion.)",
    ],
    [500, '{"error":{"type":"overloaded_error","message":"busy"}}', "overloaded_error", "busy"],
    [503, '{"error":{"message":"busy","type":"server_error"}}', "overloaded_error", "busy"],
    [529, '{"error":{"message":"busy"}}', "overloaded_error", "busy"],
    [599, '{"error":{"message":"odd"}}', "api_error", "odd"],
  ])("brings a %i of another family into its own: %s", (status, body, type, message) => {
    expect(toldOf(status, body)).toEqual({ type: "error", error: { type, message }, request_id: "req-7" })
  })

  it.each(["", "<html><title>Bad gateway</title></html>", "upstream connect error", "[]", "{}"])(
    "wraps a body that says nothing as APIs do: %j",
    (body) => {
      expect(toldOf(502, body)).toMatchObject({
        type: "error",
        error: { type: "api_error" },
        request_id: "req-7",
      })
    },
  )

  it.each<readonly [Json, string]>([
    [{ type: "overloaded_error", message: "m" }, "overloaded_error"],
    [{ type: "server_error", message: "m", code: "shutting_down" }, "overloaded_error"],
    [{ type: "tokens", message: "m", code: "rate_limit_exceeded" }, "rate_limit_error"],
    [{ message: "m", code: 504 }, "timeout_error"],
    [{ message: "m", code: "weird" }, "api_error"],
    ["m", "api_error"],
  ])("finds the type of an error without a status: %j", (error, type) => {
    expect(parse(anthropicFace.errorData(named(error), undefined))).toEqual({
      type: "error",
      error: { type, message: "m" },
      request_id: null,
    })
  })

  it("law: whatever bytes an upstream refuses with, the client gets an error of Anthropic's", () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.json().map(bytes),
      fc.record({ error: fc.jsonValue(), type: fc.jsonValue() }).map((value) => bytes(JSON.stringify(value))),
    )
    fc.assert(
      fc.property(bodies, fc.integer({ min: 400, max: 599 }), (body, status) => {
        const answer = answerOf(refused(status, body), asker)
        expect(answer.status).toBe(status)
        expect(parse(answer.body)).toMatchObject({
          type: "error",
          error: { type: expect.any(String), message: expect.any(String) },
        })
        expect(anthropicFace.shapedBody(answer.body, status, "other")).toBe(answer.body)
      }),
    )
  })
})
