import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isTelling } from "../../src/answer/ChunkScan.ts"
import { bytesOf } from "../support/answers.ts"
import { chunk, finishChunk, textChunk, usageChunk } from "../support/Wire.ts"

const telling = (value: unknown): boolean => isTelling(bytesOf(value))

describe("isTelling", () => {
  it("is told of what the gateway wants to know", () => {
    for (const value of [
      finishChunk(),
      usageChunk(),
      textChunk("a", { index: 1 }),
      chunk({ tool_calls: [{ index: 0 }] }),
      chunk({ function_call: { name: "f" } }),
      { error: { message: "boom" } },
      { error: "boom" },
      { object: "error", message: "boom" },
      { usage: {} },
      { choices: [] },
      { choices: null, base_resp: { status_code: 1002 } },
      { code: 1, msg: "boom" },
      { detail: "choices" },
      { note: "choices", text: ':[{}]"choices":[1]' },
    ]) {
      expect(telling(value)).toBe(true)
    }
  })

  it("passes over what tells nothing", () => {
    for (const value of [
      textChunk("a"),
      chunk({ role: "assistant", content: "", refusal: null, tool_calls: null, function_call: null }),
      chunk({ tool_calls: [] }),
      { ...textChunk("a"), usage: null, error: null },
      finishChunk(""),
    ]) {
      expect(telling(value)).toBe(false)
    }
  })

  it("sees through white space", () => {
    for (const text of [
      '{"usage" :\n {}}',
      '{"finish_reason"\t:  "stop"}',
      '{"tool_calls": [ {} ]}',
      '{"index" : 10}',
    ]) {
      expect(isTelling(new TextEncoder().encode(text))).toBe(true)
    }
    for (const text of ['"usage" :\n null', '"finish_reason"\t:  ""', '"tool_calls": [ ]', '"index" : 0']) {
      expect(isTelling(new TextEncoder().encode(`{"choices" : [ {} ],${text}}`))).toBe(false)
    }
  })

  it("law: no text of an answer is taken for a member", () => {
    const words = fc.constantFrom(
      '"',
      "\\",
      "usage",
      '"usage":{}',
      "error",
      '"error":1',
      '"finish_reason":"x"',
      "\n",
      "😀",
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), (texts) => {
        expect(telling(textChunk(`so ${texts.join("")}`))).toBe(false)
      }),
    )
  })

  it("law: any bytes are looked over to an end, cut short too", () => {
    const whole = JSON.stringify({ ...usageChunk(), error: { message: "boom" } })
    fc.assert(
      fc.property(fc.nat({ max: whole.length }), fc.uint8Array(), (length, bytes) => {
        expect(typeof isTelling(new TextEncoder().encode(whole.slice(0, length)))).toBe("boolean")
        expect(typeof isTelling(bytes)).toBe("boolean")
      }),
    )
  })
})
