/** Whole answers by the rules of streams. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { noUsage } from "../../src/answer/Usage.ts"
import type { Finish, NeutralAnswer } from "../../src/dialects/Answer.ts"
import { guardedAnswer } from "../../src/dialects/GuardedAnswer.ts"
import type { ToolCallPart } from "../../src/dialects/Part.ts"
import { answerArb } from "./Conversations.ts"

const call = (input: string, id = "a"): ToolCallPart => ({
  kind: "tool_call",
  id,
  name: "f",
  input,
  isFreeForm: false,
})

const answerWith = (
  finish: Finish["kind"] & ("tool_calls" | "length"),
  ...parts: NeutralAnswer["parts"]
) => ({
  id: "1",
  model: "m",
  createdAt: undefined,
  serviceTier: undefined,
  parts,
  finish: { kind: finish },
  counts: noUsage,
})

describe("A whole answer", () => {
  it("is as it was where it keeps the rules", () => {
    fc.assert(
      fc.property(answerArb, (answer) => {
        expect(guardedAnswer(answer)).toEqual(answer)
      }),
    )
  })

  it.each(["", " ", "null", "{}"])("calls a function with {} that is given '%s'", (input) => {
    expect(guardedAnswer(answerWith("tool_calls", call(input)))?.parts).toEqual([call("{}")])
  })

  it.each<[string, string, string]>([
    ["half of one", '{"a":', '{"a":'],
    ["one whose quotes are wrong", '{"code":"print("{")"}', '{"code":"print("{")"}'],
    ["one in Python", "{'a': True}", "{'a': True}"],
    ["words", "look there", "look there"],
    ["one that words follow", '{"a":1} Done.', '{"a":1}'],
    ["one that was printed twice", '"{\\"a\\":1}"', '{"a":1}'],
    ["a text", '"a"', '"a"'],
  ])("keeps its text, and the input of a call that is no object as it came: %s", (_, input, kept) => {
    const text = { kind: "text", text: "a" } as const
    expect(guardedAnswer(answerWith("tool_calls", text, call(input)))?.parts).toEqual([text, call(kept)])
  })

  it("is without the calls within which it was cut", () => {
    const text = { kind: "text", text: "a" } as const
    for (const half of ['{"a":', ""]) {
      expect(guardedAnswer(answerWith("length", text, call(half)))?.parts).toEqual([text])
      expect(guardedAnswer(answerWith("length", call(half), text))?.parts).toEqual([text])
    }
  })

  it("gives each call an id of its own", () => {
    const parts = guardedAnswer(answerWith("tool_calls", call("{}"), call("{}"), call("{}", "")))?.parts
    expect(parts?.map((part) => part.kind === "tool_call" && part.id)).toEqual(["a", "call_1_1", "call_1_2"])
  })
})
