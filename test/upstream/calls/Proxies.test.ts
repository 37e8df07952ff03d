/** Calls that go out through a proxy, and what a proxy can do wrong. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseProxy } from "../../../src/routing/OutgoingProxy.ts"
import * as Upstreams from "../../../src/upstream/calls/Upstreams.ts"
import { whole } from "../../../src/upstream/calls/WholeAnswer.ts"
import { certificate } from "../../faults/Tls.ts"
import { defaultTimeouts, makeUpstream } from "../../support/arbitraries.ts"
import { type ScriptedProxy, scriptedProxy } from "../../support/ScriptedProxy.ts"
import { closedPort, json, scriptedUpstream } from "../../support/ScriptedUpstream.ts"

const proxied = (baseUrl: string, proxyUrl: string, connectMs = 2_000) =>
  makeUpstream({
    baseUrl,
    query: "?api-version=1",
    proxy: Either.getOrThrow(parseProxy(proxyUrl)),
    timeouts: { ...defaultTimeouts, connectMs },
  })

const exchange = (upstream: ReturnType<typeof proxied>) =>
  Effect.flatMap(Upstreams.Upstreams, (upstreams) =>
    whole(
      upstreams,
      {
        upstream,
        method: "POST",
        path: "/chat/completions",
        headers: { "content-type": "application/json" },
        body: new TextEncoder().encode("{}"),
        awaits: "answer",
        unpacks: "any",
        deadline: undefined,
      },
      100_000,
    ),
  )

const at = ({ port }: Pick<ScriptedProxy, "port">, user = "") => `http://${user}127.0.0.1:${port}`

const farHttp = "http://far.invalid/v1"
const farHttps = "https://far.invalid/v1"

describe("Through a proxy", () => {
  it.scopedLive("calls by http are made by it, in absolute form, over connections that are used again", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(json({ ok: true }))
      const proxy = yield* scriptedProxy({
        to: Number(new URL(upstream.url).port),
        authorization: `Basic ${btoa("me:p@ss")}`,
      })
      const target = proxied(farHttp, at(proxy, "me:p%40ss@"))
      for (let i = 0; i < 3; i++) expect((yield* exchange(target)).status).toBe(200)
      expect(new Set(proxy.seen)).toEqual(
        new Set(["POST http://far.invalid/v1/chat/completions?api-version=1"]),
      )
      const [first] = upstream.requests
      expect(first?.path).toBe("/v1/chat/completions?api-version=1")
      expect([first?.headers.host, first?.headers["proxy-authorization"]]).toEqual(["far.invalid", undefined])
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("calls by https go through a tunnel, and the upstream's certificate is checked in it", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(json({}), certificate("self-signed"))
      const proxy = yield* scriptedProxy({ to: Number(new URL(upstream.url).port) })
      const failure = yield* Effect.flip(exchange(proxied(farHttps, at(proxy))))
      expect(failure).toMatchObject({ _tag: "ConnectFailed", reason: expect.stringContaining("SELF_SIGNED") })
      expect(proxy.seen).toEqual(["CONNECT far.invalid:443"])
      expect(upstream.requests).toEqual([])
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("what it refuses is told as its refusal, without its credentials", () =>
    Effect.gen(function* () {
      const strict = yield* scriptedProxy({ authorization: "Basic other" })
      const denying = yield* scriptedProxy({ connectAnswer: "HTTP/1.1 403 Forbidden\r\n\r\nno" })
      const failing = yield* scriptedProxy({ connectAnswer: "HTTP/1.1 502 Bad Gateway\r\n\r\n" })
      const closing = yield* scriptedProxy({ connectAnswer: "" })
      const babbling = yield* scriptedProxy({ connectAnswer: "220 smtp.test ESMTP\r\n\r\n" })
      const endless = yield* scriptedProxy({ connectAnswer: `HTTP/1.1 200 OK\r\nx: ${"x".repeat(40_000)}` })
      const early = yield* scriptedProxy({ connectAnswer: "HTTP/1.1 200 OK\r\n\r\nhello" })
      const closed = yield* closedPort
      const cases = [
        [farHttps, at(strict), "answered 407: it asks for credentials"],
        [farHttps, at(strict, "me:secret@"), "answered 407: it refuses the credentials of its URL"],
        [farHttp, at(strict), "answered 407: it asks for credentials"],
        [farHttp, at(strict, "me:secret@"), "answered 407: it refuses the credentials of its URL"],
        [farHttps, at(denying), "answered 403"],
        [farHttps, at(failing), "answered 502"],
        [farHttps, at(closing), "closed the connection instead of opening a tunnel"],
        [farHttps, at(babbling), "does not answer in HTTP"],
        [farHttps, at(endless), "does not answer in HTTP"],
        [farHttps, at(early), "sent more than its answer to CONNECT"],
        [farHttps, at({ port: closed }, "me:secret@"), "cannot be reached: ECONNREFUSED"],
        [farHttp, at({ port: closed }, "me:secret@"), "cannot be reached: ECONNREFUSED"],
        [farHttp, "http://proxy.invalid:1", "cannot be reached: "],
      ] as const
      for (const [baseUrl, proxyUrl, reason] of cases) {
        const failure = yield* Effect.flip(exchange(proxied(baseUrl, proxyUrl)))
        const shown = proxyUrl.replace("me:secret@", "")
        expect(failure).toMatchObject({
          _tag: "ConnectFailed",
          reason: expect.stringContaining(`the proxy ${shown} ${reason}`),
        })
        expect(JSON.stringify(failure)).not.toContain("secret")
      }
    }).pipe(Effect.provide(Upstreams.layer)),
  )

  it.scopedLive("a proxy that says nothing is a connection that takes too long", () =>
    Effect.gen(function* () {
      const proxy = yield* scriptedProxy({ silent: true })
      const failure = yield* Effect.flip(exchange(proxied(farHttps, at(proxy), 300)))
      expect(failure).toMatchObject({ _tag: "TimedOut", phase: "connect", afterMs: 300 })
    }).pipe(Effect.provide(Upstreams.layer)),
  )
})
