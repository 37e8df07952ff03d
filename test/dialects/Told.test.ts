/** Nothing of a request is lost in silence: what each dialect can say and another cannot is told, or the request is refused for it. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { forms } from "../../src/dialects/Forms.ts"
import { abilitiesOf } from "../../src/dialects/KnownModels.ts"
import { unsealed } from "../../src/dialects/Seal.ts"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import type { ModelAbilities } from "../../src/routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../src/wire/Json.ts"
import { writeFor } from "./Abilities.ts"

const translated = (
  from: Dialect,
  to: Dialect,
  body: JsonObject,
  abilities: Partial<ModelAbilities> = {},
) => {
  const read = Either.getOrThrow(forms[from].readRequest({ model: "m", ...body }))
  const { body: written, losses } = forms[to].writeRequest(read, writeFor(abilities))
  return { body: written, lost: losses.map(({ as, isEssential }) => (isEssential ? `${as}!` : as)) }
}

const hi = { role: "user", content: "Hi" }
const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }
const called = {
  role: "assistant",
  content: null,
  tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
}

const samples: ReadonlyArray<readonly [string, Dialect, Dialect, JsonObject, ReadonlyArray<string>]> = [
  [
    "a picture in instructions",
    "chat",
    "messages",
    { messages: [{ role: "system", content: [picture] }, hi] },
    ["messages.content.image_url!"],
  ],
  [
    "a picture in instructions",
    "responses",
    "chat",
    {
      input: [
        { role: "developer", content: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }] },
        hi,
      ],
    },
    ["input.content.input_image!"],
  ],
  [
    "a sound that a tool gave",
    "responses",
    "messages",
    {
      input: [
        hi,
        { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: [{ type: "input_audio" }] },
      ],
    },
    ["input.output.input_audio!"],
  ],
  ["how likely tokens were", "chat", "responses", { messages: [hi], logprobs: true }, ["logprobs"]],
  ["how likely tokens were", "responses", "chat", { input: "Hi", top_logprobs: 2 }, ["top_logprobs"]],
  [
    "reasoning that others sealed",
    "chat",
    "messages",
    {
      messages: [
        hi,
        { role: "assistant", content: "Ho", reasoning_details: [{ type: "reasoning.encrypted", data: "x" }] },
        hi,
      ],
    },
    ["messages.reasoning_details"],
  ],
  [
    "an audio of the model",
    "chat",
    "responses",
    { messages: [hi, { role: "assistant", content: "Ho", audio: { id: "a" } }, hi] },
    ["messages.audio"],
  ],
  [
    "the name of who instructs",
    "chat",
    "messages",
    { messages: [{ role: "system", name: "Ann", content: "A" }, hi] },
    ["messages.name"],
  ],
  [
    "an unknown member of a message",
    "chat",
    "messages",
    { messages: [{ ...hi, mood: 1 }] },
    ["messages.mood"],
  ],
  [
    "an unknown member of a part",
    "chat",
    "messages",
    { messages: [{ role: "user", content: [{ type: "text", text: "Hi", mood: 1 }] }] },
    ["messages.content.mood"],
  ],
  [
    "an unknown member of a tool",
    "chat",
    "messages",
    { messages: [hi], tools: [{ type: "function", mood: 1, function: { name: "f", mood: 2 } }] },
    ["tools.mood", "tools.function.mood"],
  ],
  ["an unknown member of an item", "responses", "chat", { input: [{ ...hi, mood: 1 }] }, ["input.mood"]],
  [
    "an unknown member of a part",
    "responses",
    "chat",
    { input: [{ role: "user", content: [{ type: "input_text", text: "Hi", mood: 1 }] }] },
    ["input.content.mood"],
  ],
  [
    "a choice that there is nothing for",
    "chat",
    "messages",
    { messages: [hi], tool_choice: "required" },
    ["tool_choice"],
  ],
  [
    "a choice that there is nothing for",
    "responses",
    "chat",
    { input: "Hi", tool_choice: "required" },
    ["tool_choice"],
  ],
]

describe("Told is", () => {
  it.each(samples)("%s, from %s to %s", (_, from, to, body, lost) => {
    expect(translated(from, to, body).lost).toEqual(lost)
  })

  it("a turn of reasoning alone, which chat has no message for", () => {
    const thought = { type: "thinking", thinking: "Hm.", signature: unsealed("u") }
    const messages = [hi, { role: "assistant", content: [thought] }, hi]
    expect(translated("messages", "chat", { max_tokens: 99, messages }).lost).toEqual(["reasoning"])
  })

  const neutral: ReadonlyArray<readonly [Dialect, JsonObject]> = [
    ["chat", { metadata: {} }],
    ["chat", { metadata: null }],
    ["chat", { logit_bias: {} }],
    ["chat", { logit_bias: null }],
    ["chat", { n: 1 }],
    ["chat", { n: null }],
    ["chat", { presence_penalty: 0, frequency_penalty: 0.0 }],
    ["chat", { modalities: ["text"], logprobs: false, top_logprobs: 0 }],
    ["chat", { chat_template_kwargs: {} }],
    ["responses", { metadata: {} }],
    ["responses", { truncation: "disabled", background: false, include: [] }],
    ["responses", { conversation: null, prompt: null, context_management: [] }],
    ["messages", { context_management: { edits: [] } }],
    ["messages", { container: null, mcp_servers: [], metadata: {} }],
  ]
  it.each(
    neutral.flatMap(([from, says]) =>
      dialects.flatMap((to) => (from === to ? [] : [[from, to, says] as const])),
    ),
  )("nothing from %s to %s where %j asks for nothing", (from, to, says) => {
    const asks = from === "responses" ? { input: "Hi" } : { messages: [hi] }
    const capped = from === "messages" ? { max_tokens: 99 } : {}
    expect(translated(from, to, { ...asks, ...capped, ...says }).lost).toEqual([])
  })

  it("an empty object that switches something on", () => {
    const searching = { messages: [hi], web_search_options: {} }
    expect(translated("chat", "messages", searching).lost).toEqual(["web_search_options!"])
  })

  it("nothing where members of an answer come back that say nothing", () => {
    const answer = {
      role: "assistant",
      content: "Ho",
      refusal: null,
      audio: null,
      annotations: [],
      tool_calls: [],
    }
    expect(translated("chat", "messages", { messages: [hi, answer, hi] }).lost).toEqual([])
  })
})

describe("How much is thought, in chat,", () => {
  const adaptive = { type: "adaptive" }
  const off = { type: "disabled" }
  it.each<readonly [string, JsonObject, string | undefined, ReadonlyArray<string>]>([
    ["gpt-4o", adaptive, undefined, ["thinking"]],
    ["gpt-4o", off, undefined, []],
    ["o1-mini", adaptive, undefined, ["thinking"]],
    ["gpt-5.1", adaptive, "medium", []],
    ["gpt-5.1", off, "none", []],
    ["o3", adaptive, undefined, []],
    ["some-model", adaptive, "medium", []],
    ["some-model", off, undefined, []],
  ])("of %s that is told %j, is %s", (model, thinking, effort, lost) => {
    const asked = { max_tokens: 99, messages: [hi], thinking }
    const { body, lost: told } = translated("messages", "chat", asked, abilitiesOf(model))
    expect([body["reasoning_effort"], told]).toEqual([effort, lost])
  })
})

describe("Stop words", () => {
  const five = ["a", "b", "c", "d", "e"]
  it.each<readonly [string, ReadonlyArray<string> | undefined, ReadonlyArray<string>]>([
    ["some-model", five, []],
    ["gpt-4o", five.slice(0, 4), ["stop_sequences"]],
    ["o3", undefined, ["stop_sequences"]],
  ])("of %s are as many as it takes", (model, stop, lost) => {
    const asked = { max_tokens: 99, messages: [hi], stop_sequences: five }
    const { body, lost: told } = translated("messages", "chat", asked, abilitiesOf(model))
    expect([body["stop"], told]).toEqual([stop, lost])
  })
})

describe("Arguments of calls", () => {
  const calling = (args: Json) => ({
    messages: [
      hi,
      { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: args } }] },
      { role: "tool", tool_call_id: "c", content: "x" },
    ],
  })

  it("that are given as JSON are what they say", () => {
    const { body } = translated("chat", "responses", calling({ a: [1] }))
    expect(body["input"]).toContainEqual({
      type: "function_call",
      call_id: "c",
      name: "f",
      arguments: '{"a":[1]}',
    })
  })

  it("that may not be the numbers that were written are told", () => {
    const messages = [
      hi,
      { role: "assistant", content: [{ type: "tool_use", id: "c", name: "f", input: { id: 1e18 } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c" }] },
    ]
    expect(translated("messages", "chat", { max_tokens: 99, messages }).lost).toEqual([
      "messages.content.tool_use.input",
    ])
  })
})

describe("Kept is", () => {
  it("a picture that a tool gives in chat, where tools can give pictures", () => {
    const messages = [hi, called, { role: "tool", tool_call_id: "c", content: [picture] }]
    const { body, lost } = translated("chat", "messages", { messages })
    expect(lost).toEqual([])
    expect(body["messages"]).toContainEqual({
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "c",
          content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
        },
      ],
    })
  })

  it("instructions alone, as what there is to answer", () => {
    const { body } = translated("chat", "responses", {
      messages: [{ role: "system", content: "Tell a joke." }],
    })
    expect(body).not.toHaveProperty("instructions")
    expect(body["input"]).toEqual([{ type: "message", role: "system", content: "Tell a joke." }])
  })

  it("the id of a call that Gemini's hosts carry a signature in, in chat", () => {
    const id = `call_1__thought__${"Q".repeat(100)}=`
    const { body } = translated("messages", "chat", {
      max_tokens: 99,
      messages: [
        hi,
        { role: "assistant", content: [{ type: "tool_use", id, name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: id }] },
      ],
    })
    expect(JSON.stringify(body).split(id)).toHaveLength(3)
  })
})

describe.each(["chat", "responses"] as const)("In %s", (to) => {
  it("nothing is chosen where there are no tools, since that is refused", () => {
    const from = to === "chat" ? "responses" : "chat"
    const said = from === "chat" ? { messages: [hi] } : { input: "Hi" }
    const { body, lost } = translated(from, to, {
      ...said,
      tools: [],
      tool_choice: "auto",
      parallel_tool_calls: true,
    })
    expect(body).not.toHaveProperty("tool_choice")
    expect(body).not.toHaveProperty("parallel_tool_calls")
    expect(lost).toEqual([])
  })

  it("whom it is for has 64 characters at most, as others a digest", () => {
    const name = to === "chat" ? "user" : "safety_identifier"
    const asked = (user: string) =>
      translated("messages", to, { max_tokens: 99, messages: [hi], metadata: { user_id: user } })
    expect(asked("u".repeat(64))).toMatchObject({ body: { [name]: "u".repeat(64) }, lost: [] })
    const long = asked("u".repeat(123))
    expect(long.body[name]).toMatch(/^[0-9a-f]{64}$/)
    expect(long.lost).toEqual(["metadata.user_id"])
  })
})
