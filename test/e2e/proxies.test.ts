/** Calls of a whole gateway that go out through proxies, TLS in the tunnel and to the proxy: a process of its own, that trusts the authority of the tests. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { stringify } from "yaml"
import { authorityPath, certificate } from "../faults/Tls.ts"
import { addressOf, sluice } from "../support/process.ts"
import { post } from "../support/RawHttp.ts"
import { scriptedProxy } from "../support/ScriptedProxy.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const portOf = (url: string) => Number(new URL(url).port)

describe("A gateway whose way out leads through proxies", () => {
  it.scopedLive("asks over TLS in a tunnel, through a proxy over TLS, and reaches this machine without", () =>
    Effect.gen(function* () {
      const secure = yield* scriptedUpstream(chat("Hello in a tunnel."), certificate("valid"))
      const open = yield* scriptedUpstream(chat("Hello."))
      const credentials = { authorization: `Basic ${btoa("me:secret")}` }
      const toSecure = { to: portOf(secure.url), ...credentials }
      const plain = yield* scriptedProxy(toSecure)
      const overTls = yield* scriptedProxy(toSecure, certificate("valid"))
      const overTlsToOpen = yield* scriptedProxy({ to: portOf(open.url) }, certificate("valid"))
      const ofEnvironment = yield* scriptedProxy({ to: portOf(open.url) })

      const entry = (name: string, base_url: string, proxy_url?: string) => ({
        name,
        base_url,
        ...(proxy_url === undefined ? {} : { proxy_url }),
        api_key: "sk-a",
        model_match: { type: "exact", value: [name] },
      })
      const files = yield* FileSystem.FileSystem
      const path = `${yield* files.makeTempDirectoryScoped()}/config.yaml`
      yield* files.writeFileString(
        path,
        stringify({
          retry: { rounds: 1 },
          openai_clients: [
            entry("tunnel", secure.url, `http://me:secret@127.0.0.1:${plain.port}`),
            entry("tunnel-in-tls", secure.url, `https://me:secret@127.0.0.1:${overTls.port}`),
            entry("plain-in-tls", "http://far.invalid/v1", `https://127.0.0.1:${overTlsToOpen.port}`),
            entry("of-environment", "http://far.invalid/v1"),
            entry("own-machine", open.url),
          ],
        }),
      )
      const via = `http://127.0.0.1:${ofEnvironment.port}`
      const gateway = yield* sluice(["serve", "--config", path, "--port", "0"], {
        NODE_EXTRA_CA_CERTS: authorityPath,
        HTTP_PROXY: via,
        HTTPS_PROXY: via,
      })
      const port = portOf(yield* addressOf(gateway))
      const ask = (model: string, stream: boolean) =>
        post(port, "/v1/chat/completions", { model, stream, messages: [{ role: "user", content: "Hi" }] })

      const models = ["tunnel", "tunnel-in-tls", "plain-in-tls", "of-environment", "own-machine"]
      for (const model of models) {
        for (const stream of [false, true, false]) {
          const answer = yield* ask(model, stream)
          expect([model, answer?.status]).toEqual([model, 200])
          expect(answer?.body.toString()).toContain("Hello")
        }
      }
      const authority = `127.0.0.1:${portOf(secure.url)}`
      // Connections are used again, so that there may be fewer tunnels than calls.
      expect(new Set(plain.seen)).toEqual(new Set([`CONNECT ${authority}`]))
      expect(new Set(overTls.seen)).toEqual(new Set([`CONNECT ${authority}`]))
      const absolute = "POST http://far.invalid/v1/chat/completions"
      expect(overTlsToOpen.seen).toEqual([absolute, absolute, absolute])
      expect(ofEnvironment.seen).toEqual([absolute, absolute, absolute])
      expect(secure.requests.every(({ headers }) => headers["proxy-authorization"] === undefined)).toBe(true)
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
