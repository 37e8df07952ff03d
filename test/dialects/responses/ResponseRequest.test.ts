/** Requests of responses, to and from the neutral form. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { Conversation } from "../../../src/dialects/Conversation.ts"
import { digestOf } from "../../../src/dialects/Digest.ts"
import { readRequest } from "../../../src/dialects/responses/ResponseRequestReader.ts"
import { writeRequest } from "../../../src/dialects/responses/ResponseRequestWriter.ts"
import { type Seal, wrap } from "../../../src/dialects/Seal.ts"
import type { ModelAbilities } from "../../../src/routing/ModelAbilities.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { writeFor } from "../Abilities.ts"

const read = (body: JsonObject): Conversation => Either.getOrThrow(readRequest({ model: "m", ...body }))

const written = (body: JsonObject, abilities: Partial<ModelAbilities> = {}) =>
  writeRequest(read(body), writeFor(abilities))

const user = { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] }

/** What is written of anything. */
const always = { model: "m", input: [user], include: ["reasoning.encrypted_content"], store: false }

describe("A request of responses", () => {
  it("is written as it was read, whatever is known of it", () => {
    const body: JsonObject = {
      model: "m",
      instructions: "Be brief.",
      input: [
        {
          type: "message",
          role: "user",
          content: [
            { type: "input_text", text: "What is it?" },
            { type: "input_image", image_url: "https://a.b/c.png", detail: "low" },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
          ],
        },
        {
          type: "message",
          role: "assistant",
          content: [{ type: "output_text", annotations: [], logprobs: [], text: "Let me see." }],
        },
        { type: "function_call", call_id: "call_1", name: "look", arguments: '{"at":1.50}' },
        { type: "custom_tool_call", call_id: "call_2", name: "patch", input: "*** begin" },
        { type: "function_call_output", call_id: "call_1", output: "A cat." },
        {
          type: "custom_tool_call_output",
          call_id: "call_2",
          output: [
            { type: "input_text", text: "Done." },
            { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
          ],
        },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
        { type: "message", role: "developer", content: "Answer." },
      ],
      stream: true,
      tools: [
        {
          type: "function",
          name: "look",
          description: "Looks.",
          parameters: { type: "object" },
          strict: true,
        },
        {
          type: "custom",
          name: "patch",
          format: { type: "grammar", syntax: "lark", definition: "start: /a/" },
        },
      ],
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      tool_choice: {
        type: "allowed_tools",
        mode: "required",
        tools: [
          { type: "function", name: "look" },
          { type: "custom", name: "patch" },
        ],
      },
      parallel_tool_calls: false,
      text: {
        format: {
          type: "json_schema",
          name: "n",
          description: "d",
          schema: { type: "object" },
          strict: true,
        },
        verbosity: "low",
      },
      reasoning: { effort: "high", summary: "detailed" },
      include: ["reasoning.encrypted_content"],
      safety_identifier: "ann",
      metadata: { a: "b" },
      service_tier: "flex",
      prompt_cache_key: "k",
      prompt_cache_retention: "24h",
      store: false,
    }
    const { body: again, losses, renamed } = writeRequest(read(body), writeFor())
    expect(losses).toEqual([])
    expect(renamed).toEqual([])
    expect(again).toEqual(body)
  })

  it.each<
    [string, JsonObject, Partial<ModelAbilities>, Readonly<Record<string, unknown>>, ReadonlyArray<string>]
  >([
    ["a text alone", {}, {}, {}, []],
    ["a model that does not reason", {}, { efforts: [] }, { include: undefined }, []],
    [
      "a model of which nothing is known, and that is asked to reason",
      { reasoning: { effort: "high" } },
      { efforts: undefined },
      { reasoning: { effort: "high" } },
      [],
    ],
    [
      "a model that takes no sampling",
      { temperature: 1, top_p: 1 },
      { sampling: "never" },
      {},
      ["temperature", "top_p"],
    ],
    [
      "no reasoning, of a model that cannot do without",
      { reasoning: { effort: "none" } },
      { efforts: ["low", "high"], thinks: "always" },
      { reasoning: { effort: "low" } },
      ["reasoning"],
    ],
    [
      "a tool that does not say whether it is strict",
      { tools: [{ type: "function", name: "f", parameters: {} }] },
      {},
      { tools: [{ type: "function", name: "f", parameters: {}, strict: false }] },
      [],
    ],
    [
      "a tool without parameters",
      { tools: [{ type: "function", name: "f" }] },
      {},
      {
        tools: [
          { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: false },
        ],
      },
      [],
    ],
    [
      "what says nothing",
      { truncation: "disabled", background: false, include: [], tool_choice: null },
      {},
      {},
      [],
    ],
    [
      "members that nobody else knows",
      { truncation: "auto", max_tool_calls: 3, foo: 1, include: ["file_search_call.results"] },
      {},
      {},
      ["truncation", "max_tool_calls", "foo", "include"],
    ],
    ["what is kept, where the caller says so", { store: true }, {}, { store: true }, []],
    ["the user by an older name", { user: "ann" }, {}, { safety_identifier: "ann" }, []],
  ])("writes %s", (_, body, abilities, expected, lost) => {
    const { body: again, losses } = written({ input: "Hi", ...body }, abilities)
    expect(again).toEqual({ ...always, ...expected })
    expect(losses.map(({ as }) => as)).toEqual(lost)
    expect(losses.every(({ isEssential }) => !isEssential)).toBe(true)
  })

  it.each<[string, JsonObject, string]>([
    ["what was answered before", { previous_response_id: "resp_1" }, "previous_response_id"],
    ["a conversation that is kept", { conversation: "conv_1" }, "conversation"],
    ["a prompt that is kept", { prompt: { id: "pmpt_1" } }, "prompt"],
    ["an answer in the background", { background: true }, "background"],
    ["a tool of the provider's", { tools: [{ type: "web_search" }] }, "tools.web_search"],
    ["the choice of one", { tool_choice: { type: "web_search" } }, "tool_choice"],
    [
      "a file of another provider",
      { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] },
      "file.file_id",
    ],
    [
      "sound",
      { input: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] },
      "input.content.input_audio",
    ],
  ])("cannot do without %s", (_, body, as) => {
    expect(written({ input: "Hi", ...body }).losses).toContainEqual({ as, isEssential: true })
  })

  it.each<[string, Conversation["settings"]]>([
    ["stop", { stop: { value: ["END"], as: "stop_sequences" } }],
    ["seed", { seed: { value: 1, as: "seed" } }],
    ["top_k", { topK: { value: 1, as: "top_k" } }],
    ["penalties", { presencePenalty: { value: 1, as: "presence_penalty" } }],
  ])("has no place for %s", (_, settings) => {
    const said = Object.values(settings).map(({ as }: { readonly as: string }) => ({
      as,
      isEssential: false,
    }))
    expect(writeRequest({ ...read({ input: "Hi" }), settings }, writeFor()).losses).toEqual(said)
  })

  it("says what fits where the caller says too few tokens, and who the user is in too many characters", () => {
    const toldOf = (settings: Conversation["settings"]) => {
      const { body, losses } = writeRequest({ ...read({ input: "Hi" }), settings }, writeFor())
      return [body["max_output_tokens"], body["safety_identifier"], losses.map(({ as }) => as)]
    }
    const user = (length: number) => ({ value: "u".repeat(length), as: "metadata.user_id" })
    expect(toldOf({ maxTokens: { value: 16, as: "max_tokens" }, user: user(64) })).toEqual([
      16,
      "u".repeat(64),
      [],
    ])
    expect(toldOf({ maxTokens: { value: 1, as: "max_tokens" }, user: user(65) })).toEqual([
      16,
      digestOf("u".repeat(65)),
      ["max_tokens", "metadata.user_id"],
    ])
  })

  it("gives reasoning back to who sealed it, before the call that it led to, and to nobody else", () => {
    const seal: Seal = { dialect: "responses", sealed: "gAAAA", id: "rs_1", isAll: false }
    const turns = (given: string): Conversation["turns"] => [
      {
        role: "assistant",
        parts: [
          { kind: "reasoning", texts: ["Hm."], seal: { ...seal, given } },
          { kind: "tool_call", id: "c", name: "f", input: "{}", isFreeForm: false },
        ],
      },
    ]
    const call = { type: "function_call", call_id: "c", name: "f", arguments: "{}" }
    const conversation = read({ input: "Hi" })
    const own = writeRequest({ ...conversation, turns: turns(wrap(seal, "u")) }, writeFor())
    expect(own.body["input"]).toEqual([
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAA" },
      call,
    ])
    expect(own.losses).toEqual([])
    const others = writeRequest({ ...conversation, turns: turns(wrap(seal, "other")) }, writeFor())
    expect(others.body["input"]).toEqual([call])
    expect(others.losses).toEqual([{ as: "reasoning", isEssential: false }])
  })

  it("is refused where its input is neither text nor a list", () => {
    expect(Either.getLeft(readRequest({ model: "m", input: 5 }))).toMatchObject({ value: { param: "input" } })
  })

  it("marks results that are errors, since it has no member for that", () => {
    const conversation = read({
      input: [
        { type: "function_call", call_id: "c", name: "f", arguments: "" },
        { type: "function_call_output", call_id: "c", output: "gone" },
      ],
    })
    const turns = conversation.turns.map((turn) =>
      turn.role === "user"
        ? {
            ...turn,
            parts: turn.parts.map((part) =>
              part.kind === "tool_result" ? { ...part, isError: true } : part,
            ),
          }
        : turn,
    )
    expect(writeRequest({ ...conversation, turns }, writeFor()).body["input"]).toEqual([
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "Error: gone" },
    ])
  })
})
