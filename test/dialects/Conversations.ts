/** Conversations and answers in no dialect, drawn: what every dialect has to keep, as far as it can say it. */
import * as fc from "fast-check"
import type { Counts, Finish, NeutralAnswer } from "../../src/dialects/Answer.ts"
import type {
  Conversation,
  Setting,
  Settings,
  Tool,
  ToolChoice,
  Turn,
} from "../../src/dialects/Conversation.ts"
import type {
  AssistantPart,
  ImagePart,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  UserPart,
} from "../../src/dialects/Part.ts"
import type { JsonObject } from "../../src/wire/Json.ts"

/** Text with something in it: blank texts are refused by some and left out by others. */
export const textArb: fc.Arbitrary<string> = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => text.trim() !== "")

/** Names that every dialect takes for a tool or the id of a call. */
export const nameArb: fc.Arbitrary<string> = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_-]{0,20}$/)

export const textPartArb: fc.Arbitrary<TextPart> = fc.record({ kind: fc.constant("text"), text: textArb })

const base64Arb = fc
  .uint8Array({ minLength: 1, maxLength: 9 })
  .map((bytes) => Buffer.from(bytes).toString("base64"))

export const imagePartArb: fc.Arbitrary<ImagePart> = fc.record({
  kind: fc.constant("image"),
  source: fc.oneof(
    fc.record({
      kind: fc.constant("data" as const),
      mediaType: fc.constantFrom("image/png", "image/jpeg", "image/gif", "image/webp"),
      base64: base64Arb,
    }),
    fc.record({ kind: fc.constant("url" as const), url: fc.webUrl() }),
  ),
})

const jsonArb: fc.Arbitrary<JsonObject> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 5 }).filter((name) => name !== "__proto__"),
  fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean(), fc.constant(null)),
  { maxKeys: 3 },
)

/** The input of a call, as JSON prints it. */
export const inputArb: fc.Arbitrary<string> = jsonArb.map((input) => JSON.stringify(input))

const anyA = { type: "object", properties: { a: { type: "string" } }, additionalProperties: false }

export const toolArb: fc.Arbitrary<Tool> = fc.record({
  kind: fc.constant("function" as const),
  name: nameArb,
  description: fc.option(textArb, { nil: undefined }),
  schema: fc.constant(anyA),
  strict: fc.boolean(),
  isCached: fc.constant(false),
})

const userTurnArb: fc.Arbitrary<Turn> = fc
  .array(fc.oneof<[fc.Arbitrary<UserPart>, fc.Arbitrary<UserPart>]>(textPartArb, imagePartArb), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) => ({ role: "user", parts }))

const callArb: fc.Arbitrary<ToolCallPart> = fc.record({
  kind: fc.constant("tool_call"),
  id: fc.uuid().map((id) => `call_${id}`),
  name: nameArb,
  input: inputArb,
  isFreeForm: fc.constant(false),
})

const resultOf = ({ id }: ToolCallPart): fc.Arbitrary<ToolResultPart> =>
  textPartArb.map((part) => ({
    kind: "tool_result",
    id,
    parts: [part],
    isError: false,
    isFreeForm: false,
  }))

/** The model speaks, and calls tools, whose results follow with more of the user or without. */
const exchangeArb: fc.Arbitrary<ReadonlyArray<Turn>> = fc
  .record({ text: fc.option(textPartArb, { nil: undefined }), calls: fc.array(callArb, { maxLength: 3 }) })
  .filter(({ calls, text }) => text !== undefined || calls.length > 0)
  .chain(({ calls, text }) => {
    const parts: ReadonlyArray<AssistantPart> = [...(text === undefined ? [] : [text]), ...calls]
    return fc
      .tuple(
        fc.tuple(...calls.map(resultOf)),
        fc.array(textPartArb, { minLength: calls.length === 0 ? 1 : 0, maxLength: 2 }),
      )
      .map(
        ([results, texts]): ReadonlyArray<Turn> => [
          { role: "assistant", parts },
          { role: "user", parts: [...results, ...texts] },
        ],
      )
  })

const said = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<Setting<A>> =>
  value.map((one) => ({ value: one, as: "as_the_caller_calls_it" }))

/** Those that all three dialects have a place for. */
const settingsFor = (tools: ReadonlyArray<Tool>): fc.Arbitrary<Settings> => {
  const [first] = tools
  const choices: ReadonlyArray<ToolChoice> = [
    { kind: "auto" },
    { kind: "none" },
    { kind: "required" },
    ...(first !== undefined && "name" in first ? [{ kind: "tool", name: first.name } as const] : []),
  ]
  return fc.record(
    {
      maxTokens: said(fc.integer({ min: 16, max: 8_000 })),
      ...(tools.length === 0 ? {} : { toolChoice: said(fc.constantFrom(...choices)) }),
    },
    { requiredKeys: ["maxTokens"] },
  )
}

/** Some take no calls where there are no tools. */
const withCalled = (tools: ReadonlyArray<Tool>, turns: ReadonlyArray<Turn>): ReadonlyArray<Tool> =>
  tools.length > 0 || turns.every(({ parts }) => parts.every(({ kind }) => kind !== "tool_call"))
    ? tools
    : [{ kind: "function", name: "f", description: undefined, schema: anyA, strict: false, isCached: false }]

/** What every dialect can say: the round trip through any of them keeps all of it, but for what members are called. */
export const conversationArb: fc.Arbitrary<Conversation> = fc
  .record({
    instructions: fc.option(fc.array(textPartArb, { minLength: 1, maxLength: 1 }), { nil: undefined }),
    first: userTurnArb,
    exchanges: fc.array(exchangeArb, { maxLength: 3 }),
    tools: fc.uniqueArray(toolArb, {
      maxLength: 3,
      selector: (tool) => ("name" in tool ? tool.name : tool.as),
    }),
    stream: fc.boolean(),
  })
  .map((drawn) => ({ ...drawn, tools: withCalled(drawn.tools, drawn.exchanges.flat()) }))
  .chain(({ exchanges, first, instructions, stream, tools }) =>
    settingsFor(tools).map((settings) => ({
      model: "m",
      stream,
      turns: [
        ...(instructions === undefined
          ? []
          : [{ role: "instructions", voice: "system", parts: instructions } as const]),
        first,
        ...exchanges.flat(),
      ],
      tools,
      settings,
      foreign: [],
    })),
  )

const reasoningArb: fc.Arbitrary<ReasoningPart> = fc
  .array(textArb, { minLength: 1, maxLength: 1 })
  .map((texts) => ({ kind: "reasoning", texts }))

const finishArb = (calls: boolean): fc.Arbitrary<Finish> =>
  calls ? fc.constant({ kind: "tool_calls" }) : fc.constantFrom({ kind: "stop" }, { kind: "length" })

/** Counts that add up, as those of an honest provider do. */
export const countsArb: fc.Arbitrary<Counts> = fc
  .record({
    fresh: fc.nat(9_999),
    cached: fc.nat(999),
    written: fc.nat(999),
    said: fc.nat(9_999),
    reasoned: fc.nat(99),
  })
  .map(({ cached, fresh, reasoned, said: output, written }) => ({
    inputTokens: fresh + cached + written,
    outputTokens: output + reasoned,
    totalTokens: fresh + cached + written + output + reasoned,
    cachedTokens: cached,
    reasoningTokens: reasoned,
    cacheWriteTokens: written,
    audioTokens: undefined,
    imageTokens: undefined,
    searchUnits: undefined,
    audioSeconds: undefined,
    images: undefined,
  }))

/** Answers that every dialect can give: reasoning, then one text, then calls. */
export const answerArb: fc.Arbitrary<NeutralAnswer> = fc
  .record({
    reasoning: fc.option(reasoningArb, { nil: undefined }),
    text: fc.option(textPartArb, { nil: undefined }),
    calls: fc.uniqueArray(callArb, { maxLength: 3, selector: ({ id }) => id }),
    counts: countsArb,
    id: nameArb,
  })
  .chain(({ calls, counts, id, reasoning, text }) =>
    finishArb(calls.length > 0).map((finish) => ({
      id,
      model: "m-2026",
      createdAt: 1_780_000_000,
      serviceTier: undefined,
      parts: [
        ...(reasoning === undefined ? [] : [reasoning]),
        ...(text === undefined ? [] : [text]),
        ...calls,
      ],
      finish,
      counts,
    })),
  )

/** Without what its members are called. What does not say that it is strict is not. */
export const nameless = ({ settings, tools, ...rest }: Conversation) => ({
  ...rest,
  tools: tools.map((tool) => (tool.kind === "function" ? { ...tool, strict: tool.strict ?? false } : tool)),
  settings: Object.fromEntries(
    Object.entries(settings).flatMap(([name, said]: [string, { readonly value: unknown } | undefined]) =>
      said === undefined ? [] : [[name, said.value]],
    ),
  ),
})
