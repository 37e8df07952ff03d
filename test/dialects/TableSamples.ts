/** What is put through the forms for the tables of docs/dialects.md: each member and each part that a dialect has. */
import type { Dialect } from "../../src/routing/Dialect.ts"
import type { Json, JsonObject } from "../../src/wire/Json.ts"

const user = (content: Json): JsonObject => ({ role: "user", content })
const schema = { type: "object", additionalProperties: false }
const parameters = { type: "object", properties: {} }

export const settings: { readonly [D in Dialect]: ReadonlyArray<JsonObject> } = {
  chat: [
    { max_completion_tokens: 500 },
    { max_tokens: 500 },
    { temperature: 0.5 },
    { temperature: 1.5 },
    { top_p: 0.9 },
    { top_k: 40 },
    { stop: ["END"] },
    { seed: 7 },
    { presence_penalty: 1 },
    { frequency_penalty: 1 },
    { logprobs: true, top_logprobs: 2 },
    { logit_bias: { 50: 1 } },
    { n: 2 },
    { response_format: { type: "json_schema", json_schema: { name: "x", schema, strict: true } } },
    { response_format: { type: "json_object" } },
    { reasoning_effort: "high" },
    { reasoning_effort: "none" },
    { verbosity: "low" },
    { user: "u-1" },
    { user: "ann@example.org" },
    { safety_identifier: "u-1" },
    { metadata: { a: "b" } },
    { service_tier: "default" },
    { service_tier: "flex" },
    { prompt_cache_key: "k" },
    { prompt_cache_retention: "24h" },
    { store: true },
    { prediction: { type: "content", content: "a" } },
    { modalities: ["text", "audio"] },
    { audio: { voice: "a", format: "wav" } },
    { web_search_options: {} },
    { anything_else: 1 },
  ],
  responses: [
    { max_output_tokens: 500 },
    { temperature: 1.5 },
    { top_p: 0.9 },
    { top_logprobs: 2 },
    { text: { format: { type: "json_schema", name: "x", schema, strict: true } } },
    { text: { verbosity: "low" } },
    { reasoning: { effort: "high", summary: "auto" } },
    { reasoning: { effort: "none" } },
    { include: ["reasoning.encrypted_content"] },
    { include: ["web_search_call.action.sources"] },
    { safety_identifier: "u-1" },
    { metadata: { a: "b" } },
    { service_tier: "priority" },
    { prompt_cache_key: "k" },
    { store: true },
    { previous_response_id: "resp_1" },
    { conversation: "conv_1" },
    { prompt: { id: "pmpt_1" } },
    { background: true },
    { truncation: "auto" },
    { max_tool_calls: 3 },
    { anything_else: 1 },
  ],
  messages: [
    { max_tokens: 500 },
    { max_tokens: 1 },
    { max_tokens: 0 },
    { temperature: 0.5 },
    { top_p: 0.9 },
    { top_k: 40 },
    { stop_sequences: ["END"] },
    { output_config: { format: { type: "json_schema", schema } } },
    { output_config: { effort: "max" } },
    { thinking: { type: "enabled", budget_tokens: 2048 } },
    { thinking: { type: "adaptive" } },
    { thinking: { type: "adaptive", display: "summarized" } },
    { thinking: { type: "disabled" } },
    { metadata: { user_id: "u-1" } },
    { metadata: { user_id: "user_1f_account__session_".padEnd(65, "0") } },
    { service_tier: "standard_only" },
    { speed: "fast" },
    { container: "c" },
    { context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } },
    { mcp_servers: [{ type: "url", url: "https://mcp.example", name: "a" }] },
    { anything_else: 1 },
  ],
}

const picture = "data:image/png;base64,iVBOR"
const pdf = "data:application/pdf;base64,JVBER"

export const parts: { readonly [D in Dialect]: ReadonlyArray<JsonObject> } = {
  chat: [
    { messages: [{ role: "system", content: "Be brief." }, user("Hi")] },
    { messages: [user("Hi"), { role: "developer", content: "Be brief." }, user("And?")] },
    { messages: [{ role: "user", name: "ann", content: "Hi" }] },
    { messages: [user([{ type: "image_url", image_url: { url: picture, detail: "low" } }])] },
    { messages: [user([{ type: "image_url", image_url: { url: "https://a.example/b.png" } }])] },
    { messages: [user([{ type: "file", file: { filename: "a.pdf", file_data: pdf } }])] },
    { messages: [user([{ type: "file", file: { file_id: "file-1" } }])] },
    { messages: [user([{ type: "input_audio", input_audio: { data: "UklGR", format: "wav" } }])] },
    { messages: [user([{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }])] },
    {
      messages: [
        user("Hi"),
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "call_1", type: "function", function: { name: "look", arguments: '{"a":1}' } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "Sunny" },
      ],
      tools: [{ type: "function", function: { name: "look", parameters } }],
    },
    { tools: [{ type: "function", function: { name: "look", parameters, strict: true } }] },
    { tools: [{ type: "custom", custom: { name: "patch" } }] },
    {
      tools: [{ type: "function", function: { name: "look", parameters } }],
      tool_choice: "required",
      parallel_tool_calls: false,
    },
    { messages: [user("Hi"), { role: "assistant", content: "Yes", reasoning_content: "Hm." }, user("And?")] },
    { messages: [user("Hi"), { role: "assistant", refusal: "No." }, user("And?")] },
  ],
  responses: [
    { instructions: "Be brief." },
    { input: [user("Hi"), { role: "developer", content: "Be brief." }] },
    { input: [user([{ type: "input_image", image_url: picture, detail: "low" }])] },
    { input: [user([{ type: "input_file", filename: "a.pdf", file_data: pdf }])] },
    { input: [user([{ type: "input_file", file_url: "https://a.example/b.pdf" }])] },
    { input: [user([{ type: "input_file", file_id: "file-1" }])] },
    {
      input: [
        user("Hi"),
        { type: "function_call", call_id: "call_1", name: "look", arguments: '{"a":1}' },
        { type: "function_call_output", call_id: "call_1", output: "Sunny" },
      ],
      tools: [{ type: "function", name: "look", parameters, strict: false }],
    },
    {
      tools: [
        {
          type: "custom",
          name: "patch",
          format: { type: "grammar", syntax: "lark", definition: "start: /a/" },
        },
      ],
    },
    { tools: [{ type: "web_search" }] },
    {
      tools: [
        { type: "namespace", name: "mail", description: "", tools: [{ type: "function", name: "find" }] },
      ],
    },
    { tools: [{ type: "tool_search", execution: "client" }] },
    { tools: [{ type: "tool_search" }] },
    { input: [{ type: "additional_tools", tools: [{ type: "function", name: "find" }] }, user("Hi")] },
    {
      input: [
        user("Hi"),
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" },
        user("And?"),
      ],
    },
    { input: [user("Hi"), { type: "item_reference", id: "msg_1" }] },
    { input: [{ type: "compaction", encrypted_content: "gAAA" }, user("Hi")] },
    { input: [user("Hi"), { type: "web_search_call", id: "ws_1", status: "completed" }, user("And?")] },
  ],
  messages: [
    { system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }] },
    {
      messages: [
        user([{ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } }]),
      ],
    },
    {
      messages: [
        user([
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: "JVBER" },
            title: "a.pdf",
          },
        ]),
      ],
    },
    {
      messages: [
        user([
          { type: "document", source: { type: "text", media_type: "text/plain", data: "Hello" }, title: "a" },
        ]),
      ],
    },
    { messages: [user([{ type: "document", source: { type: "url", url: "https://a.example/b.pdf" } }])] },
    {
      messages: [
        user([
          {
            type: "search_result",
            source: "https://a.example",
            title: "a",
            content: [{ type: "text", text: "Hello" }],
          },
        ]),
      ],
    },
    {
      messages: [
        user("Hi"),
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "look", input: { a: 1 } }] },
        user([
          { type: "tool_result", tool_use_id: "toolu_1", content: "None", is_error: true },
          { type: "text", text: "And?" },
        ]),
      ],
      tools: [{ name: "look", input_schema: parameters }],
    },
    {
      messages: [
        user("Hi"),
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "look", input: {} }] },
        user([
          {
            type: "tool_result",
            tool_use_id: "toolu_1",
            content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBOR" } }],
          },
        ]),
      ],
      tools: [{ name: "look", input_schema: parameters }],
    },
    { tools: [{ name: "look", input_schema: parameters }], tool_choice: { type: "tool", name: "look" } },
    {
      tools: [{ name: "look", input_schema: parameters }],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    },
    { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    { tools: [{ type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" }] },
    {
      messages: [
        user("Hi"),
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "EqQB" },
            { type: "text", text: "Yes" },
          ],
        },
        user("And?"),
      ],
    },
    { messages: [user("Hi"), { role: "assistant", content: "Yes," }] },
  ],
}

const chatAnswer = (message: JsonObject, reason = "stop"): JsonObject => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: reason }],
})

const messageAnswer = (...content: ReadonlyArray<JsonObject>): JsonObject => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content,
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
})

const response = (...output: ReadonlyArray<JsonObject>): JsonObject => ({
  id: "resp_1",
  object: "response",
  created_at: 1,
  status: "completed",
  model: "m",
  output,
})

/** Answers of clients. */
export const answers: ReadonlyArray<readonly [from: Dialect, answer: JsonObject]> = [
  ["chat", chatAnswer({ content: "Hello" })],
  ["chat", chatAnswer({ content: null, refusal: "No." })],
  ["chat", chatAnswer({ content: "Hello", reasoning_content: "Hm." })],
  [
    "chat",
    chatAnswer(
      {
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "look", arguments: "{}" } }],
      },
      "tool_calls",
    ),
  ],
  [
    "messages",
    messageAnswer({ type: "thinking", thinking: "Hm.", signature: "EqQB" }, { type: "text", text: "Hello" }),
  ],
  ["messages", messageAnswer({ type: "tool_use", id: "toolu_1", name: "look", input: { a: 1 } })],
  [
    "responses",
    response(
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "Hm." }],
        encrypted_content: "gAAA",
      },
      {
        type: "message",
        id: "msg_1",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "Hello", annotations: [], logprobs: [] }],
      },
    ),
  ],
  [
    "responses",
    response({
      type: "function_call",
      id: "fc_1",
      call_id: "call_1",
      name: "look",
      arguments: "{}",
      status: "completed",
    }),
  ],
]
