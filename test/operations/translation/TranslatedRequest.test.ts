/** What a target is sent of a request in another dialect, by its entry of the configuration. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { nothingOmitted, type Omissions } from "../../../src/operations/Additions.ts"
import { conversations } from "../../../src/operations/translation/Conversations.ts"
import { preparedFor } from "../../../src/operations/translation/TranslatedRequest.ts"
import type { Dialect } from "../../../src/routing/Dialect.ts"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { parseObject } from "../../../src/wire/JsonBytes.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const prepared = (
  from: Dialect,
  body: JsonObject,
  dialect: Dialect,
  entry: Partial<Upstream> = {},
  upstreamModel = "m",
  omissions: Omissions = nothingOmitted,
) => {
  const operation = conversations[from]
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const asked = Either.getOrThrow(operation.decode(bytes, {}))
  const upstream = makeUpstream({ name: "target", ...entry })
  return preparedFor(operation, asked, { upstream, upstreamModel, dialect }, omissions, undefined)
}

describe("the cap of a caller before a client of chat", () => {
  it("has its other name once that is learned, and none is left out for it", () => {
    const capOf = (...caps: ReadonlyArray<"max_tokens" | "max_completion_tokens">) => {
      const made = Either.getOrThrow(prepared("messages", messages, "chat", {}, "m", { usage: false, caps }))
      const { max_completion_tokens: newer, max_tokens: older } = parseObject(made.body) ?? {}
      return [older, newer, made.added.cap, made.added.isCallersCap]
    }
    expect(capOf()).toEqual([2_000, undefined, "max_tokens", true])
    expect(capOf("max_tokens")).toEqual([undefined, 2_000, "max_completion_tokens", true])
    expect(capOf("max_tokens", "max_completion_tokens")[0]).toBe(2_000)
  })
})

const sent = (...args: Parameters<typeof prepared>): JsonObject =>
  parseObject(Either.getOrThrow(prepared(...args)).body) ?? {}

const user = { role: "user", content: "hi" }
const chat = { model: "m", messages: [user] }
const messages = { model: "m", max_tokens: 2_000, messages: [user] }

describe("how much is to be thought", () => {
  const wish = { ...messages, thinking: { type: "enabled", budget_tokens: 2_000 } }

  it("can be taken back where it is written in another dialect, and is told then", () => {
    const made = Either.getOrThrow(prepared("messages", wish, "chat"))
    expect(made.added.reasoning).toBe("reasoning_effort")
    const omissions = { ...nothingOmitted, reasoning: "always" } as const
    const again = Either.getOrThrow(prepared("messages", wish, "chat", {}, "m", omissions))
    expect(parseObject(again.body)).not.toHaveProperty("reasoning_effort")
    expect(again.added.reasoning).toBe(undefined)
    expect(again.dropped).toEqual(["thinking"])
  })

  it.each([
    ["chat", { ...chat, reasoning_effort: "high" }, "messages", "thinking"],
    ["messages", wish, "responses", "reasoning"],
    ["messages", messages, "chat", undefined],
  ] as const)("is said by another member in each dialect: from %s", (from, body, to, member) => {
    expect(Either.getOrThrow(prepared(from, body, to)).added.reasoning).toBe(member)
  })
})

describe("what a target cannot be told", () => {
  it("is left out and named where on_unsupported is drop", () => {
    const made = prepared("chat", { ...chat, seed: 1, logit_bias: { 5: 1 } }, "messages")
    expect(Either.getOrThrow(made)).toMatchObject({ dropped: ["logit_bias", "seed"], asItCame: false })
  })

  it("is named so that a header can carry it, and not without end", () => {
    const odd = { ...chat, "x\r\nset-cookie": 1, ä: 1, "a,b": 1, ["y".repeat(65)]: 1, plain: 1 }
    expect(Either.getOrThrow(prepared("chat", odd, "messages"))).toMatchObject({
      dropped: ["member", "plain"],
    })
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`x${at}`, 1]))
    const { dropped } = Either.getOrThrow(prepared("chat", { ...chat, ...many }, "messages"))
    expect([dropped?.length, dropped?.at(-1)]).toEqual([41, "others"])
    const refusal = Either.flip(
      prepared("chat", { ...chat, "\u202e": 1 }, "messages", { onUnsupported: "reject" }),
    )
    expect(refusal).toMatchObject({ right: { param: "member" } })
  })

  it("is not refused where the answer is the same without it", () => {
    const cached = { ...chat, prompt_cache_key: "k" }
    const asked = prepared("chat", cached, "messages", { onUnsupported: "reject" })
    expect(Either.getOrThrow(asked).dropped).toEqual(["prompt_cache_key"])
  })

  it("is refused where it is reject, by the caller's name for it", () => {
    expect(
      Either.flip(prepared("chat", { ...chat, seed: 1 }, "messages", { onUnsupported: "reject" })),
    ).toMatchObject({
      right: { param: "seed", message: expect.stringContaining("on_unsupported is reject") },
    })
  })

  it("is refused in either case where the answer would be another one without it", () => {
    for (const onUnsupported of ["drop", "reject"] as const) {
      const refusal = Either.flip(prepared("chat", { ...chat, n: 2 }, "messages", { onUnsupported }))
      expect(refusal).toMatchObject({ right: { param: "n", message: expect.not.stringContaining("reject") } })
    }
  })

  it.each<readonly [Dialect, JsonObject, Dialect, string, string]>([
    ["chat", { ...chat, seed: 1 }, "messages", "m", "messages, its dialect, has no `seed`, and its"],
    ["chat", { ...chat, seed: 1 }, "responses", "m", "responses, its dialect, has no `seed`, and its"],
    ["chat", { ...chat, n: 2 }, "messages", "m", "messages, its dialect, has no `n`)"],
    ["chat", { ...chat, temperature: 1.5 }, "messages", "m", "cannot say this `temperature`, and its"],
    ["chat", { ...chat, user: "a@b.example" }, "messages", "m", "cannot say this `user`, and its"],
    [
      "chat",
      { ...chat, response_format: { type: "json_object" } },
      "messages",
      "m",
      "this `response_format`,",
    ],
    [
      "chat",
      { ...chat, temperature: 0.7 },
      "messages",
      "claude-sonnet-5",
      "its model claude-sonnet-5 does not take this `temperature`, and its",
    ],
    ["messages", { ...messages, temperature: 0.7 }, "chat", "o3", "its model o3 does not take this `temp"],
    [
      "messages",
      { ...messages, temperature: 0.7 },
      "responses",
      "o3",
      "its model o3 does not take this `temp",
    ],
  ])("says why, %#: from %s", (from, body, to, model, why) => {
    const refusal = Either.flip(prepared(from, body, to, { onUnsupported: "reject" }, model))
    expect(refusal).toMatchObject({ right: { message: expect.stringContaining(why) } })
    expect(refusal).toMatchObject({ right: { unsaid: { upstream: "target" } } })
  })

  it("makes no refusal of a request of which nothing is left out", () => {
    expect(Either.isRight(prepared("chat", chat, "messages", { onUnsupported: "reject" }))).toBe(true)
  })
})

describe("how much is to be thought", () => {
  const max = { ...messages, output_config: { effort: "max" } }
  const off = { ...messages, thinking: { type: "disabled" } }

  it.each<readonly [JsonObject, string, string | undefined, ReadonlyArray<string>]>([
    [max, "o3", "high", ["output_config.effort"]],
    [off, "gpt-oss-120b", undefined, []],
    [off, "o3", "low", ["thinking"]],
    [off, "gpt-5.1", "none", []],
  ])(
    "is the nearest that the model knows, and told where that is another, %#",
    (body, model, effort, told) => {
      const inChat = Either.getOrThrow(prepared("messages", body, "chat", {}, model))
      expect([parseObject(inChat.body)?.["reasoning_effort"], inChat.dropped]).toEqual([effort, told])
      const inResponses = Either.getOrThrow(prepared("messages", body, "responses", {}, model))
      const { reasoning } = parseObject(inResponses.body) ?? {}
      expect([reasoning, inResponses.dropped]).toEqual([effort === undefined ? undefined : { effort }, told])
    },
  )
})

describe("a history that was cut", () => {
  const orphaned = { ...chat, messages: [{ role: "tool", tool_call_id: "call_1", content: "Sunny" }, user] }
  const call = { type: "tool_use", id: "toolu_1", name: "look", input: {} }
  const unanswered = { ...messages, messages: [user, { role: "assistant", content: [call] }, user] }

  it("has a call to each result and a result to each call, and says what is not as it came", () => {
    const made = Either.getOrThrow(prepared("chat", orphaned, "messages"))
    expect(made.dropped).toEqual(["messages.tool"])
    expect(parseObject(made.body)?.["messages"]).toEqual([
      {
        role: "user",
        content: ["What a tool gave (call call_1):", "Sunny", "hi"].map((text) => ({ type: "text", text })),
      },
    ])
    const answered = Either.getOrThrow(prepared("messages", unanswered, "chat"))
    expect(answered.dropped).toEqual(["messages.content.tool_use"])
    expect(parseObject(answered.body)?.["messages"]).toMatchObject([
      user,
      { role: "assistant" },
      { role: "tool", tool_call_id: "toolu_1", content: "Error: The result of this call is missing." },
      user,
    ])
  })

  it("is refused where on_unsupported is reject, and not touched in its own dialect", () => {
    const reject = { onUnsupported: "reject" } as const
    expect(Either.flip(prepared("messages", unanswered, "responses", reject))).toMatchObject({
      right: { param: "messages.content.tool_use" },
    })
    expect(sent("chat", orphaned, "chat")["messages"]).toEqual(orphaned.messages)
  })
})

describe("what a target's models take", () => {
  it.each<[string, Dialect, JsonObject, Dialect, Partial<Upstream>, string, JsonObject]>([
    [
      "the model's name",
      "messages",
      { ...messages, temperature: 0.5 },
      "chat",
      {},
      "o3",
      { max_completion_tokens: 2_000 },
    ],
    [
      "sampling",
      "messages",
      { ...messages, temperature: 0.5 },
      "chat",
      { abilities: { sampling: "always" } },
      "o3",
      { temperature: 0.5 },
    ],
    [
      "max_output",
      "chat",
      chat,
      "messages",
      { abilities: { maxOutput: 77 } },
      "claude-sonnet-5",
      { max_tokens: 77 },
    ],
    [
      "efforts",
      "chat",
      { ...chat, reasoning_effort: "max" },
      "responses",
      { abilities: { efforts: ["low", "high"] } },
      "m",
      { reasoning: { effort: "high" } },
    ],
    [
      "max_tokens_member",
      "messages",
      messages,
      "chat",
      { maxTokensMember: "max_tokens" },
      "o3",
      { max_tokens: 2_000 },
    ],
    [
      "max_tokens_member",
      "messages",
      messages,
      "chat",
      { maxTokensMember: "max_completion_tokens" },
      "m",
      { max_completion_tokens: 2_000 },
    ],
    [
      "max_tokens_member over nothing known",
      "messages",
      messages,
      "chat",
      { maxTokensMember: "auto" },
      "m",
      { max_tokens: 2_000 },
    ],
  ])("is decided by %s", (_, from, body, to, entry, model, expected) => {
    expect(sent(from, body, to, entry, model)).toMatchObject(expected)
  })
})

describe("a request that asks nothing a model of another dialect could be asked", () => {
  const unseen = { type: "computer_call_output", call_id: "c", output: { type: "computer_screenshot" } }
  it.each<readonly [Dialect, JsonObject, string]>([
    ["chat", { ...chat, messages: [{ role: "user", content: [] }] }, "messages"],
    ["chat", { ...chat, messages: [{ role: "user", content: " " }] }, "messages"],
    ["chat", { ...chat, messages: [{ role: "user", content: null }] }, "messages"],
    ["responses", { model: "m", input: [unseen] }, "input"],
    ["responses", { model: "m", input: [] }, "input"],
    ["responses", { model: "m", input: [{ type: "reasoning", summary: [] }] }, "input"],
    ["messages", { ...messages, messages: [{ role: "user", content: [] }] }, "messages"],
  ])("is refused: from %s, %j", (from, body, param) => {
    for (const to of ["chat", "responses", "messages"] as const) {
      if (to !== from) expect(prepared(from, body, to)).toMatchObject({ left: { param } })
    }
  })

  it("is none where instructions are all there is", () => {
    const told = { ...chat, messages: [{ role: "system", content: "Tell a joke." }] }
    expect(sent("chat", told, "messages")["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: "Tell a joke." }] },
    ])
  })
})

describe("tools before a model of chat that takes them only without thoughts", () => {
  const tools = [{ name: "look", input_schema: { type: "object" } }]
  const none: Omissions = { ...nothingOmitted, reasoning: "none" }
  const thinking = { type: "enabled", budget_tokens: 1_500 }
  it.each<readonly [JsonObject, ReadonlyArray<string>]>([
    [{}, []],
    [{ thinking: { type: "disabled" } }, []],
    [{ thinking }, ["thinking"]],
    [{ thinking: { type: "adaptive" }, output_config: { effort: "max" } }, ["thinking"]],
  ])("are sent with the effort none, which is told where more was wished: %j", (wish, dropped) => {
    for (const model of ["m", "gpt-5.6"]) {
      const body = { ...messages, tools, ...wish }
      expect(Either.getOrThrow(prepared("messages", body, "chat", {}, model)).added.toolsInChat).toBe(true)
      const made = Either.getOrThrow(prepared("messages", body, "chat", {}, model, none))
      expect(parseObject(made.body)?.["reasoning_effort"]).toBe("none")
      expect(made.dropped).toEqual(dropped)
    }
  })
})

describe("marks for a cache", () => {
  const tools = [{ type: "function", function: { name: "look", parameters: { type: "object" } } }]
  const own = { ...chat, tools }
  const part = { type: "text", text: "hi", cache_control: { type: "ephemeral" } }
  const callers = { ...chat, tools, messages: [{ role: "user", content: [part] }] }

  it("of this gateway's can be taken back, those of the caller cannot", () => {
    const addedTo = (body: JsonObject, entry: Partial<Upstream> = {}) =>
      Either.getOrThrow(prepared("chat", body, "messages", entry)).added.marks
    expect(addedTo(own)).toBe(true)
    expect(addedTo(chat)).toBe(undefined)
    expect(addedTo(callers)).toBe(undefined)
    expect(addedTo(own, { cacheMarks: "keep" })).toBe(undefined)
  })

  it("are left out where they were refused, and nothing is told of it", () => {
    expect(JSON.stringify(sent("chat", own, "messages"))).toContain("cache_control")
    const made = Either.getOrThrow(
      prepared("chat", own, "messages", {}, "m", { ...nothingOmitted, marks: true }),
    )
    expect(JSON.stringify(parseObject(made.body))).not.toContain("cache_control")
    expect([made.added.marks, made.dropped]).toEqual([undefined, []])
  })
})
