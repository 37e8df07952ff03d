/** Which of a client's headers go to an upstream. */
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { toUpstream as allToUpstream } from "../../src/operations/HeadersToUpstream.ts"
import type { ReceivedHeaders } from "../../src/wire/Headers.ts"

const json = { "content-type": "application/json" }

/** But for what tells that a request goes through Sluice, which all have. */
const toUpstream: typeof allToUpstream = (...given) => {
  const { "cdn-loop": _, ...others } = allToUpstream(...given)
  return others
}

const sent = (client: ReceivedHeaders, configured: Record<string, string> = {}, key?: string) =>
  toUpstream(client, { headers: configured }, key === undefined ? undefined : Redacted.make(key), {
    body: "json",
    face: "openai",
  })

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
  it("passes nothing of the other family where it is asked in another dialect", () => {
    const client = {
      "anthropic-beta": "a",
      "anthropic-version": "2023-06-01",
      "x-claude-code-session-id": "s",
      "openai-beta": "b",
      "user-agent": "c",
    }
    const namesIn = (face: "openai" | "anthropic", isTranslated: boolean) =>
      Object.keys(toUpstream(client, { headers: {} }, undefined, { body: "json", face, isTranslated })).sort()
    expect(namesIn("openai", true)).toEqual(["content-type", "openai-beta", "user-agent"])
    expect(namesIn("anthropic", true)).toEqual([
      "anthropic-beta",
      "anthropic-version",
      "content-type",
      "user-agent",
      "x-claude-code-session-id",
    ])
    for (const name in client) expect(namesIn("openai", false)).toContain(name)
  })

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

  it("passes all of Anthropic's headers and Claude Code's, and says a version where its client did not", () => {
    const headers = {
      "anthropic-version": "2026-10-21",
      "anthropic-beta": "a-2025-01-01,b-2026-01-01",
      "anthropic-dangerous-direct-browser-access": "true",
      "anthropic-unheard-of": "x",
      "x-claude-code-session-id": "s",
      "x-claude-code-agent-id": "a",
    }
    const given = { ...headers, "content-type": "application/json" }
    const to = (client: ReceivedHeaders, configured: Record<string, string> = {}) =>
      toUpstream(client, { headers: configured }, undefined, { body: "json", face: "anthropic" })
    expect(to(headers)).toEqual(given)
    expect(sent(headers)).toEqual(given)
    expect(to({})).toEqual({ ...json, "anthropic-version": "2023-06-01" })
    expect(to({}, { "Anthropic-Version": "2" })).toEqual({ ...json, "anthropic-version": "2" })
  })

  it("passes no header that by its name holds a credential, whatever family it is of", () => {
    const key = "sk-clients"
    expect(
      sent({
        "anthropic-api-key": key,
        "openai-api-key": key,
        "anthropic-auth-token": key,
        "x-stainless-secret": key,
      }),
    ).toEqual(sent({}))
  })

  it("says whose account it is, and that it is for once, only beside the client's own key", () => {
    const account = {
      "anthropic-workspace-id": "w",
      "idempotency-key": "k",
      "openai-organization": "org",
      "OpenAI-Project": "proj",
    }
    const given = {
      "anthropic-workspace-id": "w",
      "idempotency-key": "k",
      "openai-organization": "org",
      "openai-project": "proj",
    }
    const own = Redacted.make("sk-own")
    expect(
      toUpstream(account, { headers: {} }, Redacted.make("sk-clients"), { body: "none", face: "openai" }),
    ).toEqual({
      ...given,
      authorization: "Bearer sk-clients",
    })
    expect(toUpstream(account, { headers: {}, apiKey: own }, own, { body: "none", face: "openai" })).toEqual({
      authorization: "Bearer sk-own",
    })
    expect(
      toUpstream(account, { headers: { "api-key": "k" } }, undefined, { body: "none", face: "openai" }),
    ).toEqual({
      "api-key": "k",
    })
    const configured = { headers: { "openai-organization": "ours" }, apiKey: own }
    expect(toUpstream(account, configured, own, { body: "none", face: "openai" })).toEqual({
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
    expect(
      toUpstream({ ...json, accept: "*/*" }, { headers: {} }, undefined, { body: "none", face: "openai" }),
    ).toEqual({
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
    expect(
      toUpstream({}, { headers: {}, keyHeader: "api-key" }, key, { body: "json", face: "openai" }),
    ).toEqual({
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

  it("says how often the request has gone through Sluice, whatever a client or the configuration says of it", () => {
    const hopsIn = (client: ReceivedHeaders, configured: Record<string, string> = {}) =>
      allToUpstream(client, { headers: configured }, undefined, { body: "json", face: "openai" })["cdn-loop"]
    expect(hopsIn({})).toBe("sluice")
    expect(hopsIn({ "cdn-loop": "fastly, sluice" })).toBe("sluice, sluice")
    expect(hopsIn({}, { "CDN-Loop": "none" })).toBe("sluice")
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
