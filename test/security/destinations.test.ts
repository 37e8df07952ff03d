/** Where keys go: to the host that the configuration names, where its certificate is of that name, and nowhere a caller or a provider points to. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { certificate } from "../faults/Tls.ts"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { post, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

describe("A key", () => {
  it.scopedLive.each(["self-signed", "expired", "wrong-host", "valid"] as const)(
    "is not sent to a host whose certificate is %s, where its authority is not trusted",
    (name) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."), certificate(name))
        const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
        expect((yield* post(port, path, body))?.status).toBe(502)
        expect((yield* request(port, "GET", "/v1/models"))?.status).toBe(502)
        expect(upstream.requests).toEqual([])
      }),
  )

  it.scopedLive("goes to no host that a provider redirects to, whatever the status", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      for (const status of [300, 301, 302, 303, 305, 306, 307, 308, 201]) {
        for (const location of [elsewhere.url, `//${new URL(elsewhere.url).host}/v1/chat/completions`]) {
          upstream.setScript(Scripted.status(status, "", { location, refresh: `0; url=${location}` }))
          const answer = yield* within(`${status}`, post(port, path, body))
          expect([status, answer?.status]).toEqual([status, 502])
          expect(answer?.headers["location"]).toBeUndefined()
        }
        yield* within("a list", request(port, "GET", "/v1/models"))
      }
      expect(elsewhere.requests).toEqual([])
    }),
  )

  it.scopedLive("goes to no host that a caller names, in members, headers, or the path", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const { host } = new URL(elsewhere.url)
      const members = [
        "api_base",
        "base_url",
        "custom_llm_provider",
        "azure_endpoint",
        "proxy",
        "user_config",
        "url",
      ]
      const named = Object.fromEntries(members.map((name) => [name, elsewhere.url]))
      const headers = {
        "x-portkey-custom-host": elsewhere.url,
        "x-portkey-config": JSON.stringify({ custom_host: elsewhere.url }),
        "x-target-url": elsewhere.url,
        "x-forwarded-host": host,
        "openai-base-url": elsewhere.url,
        "helicone-target-url": elsewhere.url,
      }
      for (const target of [
        path,
        `http://${host}${path}`,
        `${path}?base_url=${elsewhere.url}`,
        `//${host}/../v1/chat/completions`,
        `/openai/deployments/gpt-4o@${host}/chat/completions`,
      ]) {
        yield* within(target, post(port, target, { ...body, ...named, extra_body: named }, headers))
      }
      for (const model of [
        `gpt@${host}/x`,
        `../../gpt?x=`,
        `gpt#/${host}`,
        `gpt\r\nhost: ${host}`,
        "gpt/../../admin",
      ]) {
        expect((yield* within(model, post(port, path, { ...body, model })))?.status).toBe(200)
        yield* within(model, request(port, "GET", `/v1/models/${encodeURIComponent(model)}`))
      }
      expect(elsewhere.requests).toEqual([])
      // Paths are the configuration's: what a caller calls its model never becomes a part of one. A query goes on as a query.
      const asked = new Set(upstream.requests.map((one) => `${one.method} ${one.path}`))
      const query = `base_url=${elsewhere.url}`
      expect(asked).toEqual(new Set([`POST ${path}`, `POST ${path}?${query}`, "GET /v1/models"]))
    }),
  )

  it.scopedLive("is the gateway's in every call, and never told to who calls", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(({ headers }) =>
        Scripted.status(
          404,
          { error: { message: "no such model", type: "t", param: null, code: null } },
          {
            "x-echo": headers.authorization ?? "",
            "x-ratelimit-limit": "5",
          },
        ),
      )
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const answers = [
        yield* post(port, path, body, { authorization: "Bearer sk-of-the-caller" }),
        yield* post(port, path, { ...body, stream: true }),
        yield* request(port, "GET", "/v1/models"),
        yield* request(port, "GET", "/health"),
        yield* request(port, "GET", "/health?verbose"),
        yield* request(port, "GET", `/${configuredKey}`),
      ]
      for (const answer of answers.slice(0, -1)) {
        expect(JSON.stringify([answer?.headers, String(answer?.body)])).not.toContain(configuredKey)
      }
      for (const { headers } of upstream.requests)
        expect(headers.authorization).toBe(`Bearer ${configuredKey}`)
    }),
  )
})
