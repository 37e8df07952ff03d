import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { choiceMachine, thinkingFormatOf } from "../../src/answer/ChoiceTransform.ts"
import type { Piece } from "../../src/answer/Piece.ts"
import type { Snapshot } from "../../src/config/Snapshot.ts"
import type { ThinkingFormat } from "../../src/routing/Upstream.ts"
import { run } from "../../src/wire/Machine.ts"
import { makeUpstream } from "../support/arbitraries.ts"

describe("choiceMachine", () => {
  it("is none where there is nothing to do", () => {
    expect(choiceMachine({ prefix: undefined, thinking: "passthrough" })).toBeUndefined()
    expect(choiceMachine({ prefix: "", thinking: "passthrough" })).toBeUndefined()
  })

  const said = (prefix: string | undefined, thinking: ThinkingFormat, text: string) => {
    const machine = choiceMachine({ prefix, thinking })
    return machine === undefined ? undefined : run(machine, [{ field: "content", text }])
  }

  it("puts the prefix before the text, and tags pass", () => {
    expect(said("P: ", "passthrough", "<think>a</think>b")).toEqual([
      { field: "content", text: "P: <think>a</think>b" },
    ])
  })

  it("looks for tags after the prefix is there: a prefix may open the block that the upstream only closes", () => {
    expect(said("<think>\n", "strip", "a</think>b")).toEqual([{ field: "content", text: "b" }])
  })

  const contentOf = (prefix: string, text: string) =>
    (said(prefix, "strip", text) ?? []).map((piece) => piece.text).join("")

  it.each(["[demo] ", "【DeepSeek 思考】\n", "**", "\n"])(
    "still sees the block that the upstream's own text begins with after the prefix %j",
    (prefix) => {
      expect(contentOf(prefix, "<think>a</think>\n\nb").trimStart()).toBe(`${prefix.trimStart()}b`)
      expect(contentOf(prefix, "\n<think>a, never closed").trimStart()).toBe(prefix.trimStart())
    },
  )

  it("leaves a block that the prefix opened open", () => {
    expect(contentOf("So: \n<think>", "<think>a</think>b")).toBe("So: \nb")
  })

  it("law: the prefix stands before exactly what the upstream's text alone would have become, however it is cut", () => {
    const texts = fc.array(
      fc.oneof(fc.constantFrom("<think>", "</think>", "\n", " ", "<", "a"), fc.string({ maxLength: 3 })),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(texts, fc.constantFrom<ThinkingFormat>("strip", "reasoning"), (cuts, thinking) => {
        const bare = choiceMachine({ prefix: undefined, thinking })
        const prefixed = choiceMachine({ prefix: "P:", thinking })
        if (bare === undefined || prefixed === undefined) throw new Error("there is something to do")
        const pieces = cuts.map((text): Piece => ({ field: "content", text }))
        const joined = (machine: typeof bare, field: Piece["field"]) =>
          run(machine, pieces)
            .filter((piece) => piece.field === field)
            .map((piece) => piece.text)
            .join("")
        const some = cuts.some((text) => text !== "")
        expect(joined(prefixed, "content")).toBe((some ? "P:" : "") + joined(bare, "content"))
        expect(joined(prefixed, "reasoning")).toBe(joined(bare, "reasoning"))
      }),
    )
  })

  it("needs no prefix", () => {
    expect(said(undefined, "strip", "<think>a</think>b")).toEqual([{ field: "content", text: "b" }])
  })
})

describe("thinkingFormatOf", () => {
  const formatOf = (
    ofUpstream: ThinkingFormat | undefined,
    ofAll: ThinkingFormat | undefined,
    asked: string,
    upstreamModel: string,
  ): ThinkingFormat => {
    const settings: Pick<Snapshot, "thinkingFormat" | "stripThinkModels"> = {
      thinkingFormat: ofAll,
      stripThinkModels: ["deepseek", "r1"],
    }
    const target = { upstream: makeUpstream({ thinkingFormat: ofUpstream }), upstreamModel }
    return thinkingFormatOf(settings, target, asked)
  }

  it("is the upstream's own before the whole configuration's", () => {
    expect(formatOf("reasoning", "strip", "deepseek", "deepseek")).toBe("reasoning")
    expect(formatOf("passthrough", "strip", "deepseek", "deepseek")).toBe("passthrough")
  })

  it("is the whole configuration's before strip_think_models", () => {
    expect(formatOf(undefined, "passthrough", "deepseek", "deepseek")).toBe("passthrough")
  })

  it("is strip for a model asked or sent that contains a keyword", () => {
    expect(formatOf(undefined, undefined, "deepseek-chat", "other")).toBe("strip")
    expect(formatOf(undefined, undefined, "other", "org/model-r1-7b")).toBe("strip")
  })

  it("is passthrough for all else, case counting", () => {
    expect(formatOf(undefined, undefined, "DeepSeek", "gpt-4o")).toBe("passthrough")
  })
})
