/** Bodies that are JSON and yet odd: names that mean something to JavaScript, values that no number holds, depths that no stack has, look-alikes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const messages = '[{"role":"user","content":"Hello?"}]'

const stack = Effect.gen(function* () {
  const upstream = yield* scriptedUpstream(chat("Hello."))
  // One entry forwards what came; the other rewrites messages, prefixes, caps and stops.
  const { port } = yield* startGateway(
    configOf([
      { base_url: upstream.url, model_match: { type: "exact", value: ["gpt-4o"] } },
      {
        base_url: upstream.url,
        model_match: { type: "exact", value: ["gpt-rewritten"] },
        priority: 1,
        max_tokens: 100,
        stop: ["<end>"],
        thinking_format: "strip",
        extra_body: { top_k: 1 },
        model: "gpt-other",
      },
    ]),
  )
  return { upstream, port }
})

const odd: ReadonlyArray<readonly [words: string, members: string]> = [
  ["__proto__", '"__proto__":{"model":"evil","isAdmin":true}'],
  ["constructor", '"constructor":{"prototype":{"model":"evil"}}'],
  ["toString, valueOf, hasOwnProperty", '"toString":1,"valueOf":null,"hasOwnProperty":[]'],
  ["then", '"then":{"then":1}'],
  ["an empty name", '"":1'],
  ["names of integers", '"0":1,"-1":2,"4294967295":3'],
  ["a number of a million digits", `"seed":1${"0".repeat(1_000_000)}`],
  ["a number beyond all", '"seed":1e999999'],
  ["a number below all", '"seed":-1e-999999'],
  ["a number that doubles do not hold", '"seed":123456789012345678901234567890'],
  ["minus nought", '"seed":-0'],
  ["half a surrogate", '"user":"\\ud800"'],
  ["NUL and controls, escaped", '"user":"\\u0000\\u001b[2J\\u202e\\u2028"'],
  ["a million escapes", `"user":"${"\\u0041".repeat(100_000)}"`],
  ["lists 20,000 deep", `"x":${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ["objects 20,000 deep", `"x":${'{"a":'.repeat(20_000)}0${"}".repeat(20_000)}`],
  ["look-alikes of members", '"mоdel":"evil","ｍodel":"evil","model\\u200b":"evil"'],
]

describe("A body that is odd JSON", () => {
  it.scopedLive.each(["gpt-4o", "gpt-rewritten"])("means what it says, asked of %s", (model) =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      for (const [words, members] of odd) {
        const before = upstream.requests.length
        const text = `{"model":"${model}","messages":${messages},${members}}`
        const answer = yield* within(words, post(port, path, text), 15_000)
        expect([words, answer?.status]).toEqual([words, 200])
        const sent = String(upstream.requests[before]?.bytes)
        // The member is there as it came, byte for byte, and nothing else was decided by it.
        expect(sent.includes(members)).toBe(true)
        expect(sent).toContain(model === "gpt-4o" ? '"model":"gpt-4o"' : '"model":"gpt-other"')
      }
      expect(Object.keys(Object.prototype)).toEqual([])
      expect(Object("")["isAdmin"]).toBeUndefined()
    }),
  )

  it.scopedLive(
    "reads escaped values as what they are, and takes no escaped name of what it decides by",
    () =>
      Effect.gen(function* () {
        const { port, upstream } = yield* stack
        const value = `{"model":"gpt-4\\u006f","messages":${messages},"\\u0073eed":1}`
        expect((yield* post(port, path, value))?.status).toBe(200)
        expect(upstream.requests[0]?.body).toMatchObject({ model: "gpt-4o", seed: 1 })
        const name = `{"\\u006dodel":"gpt-4o","messages":${messages}}`
        const refused = yield* post(port, path, name)
        expect(refused?.status).toBe(400)
        expect(jsonOf(refused)).toMatchObject({ error: { param: "model" } })
        expect(upstream.requests).toHaveLength(1)
      }),
  )

  it.scopedLive("serves no model that only looks like one that is served", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      for (const model of [
        "GPT-4o",
        "gpt-4o ",
        " gpt-4o",
        "gpt-4o\\u0000",
        "gpt-4o\\u200b",
        "gpt\\u20104o",
        "gрt-4o",
        "gpt-4\\uff4f",
        "gpt-4o\\n",
        "gpt-4",
        "__proto__",
        "constructor",
        "",
        `gpt-4o${"x".repeat(1_025)}`,
      ]) {
        const answer = yield* post(port, path, `{"model":"${model}","messages":${messages}}`)
        expect([model, [400, 404].includes(answer?.status ?? 0)]).toEqual([model, true])
        expect(jsonOf(answer)).toMatchObject({ error: { type: "invalid_request_error", param: "model" } })
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("in another charset, behind two marks, or in half a sequence is refused", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack
      const text = `{"model":"gpt-4o","messages":${messages}}`
      const bytes = Buffer.from(text)
      for (const [words, body] of [
        ["UTF-16 with a mark", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")])],
        ["two marks", Buffer.from(`\ufeff\ufeff${text}`)],
        ["half a sequence", Buffer.concat([bytes.subarray(0, -2), Buffer.from([0xf0, 0x9f])])],
        ["an overlong slash", Buffer.from(text.replace("Hello", "\xc0\xaf"), "latin1")],
        ["a surrogate in UTF-8", Buffer.from(text.replace("Hello", "\xed\xa0\x80"), "latin1")],
        ["beyond Unicode", Buffer.from(text.replace("Hello", "\xf4\x90\x80\x80"), "latin1")],
      ] as const) {
        expect([words, (yield* post(port, path, body))?.status]).toEqual([words, 400])
      }
      expect(upstream.requests).toEqual([])
    }),
  )
})
