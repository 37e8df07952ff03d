/** Clients that refuse what was thought in earlier turns: another sealed it, and nothing tells who. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { noUsage } from "../../src/answer/Usage.ts"
import type { NeutralAnswer } from "../../src/dialects/Answer.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { wrap } from "../../src/dialects/Seal.ts"
import type { Dialect } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { askedFor } from "../dialects/Abilities.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const paths = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" } as const

const words = {
  messages: "messages.1.content.0: Invalid `signature` in `thinking` block",
  responses: "The encrypted content for item rs_1 could not be verified.",
} as const

const answered: NeutralAnswer = {
  id: "abc",
  model: "m",
  createdAt: undefined,
  serviceTier: undefined,
  parts: [{ kind: "text", text: "Done." }],
  finish: { kind: "stop" },
  counts: noUsage,
}

/** Refuses whatever is sealed of earlier turns. */
const strict = (dialect: "messages" | "responses") =>
  Scripted.scriptedUpstream(({ body }) =>
    /"(?:signature|encrypted_content)":/.test(JSON.stringify(body))
      ? Scripted.status(400, {
          type: "error",
          error: { type: "invalid_request_error", message: words[dialect] },
        })
      : Scripted.json(forms[dialect].writeAnswer(answered, askedFor)),
  )

const sealed = (dialect: Dialect): string =>
  wrap({ dialect, sealed: "EqQBCg", id: dialect === "responses" ? "rs_1" : undefined, isAll: false }, "first")

const user = (content: string): JsonObject => ({ role: "user", content })

const asks: { readonly [D in Dialect]: (signature: string) => JsonObject } = {
  chat: (data) => ({
    messages: [
      user("Hello?"),
      {
        role: "assistant",
        content: "Yes?",
        reasoning_content: "So.",
        reasoning_details: [{ type: "reasoning.encrypted", data }],
      },
      user("And?"),
    ],
  }),
  responses: (encrypted) => ({
    input: [
      user("Hello?"),
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: encrypted },
      { role: "assistant", content: "Yes?" },
      user("And?"),
    ],
  }),
  messages: (signature) => ({
    max_tokens: 100,
    messages: [
      user("Hello?"),
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "So.", signature },
          { type: "text", text: "Yes?" },
        ],
      },
      user("And?"),
    ],
  }),
}

describe("A client that refuses the seal of earlier thoughts", () => {
  it.scopedLive.each([
    ["messages", "messages", "EqQBCg", "thinking.signature"],
    ["chat", "messages", sealed("messages"), "reasoning"],
    ["responses", "messages", sealed("messages"), "reasoning"],
    ["responses", "responses", "gAAAAA", "reasoning.encrypted_content"],
    ["chat", "responses", sealed("responses"), "reasoning"],
    ["messages", "responses", sealed("responses"), "reasoning"],
  ] as const)(
    "is asked once more without them, and that is told: %s before %s",
    ([asked, spoken, seal, dropped]) =>
      Effect.gen(function* () {
        const upstream = yield* strict(spoken)
        const { awaitRecords, baseUrl } = yield* startGateway(
          configOf([{ name: "first", base_url: upstream.url, dialects: [spoken], api_key: "sk-1" }]),
        )
        const answer = yield* Effect.promise(() =>
          fetch(baseUrl + paths[asked], {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ model: "gpt-4", ...asks[asked](seal) }),
          }),
        )
        expect([answer.status, yield* Effect.promise(() => answer.text())]).toEqual([
          200,
          expect.stringContaining("Done."),
        ])
        expect(answer.headers.get("x-sluice-dropped")).toBe(dropped)
        expect(answer.headers.get("x-sluice-attempts")).toBe("2")
        expect(upstream.requests.map(({ body }) => JSON.stringify(body).includes("Yes?"))).toEqual([
          true,
          true,
        ])
        const [record] = yield* awaitRecords(1)
        expect(record?.attempts.map(({ cause, status }) => [status, cause])).toEqual([
          [400, "refused what was thought in earlier turns, as another's; asked again without"],
          [200, undefined],
        ])
        expect(record?.dropped).toEqual([dropped])
      }),
  )

  it.scopedLive("is asked no third time, and its refusal is told as it came", () =>
    Effect.gen(function* () {
      const refusal = { type: "error", error: { type: "invalid_request_error", message: words.messages } }
      const upstream = yield* Scripted.scriptedUpstream(Scripted.status(400, refusal))
      const { baseUrl } = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: ["messages"], api_key: "sk-1" }]),
      )
      const answer = yield* Effect.promise(() =>
        fetch(`${baseUrl}/v1/messages`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "gpt-4", ...asks.messages("EqQBCg") }),
        }),
      )
      expect([answer.status, yield* Effect.promise(() => answer.json())]).toEqual([400, refusal])
      expect(upstream.requests.length).toBe(2)
    }),
  )
})
