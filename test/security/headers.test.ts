/** What crosses the gateway beside bodies: nothing of a caller's credentials and addresses goes up, nothing that acts on a caller comes down. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { exchange, post, postBytes, type RawAnswer } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const path = "/v1/chat/completions"
const accessKey = "gateway-key-1"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

/** Names under which credentials, cookies, addresses and routes travel. All are sent at once, each with a value that is easily found. */
const neverUp: ReadonlyArray<string> = [
  ..."cookie cookie2 set-cookie proxy-authorization proxy-connection x-api-key api-key x-auth-token x-access-token".split(
    " ",
  ),
  ..."x-authorization x-forwarded-authorization x-goog-api-key x-goog-iap-jwt-assertion cf-access-jwt-assertion".split(
    " ",
  ),
  ..."x-amzn-oidc-data x-ms-token-aad-id-token x-csrf-token x-portkey-api-key x-litellm-key ocp-apim-subscription-key".split(
    " ",
  ),
  ..."forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port x-real-ip x-client-ip true-client-ip".split(
    " ",
  ),
  ..."cf-connecting-ip fastly-client-ip x-envoy-external-address x-original-url x-rewrite-url x-original-host via".split(
    " ",
  ),
  ..."referer x-http-method-override x-method-override x-portkey-custom-host x-portkey-provider helicone-auth".split(
    " ",
  ),
  ..."te trailer keep-alive accept-encoding range if-none-match expect-ct content-md5 digest".split(" "),
  ..."sec-websocket-protocol x-sluice-upstream x-sluice-attempts".split(" "),
  ..."__proto__ constructor hasownproperty".split(" "),
]

describe("Towards a provider", () => {
  it.scopedLive("goes its own key, and none of what names the caller, its credentials or another host", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const config = configOf([{ base_url: upstream.url }], { server: { access_keys: [accessKey] } })
      const { port } = yield* startGateway(config)
      const sent = {
        ...Object.fromEntries(neverUp.map((name) => [name, "caller-said-this"])),
        "x-api-key": accessKey,
      }
      expect((yield* post(port, path, body, sent))?.status).toBe(200)
      const [arrived] = upstream.requests
      expect(arrived?.headers.authorization).toBe(`Bearer ${configuredKey}`)
      expect(JSON.stringify(arrived?.headers)).not.toMatch(/caller-said-this|gateway-key-1|gateway\.test/)
      expect(arrived?.headers.host).toBe(new URL(upstream.url).host)
    }),
  )

  it.scopedLive("nothing goes that a caller declares to be about its connection, nor any key that way", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      for (const nominated of [
        "authorization",
        "Authorization, host, content-length",
        "content-type, accept",
      ]) {
        const answer = yield* post(port, path, body, {
          authorization: "Bearer callers-own",
          accept: "application/json",
          connection: `keep-alive, ${nominated}`,
        })
        expect(answer?.status).toBe(200)
        expect(upstream.requests.at(-1)?.headers).toMatchObject({
          authorization: `Bearer ${configuredKey}`,
          "content-type": "application/json",
        })
        expect(upstream.requests.at(-1)?.body).toEqual(body)
      }
    }),
  )

  it.scopedLive("no header is begun by what stands in another's value", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      for (const value of ["a\rx-injected: 1", "a\nx-injected: 1", "a\r\n x-injected: 1", "a\0", "a\x7f"]) {
        const bytes = postBytes(path, body, { "user-agent": value })
        const answer = yield* within(JSON.stringify(value), exchange(port, bytes))
        expect([JSON.stringify(value), [200, 400].includes(answer?.status ?? 0)]).toEqual([
          JSON.stringify(value),
          true,
        ])
      }
      for (const { headers } of upstream.requests) expect(headers["x-injected"]).toBeUndefined()
    }),
  )
})

/** What would act on a caller, its browser, or whoever stands between, were it passed on; with a value each. */
const neverDown: Readonly<Record<string, string>> = {
  "set-cookie": "session=provider-said-this",
  "access-control-allow-credentials": "true",
  "access-control-allow-private-network": "true",
  location: "https://provider-said-this.example",
  "content-location": "/provider-said-this",
  refresh: "0; url=https://provider-said-this.example",
  link: "<https://provider-said-this.example>; rel=preload",
  server: "provider-said-this",
  via: "1.1 provider-said-this",
  "strict-transport-security": "max-age=1; provider-said-this",
  "public-key-pins": "provider-said-this",
  "content-security-policy": "provider-said-this",
  "clear-site-data": '"provider-said-this"',
  "alt-svc": 'h3="provider-said-this:443"',
  "www-authenticate": "Basic realm=provider-said-this",
  "proxy-authenticate": "Basic realm=provider-said-this",
  "service-worker-allowed": "/provider-said-this",
  sourcemap: "/provider-said-this",
  "x-accel-redirect": "/provider-said-this",
  "x-sendfile": "/provider-said-this",
  "report-to": "provider-said-this",
  nel: "provider-said-this",
  etag: '"provider-said-this"',
  "content-disposition": "attachment; filename=provider-said-this",
  "x-sluice-upstream": "provider-said-this",
  "x-sluice-attempts": "provider-said-this",
  "x-should-retry": "provider-said-this",
  upgrade: "provider-said-this",
  "x-custom": "provider-said-this",
  authorization: "Bearer provider-said-this",
  "x-api-key": "provider-said-this",
  "openai-nominated": "provider-said-this",
  connection: "openai-nominated, keep-alive",
}

const seen = (answer: RawAnswer | undefined): string =>
  JSON.stringify(Object.entries(answer?.headers ?? {}).filter(([name]) => name !== "x-upstream-request-id"))

describe("Back to a caller", () => {
  it.scopedLive("come no headers that act on it, or pretend to be the gateway's", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const answers = [
        Scripted.chat("Hello.", { headers: neverDown }),
        Scripted.status(400, { error: { message: "no", type: "t", param: null, code: null } }, neverDown),
        Scripted.status(429, { error: { message: "no", type: "t", param: null, code: null } }, neverDown),
        Scripted.status(500, "<html>", { ...neverDown, "content-type": "text/html" }),
        Scripted.status(301, "", neverDown),
      ]
      for (const answer of answers) {
        upstream.setScript(answer)
        for (const stream of [false, true]) {
          const got = yield* within("an answer", post(port, path, { ...body, stream }))
          expect(seen(got)).not.toContain("provider-said-this")
          expect(got?.headers["access-control-allow-credentials"]).toBeUndefined()
          expect(got?.headers["access-control-allow-private-network"]).toBeUndefined()
          expect(got?.headers["content-type"]).toMatch(
            stream && got?.status === 200 ? /^text\/event-stream/ : /^application\/json/,
          )
        }
      }
    }),
  )

  it.scopedLive("comes one answer, whatever stands in the values of a provider's headers", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const whole = JSON.stringify(chatCompletion("Hello."))
      const values = [
        "a\rx-injected: 1",
        "a\nx-injected: 1",
        "a\0b",
        "\x80\xff\x9b",
        "x".repeat(10_000),
        "a\r\n x-injected: 1",
      ]
      for (const value of values) {
        upstream.setScript(
          Scripted.raw(
            Buffer.from(
              `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nopenai-version: ${value}\r\nx-ratelimit-limit: ${value}\r\nx-request-id: ${value}\r\n__proto__: x\r\nconstructor: x\r\ncontent-length: ${whole.length}\r\n\r\n${whole}`,
              "latin1",
            ),
            "end",
          ),
        )
        const got = yield* within(JSON.stringify(value), post(port, path, body))
        expect([200, 502]).toContain(got?.status)
        expect(Object.keys(got?.headers ?? {})).not.toContain("x-injected")
        // Half of a response would be read as the next one.
        expect(got?.whole).toBe(true)
      }
      upstream.setScript(Scripted.chat("Hello."))
      expect((yield* post(port, path, body))?.status).toBe(200)
    }),
  )
})
