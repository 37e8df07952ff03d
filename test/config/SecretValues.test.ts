/** Which names speak of secrets, and which values are one. */
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { isSecretName, secretsOf } from "../../src/config/SecretValues.ts"
import type { OutgoingProxy } from "../../src/routing/OutgoingProxy.ts"
import { makeUpstream } from "../support/arbitraries.ts"

describe("isSecretName", () => {
  it.each([
    "authorization",
    "Authorization",
    "proxy-authorization",
    "x-authorization",
    "x-forwarded-authorization",
    "api-key",
    "x-api-key",
    "X-Goog-Api-Key",
    "x_api_key",
    "apikey",
    "apiKey",
    "x-access-key",
    "ocp-apim-subscription-key",
    "x-functions-key",
    "x-auth",
    "x-auth-token",
    "accessToken",
    "access_token",
    "client_secret",
    "x-credential",
    "x-passwd",
    "password",
    "x-signature",
    "sig",
    "code",
    "cookie",
    "cf-access-jwt-assertion",
  ])("%s names a secret", (name) => expect(isSecretName(name)).toBe(true))

  it.each([
    "accept",
    "content-type",
    "x-custom",
    "host",
    "api-version",
    "max_tokens",
    "keyword",
    "top_k",
    "openai-organization",
    "user-agent",
    "x-monkey",
    "author",
    "idempotency-key",
    "Idempotency-Key",
    "prompt_cache_key",
    "status-code",
  ])("%s names none", (name) => expect(isSecretName(name)).toBe(false))
})

const proxy: OutgoingProxy = {
  shown: "http://proxy:1",
  protocol: "http:",
  hostname: "proxy",
  port: 1,
  authorization: Redacted.make(`Basic ${btoa("me:proxy p@ss/word")}`),
}

/** An upstream that holds a secret in each place there is. */
const full = makeUpstream({
  apiKey: Redacted.make("gsk_AbC123api"),
  headers: {
    "x-custom": "harmless-value",
    "x-tenant": "Bearer sk-0123456789-by-its-form",
    authorization: "Bearer header-bearer",
    "api-key": "0f1e2d3c4b5a",
    "x-basic": "not told apart",
    "proxy-auth": `Basic ${btoa("who:basic-password")}`,
  },
  query: "?api-version=2024-10-21&key=AIza%2Fquery&sig=a=b=c&flag&odd=AIzaSyA0123456789abcdefghi",
  proxy,
  extraBody: {
    safe: "harmless-body",
    odd: "gsk_0123456789abcdefgh",
    nested: [{ api_key: "nested-key" }, { tokens: ["x"] }],
  },
  resume: { body: { secret: 'quo"ted\\secret' }, message: { token: ["listed-token"] } },
})

describe("secretsOf", () => {
  it.each([
    "gsk_AbC123api",
    "header-bearer",
    "Bearer header-bearer",
    "0f1e2d3c4b5a",
    "basic-password",
    btoa("who:basic-password"),
    "AIza/query",
    "AIza%2Fquery",
    "a=b=c",
    "proxy p@ss/word",
    encodeURIComponent("proxy p@ss/word"),
    "nested-key",
    'quo"ted\\secret',
    'quo\\"ted\\\\secret',
    "listed-token",
    "sk-0123456789-by-its-form",
    "AIzaSyA0123456789abcdefghi",
    "gsk_0123456789abcdefgh",
  ])("finds %s of an upstream", (secret) => expect(secretsOf([full], [])).toContain(secret))

  it.each(["harmless-value", "harmless-body", "2024-10-21", "x", "flag", ""])(
    "does not take %j for one",
    (text) => expect(secretsOf([full], [])).not.toContain(text),
  )

  it("finds the keys that callers show, and those of all upstreams, each once", () => {
    const other = makeUpstream({ apiKey: Redacted.make("second-key") })
    expect(secretsOf([other, other], [Redacted.make("access-key-1"), Redacted.make("second-key")])).toEqual([
      "access-key-1",
      "second-key",
    ])
  })
})
