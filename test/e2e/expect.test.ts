/** Callers that wait to be asked for their body: one that is refused by its head is never sent. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { head, rawConnection } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const body = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] })

describe("A caller that expects 100-continue", () => {
  it.scopedLive("is asked for a body that will be read, and answered without where it is refused", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("Hello."))
      const { port } = yield* startGateway(
        configOf([{ base_url: upstream.url }], {
          server: { max_body_bytes: 1_000, access_keys: ["sk-in"] },
        }),
      )
      const begin = (path: string, headers: Readonly<Record<string, string>>) =>
        Effect.tap(rawConnection(port), ({ send }) =>
          send(head("POST", path, { expect: "100-continue", authorization: "Bearer sk-in", ...headers })),
        )
      const chatPath = "/v1/chat/completions"
      const refused = [
        [chatPath, { "content-length": "1001" }, 413],
        [chatPath, { "content-length": "10", "content-encoding": "x-secret" }, 415],
        [chatPath, { "content-length": "10", authorization: "Bearer sk-wrong" }, 401],
        ["/v1/nowhere", { "content-length": "10" }, 404],
      ] as const
      for (const [path, headers, status] of refused) {
        const { until } = yield* begin(path, headers)
        const text = yield* until((received) => received.includes("\r\n\r\n{"))
        expect([path, text.split(" ")[1]]).toEqual([path, `${status}`])
      }
      const { send, until } = yield* begin(chatPath, { "content-length": `${body.length}` })
      expect(yield* until((received) => received.includes("\r\n\r\n"))).toBe("HTTP/1.1 100 Continue\r\n\r\n")
      yield* send(body)
      expect(yield* until((received) => received.includes("Hello."))).toContain("HTTP/1.1 200 OK")
    }),
  )
})
