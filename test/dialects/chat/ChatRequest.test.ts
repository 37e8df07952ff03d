/** Requests in chat, to and from the neutral form. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import type { Conversation } from "../../../src/dialects/Conversation.ts"
import { readRequest } from "../../../src/dialects/chat/ChatRequestReader.ts"
import { writeRequest } from "../../../src/dialects/chat/ChatRequestWriter.ts"
import { digestOf } from "../../../src/dialects/Digest.ts"
import { wrap } from "../../../src/dialects/Seal.ts"
import type { ModelAbilities } from "../../../src/routing/ModelAbilities.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { writeFor } from "../Abilities.ts"

const read = (body: JsonObject): Conversation => Either.getOrThrow(readRequest(body))

const written = (body: JsonObject, abilities: Partial<ModelAbilities> = {}) =>
  writeRequest(read({ model: "m", ...body }), writeFor(abilities))

const message = (...messages: ReadonlyArray<JsonObject>) => ({ messages })

const user = { role: "user", content: "Hi" }

describe("A request in chat", () => {
  it("is written as it was read, whatever is known of it", () => {
    const body: JsonObject = {
      model: "m",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is it?" },
            { type: "image_url", image_url: { url: "https://a.b/c.png", detail: "low" } },
          ],
        },
        {
          role: "assistant",
          content: "Let me see.",
          reasoning_content: "Hm.",
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":1.50}' } },
            { id: "call_2", type: "custom", custom: { name: "patch", input: "*** begin" } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "A cat." },
        { role: "tool", tool_call_id: "call_2", content: "Done." },
        { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } }] },
        { role: "assistant", content: null, refusal: "No." },
        { role: "user", name: "Ann", content: "Why?" },
        { role: "system", content: "Answer her." },
      ],
      stream: true,
      stream_options: { include_usage: true },
      tools: [
        {
          type: "function",
          function: { name: "look", description: "Looks.", parameters: { type: "object" }, strict: true },
        },
        {
          type: "custom",
          custom: {
            name: "patch",
            format: { type: "grammar", grammar: { syntax: "lark", definition: "start: /a/" } },
          },
        },
      ],
      max_completion_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      stop: ["END"],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: {
          mode: "required",
          tools: [
            { type: "function", function: { name: "look" } },
            { type: "custom", custom: { name: "patch" } },
          ],
        },
      },
      parallel_tool_calls: false,
      response_format: {
        type: "json_schema",
        json_schema: { name: "n", description: "d", schema: { type: "object" }, strict: true },
      },
      reasoning_effort: "high",
      verbosity: "low",
      user: "ann",
      metadata: { a: "b" },
      service_tier: "flex",
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      store: true,
    }
    const { body: again, losses, renamed } = writeRequest(read(body), writeFor())
    expect(losses).toEqual([])
    expect(renamed).toEqual([])
    expect(again).toEqual(body)
  })

  it.each<[string, JsonObject, Partial<ModelAbilities>, JsonObject, ReadonlyArray<string>]>([
    ["that nothing is to be kept, as nothing is", { store: false }, {}, {}, []],
    ["an older name of the cap", { max_tokens: 5 }, {}, { max_completion_tokens: 5 }, []],
    [
      "the cap of older servers",
      { max_completion_tokens: 5 },
      { capMember: "max_tokens" },
      { max_tokens: 5 },
      [],
    ],
    ["a user as long as is taken", { user: "u".repeat(64) }, {}, { user: "u".repeat(64) }, []],
    ["a digest of a longer one", { user: "u".repeat(65) }, {}, { user: digestOf("u".repeat(65)) }, ["user"]],
    ["one word that ends it", { stop: "a" }, {}, { stop: ["a"] }, []],
    [
      "a model that takes no sampling",
      { temperature: 1, top_p: 1 },
      { sampling: "never" },
      {},
      ["temperature", "top_p"],
    ],
    [
      "an effort that the model does not know",
      { reasoning_effort: "xhigh" },
      { efforts: ["low", "high"] },
      { reasoning_effort: "high" },
      ["reasoning_effort"],
    ],
    [
      "no reasoning, of a model that cannot do without",
      { reasoning_effort: "none" },
      { efforts: ["low", "high"], thinks: "always" },
      { reasoning_effort: "low" },
      ["reasoning_effort"],
    ],
    ["what says nothing", { n: 1, modalities: ["text"], seed: null, stop: null }, {}, {}, []],
    [
      "functions as they were called before",
      { functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } },
      {},
      {
        tools: [{ type: "function", function: { name: "f", parameters: {} } }],
        tool_choice: { type: "function", function: { name: "f" } },
      },
      [],
    ],
    ["members that nobody else knows", { logit_bias: { 1: 2 }, foo: 1 }, {}, {}, ["logit_bias", "foo"]],
    ["top_k, which OpenAI's chat has not", { top_k: 5 }, { topK: false }, {}, ["top_k"]],
    ["top_k where the client has it", { top_k: 5 }, {}, { top_k: 5 }, []],
    ["no top_k that the model does not take", { top_k: 5 }, { sampling: "never" }, {}, ["top_k"]],
    [
      "JSON of no schema",
      { response_format: { type: "json_object" } },
      {},
      { response_format: { type: "json_object" } },
      [],
    ],
    [
      "a schema as llama.cpp has it, beside json_object",
      { response_format: { type: "json_object", schema: { type: "object" } } },
      {},
      {
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
      },
      [],
    ],
    [
      "a schema as llama.cpp has it, beside json_schema",
      { response_format: { type: "json_schema", schema: { type: "object" } } },
      {},
      {
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
      },
      [],
    ],
  ])("writes %s", (_, body, abilities, expected, lost) => {
    const { body: again, losses } = written({ ...message(user), ...body }, abilities)
    expect(again).toEqual({ model: "m", messages: [user], ...expected })
    expect(losses.map(({ as }) => as)).toEqual(lost)
    expect(losses.every(({ isEssential }) => !isEssential)).toBe(true)
  })

  it.each<[string, JsonObject, string]>([
    ["several answers", { ...message(user), n: 2 }, "n"],
    ["spoken answers", { ...message(user), audio: { voice: "a", format: "mp3" } }, "audio"],
    ["a search of the web", { ...message(user), web_search_options: {} }, "web_search_options"],
    ["a tool of the provider's", { ...message(user), tools: [{ type: "web_search" }] }, "tools.web_search"],
    [
      "a part that nobody knows",
      message({ role: "user", content: [{ type: "video", video: 1 }] }),
      "messages.content.video",
    ],
    [
      "a file of another provider",
      message({ role: "user", content: [{ type: "file", file: { file_id: "f" } }] }),
      "file.file_id",
    ],
  ])("cannot do without %s", (_, body, as) => {
    expect(written(body).losses).toContainEqual({ as, isEssential: true })
  })

  it("puts what tools gave before what the user says next, and pictures behind it", () => {
    const conversation: Conversation = {
      ...read(message(user)),
      turns: [
        { role: "user", parts: [{ kind: "text", text: "Hi" }] },
        {
          role: "assistant",
          parts: [{ kind: "tool_call", id: "1", name: "f", input: "", isFreeForm: false }],
        },
        {
          role: "user",
          parts: [
            {
              kind: "tool_result",
              id: "1",
              isError: true,
              isFreeForm: false,
              parts: [
                { kind: "text", text: "a" },
                { kind: "image", source: { kind: "url", url: "https://a.b/c" } },
              ],
            },
            { kind: "text", text: "See?" },
          ],
        },
      ],
    }
    expect(writeRequest(conversation, writeFor()).body["messages"]).toEqual([
      user,
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "1", content: "Error: a" },
      {
        role: "user",
        content: [
          { type: "text", text: "What the tool gave (call 1):" },
          { type: "image_url", image_url: { url: "https://a.b/c" } },
          { type: "text", text: "See?" },
        ],
      },
    ])
  })

  it.each<[ModelAbilities["reasoningHistory"], ReadonlyArray<string | undefined>]>([
    ["none", [undefined, undefined]],
    ["tool_loop", [undefined, "new"]],
    ["all", ["old", "new"]],
  ])("tells the model of its earlier reasoning: %s", (reasoningHistory, told) => {
    const spoke = (text: string) => ({ role: "assistant", content: "a", reasoning_content: text })
    const { body } = written(
      message(user, spoke("old"), user, spoke("new"), { role: "tool", tool_call_id: "1", content: "x" }),
      { reasoningHistory },
    )
    const messages = Object.values(body["messages"] ?? {})
    const spoken = messages.filter(({ role }: JsonObject) => role === "assistant")
    expect(spoken.map(({ reasoning_content: reasoning }: JsonObject) => reasoning)).toEqual(told)
  })

  it("finds seals that were given out here among details of reasoning", () => {
    const seal = { dialect: "messages", sealed: "abc", id: undefined, isAll: false } as const
    const turns = read(
      message({
        role: "assistant",
        content: "a",
        reasoning_details: [
          { type: "reasoning.encrypted", data: wrap(seal, "u") },
          { type: "reasoning.encrypted", data: "another's" },
        ],
      }),
    ).turns
    expect(turns).toEqual([
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", texts: [], seal: { ...seal, given: expect.stringMatching(/^sluice1/) } },
          { kind: "text", text: "a" },
        ],
      },
    ])
  })

  it("may be any JSON", () => {
    const names = [
      "messages",
      "tools",
      "functions",
      "stop",
      "response_format",
      "tool_choice",
      "metadata",
      "user",
      "n",
    ]
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.jsonValue()),
        fc.array(fc.jsonValue()),
        (members, messages) => {
          const body: unknown = JSON.parse(JSON.stringify({ messages, ...members }))
          const read = readRequest(Object(body))
          if (Either.isRight(read)) writeRequest(read.right, writeFor())
        },
      ),
    )
    expect(Either.isLeft(readRequest({ messages: {} }))).toBe(true)
  })
})
