import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { shapedBody } from "../../src/domain/ErrorShape.ts"
import {
  AccessDenied,
  answerOf,
  DeadlineExceeded,
  type GatewayError,
  InternalError,
  InvalidRequest,
  MethodNotAllowed,
  ModelNotFound,
  Overloaded,
  RequestTooLarge,
  RequestUnreadable,
  ShuttingDown,
  UnknownPath,
  UnsupportedEncoding,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "../../src/domain/GatewayError.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))

/** Status, type and code of every error, as the contract's table has them. */
const table: ReadonlyArray<readonly [GatewayError, number, string, string | null]> = [
  [new InvalidRequest({ message: "no", param: "model" }), 400, "invalid_request_error", null],
  [new ModelNotFound({ model: "m" }), 404, "invalid_request_error", "model_not_found"],
  [new AccessDenied({ reason: "missing" }), 401, "invalid_request_error", "invalid_api_key"],
  [new AccessDenied({ reason: "wrong" }), 401, "invalid_request_error", "invalid_api_key"],
  [new RequestTooLarge({ limitBytes: 10 }), 413, "invalid_request_error", "request_too_large"],
  [
    new UnsupportedEncoding({ encoding: "x", taken: "gzip, br" }),
    415,
    "invalid_request_error",
    "unsupported_encoding",
  ],
  [new RequestUnreadable({ reason: "cut" }), 400, "invalid_request_error", null],
  [
    new UnknownPath({ method: "GET", path: "/x", meant: undefined }),
    404,
    "invalid_request_error",
    "unknown_url",
  ],
  [
    new MethodNotAllowed({ method: "GET", path: "/x", allow: "POST" }),
    405,
    "invalid_request_error",
    "method_not_allowed",
  ],
  [
    new UpstreamRefused({ upstream: "a", status: 503, headers: {}, body: bytes("<html>") }),
    503,
    "upstream_error",
    "upstream_refused",
  ],
  [
    new UpstreamCredentialsRejected({ upstream: "a", status: 401 }),
    502,
    "upstream_error",
    "upstream_credentials_rejected",
  ],
  [new UpstreamUnreachable({ failures: [] }), 502, "upstream_error", "upstream_unreachable"],
  [new UpstreamTimeout({ failures: [] }), 504, "upstream_error", "upstream_timeout"],
  [
    new DeadlineExceeded({ afterMs: 5, setBy: "client", failures: [] }),
    504,
    "upstream_error",
    "deadline_exceeded",
  ],
  [new Overloaded({ reason: "requests", retryAfterSeconds: 1 }), 503, "server_error", "overloaded"],
  [new ShuttingDown({ retryAfterSeconds: 1 }), 503, "server_error", "shutting_down"],
  [new InternalError({ requestId: "r" }), 500, "server_error", "internal_error"],
]

describe("answerOf", () => {
  it.each(table)("answers $0._tag in OpenAI's shape", (error, status, type, code) => {
    const answer = answerOf(error)
    expect(answer.status).toBe(status)
    expect(answer.headers["content-type"]).toBe("application/json")
    expect(parse(answer.body)).toMatchObject({ error: { type, code, message: expect.any(String) } })
    expect(shapedBody(answer.body)).toBe(answer.body)
  })

  it("passes an upstream's own OpenAI error on as it came, byte for byte", () => {
    const body = bytes(
      '{ "error": {"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"} }',
    )
    expect(answerOf(new UpstreamRefused({ upstream: "a", status: 429, headers: {}, body })).body).toBe(body)
  })

  it("brings what an upstream says in another shape into OpenAI's, under the status it came with", () => {
    const body = bytes('{"error":{"code":400,"message":"too long","n_prompt_tokens":9}}')
    const answer = answerOf(new UpstreamRefused({ upstream: "a", status: 400, headers: {}, body }))
    expect(answer.status).toBe(400)
    expect(parse(answer.body)).toEqual({
      error: { code: "400", message: "too long", n_prompt_tokens: 9, type: "upstream_error", param: null },
    })
  })

  it("names a page by its title", () => {
    const message = (page: string) =>
      new TextDecoder().decode(
        answerOf(new UpstreamRefused({ upstream: "a", status: 403, headers: {}, body: bytes(page) })).body,
      )
    expect(message("<!DOCTYPE html><html><head><title>Attention!\n | Cloudflare</title>")).toContain(
      'a page, \\"Attention! | Cloudflare\\"',
    )
    expect(message("<h1>Bad <b>gateway</b></h1>")).toContain('a page, \\"Bad gateway\\"')
    expect(message("<html>")).toContain("(a page)")
  })

  it("passes retry-after on, and no header that was not given to it", () => {
    const error = new UpstreamRefused({
      upstream: "a",
      status: 429,
      headers: { "retry-after": "7" },
      body: bytes("no"),
    })
    expect(answerOf(error).headers).toEqual({ "retry-after": "7", "content-type": "application/json" })
  })

  it("says whose time limit a request ran into, and what the upstreams had come to", () => {
    const failures = [{ upstream: "a", reason: "answered 503" }]
    const message = (setBy: "client" | "configuration") =>
      new TextDecoder().decode(answerOf(new DeadlineExceeded({ afterMs: 5, setBy, failures })).body)
    expect(message("client")).toMatch(/within 5 ms \(its x-request-timeout-ms\)\. a: answered 503\./)
    expect(message("configuration")).toMatch(/timeouts\.request_ms/)
  })

  it("says when to come again where there was no room, and which setting is the limit", () => {
    for (const [reason, setting] of [
      ["requests", "server.max_in_flight"],
      ["memory", "server.max_buffered_bytes"],
      ["upstreams", "max_concurrent"],
    ] as const) {
      const { body, headers } = answerOf(new Overloaded({ reason, retryAfterSeconds: 3 }))
      expect(headers["retry-after"]).toBe("3")
      expect(new TextDecoder().decode(body)).toContain(setting)
    }
  })

  it("says in a 405 what the path takes", () => {
    expect(answerOf(new MethodNotAllowed({ method: "PUT", path: "/x", allow: "GET" })).headers["allow"]).toBe(
      "GET",
    )
  })

  it("law: whatever bytes an upstream refuses with, the client gets an OpenAI error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 400, max: 599 }), (body, status) => {
        const answer = answerOf(new UpstreamRefused({ upstream: "a", status, headers: {}, body }))
        expect(answer.status).toBe(status)
        expect(shapedBody(answer.body)).toBe(answer.body)
      }),
    )
  })
})
