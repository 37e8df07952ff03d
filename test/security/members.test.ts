/**
 * One reading of JSON: what a caller writes so that the gateway reads one request and the provider another is refused before anybody is asked, and
 * named. Each body is sent as it stands, over a socket.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const said = '"messages":[{"role":"user","content":"Hello?"}]'

const refused: ReadonlyArray<readonly [body: string, param: string]> = [
  [`{"model":"gpt-4o","Model":"expensive",${said}}`, "model"],
  [`{"model":"gpt-4o","model":"expensive",${said}}`, "model"],
  [`{"model":"expensive","model":"gpt-4o",${said}}`, "model"],
  [`{"Model":"gpt-4o",${said}}`, "model"],
  [`{"mod\\u0065l":"gpt-4o",${said}}`, "model"],
  [`{"model":"gpt-4o","mod\\u0065l":"expensive",${said}}`, "model"],
  [`{"model":"gpt-4o","MODEL":"expensive",${said}}`, "model"],
  [`{"model":"gpt-4o","mo_del":"expensive",${said}}`, "model"],
  [`{"model":"gpt-4o","max_tokens":5,"MAX_TOKENS":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","max_tokens":5,"max_tokens":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","maxTokens":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","max_to\u212aens":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","max_token\u017f":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","max_token\\u017f":100000,${said}}`, "max_tokens"],
  [`{"model":"gpt-4o","Max_Completion_Tokens":100000,${said}}`, "max_completion_tokens"],
  [`{"model":"gpt-4o","stream":false,"Stream":true,${said}}`, "stream"],
  [`{"model":"gpt-4o","stream":true,"stream":false,${said}}`, "stream"],
  [`{"model":"gpt-4o","stop":["a"],"\u017ftop":[],${said}}`, "stop"],
  [`{"model":"gpt-4o","n":1,"N":100,${said}}`, "n"],
  [`{"model":"gpt-4o","Best_Of":100,${said}}`, "best_of"],
  [`{"model":"gpt-4o",${said},"Messages":[]}`, "messages"],
  [`{"model":"gpt-4o",${said},${said}}`, "messages"],
  [`{"model":"gpt-4o",${said},"stream":true,"Stream_Options":{}}`, "stream_options"],
  [
    `{"model":"gpt-4o",${said},"stream":true,"stream_options":{"include_usage":true,"Include_Usage":false}}`,
    "stream_options.include_usage",
  ],
  [
    `{"model":"gpt-4o",${said},"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}`,
    "stream_options.include_usage",
  ],
  // What multiplies the cap counts against it.
  [`{"model":"gpt-4o","n":101,${said}}`, "n"],
  [`{"model":"gpt-4o","n":"50",${said}}`, "n"],
  [`{"model":"gpt-4o","best_of":1e9,${said}}`, "best_of"],
]

const served: ReadonlyArray<readonly [body: string, sent: string]> = [
  // Of what nobody decides by, everything passes as it is.
  [
    `{"model":"gpt-4o","max_tokens":5,"seed":1,"seed":2,"Seed":3,${said}}`,
    `{"model":"gpt-4o","max_tokens":5,"seed":1,"seed":2,"Seed":3,${said}}`,
  ],
  [
    `{"model":"gpt-4o","max_tokens":5,"tools":[{"model":1,"Model":2,"model":3}],${said}}`,
    `{"model":"gpt-4o","max_tokens":5,"tools":[{"model":1,"Model":2,"model":3}],${said}}`,
  ],
  [`{"model":"gpt-4o","n":4,"max_tokens":5000,${said}}`, `{"model":"gpt-4o","n":4,"max_tokens":25,${said}}`],
  [`{"model":"gpt-4o","max_tokens":-1,${said}}`, `{"model":"gpt-4o","max_tokens":100,${said}}`],
]

describe("A body that two readers read as two requests", () => {
  it.scopedLive("is 400 that names the member, and nobody is asked; what nobody decides by passes", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("fine"))
      const { awaitRecords, baseUrl } = yield* startGateway(
        configOf([
          { base_url: upstream.url, max_tokens: 100, model_match: { type: "exact", value: ["gpt-4o"] } },
        ]),
      )
      const ask = (body: string) =>
        Effect.promise(async () => {
          const response = await fetch(`${baseUrl}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
          })
          return { status: response.status, body: await response.json() }
        })
      for (const [body, param] of refused) {
        expect([body, yield* ask(body)]).toMatchObject([
          body,
          { status: 400, body: { error: { type: "invalid_request_error", param } } },
        ])
      }
      expect(upstream.requests).toEqual([])
      for (const [body, sent] of served) {
        expect([body, (yield* ask(body)).status]).toEqual([body, 200])
        expect(String(upstream.requests.at(-1)?.bytes)).toBe(sent)
      }
      const records = yield* awaitRecords(refused.length + served.length)
      expect(records.filter(({ outcome }) => outcome === "rejected").length).toBe(refused.length)
    }),
  )
})
