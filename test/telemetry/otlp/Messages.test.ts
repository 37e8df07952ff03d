import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { forms } from "../../../src/dialects/Forms.ts"
import { promptAttributes } from "../../../src/telemetry/otlp/Messages.ts"
import type { Json } from "../../../src/wire/Json.ts"

const promptOf = (messages: ReadonlyArray<Json>) =>
  promptAttributes(Either.getOrThrow(forms.chat.readRequest({ model: "m", messages })))

const read = (value: unknown): unknown => JSON.parse(String(value))

describe("prompts as the conventions write them", () => {
  it("have tool calls, their answers, and where pictures are, but not their data", () => {
    const told = promptOf([
      {
        role: "user",
        content: [
          { type: "text", text: "look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,QUJD" } },
          { type: "image_url", image_url: { url: "https://pictures.example/a.png" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c1", content: "done" },
    ])
    expect(read(told["gen_ai.input.messages"])).toEqual([
      {
        role: "user",
        parts: [
          { type: "text", content: "look" },
          { type: "blob", modality: "image", mime_type: "image/png", content: "" },
          { type: "uri", modality: "image", uri: "https://pictures.example/a.png" },
        ],
      },
      { role: "assistant", parts: [{ type: "tool_call", id: "c1", name: "f", arguments: "{}" }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "done" }] },
    ])
    expect(told["gen_ai.system_instructions"]).toBeUndefined()
    expect(told["sluice.content.cut"]).toBeUndefined()
  })

  it("are bounded: long texts are cut, and the oldest messages give way", () => {
    const messages = Array.from({ length: 100 }, (_, at) => ({
      role: at % 2 === 0 ? "user" : "assistant",
      content: `${at} ${"x".repeat(9_000)}`,
    }))
    const told = promptOf(messages)
    const text = String(told["gen_ai.input.messages"])
    expect(text.length).toBeLessThanOrEqual(64 * 1024)
    expect(text).toContain('"99 x')
    expect(text).not.toContain('"0 x')
    expect(told["sluice.content.cut"]).toBe(true)
  })
})
