/** Names and ids of tools that fit, and their way back. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { noUsage } from "../../src/answer/Usage.ts"
import type { AnswerEvent, NeutralAnswer } from "../../src/dialects/Answer.ts"
import { answerOf, eventsOf } from "../../src/dialects/AnswerParts.ts"
import { callersTools, withCallersTools } from "../../src/dialects/CallersTools.ts"
import type { RenamedTool } from "../../src/dialects/DialectForm.ts"
import { unwrapping, wrappedInput } from "../../src/dialects/FreeFormInput.ts"
import { abilitiesOf } from "../../src/dialects/KnownModels.ts"
import { fittedId, fittedName, renamedTools } from "../../src/dialects/ToolNames.ts"
import { run } from "../../src/wire/Machine.ts"
import { answerArb } from "./Conversations.ts"

const pieces = (text: string, lengths: ReadonlyArray<number>): ReadonlyArray<string> => {
  const cut: Array<string> = []
  let from = 0
  for (let turn = 0; from < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1
    cut.push(text.slice(from, from + length))
    from += length
  }
  return cut
}

const lengthsArb = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 9 })

describe("a name of a tool", () => {
  it("stays as it is where it fits", () => {
    expect(fittedName("get_weather-2", 64)).toBe("get_weather-2")
    expect(fittedName("a".repeat(64), 64)).toBe("a".repeat(64))
  })

  it("is its beginning and eight digits where it is too long, as 2.3 has it", () => {
    const long = `mcp__plugin_${"x".repeat(70)}`
    expect(fittedName(long, 64)).toMatch(/^mcp__plugin_x{43}_[0-9a-f]{8}$/)
    expect(fittedName(long, 64)).toHaveLength(64)
    expect(fittedName(`${long}y`, 64)).not.toBe(fittedName(long, 64))
    expect(fittedName(long, 128)).toBe(long)
  })

  it("fits whatever it is, and always becomes the same", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.constantFrom(64, 128), (name, longest) => {
        expect(fittedName(name, longest)).toMatch(/^[a-zA-Z0-9_-]+$/)
        expect(fittedName(name, longest).length).toBeLessThanOrEqual(longest)
        expect(fittedName(fittedName(name, longest), longest)).toBe(fittedName(name, longest))
      }),
    )
  })

  it("and an id too, as short ones do", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (id) => {
        expect(fittedId.messages(id)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
        expect(fittedId.responses(id)).toHaveLength(Math.min(id.length || 37, id.length > 64 ? 37 : 64))
        expect(fittedId.chat(id)).toBe(id === "" ? fittedId.messages(id) : id)
        for (const fitted of Object.values(fittedId)) expect(fitted(fitted(id))).toBe(fitted(id))
      }),
    )
    expect(fittedId.messages("call_1")).toBe("call_1")
    expect(fittedId.messages("call::1")).not.toBe(fittedId.messages("call__1"))
  })

  it("is told where it is sent otherwise", () => {
    const long = "x".repeat(65)
    const named = { description: undefined, schema: undefined, strict: undefined, isCached: false }
    expect(
      renamedTools(
        [
          { kind: "function", name: "short", ...named },
          { kind: "function", name: long, ...named },
          { kind: "free_form", name: "patch", description: undefined, grammar: undefined },
          { kind: "foreign", as: "web_search", isEssential: true },
        ],
        64,
        false,
      ),
    ).toEqual([
      { sent: fittedName(long, 64), name: long, isFreeForm: false },
      { sent: "patch", name: "patch", isFreeForm: true },
    ])
  })
})

describe("the text of a tool that takes any", () => {
  it("is unwrapped, wherever its JSON is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), lengthsArb, (text, lengths) => {
        const told = run(unwrapping, pieces(wrappedInput(text), lengths))
        expect(told.join("")).toBe(text)
        expect(told.every((piece) => piece !== "" && !/[\ud800-\udbff]$/.test(piece))).toBe(true)
      }),
    )
  })

  it("is the same of any text that came, cut or not", () => {
    const beginning = fc.constantFrom("", '{"input":"', ' { "input" : "a\\u00', "{}", '{"in', "[")
    fc.assert(
      fc.property(beginning, fc.string(), lengthsArb, (begun, text, lengths) => {
        expect(run(unwrapping, pieces(begun + text, lengths)).join("")).toBe(
          run(unwrapping, [begun + text]).join(""),
        )
      }),
    )
  })

  it.each([
    ['{"input":"a\\n\\"b\\" \\ud83d\\ude00"}', 'a\n"b" 😀'],
    [' {\n "input" : "x" } ', "x"],
    ["{}", ""],
    ["", ""],
    ["*** Begin Patch", "*** Begin Patch"],
    ['{"patch":"x"}', '{"patch":"x"}'],
    ['{"input":7}', '{"input":7}'],
    [" ".repeat(5000), " ".repeat(5000)],
  ])("of %j is %j", (json, text) => {
    expect(run(unwrapping, [json]).join("")).toBe(text)
  })
})

describe("an answer", () => {
  const renamed: ReadonlyArray<RenamedTool> = [
    { sent: "sent_1", name: "a name of the caller's", isFreeForm: false },
    { sent: "patch", name: "patch", isFreeForm: true },
  ]
  const withCall = (answer: NeutralAnswer, name: string, input: string): NeutralAnswer => ({
    ...answer,
    parts: [...answer.parts, { kind: "tool_call", id: "call_last", name, input, isFreeForm: false }],
  })
  const inPieces = (events: ReadonlyArray<AnswerEvent>, lengths: ReadonlyArray<number>) =>
    events.flatMap((event): ReadonlyArray<AnswerEvent> => {
      if (event.kind !== "more") return [event]
      return pieces(event.text, lengths).map((text) => ({ kind: "more", text }))
    })

  it("calls tools as its caller does, whole and streamed alike", () => {
    fc.assert(
      fc.property(
        answerArb,
        fc.constantFrom("sent_1", "patch", "other"),
        fc.string(),
        lengthsArb,
        (drawn, name, text, lengths) => {
          const answer = withCall(drawn, name, wrappedInput(text))
          const whole = withCallersTools(answer, renamed)
          const streamed = run(callersTools(renamed), inPieces(eventsOf(answer), lengths))
          expect(answerOf(streamed)).toEqual(whole)
          const last = whole.parts.at(-1)
          expect(last).toMatchObject(
            name === "patch"
              ? { name, input: text, isFreeForm: true }
              : { name: name === "sent_1" ? "a name of the caller's" : name, input: wrappedInput(text) },
          )
        },
      ),
    )
  })
})

describe("an answer of a model that knows tools that take any text", () => {
  it("calls them as such, by the caller's names, whole and streamed alike", () => {
    const renamed = [{ sent: "sent_1", name: "a name of the caller's", isFreeForm: false }]
    const call = { kind: "tool_call", id: "c", input: "x", isFreeForm: true } as const
    const answer: NeutralAnswer = {
      ...{ id: "1", model: "m", createdAt: 1, serviceTier: undefined, counts: noUsage },
      parts: [{ ...call, name: "sent_1" }],
      finish: { kind: "tool_calls" },
    }
    const whole = withCallersTools(answer, renamed)
    expect(whole.parts).toEqual([{ ...call, name: "a name of the caller's" }])
    expect(answerOf(run(callersTools(renamed), eventsOf(answer)))).toEqual(whole)
  })
})

describe("abilities of models (2.6)", () => {
  it.each([
    ["claude-sonnet-4-5-20250929", { sampling: "while_not_thinking", thinking: "budget", prefill: true }],
    [
      "us.anthropic.claude-haiku-4-5-20251001-v1:0",
      { thinking: "budget", thinks: "when_asked", efforts: undefined },
    ],
    ["anthropic/claude-sonnet-4.6", { thinking: "adaptive", prefill: false, sampling: "while_not_thinking" }],
    [
      "claude-opus-4-7",
      { sampling: "never", thinking: "adaptive", thinks: "when_asked", laterInstructions: false },
    ],
    ["claude-opus-4-8", { laterInstructions: true, forcedTools: "while_not_thinking" }],
    ["claude-sonnet-5", { thinks: "by_default", forcedTools: "while_not_thinking" }],
    ["claude-haiku-5-5", { thinks: "by_default", forcedTools: "always" }],
    ["claude-sonnet-5-5@20261001", { thinks: "always", forcedTools: "never" }],
    ["claude-opus-9", { sampling: "never", forcedTools: "never", prefill: false }],
    ["claude-3-opus-20240229", { thinking: "none", maxOutput: 4096, sampling: "always" }],
    ["claude-sonnet-4-20250514", { thinking: "budget", schemas: false }],
    ["gpt-5.1", { efforts: ["none", "low", "medium", "high", "xhigh"], capMember: "max_completion_tokens" }],
    [
      "gpt-5-2025-08-07",
      { efforts: ["minimal", "low", "medium", "high"], thinking: "budget", thinks: "always" },
    ],
    ["gpt-6.1-sol", { sampling: "never", thinks: "always" }],
    ["o3", { capMember: "max_completion_tokens", efforts: ["low", "medium", "high"] }],
    [
      "openai/gpt-oss-120b",
      { efforts: ["low", "medium", "high"], sampling: "always", capMember: "max_tokens" },
    ],
    ["qwen3-coder", { sampling: "always", thinking: "budget", efforts: undefined, capMember: "max_tokens" }],
    ["polo1", { capMember: "max_tokens" }],
    ["", { capMember: "max_tokens" }],
  ])("of %s", (model, expected) => {
    expect(abilitiesOf(model)).toMatchObject(expected)
  })
})
