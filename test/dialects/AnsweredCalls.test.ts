/** Conversations whose calls and results do not belong together, mended. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withAnsweredCalls } from "../../src/dialects/AnsweredCalls.ts"
import type { Turn } from "../../src/dialects/Conversation.ts"
import type { TextPart, ToolCallPart, ToolResultPart } from "../../src/dialects/Part.ts"

const text = (words: string): TextPart => ({ kind: "text", text: words })

const call = (id: string): ToolCallPart => ({
  kind: "tool_call",
  id,
  name: "look",
  input: "{}",
  isFreeForm: false,
})

const result = (id: string, words = `gave ${id}`): ToolResultPart => ({
  kind: "tool_result",
  id,
  parts: [text(words)],
  isError: false,
  isFreeForm: false,
})

const missing = (id: string): ToolResultPart => ({
  ...result(id, "The result of this call is missing."),
  isError: true,
})

const orphan = (id: string) => [text(`What a tool gave (call ${id}):`), text(`gave ${id}`)]

const said = (...parts: ReadonlyArray<TextPart | ToolCallPart>): Turn => ({ role: "assistant", parts })
const given = (...parts: ReadonlyArray<TextPart | ToolResultPart>): Turn => ({ role: "user", parts })
const later: Turn = { role: "instructions", voice: "system", parts: [text("Be brief.")] }

const turnArb: fc.Arbitrary<Turn> = fc.oneof(
  fc.constant(later),
  fc
    .array(fc.oneof(fc.constant(text("Well.")), fc.constantFrom("a", "b", "c").map(call)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => said(...parts)),
  fc
    .array(
      fc.oneof(
        fc.constant(text("Hi")),
        fc.constantFrom("a", "b", "c", "d").map((id) => result(id)),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((parts) => given(...parts)),
)

const wordsIn = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> =>
  turns.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.kind === "text"
        ? [part.text]
        : part.kind === "tool_result"
          ? part.parts.flatMap((one) => (one.kind === "text" ? [one.text] : []))
          : [],
    ),
  )

describe("Calls and their results", () => {
  it("stay as they are where they belong together, and ids come again", () => {
    const turns = [
      given(text("Hi")),
      said(text("Well."), call("a"), call("b")),
      given(result("b")),
      given(result("a"), text("And?")),
      said(call("a")),
      given(result("a")),
    ]
    const mended = withAnsweredCalls(turns)
    expect(mended).toEqual({ turns, hadOrphans: false, hadUnanswered: false })
    expect(mended.turns).toBe(turns)
  })

  it.each<readonly [string, ReadonlyArray<Turn>, ReadonlyArray<Turn>, orphans: boolean, unanswered: boolean]>(
    [
      [
        "a result whose call was cut away becomes the user's words",
        [given(result("a")), said(text("Well."))],
        [given(...orphan("a")), said(text("Well."))],
        true,
        false,
      ],
      [
        "of two results of one call the second becomes words",
        [said(call("a")), given(result("a"), result("a"))],
        [said(call("a")), given(result("a")), given(...orphan("a"))],
        true,
        false,
      ],
      [
        "a call without a result gets one that says so",
        [said(call("a"), call("b")), given(result("b"), text("And?"))],
        [said(call("a"), call("b")), given(missing("a"), result("b")), given(text("And?"))],
        false,
        true,
      ],
      ["so does one at the end", [said(call("a"))], [said(call("a")), given(missing("a"))], false, true],
      [
        "a result that comes later stands directly behind its call, and nothing is told",
        [said(call("a")), given(text("Wait.")), later, given(result("a"))],
        [said(call("a")), given(result("a")), given(text("Wait.")), later],
        false,
        false,
      ],
    ],
  )("are mended: %s", (_, turns, expected, hadOrphans, hadUnanswered) => {
    expect(withAnsweredCalls(turns)).toEqual({ turns: expected, hadOrphans, hadUnanswered })
  })

  it("law: what is mended needs no more mending, and no words are lost", () => {
    fc.assert(
      fc.property(fc.array(turnArb, { maxLength: 8 }), (turns) => {
        const { turns: mended } = withAnsweredCalls(turns)
        expect(withAnsweredCalls(mended)).toEqual({ turns: mended, hadOrphans: false, hadUnanswered: false })
        const left = [...wordsIn(mended)]
        for (const words of wordsIn(turns)) {
          expect(left).toContain(words)
          left.splice(left.indexOf(words), 1)
        }
        expect(left.filter((words) => !/^(?:What a tool gave|The result of this call)/.test(words))).toEqual(
          [],
        )
      }),
    )
  })
})
