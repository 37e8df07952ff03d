/**
 * What a hostile text in the file's place does to a gateway that serves: nothing. The last good configuration goes on, and the text is neither run, nor
 * unfolded without end, nor read as anything but data. What `/health` and the log say of it is looked at in the tests of secrets.
 */
import { existsSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { jsonOf, post, request } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }
const trace = "/tmp/sluice-security-was-run"

const laughs = Array.from({ length: 12 }, (_, at) => {
  const of = at === 0 ? '"lol"' : `*a${at - 1}`
  return `a${at}: &a${at} [${Array.from({ length: 10 }, () => of).join(", ")}]`
}).join("\n")

const merges = Array.from({ length: 30 }, (_, at) =>
  at === 0 ? "m0: &m0 { k: 1 }" : `m${at}: &m${at} { <<: [*m${at - 1}, *m${at - 1}, *m${at - 1}] }`,
).join("\n")

/** Texts that load as no configuration. */
const hostile: ReadonlyArray<readonly [words: string, text: string]> = [
  ["a billion laughs", laughs],
  ["merges that multiply", merges],
  ["a map that is its own member", "server: &s { access_keys: *s }"],
  ["a list that is its own member", "openai_clients: &a [*a]"],
  ["lists 10,000 deep", `openai_clients: ${"[".repeat(10_000)}${"]".repeat(10_000)}`],
  ["maps 10,000 deep", `server: ${"{a: ".repeat(10_000)}1${"}".repeat(10_000)}`],
  ["braces that never close", "{".repeat(5_000)],
  ["a function", `x: !!js/function 'function () { require("fs").writeFileSync("${trace}", "") }'`],
  ["an expression", `x: !!js/eval 'require("fs").writeFileSync("${trace}", "")'`],
  ["an object of Python", `x: !!python/object/apply:os.system ["touch ${trace}"]`],
  ["a file", "openai_clients: !include /etc/passwd"],
  [
    "__proto__",
    "__proto__: { server: { access_keys: [] }, isAdmin: true }\nopenai_clients: []\nconstructor: 1",
  ],
  ["__proto__ where any name is taken", "openai_clients: [{ extra_body: { __proto__: { model: evil } } }]"],
  ["references 9,000 deep", `x: "${"${A:-".repeat(9_000)}${"}".repeat(9_000)}"`],
  ["a reference to itself", `server: { access_keys: ["\${SELF:-\${SELF}}"] }`],
  ["two documents", "openai_clients: []\n---\nserver: { access_keys: [] }\n"],
  ["keys that stand twice", "server: { access_keys: [k] }\nserver: { access_keys: [] }\n"],
  ["NUL", "openai_clients:\0 []"],
  ["bytes of something else", "\x7fELF\x02\x01\x01"],
  ["nothing", ""],
  ["a line of a megabyte", `x: ${"y".repeat(1_000_000)}`],
]

describe("A file that is hostile", () => {
  it.scopedLive(
    "replaces nothing, runs nothing, and keeps the gateway from nothing",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(chat("Hello."))
        const gateway = yield* startGateway(
          configOf([{ base_url: upstream.url }], { server: { access_keys: ["key-1"] } }),
        )
        const authorization = "Bearer key-1"
        for (const [words, text] of hostile) {
          yield* within(words, gateway.reload(text), 15_000)
          const health = yield* within(words, request(gateway.port, "GET", "/health"))
          expect([words, jsonOf(health)]).toMatchObject([words, { status: "ok", config: { generation: 1 } }])
          expect([words, Object(jsonOf(health)).config.last_error]).toEqual([words, expect.any(String)])
          expect(health?.body.length).toBeLessThan(20_000)
          expect((yield* post(gateway.port, path, body))?.status).toBe(401)
          expect((yield* post(gateway.port, path, body, { authorization }))?.status).toBe(200)
        }
        expect(existsSync(trace)).toBe(false)
        expect(Object("")["isAdmin"]).toBeUndefined()
      }),
    60_000,
  )

  it.scopedLive("means nothing by names that JavaScript knows, where a map takes any name", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("Hello."))
      const entry = `name: a, base_url: "${upstream.url}", model_match: { type: keyword, value: [gpt] }`
      const gateway = yield* startGateway(
        `openai_clients:\n  - { ${entry}, extra_body: { constructor: 1, toString: 2 } }\n`,
      )
      expect((yield* post(gateway.port, path, body))?.status).toBe(200)
      expect(upstream.requests[0]?.body).toMatchObject({ model: "gpt-4o", constructor: 1, toString: 2 })
      expect(Object("")["model"]).toBeUndefined()
    }),
  )
})
