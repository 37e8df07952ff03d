/** Requests in Anthropic's dialect as conversations: each row of what members become, with its traps. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import type { Conversation } from "../../../src/dialects/Conversation.ts"
import { readMessagesRequest } from "../../../src/dialects/messages/MessagesRequestReader.ts"
import { type Seal, wrap } from "../../../src/dialects/Seal.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"

const user = { role: "user", content: "Hello" }
const base: JsonObject = { model: "m", max_tokens: 64, messages: [user] }

const read = (more: JsonObject): Conversation =>
  Either.getOrThrowWith(readMessagesRequest({ ...base, ...more }), (fault) => new Error(fault.message))

const saying = (content: JsonObject | string | ReadonlyArray<JsonObject>, role = "user") =>
  read({ messages: [{ role, content }] }).turns[0]

const leftOut = (more: JsonObject) => read(more).foreign

describe("members of a request (2.1)", () => {
  it.each<readonly [JsonObject, object]>([
    [{ max_tokens: 5 }, { maxTokens: { value: 5, as: "max_tokens" } }],
    [{ temperature: 0.5 }, { temperature: { value: 0.5, as: "temperature" } }],
    [
      { top_p: 0.5, top_k: 4 },
      { topP: { value: 0.5, as: "top_p" }, topK: { value: 4, as: "top_k" } },
    ],
    [{ stop_sequences: ["a", " "] }, { stop: { value: ["a", " "], as: "stop_sequences" } }],
    [{ metadata: { user_id: "u" } }, { user: { value: "u", as: "metadata.user_id" } }],
    [{ service_tier: "standard_only" }, { serviceTier: { value: "default", as: "service_tier" } }],
    [{ service_tier: "auto" }, { serviceTier: { value: "auto", as: "service_tier" } }],
    [{ tool_choice: { type: "auto" } }, { toolChoice: { value: { kind: "auto" }, as: "tool_choice" } }],
    [{ tool_choice: { type: "any" } }, { toolChoice: { value: { kind: "required" } } }],
    [{ tool_choice: { type: "none" } }, { toolChoice: { value: { kind: "none" } } }],
    [{ tool_choice: { type: "tool", name: "f" } }, { toolChoice: { value: { kind: "tool", name: "f" } } }],
    [
      { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
      { parallelToolCalls: { value: false, as: "tool_choice.disable_parallel_tool_use" } },
    ],
    [
      { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
      { format: { value: { kind: "json_schema", schema: { type: "object" } }, as: "output_config.format" } },
    ],
    [
      { output_format: { type: "json_schema", schema: {} } },
      { format: { value: { kind: "json_schema" }, as: "output_format" } },
    ],
    [
      { thinking: { type: "enabled", budget_tokens: 2048 } },
      { reasoning: { value: { mode: "on", budget: 2048 }, as: "thinking" } },
    ],
    [
      { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "max" } },
      { reasoning: { value: { mode: "on", effort: "max", told: "nothing" } } },
    ],
    [{ thinking: { type: "disabled" } }, { reasoning: { value: { mode: "off" }, as: "thinking" } }],
    [{ output_config: { effort: "low" } }, { reasoning: { value: { mode: "on", effort: "low" } } }],
  ])("%j are %j", (more, settings) => {
    const { foreign, settings: found } = read(more)
    expect(found).toMatchObject(settings)
    expect(foreign).toEqual([])
  })

  it("that others do not have are told, and those of tools are essential", () => {
    expect(
      leftOut({
        container: "c",
        context_management: { edits: [{ type: "clear" }] },
        inference_geo: "us",
        diagnostics: { all: true },
        speed: "fast",
        mcp_servers: [{ type: "url" }],
        never_heard_of: 1,
        metadata: { user_id: "u", more: 1 },
        output_config: { effort: "low", other: 1 },
      }).map(({ as, isEssential }) => (isEssential ? `${as}!` : as)),
    ).toEqual([
      "metadata.more",
      "container",
      "context_management",
      "inference_geo",
      "diagnostics",
      "speed",
      "mcp_servers!",
      "never_heard_of",
      "output_config.other",
    ])
    expect(leftOut({ speed: "standard", container: null, mcp_servers: [] })).toEqual([])
  })

  it("that fill a cache and ask for no answer are essential", () => {
    expect(leftOut({ max_tokens: 0 })).toEqual([{ as: "max_tokens", isEssential: true }])
  })

  it("are refused in the words of Anthropic where they cannot be understood", () => {
    const cases: ReadonlyArray<readonly [JsonObject, string]> = [
      [{ model: 1 }, "model"],
      [{ max_tokens: null }, "max_tokens"],
      [{ max_tokens: "5" }, "max_tokens"],
      [{ max_tokens: -1 }, "max_tokens"],
      [{ messages: [] }, "messages"],
      [{ messages: "x" }, "messages"],
      [{ messages: [1] }, "messages.0"],
      [{ messages: [{ role: "user", content: "" }] }, "messages"],
      [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role"],
      [{ messages: [{ role: "user" }] }, "messages.0.content"],
      [{ messages: [{ role: "user", content: [{ type: "text" }] }] }, "messages.0.content.0.text"],
      [{ messages: [{ role: "user", content: [{ type: "image" }] }] }, "messages.0.content.0.source"],
      [{ messages: [{ role: "user", content: [{}] }] }, "messages.0.content.0.type"],
      [
        { messages: [{ role: "user", content: [{ type: "tool_result" }] }] },
        "messages.0.content.0.tool_use_id",
      ],
      [{ messages: [{ role: "assistant", content: [{ type: "tool_use" }] }] }, "messages.0.content.0.id"],
      [{ system: [{ type: "image" }] }, "system.0.type"],
      [{ system: 4 }, "system"],
      [{ stream: "yes" }, "stream"],
      [{ temperature: "hot" }, "temperature"],
      [{ stop_sequences: [1] }, "stop_sequences"],
      [{ tool_choice: { type: "sometimes" } }, "tool_choice.type"],
      [{ tool_choice: { type: "tool" } }, "tool_choice.name"],
      [{ tools: [{}] }, "tools.0.name"],
      [{ thinking: { type: "hard" } }, "thinking.type"],
      [{ output_config: { format: { type: "json" } } }, "output_config.format"],
    ]
    for (const [more, param] of cases) {
      const result = readMessagesRequest({ ...base, ...more })
      expect(Either.isLeft(result) ? result.left.param : JSON.stringify(more)).toBe(param)
      if (Either.isLeft(result)) expect(result.left.message.startsWith(`${param}: `)).toBe(true)
    }
  })
})

describe("instructions (2.2)", () => {
  it("come first, in the order of their blocks, with their marks", () => {
    const { turns } = read({
      system: [
        { type: "text", text: "one" },
        { type: "text", text: "" },
        { type: "text", text: "two", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
    })
    expect(turns).toEqual([
      {
        role: "instructions",
        voice: "system",
        parts: [
          { kind: "text", text: "one" },
          { kind: "text", text: "two", cache: "1h" },
        ],
      },
      { role: "user", parts: [{ kind: "text", text: "Hello" }] },
    ])
  })

  it("stay in their place where they come later", () => {
    const { turns } = read({ system: "a", messages: [user, { role: "system", content: "b" }, user] })
    expect(turns.map(({ role }) => role)).toEqual(["instructions", "user", "instructions", "user"])
  })
})

describe("parts of turns (2.3)", () => {
  it.each<readonly [JsonObject, object]>([
    [
      { type: "text", text: "a", cache_control: { type: "ephemeral" } },
      { kind: "text", text: "a", cache: "5m" },
    ],
    [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AA==" } },
      { kind: "image", source: { kind: "data", mediaType: "image/png", base64: "AA==" } },
    ],
    [
      { type: "image", source: { type: "url", url: "https://a/b.png" } },
      { kind: "image", source: { kind: "url", url: "https://a/b.png" } },
    ],
    [
      { type: "image", source: { type: "file", file_id: "f" } },
      { kind: "image", source: { kind: "file", id: "f" } },
    ],
    [
      {
        type: "document",
        title: "t",
        source: { type: "base64", media_type: "application/pdf", data: "AA==" },
      },
      { kind: "file", name: "t", source: { kind: "data", mediaType: "application/pdf", base64: "AA==" } },
    ],
    [
      { type: "document", source: { type: "text", media_type: "text/plain", data: "x" } },
      { kind: "file", source: { kind: "text", text: "x" } },
    ],
    [
      {
        type: "document",
        source: {
          type: "content",
          content: [
            { type: "text", text: "x" },
            { type: "text", text: "y" },
          ],
        },
      },
      { kind: "file", source: { kind: "text", text: "x\n\ny" } },
    ],
    [
      { type: "search_result", title: "t", source: "https://s", content: [{ type: "text", text: "x" }] },
      { kind: "file", name: "t", source: { kind: "text", text: "https://s\n\nx" } },
    ],
    [
      { type: "container_upload", file_id: "f" },
      { kind: "foreign", as: "messages.content.container_upload" },
    ],
    [
      { type: "tool_result", tool_use_id: "i", content: "x", is_error: true },
      {
        kind: "tool_result",
        id: "i",
        parts: [{ kind: "text", text: "x" }],
        isError: true,
        isFreeForm: false,
      },
    ],
    [
      {
        type: "tool_result",
        tool_use_id: "i",
        content: [{ type: "image", source: { type: "url", url: "https://a" } }],
      },
      { kind: "tool_result", parts: [{ kind: "image" }], isError: false },
    ],
    [
      { type: "tool_result", tool_use_id: "i" },
      { kind: "tool_result", parts: [] },
    ],
  ])("%j is %j", (block, part) => {
    const turn = saying([block])
    expect(turn?.role).toBe("user")
    expect(turn?.parts).toHaveLength(1)
    expect(turn?.parts[0]).toMatchObject(part)
  })

  it("of a document tell of what others do not have", () => {
    const source = { type: "text", media_type: "text/plain", data: "x" }
    const content = [{ type: "document", source, context: "c", citations: { enabled: true } }]
    expect(leftOut({ messages: [{ role: "user", content }] }).map(({ as }) => as)).toEqual([
      "messages.content.document.context",
      "messages.content.document.citations",
    ])
  })

  it("of the model are its texts, calls and reasoning", () => {
    const { foreign, turns } = read({
      messages: [
        user,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "anthropic's" },
            { type: "redacted_thinking", data: "anthropic's" },
            {
              type: "text",
              text: "It rains.",
              citations: [{ type: "web_search_result_location", url: "https://w", title: null }],
            },
            { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } },
            { type: "tool_use", id: "toolu_2", name: "g" },
            { type: "server_tool_use", id: "s", name: "web_search", input: {} },
          ],
        },
      ],
    })
    expect(turns[1]?.parts).toEqual([
      { kind: "reasoning", texts: ["hm"] },
      {
        kind: "text",
        text: "It rains.",
        citations: [{ url: "https://w", title: "", start: 0, end: 9 }],
      },
      { kind: "tool_call", id: "toolu_1", name: "f", input: '{"a":1}', isFreeForm: false },
      { kind: "tool_call", id: "toolu_2", name: "g", input: "{}", isFreeForm: false },
      expect.objectContaining({ kind: "foreign", as: "messages.content.server_tool_use" }),
    ])
    expect(foreign.map(({ as }) => as)).toEqual([
      "messages.content.thinking.signature",
      "messages.content.redacted_thinking",
    ])
  })
})

describe("seals that came back (2.6)", () => {
  const seal: Seal = { dialect: "responses", sealed: "encrypted==", id: "rs_1", isAll: false }
  const assistant = (block: JsonObject) =>
    read({ messages: [user, { role: "assistant", content: [block] }, user] })

  it("are unwrapped, in a signature and where all is hidden", () => {
    const signed = assistant({ type: "thinking", thinking: "hm", signature: wrap(seal, "u") })
    expect(signed.turns[1]?.parts).toMatchObject([{ kind: "reasoning", texts: ["hm"], seal }])
    expect(signed.foreign).toEqual([])
    const hidden = assistant({ type: "redacted_thinking", data: wrap({ ...seal, isAll: true }, "u") })
    expect(hidden.turns[1]?.parts).toMatchObject([
      { kind: "reasoning", texts: [], seal: { ...seal, isAll: true } },
    ])
  })

  it("leave nothing where nothing else was said", () => {
    const { turns } = assistant({ type: "thinking", thinking: "", signature: "anthropic's" })
    expect(turns.map(({ role }) => role)).toEqual(["user", "user"])
    expect(assistant({ type: "thinking", thinking: "hm", signature: "" }).foreign).toEqual([])
  })
})

describe("tools (2.4)", () => {
  it("are functions, or known by their type alone; members of Anthropic's are told", () => {
    const { foreign, tools } = read({
      tools: [
        {
          type: "custom",
          name: "f",
          description: "d",
          input_schema: { type: "object" },
          strict: true,
          cache_control: { type: "ephemeral" },
          defer_loading: true,
          input_examples: [],
        },
        { name: "g", input_schema: { type: "object" } },
        { type: "bash_20250124", name: "bash" },
      ],
    })
    expect(tools).toEqual([
      {
        kind: "function",
        name: "f",
        description: "d",
        schema: { type: "object" },
        strict: true,
        isCached: true,
      },
      {
        kind: "function",
        name: "g",
        description: undefined,
        schema: { type: "object" },
        strict: undefined,
        isCached: false,
      },
      {
        kind: "foreign",
        as: "tools.bash_20250124",
        isEssential: true,
      },
    ])
    expect(foreign.map(({ as }) => as)).toEqual(["tools.defer_loading", "tools.input_examples"])
  })
})

describe("the reader", () => {
  it("takes any JSON without throwing", () => {
    const names = fc.constantFrom(
      "type",
      "text",
      "content",
      "source",
      "role",
      "data",
      "name",
      "input",
      "thinking",
      "signature",
      "tool_use_id",
    )
    const types = fc.constantFrom(
      "text",
      "image",
      "document",
      "tool_result",
      "tool_use",
      "thinking",
      "url",
      "user",
    )
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        types,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(names, tie("value"), { maxKeys: 4 }),
      ),
    }))
    const members = fc.constantFrom(
      "messages",
      "system",
      "tools",
      "tool_choice",
      "thinking",
      "output_config",
      "metadata",
      "stop_sequences",
    )
    fc.assert(
      fc.property(fc.dictionary(members, value, { maxKeys: 4 }), (more) => {
        const body: JsonObject = JSON.parse(JSON.stringify({ ...base, ...more }))
        expect(Either.isEither(readMessagesRequest(body))).toBe(true)
      }),
    )
  })

  it("refuses an input that is nested without end", () => {
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`
    const content = [{ type: "tool_use", id: "i", name: "f", input: JSON.parse(deep) }]
    const read = readMessagesRequest({ ...base, messages: [user, { role: "assistant", content }] })
    expect(Either.getLeft(read)).toMatchObject({ value: { param: "messages.1.content.0.input" } })
  })
})
