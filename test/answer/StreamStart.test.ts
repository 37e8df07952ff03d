import { describe, expect, it } from "vitest"
import { choiceGrammar } from "../../src/answer/ChoiceGrammar.ts"
import { messageGrammar } from "../../src/answer/messages/MessageGrammar.ts"
import { responsesGrammar } from "../../src/answer/responses/ResponsesGrammar.ts"
import type { StreamGrammar } from "../../src/answer/StreamGrammar.ts"
import { noneWaiting, startWith } from "../../src/answer/StreamStart.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { bytesOf } from "../support/answers.ts"
import { chunk, textChunk, usageChunk } from "../support/Wire.ts"

const event = (value: unknown) => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: undefined,
})

const ofChats = choiceGrammar(chatShape, undefined)

const role = chunk({ role: "assistant", content: "" })

/** What becomes of a stream, event by event, until it is decided. */
const decided = (values: Iterable<unknown>, grammar: StreamGrammar = ofChats) => {
  let waiting = noneWaiting
  for (const value of values) {
    const start = startWith(grammar, waiting, event(value))
    if (start.kind !== "waits") return { ...start, after: waiting.events }
    waiting = start.waiting
  }
  return { kind: "waits", after: waiting.events }
}

describe("startWith", () => {
  it("begins with the first event that says something", () => {
    expect(decided([textChunk("a")])).toEqual({ kind: "begins", after: 0 })
    expect(decided([usageChunk(), role, {}, textChunk("a"), role])).toEqual({ kind: "begins", after: 3 })
    expect(decided([role, role])).toEqual({ kind: "waits", after: 2 })
  })

  /** What comes before the first content, and what is some, in each dialect of conversations. */
  const message = { id: "msg_1", type: "message", role: "assistant", content: [], usage: { input_tokens: 9 } }
  const response = { id: "resp_1", object: "response", status: "in_progress", output: [] }
  const added = (item: object) => ({ type: "response.output_item.added", output_index: 0, item })
  const part = (part: object) => ({ type: "response.content_part.added", part })
  const block = (content_block: object) => ({ type: "content_block_start", index: 0, content_block })
  const delta = (delta: object) => ({ type: "content_block_delta", index: 0, delta })

  it.each<
    readonly [dialect: string, StreamGrammar, before: ReadonlyArray<object>, contents: ReadonlyArray<object>]
  >([
    [
      "chat",
      choiceGrammar(chatShape, undefined),
      [
        role,
        chunk({ role: "assistant" }),
        chunk({ content: null, reasoning_content: "" }),
        usageChunk(),
        chunk({}),
      ],
      [
        textChunk("a"),
        chunk({ reasoning_content: "hm" }),
        chunk({ reasoning: "hm" }),
        chunk({ refusal: "no" }),
        chunk({
          tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "f", arguments: "" } }],
        }),
      ],
    ],
    [
      "messages",
      messageGrammar(undefined),
      [
        { type: "message_start", message },
        { type: "ping" },
        block({ type: "text", text: "" }),
        block({ type: "thinking", thinking: "", signature: "" }),
        delta({ type: "text_delta", text: "" }),
      ],
      [
        delta({ type: "text_delta", text: "a" }),
        delta({ type: "thinking_delta", thinking: "hm" }),
        block({ type: "tool_use", id: "t", name: "f", input: {} }),
        block({ type: "server_tool_use", id: "t", name: "web_search", input: {} }),
      ],
    ],
    [
      "responses",
      responsesGrammar,
      [
        { type: "response.created", response },
        { type: "response.in_progress", response },
        added({ type: "message", id: "m", role: "assistant", content: [] }),
        added({ type: "reasoning", id: "r", summary: [] }),
        part({ type: "output_text", text: "", annotations: [] }),
        { type: "response.output_text.delta", delta: "" },
      ],
      [
        { type: "response.output_text.delta", delta: "a" },
        { type: "response.reasoning_summary_text.delta", delta: "hm" },
        { type: "response.reasoning_text.delta", delta: "hm" },
        { type: "response.refusal.delta", delta: "no" },
        part({ type: "output_text", text: "a", annotations: [] }),
        part({ type: "refusal", refusal: "no" }),
        added({ type: "function_call", id: "f", call_id: "c", name: "f", arguments: "" }),
      ],
    ],
  ])(
    "begins in %s with a text, a thought, a refusal or a call, and waits for one",
    (_, grammar, before, contents) => {
      for (const content of contents) {
        expect(decided([...before, content, ...before], grammar), JSON.stringify(content)).toEqual({
          kind: "begins",
          after: before.length,
        })
      }
      expect(decided(before, grammar)).toEqual({ kind: "waits", after: before.length })
    },
  )

  it("tells an error, and an end, that come before it", () => {
    expect(decided([role, { error: "boom" }])).toMatchObject({
      kind: "error",
      error: { message: "boom" },
      after: 1,
    })
    expect(decided([role, usageChunk(), "[DONE]"])).toEqual({ kind: "over", after: 2 })
    expect(decided(["[DONE]"])).toEqual({ kind: "over", after: 0 })
  })

  it("holds a bounded number of events, and of bytes, and begins beyond them whatever they say", () => {
    expect(decided(Array.from({ length: 1_000 }, () => role))).toEqual({ kind: "begins", after: 256 })
    const large = { ...role, system_fingerprint: "x".repeat(100_000) }
    expect(decided([large, large, large, large])).toEqual({ kind: "begins", after: 2 })
  })
})
