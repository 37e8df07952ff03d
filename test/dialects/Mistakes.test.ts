/** Members of requests that are not what they have to be: refused before anybody is asked, as the dialect's own servers refuse them. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import { forms } from "../../src/dialects/Forms.ts"
import type { Dialect } from "../../src/routing/Dialect.ts"
import type { Json, JsonObject } from "../../src/wire/Json.ts"

type Row = readonly [param: string, wrong: JsonObject]

const user = { role: "user", content: "Hi" }

const saying = (message: JsonObject, at = 0): JsonObject => ({
  messages: [...Array<JsonObject>(at).fill(user), message],
})

const calling = (call: Json): JsonObject => saying({ role: "assistant", tool_calls: call })

const tool = (one: Json): JsonObject => ({ tools: [one] })

const inChat: ReadonlyArray<Row> = [
  ["temperature", { temperature: "hot" }],
  ["top_p", { top_p: true }],
  ["max_tokens", { max_tokens: "many" }],
  ["max_tokens", { max_tokens: -5 }],
  ["max_tokens", { max_tokens: 0 }],
  ["max_completion_tokens", { max_completion_tokens: 1.5 }],
  ["max_tokens", { max_tokens: 1e300 }],
  ["stop", { stop: 5 }],
  ["stop", { stop: ["a", 5] }],
  ["seed", { seed: "1" }],
  ["reasoning_effort", { reasoning_effort: 5 }],
  ["stream", { stream: "yes" }],
  ["user", { user: 5 }],
  ["metadata", { metadata: { a: 1 } }],
  ["metadata", { metadata: "a" }],
  ["response_format", { response_format: "json" }],
  ["response_format.type", { response_format: { type: "yaml" } }],
  ["response_format.json_schema", { response_format: { type: "json_schema" } }],
  [
    "response_format.json_schema.schema",
    { response_format: { type: "json_schema", json_schema: { schema: "{}" } } },
  ],
  ["response_format.schema", { response_format: { type: "json_schema", schema: "{}" } }],
  ["response_format.schema", { response_format: { type: "json_object", schema: [] } }],
  ["tool_choice", { tool_choice: 1 }],
  ["tools", { tools: "x" }],
  ["tools", { tools: {} }],
  ["tools[0]", tool("look")],
  ["tools[0].function", tool({ type: "function" })],
  ["tools[0].function.name", tool({ type: "function", function: {} })],
  ["tools[0].function.parameters", tool({ type: "function", function: { name: "a", parameters: "{}" } })],
  ["tools[0].custom.name", tool({ type: "custom", custom: { name: 5 } })],
  ["functions[0].name", { functions: [{}] }],
  ["messages", { messages: null }],
  ["messages", { messages: "Hi" }],
  ["messages[0]", { messages: [1] }],
  ["messages[1].role", saying({ role: "wizard", content: "Hi" }, 1)],
  ["messages[0].role", saying({ content: "Hi" })],
  ["messages[0].content", saying({ role: "user", content: 5 })],
  ["messages[0].content", saying({ role: "user", content: { type: "text", text: "Hi" } })],
  ["messages[0].content[0]", saying({ role: "user", content: ["Hi"] })],
  ["messages[0].content[0].text", saying({ role: "system", content: [{ type: "text", text: 5 }] })],
  ["messages[0].tool_calls", calling({})],
  ["messages[0].tool_calls[0]", calling(["look"])],
  ["messages[0].tool_calls[0].function", calling([{ id: "a" }])],
  ["messages[0].tool_calls[0].function.name", calling([{ id: "a", function: { arguments: "{}" } }])],
  [
    "messages[0].tool_calls[0].function.arguments",
    calling([{ id: "a", function: { name: "a", arguments: 5 } }]),
  ],
]

const item = (one: Json): JsonObject => ({ input: [one] })

const inResponses: ReadonlyArray<Row> = [
  ["temperature", { temperature: "hot" }],
  ["max_output_tokens", { max_output_tokens: "many" }],
  ["max_output_tokens", { max_output_tokens: -5 }],
  ["max_output_tokens", { max_output_tokens: 1.5 }],
  ["instructions", { instructions: 5 }],
  ["reasoning", { reasoning: "high" }],
  ["reasoning.effort", { reasoning: { effort: 5 } }],
  ["text", { text: "json" }],
  ["text.format", { text: { format: "json" } }],
  ["text.format.type", { text: { format: { type: "yaml" } } }],
  ["text.format.schema", { text: { format: { type: "json_schema", name: "a", schema: "{}" } } }],
  ["metadata", { metadata: { a: 1 } }],
  ["store", { store: "no" }],
  ["tools", { tools: "x" }],
  ["tools[0]", tool(5)],
  ["tools[0].name", tool({ type: "function" })],
  ["tools[0].parameters", tool({ type: "function", name: "a", parameters: "{}" })],
  ["tools[0].tools[0].name", tool({ type: "namespace", name: "a", tools: [{ type: "function" }] })],
  ["input", { input: 5 }],
  ["input", { input: {} }],
  ["input[0]", item("Hi")],
  ["input[0].type", item({ type: 5 })],
  ["input[0].role", item({ role: "wizard", content: "Hi" })],
  ["input[0].role", item({ type: "message", content: "Hi" })],
  ["input[0].content", item({ role: "user", content: 5 })],
  ["input[0].content[0]", item({ role: "user", content: ["Hi"] })],
  ["input[0].content[0].text", item({ role: "user", content: [{ type: "input_text", text: {} }] })],
  ["input[0].name", item({ type: "function_call", call_id: "a", arguments: "{}" })],
  ["input[0].arguments", item({ type: "function_call", call_id: "a", name: "a", arguments: 5 })],
  ["input[0].output", item({ type: "function_call_output", call_id: "a", output: {} })],
  ["input[0].summary", item({ type: "reasoning", summary: "Hm." })],
]

const base: { readonly [D in Dialect]: JsonObject } = {
  chat: { model: "m", messages: [user] },
  responses: { model: "m", input: "Hi" },
  messages: { model: "m", max_tokens: 5, messages: [user] },
}

const faultOf = (dialect: Dialect, wrong: JsonObject) =>
  Either.flip(forms[dialect].readRequest({ ...base[dialect], ...wrong })).pipe(Either.getOrThrow)

describe("A request whose members are not what they have to be", () => {
  it.each(inChat)("is refused in chat by the name of %s", (param, wrong) => {
    expect(faultOf("chat", wrong).param).toBe(param)
  })

  it.each(inResponses)("is refused in responses by the name of %s", (param, wrong) => {
    expect(faultOf("responses", wrong).param).toBe(param)
  })

  it("is refused in the words and with the code of OpenAI", () => {
    expect(faultOf("chat", { temperature: "hot" }).declared).toEqual({
      status: 400,
      type: "invalid_request_error",
      param: "temperature",
      code: "invalid_type",
      message: "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    })
    expect(faultOf("chat", { messages: [{ role: "wizard" }] }).declared).toMatchObject({
      code: "invalid_value",
      message:
        "Invalid value for 'messages[0].role'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', 'function'.",
    })
    expect(faultOf("responses", { tools: [{ type: "function" }] }).declared).toMatchObject({
      code: "missing_required_parameter",
      message: "Missing required parameter: 'tools[0].name'.",
    })
  })

  it("is refused in the words of Anthropic in messages, by the same kinds", () => {
    expect(faultOf("messages", { temperature: "hot" })).toMatchObject({
      param: "temperature",
      message: "temperature: Input should be a valid number",
    })
    expect(faultOf("messages", { messages: [1] }).param).toBe("messages.0")
  })

  it("is told by its first mistake, whatever else is wrong", () => {
    expect(faultOf("chat", { messages: [1], temperature: "hot" }).param).toBe("messages[0]")
  })

  it("says nothing where a member is null", () => {
    for (const dialect of ["chat", "responses"] as const) {
      const empty = {
        temperature: null,
        tools: null,
        metadata: null,
        user: null,
        reasoning: null,
        text: null,
      }
      expect(Either.isRight(forms[dialect].readRequest({ ...base[dialect], ...empty }))).toBe(true)
    }
  })

  it("is read as if there were no cap where it is -1, as llama.cpp and LM Studio have it", () => {
    const caps = { max_tokens: -1, max_completion_tokens: -1, max_output_tokens: -1 }
    for (const dialect of ["chat", "responses"] as const) {
      const { settings } = Either.getOrThrow(forms[dialect].readRequest({ ...base[dialect], ...caps }))
      expect(settings.maxTokens).toBeUndefined()
    }
    const { settings } = Either.getOrThrow(
      forms.chat.readRequest({ ...base.chat, max_completion_tokens: -1, max_tokens: 7 }),
    )
    expect(settings.maxTokens).toEqual({ value: 7, as: "max_tokens" })
  })

  it("is read as if the type were not there where it is null", () => {
    const declared = { name: "f", parameters: { type: "object" } }
    const pairs: ReadonlyArray<readonly [Dialect, (typed: JsonObject) => JsonObject]> = [
      ["chat", (typed) => tool({ ...typed, function: declared })],
      ["responses", (typed) => tool({ ...typed, ...declared })],
      ["responses", (typed) => item({ ...typed, role: "user", content: "Hi" })],
    ]
    for (const [dialect, saying] of pairs) {
      const read = (typed: JsonObject) =>
        Either.getOrThrow(forms[dialect].readRequest({ ...base[dialect], ...saying(typed) }))
      expect(read({ type: null })).toEqual(read({}))
      expect(read({}).foreign).toEqual([])
    }
  })

  it("is refused or read, whatever stands anywhere", () => {
    const anything = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)))
    const places: ReadonlyArray<(value: Json) => JsonObject> = [
      (value) => ({ messages: value, input: value }),
      (value) => ({ messages: [value], input: [value] }),
      (value) => ({ ...saying({ role: "assistant", content: value, tool_calls: value }), input: [value] }),
      (value) => ({ messages: [], tools: value, response_format: value, text: value, reasoning: value }),
      (value) => ({ messages: [], tools: [value], metadata: value, stop: value, include: value }),
      (value) => ({ input: [{ type: "function_call_output", output: value }], tool_choice: value }),
    ]
    fc.assert(
      fc.property(
        fc.constantFrom<Dialect>("chat", "responses"),
        fc.constantFrom(...places),
        anything,
        (dialect, at, value) => {
          expect(Either.isEither(forms[dialect].readRequest({ ...base[dialect], ...at(value) }))).toBe(true)
        },
      ),
    )
  })
})
