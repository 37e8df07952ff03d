/** The cleanings of a conversation: examples of each, and what none of them may do. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { withoutThinking } from "../../../src/answer/Thinking.ts"
import { cleanMessages, isMultimodal, printMessages, textOf } from "../../../src/operations/text/Messages.ts"
import type { RequestCleaning } from "../../../src/routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../../src/wire/Json.ts"
import { cpuMs } from "../../support/CpuTime.ts"
import { runs } from "../../support/Runs.ts"

const all: RequestCleaning = {
  mergeUserMessages: true,
  dropEmptyMessages: true,
  stripHistoryThink: ["think"],
}
const none: RequestCleaning = {
  mergeUserMessages: false,
  dropEmptyMessages: false,
  stripHistoryThink: [],
}

const user = (content: Json, others: JsonObject = {}): JsonObject => ({ role: "user", content, ...others })
const assistant = (content: Json, others: JsonObject = {}): JsonObject => ({
  role: "assistant",
  content,
  ...others,
})
const part = (text: string): JsonObject => ({ type: "text", text })
const image: JsonObject = { type: "image_url", image_url: { url: "https://example.org/a.png" } }
const cleaned = (messages: ReadonlyArray<JsonObject>, cleaning: RequestCleaning = all) =>
  cleanMessages(messages, cleaning).messages

describe("merging user messages", () => {
  it("joins strings by a blank line, in order, trimming nothing", () => {
    expect(cleaned([user("a "), user(" b\n"), user("c")])).toEqual([user("a \n\n b\n\n\nc")])
  })

  it("concatenates part lists, a string becoming a text part", () => {
    expect(cleaned([user("a"), user([image, part("b")]), user("c")])).toEqual([
      user([part("a"), image, part("b"), part("c")]),
    ])
  })

  it("keeps apart what other messages stand between", () => {
    const messages = [user("a"), assistant("b"), user("c")]
    expect(cleaned(messages)).toBe(messages)
  })

  it("merges messages of one name, and not those whose other members differ", () => {
    expect(cleaned([user("a", { name: "x" }), user("b", { name: "x" })])).toEqual([
      user("a\n\nb", { name: "x" }),
    ])
    for (const others of [{ name: "y" }, {}, { name: "x", more: 1 }]) {
      const messages = [user("a", { name: "x" }), user("b", others)]
      expect(cleaned(messages)).toBe(messages)
    }
    const objects = [user("a", { cache: { ttl: 1 } }), user("b", { cache: { ttl: 1 } })]
    expect(cleaned(objects)).toBe(objects)
  })

  it("leaves a content of an unknown kind alone", () => {
    const messages = [user("a"), user(5), user({ text: "b" })]
    expect(cleaned(messages)).toBe(messages)
  })

  it("lets an absent content say nothing where empty messages are kept", () => {
    const cleaning = { ...none, mergeUserMessages: true }
    expect(cleaned([user(null), user("a"), { role: "user" }], cleaning)).toEqual([user("a")])
    expect(cleaned([user(null), user(null)], cleaning)).toEqual([user(null)])
  })
})

describe("leaving out empty messages", () => {
  it("leaves out absent, null and empty contents and parts of empty text, of any role", () => {
    const empty = [
      user(""),
      user(null),
      { role: "user" },
      user([]),
      user([part(""), part("")]),
      assistant(""),
    ]
    expect(cleaned([{ role: "system", content: "" }, ...empty, user("a")])).toEqual([user("a")])
  })

  it("takes white space and images for something", () => {
    for (const content of [" ", "\n", [part(" ")], [part(""), image], 0, {}, [null]] satisfies Array<Json>) {
      const messages = [user(content)]
      expect(cleaned(messages)).toBe(messages)
    }
  })

  it("keeps tool answers, and messages that say something beside their content", () => {
    const messages = [
      assistant(null, { tool_calls: [{ id: "1" }] }),
      { role: "tool", content: "", tool_call_id: "1" },
      { role: "function", content: null, name: "f" },
      assistant("", { function_call: {} }),
      assistant("", { reasoning: "r" }),
      assistant("", { reasoning_content: "r" }),
      assistant("", { reasoning_details: [{}] }),
      assistant(null, { refusal: "no" }),
      assistant(null, { audio: { id: "a" } }),
    ]
    expect(cleaned(messages)).toBe(messages)
  })

  it("takes null and empty companions for absent, as SDKs print them", () => {
    const message = assistant(null, { tool_calls: [], function_call: null, refusal: null, reasoning: "" })
    expect(cleaned([message, user("a")])).toEqual([user("a")])
  })

  it("may leave nothing", () => {
    expect(cleaned([user("")])).toEqual([])
  })
})

describe("removing thinking from earlier turns", () => {
  it("removes blocks over line breaks, with the white space around one that opened the content", () => {
    const cases: ReadonlyArray<readonly [before: string, after: string]> = [
      ["<think>a\nb</think>\n\nHello", "Hello"],
      ["<think>a</think>\n<think>b</think> Hello", " Hello"],
      ["<think>a</think> <think>b</think> Hello", "<think>b</think> Hello"],
      [" <think>a</think>Hello", "Hello"],
      ["Hello\n<think>a</think>\nthere", "Hello\n\nthere"],
      ["Hello\r\n  <think>a</think>there", "Hello\r\n  there"],
      ["<think>never closed", ""],
      ["<think>a</think>", ""],
      ["\n<think>a</think>\n", ""],
      ["<think></think>x", "x"],
      ["<think>a <think> b</think>c</think>d", "c</think>d"],
    ]
    for (const [before, after] of cases)
      expect([before, withoutThinking(before, ["think"])]).toEqual([before, after])
  })

  it("keeps a later block that never closes, and tags inside a line", () => {
    for (const text of [
      "plain",
      "Hello\n<think>never closed",
      "</think> alone",
      "The tag `<think>` and its end `</think>` are text here.",
      "a <think>b</think>",
      "<thinking>a</thinking>",
      "<THINK>a</THINK>",
    ]) {
      expect(withoutThinking(text, ["think"])).toBe(text)
    }
  })

  it("is linear in hostile text", () => {
    const used = cpuMs()
    withoutThinking(`${"x<think>".repeat(200_000)}</think>`, ["think"])
    withoutThinking(" ".repeat(200_000) + "<think></think>".repeat(100_000), ["think"])
    withoutThinking("<think>".repeat(200_000), ["think"])
    withoutThinking("a\n<think></think>".repeat(100_000), ["think"])
    // A tenth of a second; what is quadratic takes minutes.
    expect(used()).toBeLessThan(10_000)
  })

  it("keeps the thinking of a tool loop: of all turns behind the last user message", () => {
    const calls = { tool_calls: [{ id: "1" }] }
    const result = { role: "tool", content: "4", tool_call_id: "1" }
    const loop = [
      user("2+2?"),
      assistant("<think>ask</think>", calls),
      result,
      assistant("<think>once more</think>so", calls),
      result,
    ]
    expect(cleaned(loop)).toBe(loop)
    expect(cleaned([...loop, assistant("<think>c</think>4"), user("and 3+3?")])).toEqual([
      user("2+2?"),
      assistant("", calls),
      result,
      assistant("so", calls),
      result,
      assistant("4"),
      user("and 3+3?"),
    ])
  })

  it("takes an empty user message for no question, and needs one to tell what is earlier", () => {
    const thinking = assistant("<think>a</think>b")
    expect(cleaned([user("a"), thinking, user("")])).toEqual([user("a"), thinking])
    const unasked = [{ role: "system", content: "Go." }, thinking, assistant("c")]
    expect(cleaned(unasked)).toBe(unasked)
  })

  it("touches assistant turns only, and not one that ends the conversation", () => {
    const thinking = "<think>a</think>b"
    expect(cleaned([user(thinking), assistant(thinking), user("c"), assistant(thinking)])).toEqual([
      user(thinking),
      assistant("b"),
      user("c"),
      assistant(thinking),
    ])
  })

  it("works in text parts, leaving out those it empties", () => {
    expect(cleaned([assistant([part("<think>a</think>"), part("b")]), user("c")])).toEqual([
      assistant([part("b")]),
      user("c"),
    ])
    expect(
      cleaned([assistant([part("<think>a</think>")]), user("c")], { ...none, stripHistoryThink: ["think"] }),
    ).toEqual([assistant([part("")]), user("c")])
  })

  it("leaves a turn of thinking alone to the dropping of empty messages, and then to the merging", () => {
    const messages = [user("a"), assistant("<think>b</think>\n"), user("c")]
    expect(cleaned(messages)).toEqual([user("a\n\nc")])
    expect(cleaned(messages, { ...all, dropEmptyMessages: false })).toEqual([
      user("a"),
      assistant(""),
      user("c"),
    ])
  })

  it("keeps a turn of thinking and tool calls", () => {
    const calls = { tool_calls: [{ id: "1" }] }
    expect(cleaned([assistant("<think>b</think>", calls), { role: "tool", content: "" }, user("c")])).toEqual(
      [assistant("", calls), { role: "tool", content: "" }, user("c")],
    )
  })
})

const textArb = fc
  .array(
    fc.constantFrom(
      "<think>",
      "</think>",
      "<thi",
      "nk>",
      " ",
      "\n",
      "\r\n",
      "a",
      "Ω",
      "😀",
      "\ud800",
      '"',
      "\\",
    ),
    { maxLength: 10 },
  )
  .map((pieces) => pieces.join(""))

const partArb: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: textArb.map(part) },
  textArb.map((text) => ({ ...part(text), cache_control: { type: "ephemeral" } })),
  fc.constantFrom<Json>(image, null, 5, [], [[1]], {}, { type: "text" }, { type: "text", text: 3 }),
)

const contentArb: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: textArb },
  { weight: 2, arbitrary: fc.array(partArb, { maxLength: 3 }) },
  fc.constantFrom<Json>(null, "", [], 5, {}, true),
)

const messageArb: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.constantFrom<Json>(
      "user",
      "user",
      "user",
      "assistant",
      "assistant",
      "system",
      "tool",
      "function",
      null,
    ),
    fc.option(contentArb, { nil: undefined, freq: 8 }),
    fc.constantFrom<JsonObject>(
      {},
      {},
      {},
      { name: "x" },
      { tool_calls: [{ id: "1" }] },
      { reasoning: null },
      { audio: { id: "a" } },
    ),
  )
  .map(([role, content, others]) => ({ role, ...(content === undefined ? {} : { content }), ...others }))

const conversationArb = fc.array(messageArb, { maxLength: 8 })

const cleaningArb: fc.Arbitrary<RequestCleaning> = fc.record({
  mergeUserMessages: fc.boolean(),
  dropEmptyMessages: fc.boolean(),
  stripHistoryThink: fc.constantFrom([], ["think"]),
})

const userText = (messages: ReadonlyArray<JsonObject>): string =>
  messages
    .filter(({ role }) => role === "user")
    .map(({ content = null }) =>
      isJsonArray(content) ? content.map((one) => textOf([one])).join("") : textOf(content),
    )
    .join("")
    .replaceAll("\n\n", "")

const toolMessages = (messages: ReadonlyArray<JsonObject>) =>
  messages.filter(({ role }) => role === "tool" || role === "function")

describe("cleaning as a whole", () => {
  // A block that followed another on its line stands first once that is gone, so thinking is removed from what callers have, not from what was cleaned.
  it("law: all but removing thinking is idempotent, and the second time gives back the very array", () => {
    fc.assert(
      fc.property(conversationArb, cleaningArb, (messages, every) => {
        const cleaning = { ...every, stripHistoryThink: [] }
        const once = cleaned(messages, cleaning)
        expect(cleaned(once, cleaning)).toBe(once)
      }),
      { numRuns: runs(1_000) },
    )
  })

  it("law: where the outcome equals the input it is the input, and without a cleaning it always is", () => {
    fc.assert(
      fc.property(conversationArb, cleaningArb, (messages, cleaning) => {
        const outcome = cleaned(messages, cleaning)
        if (JSON.stringify(outcome) === JSON.stringify(messages)) expect(outcome).toBe(messages)
        expect(cleaned(messages, none)).toBe(messages)
      }),
    )
  })

  it("law: all user text arrives, in order", () => {
    fc.assert(
      fc.property(conversationArb, cleaningArb, (messages, cleaning) => {
        expect(userText(cleaned(messages, cleaning))).toBe(userText(messages))
      }),
      { numRuns: runs(500) },
    )
  })

  it("law: tool messages are the very objects that came", () => {
    fc.assert(
      fc.property(conversationArb, cleaningArb, (messages, cleaning) => {
        const before = toolMessages(messages)
        const after = toolMessages(cleaned(messages, cleaning))
        expect(after.length).toBe(before.length)
        after.forEach((message, index) => {
          expect(message).toBe(before[index])
        })
      }),
    )
  })

  it("law: no two user strings are left side by side, and nothing empty", () => {
    fc.assert(
      fc.property(
        fc.array(messageArb.map(({ role = null, content = null }) => ({ role, content }))),
        (messages) => {
          const outcome = cleaned(messages)
          outcome.forEach(({ role, content }, index) => {
            const next = outcome[index + 1]
            expect(
              role === "user" &&
                next?.["role"] === "user" &&
                typeof content === "string" &&
                typeof next["content"] === "string",
            ).toBe(false)
            expect((content === "" || content === null) && role !== "tool" && role !== "function").toBe(false)
          })
        },
      ),
    )
  })
})

describe("printing cleaned messages", () => {
  const printed = (text: string, cleaning: RequestCleaning = all): string => {
    const parsed: unknown = JSON.parse(text)
    const messages = Array.isArray(parsed) ? parsed.filter(isJsonObject) : []
    return printMessages(text, messages, cleanMessages(messages, cleaning))
  }

  it("keeps the text of messages, parts and members that were not changed", () => {
    expect(
      printed(
        '[ {"role":"system", "content":"s", "x":1.0}, {"id":12345678901234567890, "role":"user","content":[ {"type":"text", "text":"a","n":1e2} ]},{"role":"assistant","content":""}, {"id":12345678901234567890,"role":"user","content":"b"}]',
      ),
    ).toBe(
      '[{"role":"system", "content":"s", "x":1.0},{"id":12345678901234567890, "role":"user","content":[{"type":"text", "text":"a","n":1e2},{"type":"text","text":"b"}]}]',
    )
    expect(
      printed(
        '[{"role":"assistant","content":[{"n":1.0,"type":"text","text":"<think>a</think>b"}],"m":-0},{"role":"user","content":"c"}]',
      ),
    ).toBe(
      '[{"role":"assistant","content":[{"n":1.0,"type":"text","text":"b"}],"m":-0},{"role":"user","content":"c"}]',
    )
  })

  it("prints beside depths no printer would survive", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    expect(printed(`[{"role":"user","content":[${deep}]},{"role":"user","content":"a"}]`)).toBe(
      `[{"role":"user","content":[${deep},{"type":"text","text":"a"}]}]`,
    )
  })

  it("law: what is printed parses to the cleaned messages", () => {
    fc.assert(
      fc.property(conversationArb, cleaningArb, (messages, cleaning) => {
        const text = JSON.stringify(messages, undefined, 1)
        const parsed: unknown = JSON.parse(text)
        const before = Array.isArray(parsed) ? parsed.filter(isJsonObject) : []
        const outcome = cleanMessages(before, cleaning)
        expect(JSON.parse(printMessages(text, before, outcome))).toEqual(outcome.messages)
      }),
      { numRuns: runs(500) },
    )
  })
})

describe("isMultimodal", () => {
  it("tells parts that are not text from those that are", () => {
    expect(isMultimodal([part("a"), image])).toBe(true)
    expect(isMultimodal([{ type: "input_audio" }])).toBe(true)
    for (const content of [
      "a",
      null,
      [],
      [part("a")],
      [{ type: "refusal", refusal: "no" }],
      ["a"],
      {},
    ] satisfies Array<Json>) {
      expect(isMultimodal(content)).toBe(false)
    }
  })
})
