/** Conversations as requests in Anthropic's dialect: each row of what settings and turns become, with its traps, and what is lost. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "fast-check"
import type { Conversation, Settings, Tool, Turn } from "../../../src/dialects/Conversation.ts"
import { abilitiesOf } from "../../../src/dialects/KnownModels.ts"
import { objectsIn } from "../../../src/dialects/Members.ts"
import { readMessagesRequest } from "../../../src/dialects/messages/MessagesRequestReader.ts"
import { writeMessagesRequest } from "../../../src/dialects/messages/MessagesRequestWriter.ts"
import type { AssistantPart, ToolResultPart, UserPart } from "../../../src/dialects/Part.ts"
import { type Seal, unwrap, wrap } from "../../../src/dialects/Seal.ts"
import type { ModelAbilities } from "../../../src/routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../../src/wire/Json.ts"
import { conversationArb, textArb } from "../Conversations.ts"

const upstream = "anthropic"

const userSays = (text: string): Turn => ({ role: "user", parts: [{ kind: "text", text }] })
const modelSays = (...parts: ReadonlyArray<AssistantPart>): Turn => ({ role: "assistant", parts })
const gives = (...parts: ReadonlyArray<UserPart>): Turn => ({ role: "user", parts })
const instructs = (text: string, voice: "system" | "developer" = "system"): Turn => ({
  role: "instructions",
  voice,
  parts: [{ kind: "text", text }],
})
const calls = (id: string, input = "{}"): AssistantPart => ({
  kind: "tool_call",
  id,
  name: "f",
  input,
  isFreeForm: false,
})
const results = (id: string, more: Partial<ToolResultPart> = {}): ToolResultPart => ({
  kind: "tool_result",
  id,
  parts: [{ kind: "text", text: `result of ${id}` }],
  isError: false,
  isFreeForm: false,
  ...more,
})

const base: Conversation = {
  model: "asked",
  stream: false,
  turns: [userSays("Hello")],
  tools: [],
  settings: {},
  foreign: [],
}

const f: Tool = {
  kind: "function",
  name: "f",
  description: "d",
  schema: { type: "object", properties: { a: { type: "string" } } },
  strict: undefined,
  isCached: false,
}

const write = (
  more: Partial<Conversation>,
  model = "claude-sonnet-4-5",
  abilities: Partial<ModelAbilities> = {},
  cacheMarks: "auto" | "keep" = "keep",
) =>
  writeMessagesRequest(
    { ...base, ...more },
    { model, abilities: { ...abilitiesOf(model), ...abilities }, upstream, cacheMarks },
  )

const lost = (written: ReturnType<typeof write>): ReadonlyArray<string> =>
  written.losses.map(({ as, isEssential }) => (isEssential ? `${as}!` : as))

const withSettings = (settings: Settings, model?: string, tools: ReadonlyArray<Tool> = []) =>
  write({ settings, tools }, model)

const text = (words: string): JsonObject => ({ type: "text", text: words })

describe("members of a request (2.1)", () => {
  it("has what has to be said: the target's model, messages, and tokens at most", () => {
    expect(write({}).body).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 64_000,
      messages: [{ role: "user", content: [text("Hello")] }],
    })
    expect(write({ stream: true }, "qwen").body).toMatchObject({ max_tokens: 8192, stream: true })
    expect(withSettings({ maxTokens: { value: 0, as: "max_tokens" } }).body["max_tokens"]).toBe(1)
  })

  it.each<readonly [Settings, string, object, ReadonlyArray<string>]>([
    [{ temperature: { value: 0.4, as: "t" } }, "claude-sonnet-4-5", { temperature: 0.4 }, []],
    [{ temperature: { value: 1.6, as: "t" } }, "claude-sonnet-4-5", { temperature: 1 }, ["t"]],
    [
      { temperature: { value: 0.4, as: "t" }, topP: { value: 0.5, as: "p" }, topK: { value: 4, as: "k" } },
      "claude-opus-4-8",
      {},
      ["t", "p", "k"],
    ],
    [
      { temperature: { value: 0.4, as: "t" }, topP: { value: 0.5, as: "p" }, topK: { value: 4, as: "k" } },
      "claude-opus-4-1",
      { temperature: 0.4, top_k: 4 },
      ["p"],
    ],
    [
      { temperature: { value: 0.4, as: "t" }, topP: { value: 0.5, as: "p" } },
      "kimi-k3",
      { temperature: 0.4, top_p: 0.5 },
      [],
    ],
    [{ topP: { value: 0.5, as: "p" } }, "claude-opus-4-1", { top_p: 0.5 }, []],
    [{ stop: { value: ["a", " \n", ""], as: "stop" } }, "m", { stop_sequences: ["a"] }, ["stop"]],
    [{ stop: { value: ["\n"], as: "stop" } }, "m", {}, ["stop"]],
    [{ user: { value: "user-7f3a", as: "user" } }, "m", { metadata: { user_id: "user-7f3a" } }, []],
    [{ serviceTier: { value: "default", as: "s" } }, "m", { service_tier: "standard_only" }, []],
    [{ serviceTier: { value: "auto", as: "s" } }, "m", { service_tier: "auto" }, []],
    [{ serviceTier: { value: "flex", as: "s" } }, "m", { service_tier: "auto" }, ["s"]],
    [
      {
        seed: { value: 1, as: "seed" },
        presencePenalty: { value: 1, as: "presence_penalty" },
        verbosity: { value: "low", as: "verbosity" },
        metadata: { value: { a: "b" }, as: "metadata" },
        promptCacheKey: { value: "k", as: "prompt_cache_key" },
        promptCacheRetention: { value: "24h", as: "prompt_cache_retention" },
        store: { value: true, as: "store" },
      },
      "m",
      {},
      [
        "seed",
        "presence_penalty",
        "verbosity",
        "metadata",
        "store",
        "prompt_cache_key",
        "prompt_cache_retention",
      ],
    ],
  ])("%j for %s are %j", (settings, model, members, losses) => {
    const written = withSettings(settings, model)
    const { max_tokens: _, messages: __, model: ___, ...rest } = written.body
    expect(rest).toEqual(members)
    expect(lost(written)).toEqual(losses)
  })

  it.each(["jo@example.com", "+49 (30) 123-4567", "x".repeat(300)])("does not say who %s is", (user) => {
    const written = withSettings({ user: { value: user, as: "user" } })
    expect(written.body["metadata"]).toEqual({ user_id: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(lost(written)).toEqual(["user"])
  })

  it("tells of members that the caller's dialect alone has", () => {
    const foreign = [
      { as: "logit_bias", isEssential: false },
      { as: "n", isEssential: true },
    ]
    expect(lost(write({ foreign }))).toEqual(["logit_bias", "n!"])
  })
})

describe("instructions (2.2)", () => {
  it("at the beginning are the system's, in order, with their marks, without blank ones", () => {
    const parts = [
      { kind: "text", text: "one" },
      { kind: "text", text: "  " },
      { kind: "text", text: "two", cache: "1h" },
    ] as const
    const turns: ReadonlyArray<Turn> = [
      { role: "instructions", voice: "system", parts },
      instructs("three", "developer"),
      userSays("Hello"),
    ]
    expect(write({ turns }).body["system"]).toEqual([
      text("one"),
      { ...text("two"), cache_control: { type: "ephemeral", ttl: "1h" } },
      text("three"),
    ])
  })

  it("later on are the system's before the model's next words where that is taken, else the user's in their place", () => {
    const turns = [
      instructs("a"),
      userSays("b"),
      modelSays({ kind: "text", text: "c" }),
      instructs("d"),
      userSays("e"),
    ]
    const newer = write({ turns }, "claude-opus-4-8")
    expect(newer.body["messages"]).toEqual([
      { role: "user", content: [text("b")] },
      { role: "assistant", content: [text("c")] },
      { role: "user", content: [text("e")] },
      { role: "system", content: [text("d")] },
    ])
    expect(lost(newer)).toEqual([])
    const older = write({ turns })
    expect(older.body["system"]).toEqual([text("a")])
    expect(older.body["messages"]).toEqual([
      { role: "user", content: [text("b")] },
      { role: "assistant", content: [text("c")] },
      { role: "user", content: [text("d"), text("e")] },
    ])
    expect(lost(older)).toEqual(["system"])
  })

  it("later on that nobody speaks behind are the user's: none may stand behind the model's words", () => {
    const said = modelSays({ kind: "text", text: "b" })
    const written = write({ turns: [userSays("a"), said, instructs("c", "developer")] }, "claude-opus-5")
    expect(written.body["messages"]).toEqual([
      { role: "user", content: [text("a")] },
      { role: "assistant", content: [text("b")] },
      { role: "user", content: [text("c")] },
    ])
    expect(lost(written)).toEqual(["developer"])
  })

  const turnArb = fc.oneof(
    textArb.map((words) => instructs(words)),
    textArb.map((words) => userSays(words)),
    textArb.map((words) => modelSays({ kind: "text", text: words })),
  )

  it("stand between a user's message and one of the model's, or at the end, and none is lost", () => {
    fc.assert(
      fc.property(fc.array(turnArb, { minLength: 1, maxLength: 9 }), (turns) => {
        const { body, losses } = write({ turns }, "claude-opus-5")
        const messages = objectsIn(body["messages"])
        messages.forEach(({ role }, at) => {
          if (role !== "system") return
          expect(messages[at - 1]?.["role"]).toBe("user")
          expect(["assistant", undefined]).toContain(messages[at + 1]?.["role"])
        })
        const told = JSON.stringify(body)
        for (const { parts } of turns)
          for (const part of parts) expect(told).toContain(JSON.stringify(part).slice(22, -2))
        expect(losses.every(({ as }) => as === "system" || as === "prefill")).toBe(true)
      }),
    )
  })

  it("alone are what there is to answer", () => {
    expect(write({ turns: [instructs("a")] }).body).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 64_000,
      messages: [{ role: "user", content: [text("a")] }],
    })
  })
})

describe("turns (2.3)", () => {
  it("groups the results of one turn, first, though others speak between", () => {
    const turns = [
      userSays("go"),
      modelSays({ kind: "text", text: "ok" }, calls("a"), calls("b")),
      gives(results("a")),
      userSays("and"),
      gives(results("b", { isError: true })),
    ]
    expect(write({ turns, tools: [f] }).body["messages"]).toEqual([
      { role: "user", content: [text("go")] },
      {
        role: "assistant",
        content: [
          text("ok"),
          { type: "tool_use", id: "a", name: "f", input: {} },
          { type: "tool_use", id: "b", name: "f", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "a", content: [text("result of a")] },
          { type: "tool_result", tool_use_id: "b", content: [text("result of b")], is_error: true },
          text("and"),
        ],
      },
    ])
  })

  it("puts results directly behind their calls where instructions stand between", () => {
    const turns = [userSays("go"), modelSays(calls("a")), instructs("be quick"), gives(results("a"))]
    const { messages } = write({ turns, tools: [f] }, "claude-opus-4-8").body
    expect(messages).toMatchObject([
      { role: "user" },
      { role: "assistant" },
      { role: "user", content: [{ type: "tool_result" }] },
      { role: "system" },
    ])
  })

  it("merges neighbours of one role, leaves out what is blank, and begins with the user", () => {
    const turns = [
      modelSays({ kind: "text", text: "Hi" }),
      modelSays({ kind: "text", text: " " }, { kind: "text", text: "there" }),
      userSays(""),
      userSays("a"),
      userSays("b"),
    ]
    expect(write({ turns }).body["messages"]).toEqual([
      { role: "user", content: [text(".")] },
      { role: "assistant", content: [text("Hi"), text("there")] },
      { role: "user", content: [text("a"), text("b")] },
    ])
  })

  it.each<readonly [UserPart, object | undefined, ReadonlyArray<string>]>([
    [
      { kind: "image", source: { kind: "data", mediaType: "image/jpg", base64: "AA==" }, detail: "high" },
      { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AA==" } },
      ["image.detail"],
    ],
    [
      { kind: "image", source: { kind: "url", url: "https://a/b" }, detail: "auto", cache: "5m" },
      { type: "image", source: { type: "url", url: "https://a/b" }, cache_control: { type: "ephemeral" } },
      [],
    ],
    [{ kind: "image", source: { kind: "data", mediaType: "image/tiff", base64: "" } }, undefined, ["image!"]],
    [{ kind: "image", source: { kind: "url", url: "data:x" } }, undefined, ["image!"]],
    [{ kind: "image", source: { kind: "file", id: "f" } }, undefined, ["image.file_id!"]],
    [
      { kind: "file", source: { kind: "data", mediaType: "application/pdf", base64: "AA==" }, name: "a.pdf" },
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: "AA==" },
        title: "a.pdf",
      },
      [],
    ],
    [
      { kind: "file", source: { kind: "data", mediaType: "text/markdown; charset=utf-8", base64: "w6k=" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "é" } },
      [],
    ],
    [
      { kind: "file", source: { kind: "url", url: "https://a/b.pdf" } },
      { type: "document", source: { type: "url", url: "https://a/b.pdf" } },
      [],
    ],
    [
      { kind: "file", source: { kind: "data", mediaType: "application/zip", base64: "" } },
      undefined,
      ["file!"],
    ],
    [{ kind: "file", source: { kind: "file", id: "f" } }, undefined, ["file.file_id!"]],
    [{ kind: "audio", format: "wav", base64: "" }, undefined, ["input_audio!"]],
    [{ kind: "foreign", as: "messages.content.video_url" }, undefined, ["messages.content.video_url!"]],
    [
      results("a", { parts: [{ kind: "image", source: { kind: "url", url: "https://a" }, cache: "1h" }] }),
      {
        type: "tool_result",
        tool_use_id: "a",
        content: [{ type: "image", source: { type: "url", url: "https://a" } }],
        cache_control: { type: "ephemeral", ttl: "1h" },
      },
      [],
    ],
    [results("a", { parts: [] }), { type: "tool_result", tool_use_id: "a" }, []],
  ])("%j is %j", (part, block, losses) => {
    const written = write({ turns: [gives({ kind: "text", text: "look" }, part)] })
    const blocks = block === undefined ? [text("look")] : [text("look"), block]
    const content = part.kind === "tool_result" ? blocks.toReversed() : blocks
    expect(written.body["messages"]).toEqual([{ role: "user", content }])
    expect(lost(written)).toEqual(losses)
  })

  it.each([
    ["", {}, []],
    [" ", {}, []],
    ['{"a":[1]}', { a: [1] }, []],
    ['{"a":9007199254740993}', { a: 9007199254740992 }, ["tool_calls.arguments"]],
    [
      '{"a":9007199254740992,"b":0.12345678901234567,"c":"12345678901234567\\""}',
      { c: '12345678901234567"' },
      [],
    ],
    ['{"a":-9007199254740993}', { a: -9007199254740992 }, ["tool_calls.arguments"]],
    ['{"a":1e999}', { a: Number.POSITIVE_INFINITY }, ["tool_calls.arguments"]],
    ["[1]", {}, ["tool_calls.arguments"]],
    ['{"a', {}, ["tool_calls.arguments"]],
  ])("the input %j is %j", (input, read, losses) => {
    const written = write({
      turns: [userSays("a"), modelSays(calls("i", input)), gives(results("i"))],
      tools: [f],
    })
    expect(written.body["messages"]).toMatchObject([{}, { content: [{ input: read }] }, {}])
    expect(lost(written)).toEqual(losses)
  })

  it("fits ids that are not taken, the same for a call and its result", () => {
    const id = `call::${"x".repeat(80)}`
    const { body } = write({ turns: [userSays("a"), modelSays(calls(id)), gives(results(id))], tools: [f] })
    const ids = JSON.stringify(body).match(/"(?:id|tool_use_id)":"([^"]*)"/g)
    expect(ids).toHaveLength(2)
    expect(new Set(ids?.map((one) => one.split(":")[1])).size).toBe(1)
    expect(ids?.[0]).toMatch(/"call_[0-9a-f]{32}"/)
  })

  it("tells who spoke, and what the model made, where it cannot be said", () => {
    const turns: ReadonlyArray<Turn> = [
      { role: "user", name: "jo", parts: [{ kind: "text", text: "a" }] },
      modelSays(
        { kind: "image", source: { kind: "data", mediaType: "image/png", base64: "" } },
        { kind: "foreign", as: "input.web_search_call" },
        { kind: "refusal", text: "no" },
      ),
      userSays("b"),
    ]
    const written = write({ turns })
    expect(lost(written)).toEqual(["messages.name", "image of the model", "input.web_search_call"])
    expect(written.body["messages"]).toMatchObject([{}, { content: [text("no")] }, {}])
  })

  it("goes on with the model's own words where that is taken, and asks it to where not", () => {
    const turns = [userSays("a"), modelSays({ kind: "text", text: "The answer is  " })]
    const older = write({ turns })
    expect(older.body["messages"]).toMatchObject([{}, { content: [text("The answer is")] }])
    expect(lost(older)).toEqual([])
    const newer = write({ turns }, "claude-sonnet-5")
    expect(newer.body["messages"]).toMatchObject([{}, { role: "assistant" }, { role: "user" }])
    expect(lost(newer)).toEqual(["prefill"])
  })

  it("has four marks at most, the last ones, and none that holds longer than one before it", () => {
    const parts = (["5m", "1h", "5m", "1h", "1h"] as const).map(
      (cache, at) => ({ kind: "text", text: `${at}`, cache }) as const,
    )
    const { body } = write({ turns: [gives(...parts)], tools: [{ ...f, isCached: true }] })
    const marks = [...JSON.stringify(body).matchAll(/"cache_control":(\{[^}]*\})/g)].map(([, mark]) => mark)
    const short = '{"type":"ephemeral"}'
    expect(marks).toEqual(['{"type":"ephemeral","ttl":"1h"}', short, short, short])
    expect(JSON.stringify(body["tools"])).not.toContain("cache_control")
  })
})

describe("marks of this gateway's own", () => {
  /** Where marks stand: the tool, the block of the system, or the message and its block. */
  const marksIn = ({ body }: ReturnType<typeof write>): ReadonlyArray<string> => {
    const marked = (blocks: Json | undefined, place: string) =>
      objectsIn(blocks).flatMap(({ cache_control: mark }, at) => {
        if (mark === undefined) return []
        expect(mark).toEqual({ type: "ephemeral" })
        return [`${place}[${at}]`]
      })
    return [
      ...marked(body["tools"], "tools"),
      ...marked(body["system"], "system"),
      ...objectsIn(body["messages"]).flatMap(({ content }, at) => marked(content, `messages[${at}]`)),
    ]
  }
  const instructed = instructs("Be brief.")
  const auto = (more: Partial<Conversation>) => write(more, "claude-sonnet-4-5", {}, "auto")

  it("are at the end of the instructions and of the user's two newest messages", () => {
    const once = [instructed, userSays("Hello")]
    expect(marksIn(auto({ turns: once, tools: [f] }))).toEqual(["system[0]", "messages[0][0]"])
    const twice = [...once, modelSays(calls("a")), gives(results("a"))]
    expect(marksIn(auto({ turns: twice, tools: [f] }))).toEqual([
      "system[0]",
      "messages[0][0]",
      "messages[2][0]",
    ])
    const again = [...twice, modelSays(calls("b"), calls("c")), gives(results("b"), results("c"))]
    expect(marksIn(auto({ turns: again, tools: [f] }))).toEqual([
      "system[0]",
      "messages[2][0]",
      "messages[4][1]",
    ])
  })

  it("are none where the conversation need not go on, where the caller marks, and where they are not wanted", () => {
    const turns = [instructed, userSays("Hello")]
    expect(marksIn(auto({ turns }))).toEqual([])
    expect(
      marksIn(auto({ turns: [...turns, modelSays({ kind: "text", text: "Hi" }), userSays("And?")] })),
    ).toEqual(["system[0]", "messages[0][0]", "messages[2][0]"])
    const marked = gives({ kind: "text", text: "Hello", cache: "5m" })
    expect(marksIn(auto({ turns: [instructed, marked], tools: [f] }))).toEqual(["messages[0][0]"])
    expect(marksIn(auto({ turns, tools: [{ ...f, isCached: true }] }))).toEqual(["tools[0]"])
    expect(marksIn(write({ turns, tools: [f] }))).toEqual([])
  })
})

describe("tools (2.4)", () => {
  it("are functions with the schema of an object", () => {
    const schemas: ReadonlyArray<readonly [JsonObject | undefined, object]> = [
      [undefined, { type: "object", properties: {} }],
      [{}, { type: "object", properties: {} }],
      [{ type: "object" }, { type: "object", properties: {} }],
      [{ type: ["object", "null"] }, { type: "object", properties: {} }],
      [
        { properties: { a: {} }, required: ["a"] },
        { type: "object", properties: { a: {} }, required: ["a"] },
      ],
      [f.schema, f.schema ?? {}],
    ]
    for (const [schema, written] of schemas) {
      const one = write({ tools: [{ ...f, schema }] })
      expect(one.body["tools"]).toEqual([{ name: "f", description: "d", input_schema: written }])
      expect(lost(one)).toEqual([])
    }
  })

  it("lose what the top of a schema cannot say", () => {
    const anyOf = [
      { type: "object", properties: { a: { type: "string" } } },
      { type: "object", properties: { b: { type: "string" } } },
    ]
    const merged = write({ tools: [{ ...f, schema: { anyOf } }] })
    expect(merged.body["tools"]).toMatchObject([
      { input_schema: { type: "object", properties: { a: {}, b: {} } } },
    ])
    expect(JSON.stringify(merged.body)).not.toContain("anyOf")
    expect(lost(merged)).toEqual(["tools.parameters"])
    expect(lost(write({ tools: [{ ...f, schema: { type: "string" } }] }))).toEqual(["tools.parameters"])
  })

  it("are strict where their schema is closed and the model holds to schemas", () => {
    const closed = { ...f, strict: true, schema: { ...f.schema, additionalProperties: false } }
    expect(write({ tools: [closed] }).body["tools"]).toMatchObject([{ strict: true }])
    expect(lost(write({ tools: [closed] }))).toEqual([])
    expect(lost(write({ tools: [closed] }, "claude-sonnet-4"))).toEqual(["tools.strict"])
    const open = write({ tools: [{ ...f, strict: true }] })
    expect(open.body["tools"]).toEqual([{ name: "f", description: "d", input_schema: f.schema }])
    expect(lost(open)).toEqual(["tools.strict"])
  })

  it("that take any text are functions of one text, and known on the way back", () => {
    const grammar = { syntax: "lark", definition: "start: x" }
    const patch: Tool = { kind: "free_form", name: "apply_patch", description: "Patches.", grammar }
    const turns = [
      userSays("a"),
      modelSays({ kind: "tool_call", id: "i", name: "apply_patch", input: "*** Begin", isFreeForm: true }),
      gives(results("i", { isFreeForm: true })),
    ]
    const written = write({ tools: [patch], turns })
    expect(written.body["tools"]).toMatchObject([
      {
        name: "apply_patch",
        description: expect.stringContaining("start: x"),
        input_schema: { required: ["input"] },
      },
    ])
    expect(written.body["messages"]).toMatchObject([{}, { content: [{ input: { input: "*** Begin" } }] }, {}])
    expect(written.renamed).toEqual([{ sent: "apply_patch", name: "apply_patch", isFreeForm: true }])
    expect(lost(written)).toEqual(["tools.format"])
  })

  it("have names that are taken, in what is called as in what was", () => {
    const name = `mcp.${"x".repeat(130)}`
    const called: AssistantPart = { kind: "tool_call", id: "i", name, input: "", isFreeForm: false }
    const choice = { toolChoice: { value: { kind: "tool", name }, as: "tool_choice" } } as const
    const turns = [userSays("a"), modelSays(called), gives(results("i"))]
    const { body, renamed } = write({ turns, tools: [{ ...f, name }], settings: choice })
    const sent = renamed[0]?.sent ?? ""
    expect(sent).toMatch(/^mcp_x{115}_[0-9a-f]{8}$/)
    expect(renamed).toEqual([{ sent, name, isFreeForm: false }])
    expect(JSON.stringify(body).split(`"name":"${sent}"`)).toHaveLength(4)
    expect(JSON.stringify(body)).not.toContain("mcp.")
  })

  it("of others are essential", () => {
    expect(
      lost(write({ tools: [f, { kind: "foreign", as: "tools.web_search", isEssential: true }] })),
    ).toEqual(["tools.web_search!"])
  })

  it("that were called are told where none are sent, since calls are refused then", () => {
    const { body } = write({ turns: [userSays("a"), modelSays(calls("i")), gives(results("i"))] })
    expect(body).toMatchObject({ tools: [{ name: "f" }], tool_choice: { type: "none" } })
  })

  it.each<readonly [Settings, object | undefined]>([
    [{}, undefined],
    [{ toolChoice: { value: { kind: "auto" }, as: "c" } }, { type: "auto" }],
    [{ toolChoice: { value: { kind: "none" }, as: "c" } }, { type: "none" }],
    [{ toolChoice: { value: { kind: "required" }, as: "c" } }, { type: "any" }],
    [{ toolChoice: { value: { kind: "tool", name: "f" }, as: "c" } }, { type: "tool", name: "f" }],
    [{ parallelToolCalls: { value: false, as: "p" } }, { type: "auto", disable_parallel_tool_use: true }],
    [{ parallelToolCalls: { value: true, as: "p" } }, undefined],
    [
      { toolChoice: { value: { kind: "required" }, as: "c" }, parallelToolCalls: { value: false, as: "p" } },
      { type: "any", disable_parallel_tool_use: true },
    ],
    [
      { toolChoice: { value: { kind: "none" }, as: "c" }, parallelToolCalls: { value: false, as: "p" } },
      { type: "none" },
    ],
  ])("%j are chosen by %j", (settings, choice) => {
    const written = withSettings(settings, undefined, [f])
    expect(written.body["tool_choice"]).toEqual(choice)
    expect(lost(written)).toEqual([])
    expect(withSettings(settings).body["tool_choice"]).toBeUndefined()
  })

  it("are only some of them where only some are allowed", () => {
    const value = { kind: "allowed", mode: "required", names: ["g"] } as const
    const { body } = withSettings({ toolChoice: { value, as: "c" } }, undefined, [f, { ...f, name: "g" }])
    expect(body).toMatchObject({ tools: [{ name: "g" }], tool_choice: { type: "any" } })
  })

  it.each<readonly [string, Settings, object, ReadonlyArray<string>]>([
    ["claude-sonnet-5-5", {}, { tool_choice: { type: "auto" } }, ["c"]],
    ["claude-sonnet-5", {}, { tool_choice: { type: "any" }, thinking: { type: "disabled" } }, []],
    [
      "claude-sonnet-5",
      { reasoning: { value: { mode: "on", effort: "low" }, as: "r" } },
      { tool_choice: { type: "auto" }, thinking: { type: "adaptive" } },
      ["c"],
    ],
    [
      "claude-haiku-5-5",
      { reasoning: { value: { mode: "on", effort: "low" }, as: "r" } },
      { tool_choice: { type: "any" }, thinking: { type: "adaptive" } },
      [],
    ],
    [
      "claude-sonnet-4-5",
      { reasoning: { value: { mode: "on", effort: "low" }, as: "r" } },
      { tool_choice: { type: "auto" }, thinking: { type: "enabled" } },
      ["c"],
    ],
    ["claude-opus-4-8", {}, { tool_choice: { type: "any" } }, []],
  ])("of %s may have to be called, with %j", (model, settings, members, losses) => {
    const written = withSettings(
      { toolChoice: { value: { kind: "required" }, as: "c" }, ...settings },
      model,
      [f],
    )
    expect(written.body).toMatchObject(members)
    expect(lost(written)).toEqual(losses)
  })
})

describe("the form of an answer (2.5)", () => {
  const formed = (schema: JsonObject, model?: string) =>
    withSettings(
      {
        format: {
          value: { kind: "json_schema", name: "n", description: undefined, schema, strict: true },
          as: "response_format",
        },
      },
      model,
    )

  it("is a schema with every object closed, and told what cannot be held to", () => {
    const schema: JsonObject = {
      type: "object",
      description: "d",
      properties: {
        a: { type: "string", minLength: 2, format: "email" },
        b: { type: "array", items: { $ref: "#/$defs/c" }, minItems: 3 },
        d: { oneOf: [{ type: "null" }, { type: "number", minimum: 0 }] },
      },
      required: ["a"],
      $defs: { c: { type: "object", properties: { e: { enum: ["x"] } } } },
    }
    const written = formed(schema)
    expect(written.body["output_config"]).toEqual({
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          description: "d",
          properties: {
            a: { type: "string", format: "email", description: "{minLength: 2}" },
            b: { type: "array", items: { $ref: "#/$defs/c" }, description: "{minItems: 3}" },
            d: { anyOf: [{ type: "null" }, { type: "number", description: "{minimum: 0}" }] },
          },
          required: ["a"],
          $defs: { c: { type: "object", properties: { e: { enum: ["x"] } }, additionalProperties: false } },
          additionalProperties: false,
        },
      },
    })
    expect(lost(written)).toEqual([])
    expect(written.body["system"]).toBeUndefined()
  })

  const optional = (count: number): JsonObject => ({
    type: "object",
    properties: Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, { type: "string" }])),
  })
  const unions = (count: number): JsonObject => {
    const names = Array.from({ length: count }, (_, at) => `a${at}`)
    return {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, { type: ["string", "null"] }])),
      required: names,
    }
  }

  it.each<readonly [string, JsonObject, boolean]>([
    ["24 optional members", optional(24), true],
    ["25 optional members", optional(25), false],
    ["16 unions", unions(16), true],
    ["17 unions", unions(17), false],
    ["a map", { type: "object", additionalProperties: { type: "string" } }, false],
    ["an object of anything", { type: "object" }, false],
    [
      "what refers to itself",
      {
        type: "object",
        properties: { a: { $ref: "#/$defs/a" } },
        $defs: { a: { anyOf: [{ $ref: "#/$defs/a" }] } },
      },
      false,
    ],
    ["what refers to its root", { type: "object", properties: { a: { $ref: "#" } } }, false],
    ["what refers elsewhere", { type: "object", properties: { a: { $ref: "https://a" } } }, false],
  ])("of %s", (_, schema, isHeld) => {
    const written = formed(schema)
    expect(written.body["output_config"] !== undefined).toBe(isHeld)
    expect(lost(written)).toEqual(isHeld ? [] : ["response_format"])
    if (!isHeld) expect(JSON.stringify(written.body["system"])).toContain("JSON Schema")
  })

  it("is told in instructions to models that hold to none, and where no schema is given", () => {
    const told = formed({ type: "object", properties: { city: { type: "string" } } }, "claude-3-5-haiku")
    expect(JSON.stringify(told.body["system"])).toContain("city")
    expect(told.body["output_config"]).toBeUndefined()
    const object = withSettings({ format: { value: { kind: "json_object" }, as: "response_format" } })
    expect(JSON.stringify(object.body["system"])).toContain("JSON")
    expect(lost(object)).toEqual(["response_format"])
  })
})

describe("reasoning (2.6)", () => {
  const wish = (value: NonNullable<Settings["reasoning"]>["value"], maxTokens?: number): Settings => ({
    reasoning: { value, as: "r" },
    ...(maxTokens === undefined ? {} : { maxTokens: { value: maxTokens, as: "max_tokens" } }),
  })
  const on = (effort?: string) => wish({ mode: "on", effort })
  const adaptive = (effort?: string) => ({
    thinking: { type: "adaptive", display: "summarized" },
    ...(effort === undefined ? {} : { output_config: { effort } }),
  })
  const enabled = (budget: number) => ({ thinking: { type: "enabled", budget_tokens: budget } })

  it.each<readonly [string, Settings, object, ReadonlyArray<string>]>([
    ["claude-opus-4-8", on("minimal"), adaptive("low"), ["r"]],
    ["claude-opus-4-8", on("medium"), adaptive("medium"), []],
    ["claude-opus-4-8", on("xhigh"), adaptive("xhigh"), []],
    ["claude-sonnet-4-6", on("xhigh"), adaptive("high"), ["r"]],
    ["claude-sonnet-4-6", on("max"), adaptive("max"), []],
    ["claude-sonnet-4-6", on("quite"), adaptive(), ["r"]],
    ["claude-opus-4-8", on(), adaptive(), []],
    ["claude-opus-4-8", wish({ mode: "on", budget: 4096 }), adaptive("high"), ["r"]],
    [
      "claude-opus-4-8",
      wish({ mode: "on", told: "nothing" }),
      { thinking: { type: "adaptive", display: "omitted" } },
      [],
    ],
    ["claude-sonnet-4-5", on("minimal"), enabled(1024), []],
    ["claude-sonnet-4-5", on("low"), enabled(1024), []],
    ["claude-sonnet-4-5", on("medium"), enabled(2048), []],
    ["claude-sonnet-4-5", on("high"), enabled(4096), []],
    ["claude-sonnet-4-5", on("xhigh"), enabled(8192), []],
    ["claude-sonnet-4-5", on("max"), enabled(16_384), []],
    ["claude-sonnet-4-5", on(), enabled(2048), []],
    ["claude-sonnet-4-5", wish({ mode: "on", budget: 10 }), enabled(1024), []],
    [
      "claude-sonnet-4-5",
      wish({ mode: "on", effort: "high" }, 2000),
      { ...enabled(1999), max_tokens: 2000 },
      [],
    ],
    ["claude-sonnet-4-5", wish({ mode: "on", effort: "high" }, 1024), { max_tokens: 1024 }, ["r"]],
    ["claude-sonnet-4-5", wish({ mode: "off" }), {}, []],
    ["claude-sonnet-5", wish({ mode: "off" }), { thinking: { type: "disabled" } }, []],
    ["claude-sonnet-5-5", wish({ mode: "off" }), {}, ["r"]],
    ["claude-3-haiku", on("high"), {}, ["r"]],
  ])("%s with %j is %j", (model, settings, members, losses) => {
    const written = withSettings(settings, model)
    const { max_tokens: most, messages: _, model: __, ...rest } = written.body
    expect({ ...rest, ...("max_tokens" in members ? { max_tokens: most } : {}) }).toEqual(members)
    expect(lost(written)).toEqual(losses)
  })

  it("takes away sampling that is refused beside it", () => {
    const written = withSettings({ ...on("low"), temperature: { value: 0.2, as: "t" } })
    expect(written.body["temperature"]).toBeUndefined()
    expect(lost(written)).toEqual(["t"])
  })

  const seal: Seal = { dialect: "messages", sealed: "signed==", id: undefined, isAll: false }
  const returned = (from: string, more: Partial<Seal> = {}) => unwrap(wrap({ ...seal, ...more }, from))
  const reasoned = (texts: ReadonlyArray<string>, sealedBy: Seal | undefined): Turn =>
    modelSays({ kind: "reasoning", texts, seal: sealedBy }, calls("i"))

  it.each<readonly [string, Seal | undefined, object | undefined]>([
    ["what it signed", returned(upstream), { type: "thinking", thinking: "a\n\nb", signature: "signed==" }],
    ["what it hid", returned(upstream, { isAll: true }), { type: "redacted_thinking", data: "signed==" }],
    ["what another signed", returned("other"), undefined],
    ["what another dialect sealed", returned(upstream, { dialect: "responses" }), undefined],
    ["what nobody signed", undefined, undefined],
  ])("gives back %s", (_, sealedBy, block) => {
    const turns = [userSays("a"), reasoned(["a", "b"], sealedBy), gives(results("i"))]
    const written = write({ turns, tools: [f], settings: on("low") })
    const call = { type: "tool_use", id: "i", name: "f", input: {} }
    expect(written.body["messages"]).toMatchObject([
      {},
      { content: block === undefined ? [call] : [block, call] },
      {},
    ])
    // Calls that are not thought of before are refused while thinking is on.
    expect(written.body["thinking"] === undefined).toBe(block === undefined)
    expect(lost(written)).toEqual(block === undefined ? ["reasoning", "r"] : [])
  })

  it("does not think where the model goes on with its own words", () => {
    const turns = [userSays("a"), modelSays({ kind: "text", text: "It is" })]
    const written = write({ turns, settings: on() })
    expect(written.body["thinking"]).toBeUndefined()
    expect(lost(written)).toEqual(["r"])
  })

  it("goes on thinking where the calls are over, and where it thinks adaptively", () => {
    const turns = [userSays("a"), modelSays(calls("i")), gives(results("i"))]
    const after = write({
      turns: [...turns, modelSays({ kind: "text", text: "x" }), userSays("b")],
      tools: [f],
      settings: on(),
    })
    expect(after.body["thinking"]).toBeDefined()
    expect(write({ turns, tools: [f], settings: on() }, "claude-opus-4-6").body["thinking"]).toBeDefined()
  })
})

describe("what was written", () => {
  /** What the round trip keeps: members have other names afterwards, and tokens at most are always said. */
  const kept = ({ settings, tools, turns, stream }: Conversation) => ({
    stream,
    turns,
    tools: tools.map((tool) => ({ ...tool, strict: false })),
    maxTokens: settings.maxTokens?.value,
    toolChoice: tools.length === 0 ? undefined : settings.toolChoice?.value,
  })

  it("is read as the conversation that it was", () => {
    fc.assert(
      fc.property(conversationArb, (conversation) => {
        const { body } = write(conversation)
        const read = Either.getOrThrowWith(readMessagesRequest(body), (fault) => new Error(fault.message))
        const hadTools = conversation.tools.length > 0
        const most = conversation.settings.maxTokens === undefined ? undefined : read.settings.maxTokens
        const { toolChoice } = read.settings
        expect(
          kept({
            ...read,
            tools: hadTools ? read.tools : [],
            settings: {
              ...(most === undefined ? {} : { maxTokens: most }),
              ...(toolChoice === undefined ? {} : { toolChoice }),
            },
          }),
        ).toEqual(kept(conversation))
        expect(read.foreign).toEqual([])
      }),
    )
  })

  it("has no member of another dialect", () => {
    const members = new Set(
      "model max_tokens messages system tools tool_choice thinking output_config temperature top_p top_k stop_sequences metadata service_tier stream".split(
        " ",
      ),
    )
    fc.assert(
      fc.property(
        conversationArb,
        fc.constantFrom("claude-sonnet-4-5", "claude-opus-5-5", "x"),
        (one, model) => {
          const { body } = write(one, model)
          expect(Object.keys(body).filter((name) => !members.has(name))).toEqual([])
        },
      ),
    )
  })
})
