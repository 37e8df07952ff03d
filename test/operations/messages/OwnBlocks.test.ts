/** What one client sealed of a message goes back to it as it was, and to nobody else. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { transformMessage } from "../../../src/answer/messages/MessageAnswer.ts"
import { messageGrammar } from "../../../src/answer/messages/MessageGrammar.ts"
import { unsealed } from "../../../src/dialects/Seal.ts"
import { nothingOmitted, type Omissions } from "../../../src/operations/Additions.ts"
import { countTokens } from "../../../src/operations/messages/CountTokens.ts"
import { messages } from "../../../src/operations/messages/MessagesOperation.ts"
import { marked } from "../../../src/routing/Mark.ts"
import { Secrets } from "../../../src/secrets/Secrets.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { isJsonArray, isJsonObject, type Json } from "../../../src/wire/Json.ts"
import { makeUpstream } from "../../support/arbitraries.ts"
import {
  messages as anyMessage,
  cutUp,
  eventOf,
  eventsOf,
  messageOf,
  textBlock,
} from "../../support/Messages.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const grammar = messageGrammar(undefined)

const user = (content: Json): JsonObject => ({ role: "user", content })
const assistant = (...content: ReadonlyArray<Json>): JsonObject => ({ role: "assistant", content })

const thought = (signature: string): JsonObject => ({ type: "thinking", thinking: "So.", signature })
const redacted = (data: string): JsonObject => ({ type: "redacted_thinking", data })
const call: JsonObject = { type: "tool_use", id: "toolu_1", name: "weather", input: {} }

const first = (made: string): string => marked(made, "first")

const prepared = (
  turns: ReadonlyArray<Json>,
  name: string,
  operation: Pick<typeof messages | typeof countTokens, "decode"> = messages,
) => {
  const bytes = encoder.encode(JSON.stringify({ model: "m", max_tokens: 8, messages: turns }))
  const request = Either.getOrThrow(operation.decode(bytes, {}))
  const target = { upstream: makeUpstream({ name }), upstreamModel: "m" }
  const { asItCame, body, dropped } = Either.getOrThrow(request.bodyFor(target, nothingOmitted))
  const sent: unknown = JSON.parse(decoder.decode(body))
  return { asItCame, dropped, sent: isJsonObject(sent) ? sent["messages"] : undefined }
}

/** The content of a message as its caller has it, however it came. */
const givenPlain = (message: JsonObject, maker: string, marksOnlyAgain = false): Json =>
  contentIn(
    transformMessage(
      { prefix: undefined, thinking: "passthrough", madeBy: maker, marksOnlyAgain },
      encoder.encode(JSON.stringify(message)),
    ),
  )

const givenStreamed = (
  message: JsonObject,
  maker: string,
  cuts: ReadonlyArray<number>,
  marksOnlyAgain = false,
): Json => {
  const answer = grammar.answer({
    includeUsage: true,
    choices: 1,
    secrets: new Secrets([]),
    madeBy: () => maker,
    marksOnlyAgain,
  })
  const events = cutUp(eventsOf(message), cuts).flatMap((event) => answer.take(event))
  return (
    grammar.assembled(
      events.map(({ data }) => data),
      false,
    )["content"] ?? null
  )
}

/** What is given out of these events within a message. */
const streamedWire = (events: ReadonlyArray<Readonly<Record<string, unknown>>>): string => {
  const answer = grammar.answer({
    includeUsage: true,
    choices: 1,
    secrets: new Secrets([]),
    madeBy: () => "first",
  })
  const [start, ...rest] = eventsOf(messageOf([]))
  return [...(start === undefined ? [] : [start]), ...events.map(eventOf), ...rest]
    .flatMap((event) => answer.take(event))
    .map(({ data }) => decoder.decode(data))
    .join("\n")
}

const contentIn = (bytes: Uint8Array): Json => {
  const message: unknown = JSON.parse(decoder.decode(bytes))
  return isJsonObject(message) ? (message["content"] ?? null) : null
}

const isThought = (block: Json): boolean =>
  isJsonObject(block) && (block["type"] === "thinking" || block["type"] === "redacted_thinking")

const holdsSeal = (block: Json): boolean =>
  isThought(block) && isJsonObject(block) && (block["signature"] ?? block["data"]) !== ""

describe("A message that comes from another gateway", () => {
  const through = (message: JsonObject, cuts: ReadonlyArray<number> | undefined): Json => {
    const settings = { madeBy: "outer", marksOnlyAgain: true }
    return cuts === undefined
      ? givenPlain(message, settings.madeBy, settings.marksOnlyAgain)
      : givenStreamed(message, settings.madeBy, cuts, settings.marksOnlyAgain)
  }

  it.each([undefined, [], [1, 2, 3]])("is for it what it gave out, at the only client too", (cuts) => {
    const made = [thought(first("EqQB")), redacted(first("EroE")), thought("Eunmarked"), textBlock("Sunny.")]
    const given = through({ ...messageOf([]), content: made }, cuts)
    const turns = [user("Hello?"), { role: "assistant", content: given }, user("And?")]
    const { dropped, sent } = prepared(turns, "outer")
    expect(dropped).toBeUndefined()
    expect(sent).toEqual([user("Hello?"), { role: "assistant", content: made }, user("And?")])
  })

  it("keeps the bytes of what has no mark", () => {
    expect(through({ ...messageOf([]), content: [thought("EqQB")] }, undefined)).toEqual([thought("EqQB")])
  })

  it("is marked by what an operation says of its client", () => {
    const only = makeUpstream({ name: "only" })
    expect(messages.marks?.(only, [only])).toBe("marked")
    expect(messages.marks?.(only, [only, makeUpstream({ name: "other", dialects: ["messages"] })])).toBe(
      "all",
    )
  })
})

describe("A turn of a model that is sent back", () => {
  const sentBack = fc.tuple(anyMessage, fc.array(fc.nat({ max: 6 }), { minLength: 1 }), fc.boolean())

  it("law: is for its maker what it was, and for others without what is sealed", () => {
    fc.assert(
      fc.property(sentBack, ([message, cuts, isStreamed]) => {
        const whole: JsonObject = JSON.parse(JSON.stringify(message))
        const made = whole["content"] ?? []
        const given = isStreamed ? givenStreamed(whole, "first", cuts) : givenPlain(whole, "first")
        const turns = [user("Hello?"), { role: "assistant", content: given }, user([textBlock("And?")])]
        const own = prepared(turns, "first")
        expect(own.sent).toEqual([turns[0], { role: "assistant", content: made }, turns[2]])
        expect(own.dropped).toBeUndefined()

        const left = isJsonArray(made) ? made.filter((block) => !holdsSeal(block)) : []
        const other = prepared(turns, "second")
        if (isJsonArray(made) && left.length === made.length) {
          expect(other.asItCame).toBe(true)
          expect(other.dropped).toBeUndefined()
          return
        }
        expect(
          other.dropped?.every((name) => /^(thinking\.signature|redacted_thinking\.data)$/.test(name)),
        ).toBe(true)
        expect(other.sent).toEqual(
          left.length > 0
            ? [turns[0], { role: "assistant", content: left }, turns[2]]
            : [user([textBlock("Hello?"), textBlock("And?")])],
        )
      }),
    )
  })

  it.each<readonly [string, ReadonlyArray<Json>, ReadonlyArray<Json>, ReadonlyArray<string> | undefined]>([
    [
      "keeps its texts and calls",
      [user("a"), assistant(thought(first("c2ln")), textBlock("b"), call), user("c")],
      [user("a"), assistant(textBlock("b"), call), user("c")],
      ["thinking.signature"],
    ],
    [
      "keeps what nobody is known to have made",
      [user("a"), assistant(thought("c2ln"), redacted("ZGF0YQ=="), textBlock("b")), user("c")],
      [user("a"), assistant(thought("c2ln"), redacted("ZGF0YQ=="), textBlock("b")), user("c")],
      undefined,
    ],
    [
      "keeps a thought that has no signature",
      [user("a"), assistant(thought(""), textBlock("b"))],
      [user("a"), assistant(thought(""), textBlock("b"))],
      undefined,
    ],
    [
      "is left out where nothing of it is left, and those around it are one",
      [user("a"), assistant(thought(first("c2ln")), redacted(first("ZGF0YQ=="))), user([call]), user("c")],
      [user([textBlock("a"), call]), user("c")],
      ["thinking.signature", "redacted_thinking.data"],
    ],
    [
      "is left out between turns of others, which stay as they are",
      [user("a"), assistant(thought(first("c2ln"))), assistant(textBlock("b"))],
      [user("a"), assistant(textBlock("b"))],
      ["thinking.signature"],
    ],
    [
      "is left out at the beginning and at the end",
      [assistant(thought(first("c2ln"))), user("a"), assistant(redacted(first("ZGF0YQ==")))],
      [user("a")],
      ["thinking.signature", "redacted_thinking.data"],
    ],
    [
      "keeps the summary of a compaction, of which only the seal is left out",
      [
        assistant({
          type: "compaction",
          content: "So far.",
          encrypted_content: first("ZQ=="),
          signature: first("c2ln"),
        }),
        user("a"),
      ],
      [assistant({ type: "compaction", content: "So far." }), user("a")],
      ["compaction.signature", "compaction.encrypted_content"],
    ],
    [
      "keeps a call, of which only the seal is left out: its answer would stand alone",
      [user("a"), assistant({ ...call, signature: first("c2ln") }), user("c")],
      [user("a"), assistant(call), user("c")],
      ["block.signature"],
    ],
    [
      "is told of in words that a header takes, whatever a caller calls it",
      [user([{ type: "x\r\nset-cookie: a", signature: first("c2ln") }, { signature: first("c2ln") }])],
      [user([{ type: "x\r\nset-cookie: a" }, {}])],
      ["block.signature"],
    ],
    [
      "keeps what a tool has found, encrypted or not",
      [
        user("a"),
        assistant({
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_1",
          content: [{ type: "web_search_result", encrypted_content: "ZQ==" }],
        }),
      ],
      [
        user("a"),
        assistant({
          type: "web_search_tool_result",
          tool_use_id: "srvtoolu_1",
          content: [{ type: "web_search_result", encrypted_content: "ZQ==" }],
        }),
      ],
      undefined,
    ],
  ])("%s", (_, turns, expected, dropped) => {
    for (const operation of [messages, countTokens]) {
      const { sent, dropped: left } = prepared(turns, "second", operation)
      expect(sent).toEqual(expected)
      expect(left).toEqual(dropped)
    }
  })

  it("keeps every byte that is not of the seal", () => {
    const content = `[ {"type":"thinking", "n":12345678901234567890, "thinking":"\\u00e9","signature":"${first("c2ln")}"} ,{"type":"text","text":"b"} ]`
    const body = (signed: string): string =>
      `{ "model":"m","messages" : [{"role":"user","content":"a"} , {"content": ${signed} ,"role":"assistant"}],"max_tokens":8}`
    const request = Either.getOrThrow(messages.decode(encoder.encode(body(content)), {}))
    const sentTo = (name: string): string => {
      const target = { upstream: makeUpstream({ name }), upstreamModel: "m" }
      return decoder.decode(Either.getOrThrow(request.bodyFor(target, nothingOmitted)).body)
    }
    expect(sentTo("first")).toBe(body(content.replace(first("c2ln"), "c2ln")))
    expect(sentTo("second")).toBe(body('[ {"type":"text","text":"b"} ]'))
  })
})

describe("What was thought in earlier turns", () => {
  const asked = (content: ReadonlyArray<Json>, omissions: Omissions) => {
    const turns = [user("a"), assistant(...content), user("c")]
    const body = encoder.encode(JSON.stringify({ model: "m", max_tokens: 8, messages: turns }))
    const request = Either.getOrThrow(messages.decode(body, {}))
    const target = { upstream: makeUpstream({ name: "first" }), upstreamModel: "m" }
    return Either.getOrThrow(request.bodyFor(target, omissions))
  }
  const without = { ...nothingOmitted, thoughts: true } as const

  it("may be taken back as long as any of it is sent", () => {
    const thoughtsIn = (...content: ReadonlyArray<Json>) => asked(content, nothingOmitted).added.thoughts
    expect(thoughtsIn(thought("c2ln"), textBlock("b"))).toBe(true)
    expect(thoughtsIn(thought(""), textBlock("b"))).toBe(true)
    expect(thoughtsIn(redacted(first("ZGF0YQ==")), textBlock("b"))).toBe(true)
    expect(thoughtsIn(thought(marked("c2ln", "second")), textBlock("b"))).toBeUndefined()
    expect(thoughtsIn(textBlock("b"))).toBeUndefined()
  })

  it("law: is left out altogether where it is taken back, and all else is as it was", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { content: made = [] }: JsonObject = JSON.parse(JSON.stringify(message))
        const content = isJsonArray(made) ? made : []
        const { added, body } = asked(content, without)
        const sent: unknown = JSON.parse(decoder.decode(body))
        const left = content.filter((block) => !isThought(block))
        expect(added.thoughts).toBeUndefined()
        expect(isJsonObject(sent) ? sent["messages"] : undefined).toEqual(
          left.length > 0 || content.length === 0
            ? [user("a"), assistant(...left), user("c")]
            : [user([textBlock("a"), textBlock("c")])],
        )
      }),
    )
  })

  it("is another's where it was translated and nobody sealed it", () => {
    const { body, dropped } = asked([thought(unsealed("second")), textBlock("b")], nothingOmitted)
    expect(decoder.decode(body)).not.toContain("thinking")
    expect(dropped).toEqual(["thinking.signature"])
  })
})

describe("Thinking of which a thread is lost", () => {
  const calls = assistant(thought(first("c2ln")), call)
  const answered = user([{ type: "tool_result", tool_use_id: "toolu_1", content: "Sun." }])
  const manual = { type: "enabled", budget_tokens: 2_000 }
  const context = {
    edits: [{ type: "clear_thinking_20251015", keep: "all" }, { type: "clear_tool_uses_20250919" }],
  }

  const sentBody = (name: string, more: JsonObject, operation: typeof messages | typeof countTokens) => {
    const asked = { model: "m", max_tokens: 4_000, context_management: context, ...more }
    const request = Either.getOrThrow(operation.decode(encoder.encode(JSON.stringify(asked)), {}))
    const target = { upstream: makeUpstream({ name }), upstreamModel: "m" }
    const { body, dropped } = Either.getOrThrow(request.bodyFor(target, nothingOmitted))
    const { context_management, thinking }: JsonObject = JSON.parse(decoder.decode(body))
    return { thinking, context_management, dropped }
  }

  const asItWas = { thinking: manual, context_management: context }

  it.each<readonly [string, string, ReadonlyArray<Json>, Json, object]>([
    [
      "is off amid calls, whose next turn would be refused",
      "second",
      [user("a"), calls, answered],
      manual,
      {
        thinking: { type: "disabled" },
        context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
        dropped: ["thinking.signature", "thinking"],
      },
    ],
    ["goes on with its maker", "first", [user("a"), calls, answered], manual, asItWas],
    [
      "goes on where another turn of the user has come since",
      "second",
      [user("a"), calls, answered, assistant(textBlock("b")), user("c")],
      manual,
      { ...asItWas, dropped: ["thinking.signature"] },
    ],
    [
      "goes on where the model decides itself",
      "second",
      [user("a"), calls, answered],
      { type: "adaptive" },
      { thinking: { type: "adaptive" }, context_management: context, dropped: ["thinking.signature"] },
    ],
  ])("%s", (_, name, turns, thinking, expected) => {
    for (const operation of [messages, countTokens])
      expect(sentBody(name, { messages: turns, thinking }, operation)).toEqual({
        dropped: undefined,
        ...expected,
      })
  })
})

describe("A message that is given out", () => {
  it("law: has the same marks, streamed and plain, and nothing else is changed", () => {
    fc.assert(
      fc.property(anyMessage, fc.array(fc.nat({ max: 6 }), { minLength: 1 }), (message, cuts) => {
        const whole: JsonObject = JSON.parse(JSON.stringify(message))
        const plain = givenPlain(whole, "first")
        expect(givenStreamed(whole, "first", cuts)).toEqual(plain)
        const marks = isJsonArray(plain) ? plain.filter(holdsSeal).length : 0
        expect(JSON.stringify(plain).split(/\.s[\w-]{12}"/).length - 1).toBe(marks)
      }),
    )
  })

  it.each([
    ["redacted thoughts of any length", redacted("A".repeat(200_000))],
    ["a compaction", { type: "compaction", content: "So far.", encrypted_content: "ZQ==" }],
    ["kinds that are not known yet", { type: "connector_text", text: "So.", signature: "c2ln" }],
  ])("has marks in %s", (_, block) => {
    const whole: JsonObject = JSON.parse(JSON.stringify(messageOf([block])))
    const expected = Object.fromEntries(
      Object.entries(block).map(([name, value]) => [
        name,
        ["data", "encrypted_content", "signature"].includes(name) ? first(String(value)) : value,
      ]),
    )
    expect(givenPlain(whole, "first")).toEqual([expected])
    expect(givenStreamed(whole, "first", [1])).toEqual([expected])
  })

  it("has marks in blocks that come in turns, and in deltas of blocks that never began", () => {
    const thinks = (index: number, signature: string) => ({
      type: "content_block_delta",
      index,
      delta: { type: "signature_delta", signature },
    })
    const begins = (index: number, block: JsonObject) => ({
      type: "content_block_start",
      index,
      content_block: block,
    })
    const wire = streamedWire([
      begins(0, thought("")),
      begins(1, textBlock("")),
      { type: "content_block_stop", index: 1 },
      thinks(0, "YQ=="),
      begins(2, call),
      thinks(12, "Yg=="),
    ])
    expect(wire).toContain(`"signature":"${first("YQ==")}"`)
    expect(wire).toContain(`"signature":"${first("Yg==")}"`)
  })

  it("has one mark where a message comes as one event", () => {
    const answer = grammar.answer({
      includeUsage: true,
      choices: 1,
      secrets: new Secrets([]),
      madeBy: () => "first",
    })
    const events = answer.take(eventOf(messageOf([thought("YQ=="), redacted("Yg==")])))
    const wire = events.map(({ data }) => decoder.decode(data)).join("\n")
    expect(wire).toContain(`"signature":"${first("YQ==")}"`)
    expect(wire).toContain(`"data":"${first("Yg==")}"`)
  })

  it("has marks in what is sealed in deltas that it does not know, and none in texts", () => {
    const events = [
      { type: "content_block_start", index: 0, content_block: { type: "compaction", content: null } },
      {
        type: "content_block_delta",
        index: 0,
        delta: { type: "compaction_delta", content: "So far.", encrypted_content: "ZQ==" },
      },
      { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "a", signature: "c2ln" } },
    ]
    const wire = streamedWire(events)
    expect(wire).toContain(`"encrypted_content":"${first("ZQ==")}"`)
    expect(wire).toContain('"signature":"c2ln"')
  })

  it("is a message of whoever resumed it from there on", () => {
    let maker = "first"
    const answer = grammar.answer({
      includeUsage: true,
      choices: 1,
      secrets: new Secrets([]),
      madeBy: () => maker,
    })
    const events = eventsOf(messageOf([textBlock("a"), JSON.parse(JSON.stringify(thought("c2ln")))]))
    const given = events.flatMap((event, at) => {
      if (at === 3) maker = "second"
      return answer.take(event)
    })
    const wire = given.map(({ data }) => decoder.decode(data)).join("\n")
    expect(wire).toContain(`"signature":"${marked("c2ln", "second")}"`)
  })
})
