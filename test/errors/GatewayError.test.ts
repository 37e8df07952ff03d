import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  AccessDenied,
  AdminDenied,
  AdminRefused,
  PageRefused,
  UnsupportedMediaType,
} from "../../src/errors/AccessErrors.ts"
import type { Addressee } from "../../src/errors/faces/Face.ts"
import { shapedBody } from "../../src/errors/faces/OpenAiFace.ts"
import { answerOf, describe as describeError, type GatewayError } from "../../src/errors/GatewayError.ts"
import {
  DialectNotSpoken,
  EndpointLacking,
  InvalidRequest,
  MethodNotAllowed,
  ModelNotFound,
  NoUpgrade,
  RequestTooLarge,
  RequestUnreadable,
  ResponseNotFound,
  UnknownPath,
  UnsupportedEncoding,
} from "../../src/errors/RequestErrors.ts"
import { InternalError, Overloaded, ShuttingDown } from "../../src/errors/ServerErrors.ts"
import {
  DeadlineExceeded,
  LoopDetected,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "../../src/errors/UpstreamErrors.ts"
import { baseUrlOf } from "../../src/operations/paths/Endings.ts"

const refused = (of: {
  readonly status: number
  readonly body: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly said?: UpstreamRefused["said"]
  readonly failures?: UpstreamRefused["failures"]
}) =>
  new UpstreamRefused({
    upstream: "a",
    headers: {},
    said: { kind: "request", answered: of.status, location: undefined, baseUrl: undefined },
    isClientsFault: false,
    failures: [],
    ...of,
  })

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))

/** Status, type and code of every error, as the contract's table has them. */
const table: ReadonlyArray<readonly [GatewayError, number, string, string | null]> = [
  [new InvalidRequest({ message: "no", param: "model" }), 400, "invalid_request_error", null],
  [new ModelNotFound({ model: "m" }), 404, "invalid_request_error", "model_not_found"],
  [new ResponseNotFound({ id: "r", param: null }), 404, "invalid_request_error", "response_not_found"],
  [
    new ResponseNotFound({ id: "r", param: "previous_response_id" }),
    400,
    "invalid_request_error",
    "previous_response_not_found",
  ],
  [new NoUpgrade(), 426, "invalid_request_error", "upgrade_not_supported"],
  [
    new EndpointLacking({ model: "m", path: "/v1/x", lacking: [{ upstream: "a", status: 405 }] }),
    404,
    "invalid_request_error",
    "endpoint_not_served",
  ],
  [
    new DialectNotSpoken({ model: "m", dialect: "responses", speakers: [], paths: [], part: undefined }),
    404,
    "invalid_request_error",
    "dialect_not_spoken",
  ],
  [new AccessDenied({ reason: "missing" }), 401, "invalid_request_error", "invalid_api_key"],
  [new AccessDenied({ reason: "wrong" }), 401, "invalid_request_error", "invalid_api_key"],
  [new AdminDenied({ reason: "missing" }), 401, "invalid_request_error", "invalid_admin_key"],
  [new AdminDenied({ reason: "wrong" }), 401, "invalid_request_error", "invalid_admin_key"],
  [new AdminRefused({ reason: "shut" }), 403, "invalid_request_error", "no_admin_key"],
  [new AdminRefused({ reason: "origin" }), 403, "invalid_request_error", "origin_not_allowed"],
  [new AdminRefused({ reason: "host" }), 403, "invalid_request_error", "host_not_allowed"],
  [
    new PageRefused({ reason: "origin", told: "https://a.example" }),
    403,
    "invalid_request_error",
    "origin_not_allowed",
  ],
  [new PageRefused({ reason: "host", told: "a.example" }), 403, "invalid_request_error", "host_not_allowed"],
  [
    new UnsupportedMediaType({ contentType: "text/plain" }),
    415,
    "invalid_request_error",
    "unsupported_media_type",
  ],
  [
    new RequestTooLarge({ limitBytes: 10, setBy: "max_body_bytes" }),
    413,
    "invalid_request_error",
    "request_too_large",
  ],
  [
    new UnsupportedEncoding({ encoding: "x", taken: "gzip, br" }),
    415,
    "invalid_request_error",
    "unsupported_encoding",
  ],
  [new RequestUnreadable({ reason: "cut" }), 400, "invalid_request_error", null],
  [
    new UnknownPath({ method: "GET", path: "/x", meant: undefined, served: ["/v1/a", "/v1/b"] }),
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
  [refused({ status: 503, body: bytes("<html>") }), 503, "upstream_error", "upstream_refused"],
  [
    new UpstreamCredentialsRejected({ upstream: "a", status: 401, reason: "credentials", failures: [] }),
    502,
    "upstream_error",
    "upstream_credentials_rejected",
  ],
  [
    new UpstreamCredentialsRejected({ upstream: "a", status: 402, reason: "billing", failures: [] }),
    502,
    "upstream_error",
    "upstream_out_of_credit",
  ],
  [new UpstreamUnreachable({ failures: [] }), 502, "upstream_error", "upstream_unreachable"],
  [new UpstreamTimeout({ failures: [] }), 504, "upstream_error", "upstream_timeout"],
  [
    new DeadlineExceeded({ afterMs: 5, setBy: "client", failures: [] }),
    504,
    "upstream_error",
    "deadline_exceeded",
  ],
  [new LoopDetected({ hops: 8 }), 508, "upstream_error", "loop_detected"],
  [new Overloaded({ reason: "requests", retryAfterSeconds: 1 }), 503, "server_error", "overloaded"],
  [new ShuttingDown({ retryAfterSeconds: 1 }), 503, "server_error", "shutting_down"],
  [new InternalError({ requestId: "r" }), 500, "server_error", "internal_error"],
]

const asker: Addressee = { face: "openai", id: "r" }

describe("answerOf", () => {
  it.each(table)("answers $0._tag in OpenAI's shape", (error, status, type, code) => {
    const answer = answerOf(error, asker)
    expect(answer.status).toBe(status)
    expect(answer.headers["content-type"]).toBe("application/json")
    expect(parse(answer.body)).toMatchObject({ error: { type, code, message: expect.any(String) } })
    expect(shapedBody(answer.body)).toBe(answer.body)
  })

  it("passes an upstream's own OpenAI error on as it came, byte for byte", () => {
    const body = bytes(
      '{ "error": {"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"} }',
    )
    expect(answerOf(refused({ status: 429, body }), asker).body).toBe(body)
  })

  it("brings what an upstream says in another shape into OpenAI's, under the status it came with", () => {
    const body = bytes('{"error":{"code":400,"message":"too long","n_prompt_tokens":9}}')
    const answer = answerOf(refused({ status: 400, body }), asker)
    expect(answer.status).toBe(400)
    expect(parse(answer.body)).toEqual({
      error: { code: "400", message: "too long", n_prompt_tokens: 9, type: "upstream_error", param: null },
    })
  })

  it("names a page by its title", () => {
    const message = (page: string) =>
      new TextDecoder().decode(answerOf(refused({ status: 403, body: bytes(page) }), asker).body)
    expect(message("<!DOCTYPE html><html><head><title>Attention!\n | Cloudflare</title>")).toContain(
      'a page, \\"Attention! | Cloudflare\\"',
    )
    expect(message("<h1>Bad <b>gateway</b></h1>")).toContain('a page, \\"Bad gateway\\"')
    expect(message("<html>")).toContain("(a page)")
  })

  it("tells a page that hides its origin what helps, not to list what cannot be listed", () => {
    const message = (told: string) => describeError(new PageRefused({ reason: "origin", told }))
    expect(message("https://a.example")).toContain("in server.cors")
    expect(message("null")).not.toContain("server.cors")
    expect(message("null")).toContain("http://localhost")
  })

  it("says what the upstream answered, how the others failed, and what to do", () => {
    const failures = [
      { upstream: "b", reason: "answered 503" },
      { upstream: "a", reason: "answered 301" },
    ]
    const redirected = (location: string) =>
      describeError(
        refused({
          status: 502,
          body: bytes(""),
          said: { kind: "redirect", answered: 301, location, baseUrl: baseUrlOf(location) },
          failures,
        }),
      )
    expect(redirected("https://api.example/v1/chat/completions")).toBe(
      "The upstream a answered 301 with location https://api.example/v1/chat/completions, and redirects are not followed; set base_url to https://api.example/v1. Asked before it: b: answered 503.",
    )
    expect(redirected("/login")).toContain(
      "301 with location /login, and redirects are not followed; check base_url.",
    )
    expect(
      describeError(
        refused({
          status: 403,
          body: bytes("<title>Attention</title>"),
          said: { kind: "firewall", answered: 403, location: undefined, baseUrl: undefined },
        }),
      ),
    ).toBe('The upstream a answered 403, not from its API but from a firewall before it: a page, "Attention"')
    expect(describeError(refused({ status: 400, body: bytes('{"detail":"too long"}') }))).toBe(
      "The upstream a answered 400: too long",
    )
    expect(describeError(refused({ status: 400, body: bytes('{"detail":"too long"}'), failures }))).toMatch(
      /too long\. Asked before it: b: answered 503\.$/,
    )
    const rejected = new UpstreamCredentialsRejected({
      upstream: "a",
      status: 402,
      reason: "billing",
      failures,
    })
    expect(describeError(rejected)).toMatch(
      /answered 402: .* need not pay.*Asked before it: b: answered 503\.$/,
    )
  })

  it("passes retry-after on, and no header that was not given to it", () => {
    const error = refused({
      status: 429,
      headers: { "retry-after": "7" },
      body: bytes("no"),
    })
    expect(answerOf(error, asker).headers).toEqual({ "retry-after": "7", "content-type": "application/json" })
  })

  it("says whose time limit a request ran into, and what the upstreams had come to", () => {
    const failures = [{ upstream: "a", reason: "answered 503" }]
    const message = (setBy: "client" | "configuration") =>
      new TextDecoder().decode(answerOf(new DeadlineExceeded({ afterMs: 5, setBy, failures }), asker).body)
    expect(message("client")).toMatch(/within 5 ms \(its x-request-timeout-ms\)\. a: answered 503\./)
    expect(message("configuration")).toMatch(/timeouts\.request_ms/)
  })

  it("says when to come again where there was no room, and which setting is the limit", () => {
    for (const [reason, setting] of [
      ["requests", "server.max_in_flight"],
      ["memory", "server.max_buffered_bytes"],
      ["upstreams", "max_concurrent"],
    ] as const) {
      const { body, headers } = answerOf(new Overloaded({ reason, retryAfterSeconds: 3 }), asker)
      expect(headers["retry-after"]).toBe("3")
      expect(new TextDecoder().decode(body)).toContain(setting)
    }
  })

  it("says in a 405 what the path takes", () => {
    expect(
      answerOf(new MethodNotAllowed({ method: "PUT", path: "/x", allow: "GET" }), asker).headers["allow"],
    ).toBe("GET")
  })

  it("law: whatever bytes an upstream refuses with, the client gets an OpenAI error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 400, max: 599 }), (body, status) => {
        const answer = answerOf(refused({ status, body }), asker)
        expect(answer.status).toBe(status)
        expect(shapedBody(answer.body)).toBe(answer.body)
      }),
    )
  })
})
