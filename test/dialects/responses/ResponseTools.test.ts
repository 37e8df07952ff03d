/** Tools that responses alone group, search for and offer in their input, as others know them, and their calls on the way back. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { noUsage } from "../../../src/answer/Usage.ts"
import type { NeutralAnswer } from "../../../src/dialects/Answer.ts"
import { eventsOf } from "../../../src/dialects/AnswerParts.ts"
import { callersTools, withCallersTools } from "../../../src/dialects/CallersTools.ts"
import { forms } from "../../../src/dialects/Forms.ts"
import type { ToolCallPart } from "../../../src/dialects/Part.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { run } from "../../../src/wire/Machine.ts"
import { askedFor, writeFor } from "../Abilities.ts"
import { objectsOf } from "../EventsOf.ts"

const { responses } = forms

const parameters = { type: "object", properties: {} }

const fn = (name: string): JsonObject => ({
  type: "function",
  name,
  description: `Does ${name}.`,
  parameters,
})

const mail: JsonObject = {
  type: "namespace",
  name: "mail",
  description: "Reads mail.",
  tools: [fn("find"), { type: "custom", name: "write", description: "Writes." }],
}

const search: JsonObject = {
  type: "tool_search",
  execution: "client",
  description: "Finds tools.",
  parameters,
}

const user: JsonObject = { type: "message", role: "user", content: "Hi" }

const written = (to: "chat" | "messages", body: JsonObject) =>
  forms[to].writeRequest(
    Either.getOrThrow(responses.readRequest({ model: "m", input: [user], ...body })),
    writeFor({ freeFormTools: false }),
  )

/** The names and descriptions of what is offered. */
const offered = (to: "chat" | "messages", body: JsonObject): ReadonlyArray<unknown> => {
  const { tools } = written(to, body).body
  return (Array.isArray(tools) ? tools : []).map((tool) => {
    const { description, name } = to === "chat" ? tool.function : tool
    return [name, description]
  })
}

/** The answer to a request that calls tools as they were sent, as its caller is given it: whole, and the items of its stream. */
const answered = (body: JsonObject, calls: ReadonlyArray<readonly [string, string]>) => {
  const { renamed } = written("chat", body)
  const answer: NeutralAnswer = {
    id: "1",
    model: "m",
    createdAt: 5,
    serviceTier: undefined,
    parts: calls.map(([name, input], at): ToolCallPart => {
      return { kind: "tool_call", id: `call_${at}`, name, input, isFreeForm: false }
    }),
    finish: { kind: "tool_calls" },
    counts: noUsage,
  }
  const events = objectsOf(
    responses.writeEvents(askedFor).take(run(callersTools(renamed), eventsOf(answer))),
  ).flatMap((event) => (event === "[DONE]" ? [] : [event]))
  return { whole: responses.writeAnswer(withCallersTools(answer, renamed), askedFor)["output"], events }
}

const itemsIn = (events: ReadonlyArray<JsonObject>): ReadonlyArray<unknown> =>
  events.flatMap(({ item, type }) => (type === "response.output_item.done" ? [item] : []))

const found = (tools: ReadonlyArray<JsonObject>): JsonObject => ({
  type: "tool_search_output",
  execution: "client",
  call_id: "call_1",
  status: "completed",
  tools,
})

const searched: JsonObject = {
  type: "tool_search_call",
  execution: "client",
  call_id: "call_1",
  status: "completed",
  arguments: { query: "mail" },
}

const both = ["chat", "messages"] as const

describe.each(both)("Before a client that speaks %s, responses", (to) => {
  const ofMail = [
    ["mail__find", "Does find.\n\nmail: Reads mail."],
    ["mail__write", "Writes."],
  ]

  it("offer the tools of a namespace by its name and theirs, and say of the first what is said of all", () => {
    expect(offered(to, { tools: [fn("find"), mail] })).toEqual([["find", "Does find."], ...ofMail])
    expect(written(to, { tools: [mail] }).losses).toEqual([])
  })

  it("offer the tools that come with the input", () => {
    const more = { type: "additional_tools", role: "developer", tools: [mail, fn("look")] }
    expect(offered(to, { input: [more, user] })).toEqual([...ofMail, ["look", "Does look."]])
    expect(written(to, { input: [more, user] }).losses).toEqual([])
  })

  it("offer what was found from then on, each once", () => {
    const input = [user, searched, found([mail]), user, { ...searched, call_id: "call_2" }, found([mail])]
    expect(offered(to, { tools: [search], input })).toEqual([["tool_search", "Finds tools."], ...ofMail])
  })

  it("refuse a tool of the provider's, in a namespace too, but not the search for tools that are all sent", () => {
    const lost = (tools: ReadonlyArray<JsonObject>) => written(to, { tools }).losses
    expect(lost([{ type: "namespace", name: "n", tools: [{ type: "web_search" }] }])).toEqual([
      { as: "tools.web_search", isEssential: true },
    ])
    expect(lost([{ type: "tool_search" }, { ...fn("f"), defer_loading: true }])).toEqual([
      { as: "tools.tool_search", isEssential: false },
    ])
  })
})

describe("Calls of the past", () => {
  it("are of the same names, and tell what was found", () => {
    const input = [
      user,
      searched,
      found([mail]),
      { type: "function_call", call_id: "call_2", namespace: "mail", name: "find", arguments: "{}" },
      { type: "custom_tool_call", call_id: "call_3", namespace: "mail", name: "write", input: "x" },
      { type: "function_call_output", call_id: "call_2", output: "a" },
      { type: "custom_tool_call_output", call_id: "call_3", output: "b" },
      { ...searched, call_id: "call_4" },
      { ...found([]), call_id: "call_4" },
    ]
    const called = (id: string, name: string, args: string) => ({
      id,
      type: "function",
      function: { name, arguments: args },
    })
    expect(written("chat", { tools: [search], input }).body["messages"]).toEqual([
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: null,
        tool_calls: [called("call_1", "tool_search", '{"query":"mail"}')],
      },
      {
        role: "tool",
        tool_call_id: "call_1",
        content: "mail__find: Does find.\n\nmail: Reads mail.\nmail__write: Writes.",
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [called("call_2", "mail__find", "{}"), called("call_3", "mail__write", '{"input":"x"}')],
      },
      { role: "tool", tool_call_id: "call_2", content: "a" },
      { role: "tool", tool_call_id: "call_3", content: "b" },
      {
        role: "assistant",
        content: null,
        tool_calls: [called("call_4", "tool_search", '{"query":"mail"}')],
      },
      { role: "tool", tool_call_id: "call_4", content: "No tools were found." },
    ])
  })

  it("of a search that the provider did are left out", () => {
    const input = [
      user,
      { ...searched, execution: "server", call_id: null },
      { ...found([mail]), execution: "server", call_id: null },
      user,
    ]
    const { body, losses } = written("chat", { tools: [{ type: "tool_search" }, mail], input })
    expect(body["messages"]).toEqual([user, user].map(() => ({ role: "user", content: "Hi" })))
    expect(losses.map(({ as }) => as)).toEqual([
      "input.tool_search_call",
      "input.tool_search_output",
      "tools.tool_search",
    ])
  })

  it("that have to be made are chosen by the same names", () => {
    const choice = (choice: JsonObject) =>
      written("chat", { tools: [mail, fn("look")], tool_choice: choice }).body["tool_choice"]
    expect(choice({ type: "function", namespace: "mail", name: "find" })).toEqual({
      type: "function",
      function: { name: "mail__find" },
    })
    expect(
      JSON.stringify(
        choice({ type: "allowed_tools", mode: "auto", tools: [{ namespace: "mail", name: "find" }] }),
      ),
    ).toContain('"mail__find"')
  })
})

describe("Calls of an answer", () => {
  it("say the namespace and the name apart, whole and streamed alike", () => {
    const { events, whole } = answered({ tools: [mail, fn("look")] }, [
      ["mail__find", '{"a":1}'],
      ["mail__write", '{"input":"b\\n"}'],
      ["look", "{}"],
    ])
    expect(whole).toMatchObject([
      { type: "function_call", call_id: "call_0", namespace: "mail", name: "find", arguments: '{"a":1}' },
      { type: "custom_tool_call", call_id: "call_1", namespace: "mail", name: "write", input: "b\n" },
      { type: "function_call", call_id: "call_2", name: "look", arguments: "{}" },
    ])
    expect(itemsIn(events)).toEqual(whole)
    expect(events.find(({ type }) => type === "response.function_call_arguments.done")).toMatchObject({
      name: "find",
    })
  })

  it("of the search for tools are items of their own, told at once", () => {
    const { events, whole } = answered({ tools: [search] }, [
      ["tool_search", '{"query":"mail"}'],
      ["tool_search", ""],
      ["tool_search", "[broken"],
    ])
    const item = { type: "tool_search_call", execution: "client", status: "completed" }
    expect(whole).toMatchObject([
      { ...item, call_id: "call_0", arguments: { query: "mail" } },
      { ...item, call_id: "call_1", arguments: {} },
      { ...item, call_id: "call_2", arguments: "[broken" },
    ])
    expect(itemsIn(events)).toEqual(whole)
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set([
        ...["response.created", "response.in_progress", "response.output_item.added"],
        ...["response.output_item.done"],
        ...["response.completed"],
      ]),
    )
  })
})
