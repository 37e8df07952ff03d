/** Whatever is asked, the body that is written satisfies what is known of the model. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { ReasoningWish, Setting, Settings } from "../../src/dialects/Conversation.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { abilitiesOf } from "../../src/dialects/KnownModels.ts"
import { objectIn } from "../../src/dialects/Members.ts"
import { allEfforts } from "../../src/routing/ModelAbilities.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { conversationArb } from "./Conversations.ts"

const said = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<Setting<A>> =>
  value.map((one) => ({ value: one, as: "x" }))

const wishArb: fc.Arbitrary<ReasoningWish> = fc.oneof(
  fc.constant({ mode: "off" } as const),
  fc.record(
    {
      mode: fc.constant("on" as const),
      effort: fc.oneof(fc.constantFrom(...allEfforts), fc.constant("constructor")),
      budget: fc.integer({ min: 1, max: 99_999 }),
      told: fc.constantFrom("auto" as const, "nothing" as const),
    },
    { requiredKeys: ["mode"] },
  ),
)

/** Asked of any model, whether it takes them or not. */
const settingsArb: fc.Arbitrary<Settings> = fc.record(
  {
    maxTokens: said(fc.integer({ min: -9, max: 999_999 })),
    temperature: said(fc.double({ min: 0, max: 2, noNaN: true })),
    topP: said(fc.double({ min: 0, max: 1, noNaN: true })),
    topK: said(fc.nat(99)),
    stop: said(fc.array(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 9 })),
    presencePenalty: said(fc.double({ min: -2, max: 2, noNaN: true })),
    reasoning: said(wishArb),
    user: said(fc.string({ maxLength: 300 })),
  },
  { requiredKeys: [] },
)

const models = [
  ...["claude-3-haiku", "claude-sonnet-4-5", "claude-opus-4-7", "claude-opus-5", "claude-opus-5-5"],
  ...[
    "gpt-4o",
    "gpt-5-chat-latest",
    "o1-mini",
    "o3",
    "gpt-5",
    "gpt-5.1",
    "gpt-6",
    "gpt-oss-120b",
    "qwen3-coder",
  ],
]

const written = (to: "chat" | "responses" | "messages", model: string, check: (body: JsonObject) => void) => {
  const target = { model, abilities: abilitiesOf(model), upstream: "u", cacheMarks: "keep" } as const
  fc.assert(
    fc.property(conversationArb, settingsArb, (conversation, settings) => {
      check(forms[to].writeRequest({ ...conversation, settings }, target).body)
    }),
    { numRuns: 40 },
  )
}

const tuning = ["temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty"]

describe.each(models)("Of %s", (model) => {
  const { efforts, maxOutput, mostStops, sampling, thinking, thinks } = abilitiesOf(model)

  const takes = (effort: unknown): boolean =>
    effort === undefined ||
    efforts === undefined ||
    efforts.some((one) => one === effort) ||
    effort === "constructor"

  it("chat asks nothing that it refuses", () => {
    written("chat", model, (body) => {
      if (sampling === "never") for (const name of tuning) expect(body).not.toHaveProperty(name)
      if (efforts?.length === 0) expect(body).not.toHaveProperty("reasoning_effort")
      expect(takes(body["reasoning_effort"])).toBe(true)
      const { stop, user } = body
      if (mostStops !== undefined && Array.isArray(stop)) expect(stop.length).toBeLessThanOrEqual(mostStops)
      if (mostStops === 0) expect(stop).toBeUndefined()
      expect(String(user ?? "").length).toBeLessThanOrEqual(64)
    })
  })

  it("responses ask nothing that it refuses", () => {
    written("responses", model, (body) => {
      if (sampling === "never") for (const name of tuning) expect(body).not.toHaveProperty(name)
      expect(takes(objectIn(body["reasoning"])?.["effort"])).toBe(true)
      expect(body["max_output_tokens"] ?? 16).toBeGreaterThanOrEqual(16)
      expect(body["store"]).toBe(false)
    })
  })

  it("messages ask nothing that it refuses", () => {
    written("messages", model, (body) => {
      if (sampling === "never") for (const name of tuning) expect(body).not.toHaveProperty(name)
      const { max_tokens: most, temperature } = body
      expect(most).toBeGreaterThanOrEqual(1)
      if (maxOutput !== undefined) expect(most).toBeLessThanOrEqual(maxOutput)
      expect(temperature ?? 0).toBeLessThanOrEqual(1)
      const asked = objectIn(body["thinking"])
      if (thinking === "none") expect(asked).toBeUndefined()
      if (thinks === "always") expect(asked?.["type"]).not.toBe("disabled")
      if (asked?.["type"] === "enabled") {
        expect(thinking).toBe("budget")
        expect(asked["budget_tokens"]).toBeGreaterThanOrEqual(1_024)
        expect(asked["budget_tokens"]).toBeLessThan(Number(most))
      }
      const effort = objectIn(body["output_config"])?.["effort"]
      if (effort !== undefined) expect(efforts).toContain(effort)
    })
  })
})
