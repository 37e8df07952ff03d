/** Every caller before every client: the nine pairs of dialects through sockets. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { noUsage } from "../../src/answer/Usage.ts"
import type { NeutralAnswer } from "../../src/dialects/Answer.ts"
import { eventsOf } from "../../src/dialects/AnswerParts.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { run } from "../../src/wire/Machine.ts"
import { decoder, isOverflow, type SseEvent } from "../../src/wire/Sse.ts"
import { encodeEvent } from "../../src/wire/SseWriting.ts"
import { askedFor } from "../dialects/Abilities.ts"
import { answerIn } from "../dialects/EventsOf.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const paths = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" } as const

const told: NeutralAnswer = {
  id: "abc",
  model: "m-2026",
  createdAt: undefined,
  serviceTier: undefined,
  parts: [
    { kind: "reasoning", texts: ["Hm."] },
    { kind: "text", text: "Let me see." },
    { kind: "tool_call", id: "call_1", name: "look", input: '{"at":"Bern"}', isFreeForm: false },
  ],
  finish: { kind: "tool_calls" },
  counts: {
    inputTokens: 30,
    outputTokens: 12,
    totalTokens: 42,
    cachedTokens: 8,
    reasoningTokens: 4,
    cacheWriteTokens: 2,
    audioTokens: undefined,
    imageTokens: undefined,
    searchUnits: undefined,
    audioSeconds: undefined,
    images: undefined,
  },
}

const asks: { readonly [D in Dialect]: JsonObject } = {
  chat: {
    model: "gpt-4",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Where?" },
    ],
    tools: [{ type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } }],
    max_completion_tokens: 100,
  },
  responses: {
    model: "gpt-4",
    instructions: "Be brief.",
    input: "Where?",
    tools: [
      { type: "function", name: "look", parameters: { type: "object", properties: {} }, strict: false },
    ],
    max_output_tokens: 100,
  },
  messages: {
    model: "gpt-4",
    system: "Be brief.",
    messages: [{ role: "user", content: "Where?" }],
    tools: [{ name: "look", input_schema: { type: "object", properties: {} } }],
    max_tokens: 100,
  },
}

const eventsIn = (bytes: Uint8Array): ReadonlyArray<SseEvent> =>
  run(decoder({ maxEventBytes: 1_000_000 }), [bytes]).flatMap((output) =>
    isOverflow(output) ? [] : [output],
  )

/** Answers at the path of its dialect alone. */
const speaking = (dialect: Dialect, streamed: boolean, answer = told) =>
  Scripted.scriptedUpstream(({ path }) => {
    if (!path.startsWith(paths[dialect])) return Scripted.status(404, { detail: "Not Found" })
    if (!streamed) return Scripted.json(forms[dialect].writeAnswer(answer, askedFor))
    const writing = forms[dialect].writeEvents(askedFor)
    const events = [...writing.take(eventsOf(answer)), ...writing.rest()]
    return Scripted.streamed(Buffer.concat(events.map((event) => Buffer.from(encodeEvent(event)))))
  })

const pairs = dialects.flatMap((asked) =>
  dialects.flatMap((spoken) => [false, true].map((stream) => [asked, spoken, stream] as const)),
)

/** What an answer says, without what Sluice or its dialect makes up. */
const comparable = (answer: NeutralAnswer | undefined) =>
  answer === undefined
    ? undefined
    : { ...answer, id: undefined, createdAt: undefined, serviceTier: undefined, counts: undefined }

interface Ask {
  readonly asked: Dialect
  readonly stream: boolean
  readonly more?: JsonObject
}

/** Asks, and reads the answer as the caller's dialect has it. */
const ask = (baseUrl: string, { asked, more = {}, stream }: Ask) =>
  Effect.promise(async () => {
    const answer = await fetch(baseUrl + paths[asked], {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...asks[asked], ...(stream ? { stream } : {}), ...more }),
    })
    const body = new Uint8Array(await answer.arrayBuffer())
    expect(answer.status, Buffer.from(body).toString()).toBe(200)
    const read = stream
      ? answerIn(forms[asked], eventsIn(body))
      : forms[asked].readAnswer(parseObject(body) ?? {})
    return { id: read?.id, said: comparable(read), headers: answer.headers }
  })

describe("A caller of one dialect before a client of another", () => {
  it.scopedLive.each(pairs)("is answered: %s before %s, streamed: %s", ([asked, spoken, stream]) =>
    Effect.gen(function* () {
      const upstream = yield* speaking(spoken, stream)
      const { baseUrl, records } = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: [spoken], api_key: "sk-upstream" }]),
      )
      const { said } = yield* ask(baseUrl, { asked, stream })
      expect(said).toEqual(comparable(told))
      const [row] = yield* records
      expect(row).toMatchObject({
        status: 200,
        outcome: "ok",
        usage: { inputTokens: 30, outputTokens: 12, cachedTokens: 8 },
        toolCalls: true,
      })
    }),
  )
})

describe("An answer without an id", () => {
  it.scopedLive.each([false, true])("goes by its request's, streamed: %s", (stream) =>
    Effect.gen(function* () {
      const upstream = yield* speaking("chat", stream, { ...told, id: "" })
      const { baseUrl } = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: ["chat"], api_key: "sk-upstream" }]),
      )
      const { headers, id } = yield* ask(baseUrl, { asked: "messages", stream })
      expect(id).toMatch(/^[\w-]{36}$/)
      expect(id).toBe(headers.get("x-request-id"))
    }),
  )
})

const betweenFamilies = dialects.flatMap((asked) =>
  dialects.filter((spoken) => spoken !== asked).map((spoken) => [asked, spoken] as const),
)

/** What is told without a word of what it cost. */
const uncounted = (dialect: Dialect, streamed: boolean, isCut: boolean): Scripted.Script => {
  const print = (value: unknown): string =>
    JSON.stringify(value, (name, one) => (name === "usage" ? undefined : one))
  if (!streamed)
    return Scripted.json(parseObject(Buffer.from(print(forms[dialect].writeAnswer(told, askedFor)))) ?? {})
  const writing = forms[dialect].writeEvents(askedFor)
  const events = [...writing.take(eventsOf(told)), ...writing.rest()]
  const said = (isCut ? events.slice(0, 5) : events).map(({ data, event }) => {
    const object = parseObject(data)
    return encodeEvent({ event, data: object === undefined ? data : Buffer.from(print(object)) })
  })
  return Scripted.streamed(Buffer.concat(said))
}

describe("What an upstream of another dialect does not count", () => {
  it.scopedLive.each(betweenFamilies)(
    "is recorded as not known, never as nothing: %s before %s",
    ([asked, spoken]) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.status(404, {}))
        const { baseUrl, records } = yield* startGateway(
          configOf([{ base_url: upstream.url, dialects: [spoken], api_key: "sk-upstream" }]),
        )
        const asAsked = [
          [false, false, false],
          [true, true, false],
          [true, true, true],
          // Each in the form that was not asked for.
          [false, true, false],
          [true, false, false],
        ] as const
        for (const [stream, streamed, isCut] of asAsked) {
          upstream.setScript(uncounted(spoken, streamed, isCut))
          yield* Effect.promise(async () => {
            const answer = await fetch(baseUrl + paths[asked], {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ ...asks[asked], ...(stream ? { stream } : {}) }),
            })
            await answer.text()
          })
        }
        const rows = yield* records
        expect(rows.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "stream_broken", "ok", "ok"])
        for (const { usage } of rows) expect(usage).toEqual(noUsage)
      }),
  )
})

/** Two calls side by side in chat, the second in so many pieces that no list of them can be handed to a function. */
const inPieces = (pieces: number): Buffer => {
  const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
  const delta = (calls: unknown, reason: string | null = null) =>
    frame({
      id: "1",
      model: "m",
      choices: [{ index: 0, delta: { tool_calls: calls }, finish_reason: reason }],
    })
  const begun = (index: number, text: string) =>
    delta([{ index, id: `call_${index}`, type: "function", function: { name: "look", arguments: text } }])
  const more = (index: number, text: string) => delta([{ index, function: { arguments: text } }])
  return Buffer.from(
    [begun(0, '{"a":'), begun(1, '{"b":"'), more(1, "x").repeat(pieces), more(1, '"}'), more(0, "1}")].join(
      "",
    ) +
      delta([], "tool_calls") +
      "data: [DONE]\n\n",
  )
}

describe("An upstream that tells calls side by side in a great many pieces", () => {
  it.scopedLive("is answered whole, and the gateway answers the next request", () =>
    Effect.gen(function* () {
      const pieces = 130_000
      const upstream = yield* Scripted.scriptedUpstream(Scripted.streamed(inPieces(pieces)))
      const { baseUrl } = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: ["chat"], api_key: "sk-upstream" }]),
      )
      const { said } = yield* ask(baseUrl, { asked: "messages", stream: true })
      expect(said?.parts).toMatchObject([
        { kind: "tool_call", input: '{"a":1}' },
        { kind: "tool_call", input: `{"b":"${"x".repeat(pieces)}"}` },
      ])
      upstream.setScript(Scripted.streamed(inPieces(1)))
      const next = yield* ask(baseUrl, { asked: "messages", stream: true })
      expect(next.said?.parts).toHaveLength(2)
    }),
  )
})

/** How the providers of each dialect say that a conversation is too long. */
const tooLong: { readonly [D in Dialect]: JsonObject } = {
  chat: {
    error: {
      message:
        "This model's maximum context length is 100 tokens. However, your messages resulted in 120 tokens.",
      type: "BadRequestError",
      param: "messages",
      code: 400,
    },
  },
  responses: {
    type: "error",
    error: {
      message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
      type: "invalid_request_error",
      param: "input",
      code: "context_length_exceeded",
    },
  },
  messages: {
    type: "error",
    error: { type: "invalid_request_error", message: "prompt is too long: 120 tokens > 100 maximum" },
  },
}

/** By what the agents that speak a dialect know it. */
const knownBy: { readonly [D in Dialect]: RegExp } = {
  chat: /"code":"context_length_exceeded"/,
  responses: /"code":"context_length_exceeded"/,
  messages: /"type":"invalid_request_error","message":"prompt is too long/,
}

const errorFrame = (dialect: Dialect): string =>
  `${dialect === "chat" ? "" : "event: error\n"}data: ${JSON.stringify(tooLong[dialect])}\n\n`

/** Says some words, and then that it is too long. */
const brokenFrames = (dialect: Dialect): string => {
  const writing = forms[dialect].writeEvents(askedFor)
  const [text] = told.parts.filter(({ kind }) => kind === "text")
  const begun = eventsOf({ ...told, parts: text === undefined ? [] : [text] })
  const said = begun.slice(
    0,
    begun.findIndex(({ kind }) => kind === "part_ends"),
  )
  return (
    writing
      .take(said)
      .map(encodeEvent)
      .map((bytes) => Buffer.from(bytes).toString())
      .join("") + errorFrame(dialect)
  )
}

describe("A conversation that is too long for a client of another dialect", () => {
  it.scopedLive.each(betweenFamilies)(
    "is told in the words of the caller's: %s before %s, at once and in mid-stream",
    ([asked, spoken]) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.status(400, tooLong[spoken]))
        const { baseUrl } = yield* startGateway(
          configOf([{ base_url: upstream.url, dialects: [spoken], api_key: "sk-upstream" }]),
        )
        const ask = (stream: boolean) =>
          Effect.promise(async () => {
            const answer = await fetch(baseUrl + paths[asked], {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ ...asks[asked], ...(stream ? { stream } : {}) }),
            })
            return { status: answer.status, text: await answer.text() }
          })
        expect(yield* ask(false)).toEqual({ status: 400, text: expect.stringMatching(knownBy[asked]) })
        upstream.setScript(Scripted.streamed(Buffer.from(errorFrame(spoken))))
        expect(yield* ask(true)).toEqual({ status: 400, text: expect.stringMatching(knownBy[asked]) })
        upstream.setScript(Scripted.streamed(Buffer.from(brokenFrames(spoken))))
        const { status, text } = yield* ask(true)
        expect([status, text]).toEqual([200, expect.stringContaining("Let me see.")])
        expect(text).toMatch(knownBy[asked])
      }),
  )
})

/** Too long to be read in the loop: it is read and prepared in the thread. */
const long: JsonObject = { anything: "a".repeat(2_000_000) }

const firstAsks = pairs
  .filter(([asked, spoken]) => asked !== spoken)
  .flatMap(([asked, spoken, stream]) =>
    (["short", "long"] as const).map((length) => [asked, spoken, stream, length] as const),
  )

describe("A client that is found to lack the caller's dialect", () => {
  it.scopedLive.each(firstAsks)(
    "is asked in its own by the request that finds it out: %s before %s, streamed: %s, %s",
    ([asked, spoken, stream, length]) =>
      Effect.gen(function* () {
        const upstream = yield* speaking(spoken, stream)
        const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url, preset: "vllm" }]))
        const { headers, said } = yield* ask(baseUrl, { asked, stream, more: length === "long" ? long : {} })
        expect(said).toEqual(comparable(told))
        expect(headers.get("x-sluice-dialect")).toBe(spoken)
        const { bytes, path } = upstream.requests.at(-1) ?? {}
        expect(path).toBe(paths[spoken])
        const read = forms[spoken].readRequest(parseObject(bytes ?? new Uint8Array()) ?? {})
        const { settings, turns } = Either.getOrThrow(read)
        expect(turns).toHaveLength(2)
        expect(settings.maxTokens?.value).toBe(100)
      }),
  )
})
