/** Which headers cross the gateway, in both directions, and what is read from a client's. */
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  clientKey,
  type ReceivedHeaders,
  sanitizeRequestId,
  sessionOf,
  toClient,
  toUpstream,
} from "../../src/operations/RequestHeaders.ts"
import { noSecrets, Secrets } from "../../src/secrets/Secrets.ts"

const json = { "content-type": "application/json" }

const sent = (client: ReceivedHeaders, configured: Record<string, string> = {}, key?: string) =>
  toUpstream(client, { headers: configured }, key === undefined ? undefined : Redacted.make(key), "json")

const forbidden = [
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "cookie",
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
  "content-length",
  "content-encoding",
  "accept-encoding",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
]

describe("towards an upstream", () => {
  it("passes what is on the list", () => {
    const headers = {
      "content-type": "application/json; charset=utf-8",
      accept: "text/event-stream",
      "user-agent": "OpenAI/Python 1.0",
      "OpenAI-Beta": "assistants=v2",
      "x-stainless-lang": "python",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "a=b",
    }
    expect(sent(headers)).toEqual(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    )
  })

  it("says whose account it is, and that it is for once, only beside the client's own key", () => {
    const account = { "idempotency-key": "k", "openai-organization": "org", "OpenAI-Project": "proj" }
    const given = { "idempotency-key": "k", "openai-organization": "org", "openai-project": "proj" }
    const own = Redacted.make("sk-own")
    expect(toUpstream(account, { headers: {} }, Redacted.make("sk-clients"), "none")).toEqual({
      ...given,
      authorization: "Bearer sk-clients",
    })
    expect(toUpstream(account, { headers: {}, apiKey: own }, own, "none")).toEqual({
      authorization: "Bearer sk-own",
    })
    expect(toUpstream(account, { headers: { "api-key": "k" } }, undefined, "none")).toEqual({
      "api-key": "k",
    })
    const configured = { headers: { "openai-organization": "ours" }, apiKey: own }
    expect(toUpstream(account, configured, own, "none")).toEqual({
      "openai-organization": "ours",
      authorization: "Bearer sk-own",
    })
  })

  it("keeps credentials, cookies, forwarding and the connection's own headers to itself", () => {
    expect(sent(Object.fromEntries(forbidden.map((name) => [name, "v"])))).toEqual(json)
  })

  it("drops what the connection header claims for the connection", () => {
    expect(
      sent({ connection: "close, X-Stainless-Lang", "x-stainless-lang": "js", "x-stainless-os": "linux" }),
    ).toEqual({ ...json, "x-stainless-os": "linux" })
  })

  it("calls the body JSON, whatever the client called it", () => {
    expect(sent({ "content-type": "application/x-www-form-urlencoded" })).toEqual(json)
    expect(sent({ "content-type": "application/vnd.api+json" })).toEqual({
      "content-type": "application/vnd.api+json",
    })
    expect(toUpstream({ ...json, accept: "*/*" }, { headers: {} }, undefined, "none")).toEqual({
      accept: "*/*",
    })
  })

  it("passes what names a request and its session", () => {
    const named = {
      "x-client-request-id": "r",
      "x-session-affinity": "a",
      "x-session-id": "b",
      "session-id": "c",
      session_id: "d",
      "thread-id": "e",
    }
    expect(sent(named)).toEqual({ ...json, ...named })
  })

  it("sends the key in the header that is configured for it, as it is", () => {
    const key = Redacted.make("sk-1")
    expect(toUpstream({}, { headers: {}, keyHeader: "api-key" }, key, "json")).toEqual({
      ...json,
      "api-key": "sk-1",
    })
  })

  it("sends the key decided for the attempt, and lets configured headers win", () => {
    expect(sent({ authorization: "Bearer client" }, {}, "sk-1")).toEqual({
      ...json,
      authorization: "Bearer sk-1",
    })
    expect(
      sent(
        { "user-agent": "curl" },
        { "User-Agent": "sluice", Authorization: "Api-Key 1", Cookie: "a=b" },
        "sk-1",
      ),
    ).toEqual({ ...json, "user-agent": "sluice", authorization: "Api-Key 1", cookie: "a=b" })
  })

  it("does not let configuration touch the connection's own headers", () => {
    expect(
      sent({}, { Connection: "close", "Content-Length": "5", "Accept-Encoding": "br", "x-a": "b" }),
    ).toEqual({
      ...json,
      "x-a": "b",
    })
  })

  it("drops values that could begin another header, and a key that could", () => {
    for (const value of ["a\r\nx-evil: 1", "a\nb", "a\0b", "a\u0100b"]) {
      expect(sent({ accept: value }, { "x-a": value, "x\r\ny": "1" }, value)).toEqual(json)
    }
  })

  it("joins several values, and bounds their number and length", () => {
    expect(sent({ accept: ["a", "b"] })).toEqual({ ...json, accept: "a, b" })
    expect(sent({ accept: "a".repeat(8_193) })).toEqual(json)
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-stainless-${i}`, "v"]))
    expect(Object.keys(sent(many)).length).toBe(65)
  })

  it("law: whatever a client sends, only sendable values of listed names pass", () => {
    const nameArb = fc.oneof(
      fc.constantFrom(...forbidden, "accept", "user-agent", "openai-x", "x-stainless-y", "__proto__"),
      fc.string().map((name) => `openai-${name}`),
      fc.string(),
    )
    const valueArb = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.string({ unit: "binary" })),
      fc.constant(undefined),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(nameArb, valueArb)), (entries) => {
        for (const [name, value] of Object.entries(sent(Object.fromEntries(entries)))) {
          expect(name).toMatch(/^(accept|content-type|user-agent|openai-[^\s:]*|x-stainless-y)$/)
          expect(value).not.toMatch(/[\r\n\0]/)
        }
      }),
    )
  })
})

describe("back to the client", () => {
  it("passes rate limits, retry-after, OpenAI's headers and the upstream's request id by another name, not what it calls its body", () => {
    expect(
      toClient(
        {
          "content-type": "text/event-stream",
          "retry-after": "3",
          "retry-after-ms": "3000",
          "x-ratelimit-remaining-tokens": "7",
          "openai-processing-ms": "12",
          "x-request-id": "req_1",
        },
        noSecrets,
      ),
    ).toEqual({
      "retry-after": "3",
      "retry-after-ms": "3000",
      "x-ratelimit-remaining-tokens": "7",
      "openai-processing-ms": "12",
      "x-upstream-request-id": "req_1",
    })
  })

  it("passes no cookies, framing, retry advice or unlisted headers", () => {
    expect(
      toClient(
        {
          "set-cookie": ["a=b", "c=d"],
          "content-length": "5",
          "content-encoding": "gzip",
          "transfer-encoding": "chunked",
          connection: "openai-version",
          "openai-version": "1",
          "x-should-retry": "true",
          "x-sluice-upstream": "forged",
          server: "nginx",
          "x-request-id": "not sane",
        },
        noSecrets,
      ),
    ).toEqual({})
  })

  it("repeats no secret that an upstream repeats", () => {
    expect(
      toClient(
        {
          "openai-organization": "org of sk-up-secret",
          "x-ratelimit-reset-requests": "1s",
          "retry-after": "%73k-up-secret",
          "x-request-id": "sk-up-secret",
        },
        new Secrets(["sk-up-secret"]),
      ),
    ).toEqual({
      "openai-organization": "org of [redacted]",
      "x-ratelimit-reset-requests": "1s",
      "retry-after": "[redacted]",
      "x-upstream-request-id": "[redacted]",
    })
  })
})

describe("clientKey", () => {
  const key = (headers: ReceivedHeaders) => {
    const redacted = clientKey(headers)
    return redacted === undefined ? undefined : Redacted.value(redacted)
  }

  it("is the bearer token, the scheme in any case, else x-api-key", () => {
    expect(key({ authorization: "Bearer sk-1" })).toBe("sk-1")
    expect(key({ authorization: "bEARER   sk-1 ", "x-api-key": "sk-2" })).toBe("sk-1")
    expect(key({ "x-api-key": " sk-2 " })).toBe("sk-2")
    expect(key({ authorization: "Basic dTpw", "x-api-key": "sk-2" })).toBe("sk-2")
    expect(key({ authorization: "Bearer ", "x-api-key": "sk-2" })).toBe("sk-2")
  })

  it("is absent where none was sent", () => {
    for (const headers of [
      {},
      { authorization: "Bearer" },
      { authorization: "Basic dTpw" },
      { "x-api-key": " " },
      { authorization: [] },
    ]) {
      expect(key(headers)).toBeUndefined()
    }
  })

  it("does not print", () => {
    expect(`${clientKey({ authorization: "Bearer sk-secret" })}`).not.toContain("secret")
  })
})

describe("sanitizeRequestId", () => {
  it("keeps a sane id and no other", () => {
    for (const id of ["a", "req_1.b:c-D", "0b5c7d7e-6f0a-4b55-9d68-2f1b6c7f8a90", "x".repeat(128)]) {
      expect(sanitizeRequestId(id)).toBe(id)
    }
    for (const id of [undefined, "", "x".repeat(129), "a b", "a\n", "a\r\nb: c", "é", "<script>", "a,b"]) {
      expect(sanitizeRequestId(id)).toBeUndefined()
    }
  })
})

describe("A client's session", () => {
  it("is of the first header that names one, and bounded", () => {
    expect(sessionOf({})).toBeUndefined()
    expect(sessionOf({ "x-session-id": " ", "thread-id": "t" })).toBe("t")
    expect(sessionOf({ "session-id": "s", "x-session-affinity": "a" })).toBe("a")
    expect(sessionOf({ "session-id": ["one", "two"] })).toBe("one")
    expect(sessionOf({ "x-session-id": "x".repeat(8_000) })).toHaveLength(256)
  })
})

describe("A client's key", () => {
  it("is read from api-key too, behind the others", () => {
    const keyOf = (headers: ReceivedHeaders) => {
      const key = clientKey(headers)
      return key === undefined ? undefined : Redacted.value(key)
    }
    expect(keyOf({ "api-key": " k " })).toBe("k")
    expect(keyOf({ "api-key": "k", "x-api-key": "x" })).toBe("x")
    expect(keyOf({ "api-key": "k", authorization: "Basic abc" })).toBe("k")
    expect(keyOf({ "api-key": "k", authorization: "bearer b" })).toBe("b")
  })
})
