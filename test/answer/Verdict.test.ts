import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { errorIn, errorOf, judge, says } from "../../src/answer/Verdict.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { bytesOf } from "../support/answers.ts"
import {
  chatCompletion,
  chunk,
  finishChunk,
  textChunk,
  textCompletion,
  textCompletionChunk,
  usageChunk,
} from "../support/Wire.ts"

const object = (value: unknown): JsonObject => parseObject(bytesOf(value)) ?? {}

const choice = (members: object) => ({ id: "x", object: "chat.completion.chunk", choices: [members] })

const filters = { hate: { filtered: false, severity: "safe" } }

/** What says something, an end too. */
const saying: ReadonlyArray<readonly [string, unknown]> = [
  ["text", textChunk("a")],
  ["white space", textChunk(" ")],
  ["a plain answer", chatCompletion("Hello")],
  ["a legacy answer", textCompletion("Hello")],
  ["a legacy chunk", textCompletionChunk("a")],
  ["reasoning", chunk({ role: "assistant", content: "", reasoning: "hm" })],
  ["reasoning_content", chunk({ content: null, reasoning_content: "hm" })],
  ["reasoning of a name of one's own", chunk({ thought_parts: [{ text: "hm" }] })],
  ["a tool call", chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] })],
  ["an older function call", chunk({ function_call: { name: "f" } })],
  ["a refusal", chunk({ refusal: "No." })],
  ["audio", chunk({ audio: { id: "a" } })],
  ["images", chunk({ images: [{ type: "image_url" }] })],
  ["parts", chunk({ content: [{ type: "text", text: "a" }] })],
  ["an end", finishChunk()],
  ["an end for the length", finishChunk("length")],
  ["an end by a filter", finishChunk("content_filter")],
  ["an empty answer that is over", chatCompletion("")],
  ["another choice", { choices: [null, { index: 1, delta: { content: "a" } }] }],
  [
    "base_resp with a good code",
    { ...chatCompletion("Hello"), base_resp: { status_code: 0, status_msg: "" } },
  ],
  ["a good code", { ...textChunk("a"), code: 0, msg: "success", success: true }],
  ["code and message beside text", { ...textChunk("a"), code: 1, message: "warned" }],
  ["an empty error beside text", { ...textChunk("a"), error: {} }],
  [
    "an error whose members are empty, as Go's servers send it",
    { ...textChunk("a"), error: { message: "", type: "", param: null, code: 0 } },
  ],
  ["an error that says that all is well", { ...textChunk("a"), error: { code: "0", message: "success" } }],
  ["an error that is null", { ...textChunk("a"), error: null }],
  ["an error that is false", { ...textChunk("a"), error: false }],
]

/** What says nothing yet. */
const silent: ReadonlyArray<readonly [string, unknown]> = [
  ["a role", chunk({ role: "assistant", content: "" })],
  ["a role with null", chunk({ role: "assistant", content: null, refusal: null, tool_calls: [] })],
  ["an empty delta", chunk({})],
  ["an empty legacy text", textCompletionChunk("")],
  ["a finish reason that is empty", finishChunk("")],
  [
    "filter results of the prompt",
    { choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: filters }] },
  ],
  [
    "filter results of the answer",
    choice({
      index: 0,
      finish_reason: null,
      content_filter_results: filters,
      content_filter_offsets: { check_offset: 1 },
    }),
  ],
  ["usage", usageChunk()],
  ["usage beside an empty error", { ...usageChunk(), error: {} }],
  ["usage beside words", { ...usageChunk(), code: null, message: "success", detail: "done" }],
  ["nothing", {}],
  ["no choices", { id: "x", choices: [] }],
  ["choices that are null", { choices: null, base_resp: { status_code: 0, status_msg: "success" } }],
  ["a list of nulls", { choices: [null, null] }],
  ["a good code", { code: 200, message: "success", data: {} }],
  ["a role beside words", { ...chunk({ role: "assistant" }), message: "started" }],
]

/** Errors, and their messages. */
const errors: ReadonlyArray<readonly [string, unknown, message: string, code?: string]> = [
  ["OpenAI's", { error: { message: "boom", code: "full" } }, "boom", "full"],
  ["a word", { error: "boom" }, "boom"],
  ["a list", { error: [{ message: "boom" }] }, "boom"],
  ["beside choices", { ...textChunk("a"), error: { message: "boom" } }, "boom"],
  ["vLLM's", { object: "error", message: "boom", code: 400 }, "boom", "400"],
  ["Anthropic's", { type: "error", error: { type: "overloaded_error", message: "boom" } }, "boom"],
  ["of type error", { type: "error", message: "boom", code: "full" }, "boom", "full"],
  [
    "OpenRouter's",
    choice({
      index: 0,
      delta: { content: "" },
      finish_reason: "error",
      error: { code: 502, message: "boom" },
    }),
    "boom",
    "502",
  ],
  ["in a message's choice", choice({ message: { content: "Hel" }, error: "boom" }), "boom"],
  [
    "a failing end",
    finishChunk("error"),
    "The upstream broke the answer off with the finish reason `error`.",
    "error",
  ],
  [
    "a failing end of a plain answer",
    chatCompletion("Hel", { finishReason: "network_error" }),
    "The upstream broke the answer off with the finish reason `network_error`.",
    "network_error",
  ],
  [
    "of one choice of two",
    {
      choices: [
        { index: 0, delta: { content: "a" } },
        { index: 1, error: "boom" },
      ],
    },
    "boom",
  ],
  ["MiniMax's", { choices: null, base_resp: { status_code: 1002, status_msg: "boom" } }, "boom", "1002"],
  [
    "MiniMax's with a role",
    { ...chunk({ role: "assistant" }), base_resp: { status_code: 1002, status_msg: "boom" } },
    "boom",
    "1002",
  ],
  ["code and msg", { code: "40301", msg: "boom", success: false }, "boom", "40301"],
  ["success: false", { success: false, message: "boom" }, "boom"],
  ["detail", { detail: "boom" }, "boom"],
  ["a list of details", { detail: [{ loc: ["body"], msg: "boom", type: "missing" }] }, "body: boom"],
  ["a message", { message: "boom" }, "boom"],
  ["errors", { errors: [{ message: "boom", code: 1 }] }, "boom", "1"],
  ["Baidu's", { error_code: 18, error_msg: "boom" }, "boom", "18"],
  ["an error beside usage", { ...usageChunk(), error: { message: "boom" } }, "boom"],
  ["an error beside no usage", { message: "boom", usage: { total_tokens: 0 } }, "boom"],
  ["an empty error alone", { error: {} }, "The upstream reported an error without a message."],
]

describe("a verdict", () => {
  it.each(saying)("says: %s", (_, value) => {
    expect([says(object(value)), errorIn(object(value))]).toEqual([true, undefined])
  })

  it.each(silent)("is silent: %s", (_, value) => {
    expect([says(object(value)), errorIn(object(value))]).toEqual([false, undefined])
  })

  it.each(errors)("is an error: %s", (_, value, message, code) => {
    expect(errorIn(object(value))).toMatchObject({ message, code: code ?? null })
  })

  it("law: is the same of a plain answer as of a chunk", () => {
    const all = [...saying, ...silent, ...errors].map(([, value]) => value)
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...all), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const data = bytesOf(value)
        const asChunk = parseObject(data)
        const judged = judge(parseObject(data), says)
        const error = errorOf({ data, event: undefined }, asChunk)
        switch (judged.kind) {
          case "not_json":
            expect(asChunk).toBeUndefined()
            break
          case "error":
            expect(error).toEqual(judged.error)
            break
          default:
            expect(error).toBeUndefined()
            expect(asChunk !== undefined && says(asChunk)).toBe(judged.kind === "answer")
        }
      }),
    )
  })

  it("law: finds nothing wrong with any answer, whatever it talks about", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("", " ", "\r\n\t", "\ufeff"),
        (content, space) => {
          const answer = { choices: [{ message: { content: `${content} "error": {}` } }], error: null }
          const bytes = new TextEncoder().encode(`${space}${JSON.stringify(answer)}\n`)
          expect(judge(parseObject(bytes), says).kind).toBe("answer")
        },
      ),
    )
  })

  it("law: what is no object never passes for an answer", () => {
    const text = fc.oneof(
      fc.string(),
      fc.json().filter((json) => !json.startsWith("{")),
    )
    fc.assert(
      fc.property(text, (some) => {
        fc.pre(!/^\s*\{.*\}\s*$/s.test(some))
        expect(judge(parseObject(new TextEncoder().encode(some)), says).kind).toBe("not_json")
      }),
    )
    expect(judge(parseObject(new TextEncoder().encode('{"error": }')), says).kind).toBe("not_json")
  })
})

describe("errorOf", () => {
  const named = (text: string) => {
    const data = new TextEncoder().encode(text)
    return errorOf({ data, event: "error" }, parseObject(data))?.message
  }

  it("takes every event named error for one", () => {
    expect(named('{"message":"boom"}')).toBe("boom")
    expect(named('{"code":500,"message":"boom","type":"server_error"}')).toBe("boom")
    expect(named('"boom"')).toBe("boom")
    expect(named('[{"error":{"message":"boom"}}]')).toBe("boom")
    expect(named("plain words")).toBe("plain words")
    expect(named("{}")).toMatch(/without a message/)
    expect(named("x".repeat(100_000))?.length).toBe(1_000)
  })
})
