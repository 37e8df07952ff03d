/** What real model servers answer in one dialect, given to callers of the others: they read the same texts, calls, counts and ends. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { post } from "../support/RawHttp.ts"
import { scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { dataOf, type Recorded, recordingsOf, replay, servers } from "./Recordings.ts"

const paths = { chat: "/chat/completions", responses: "/responses", messages: "/messages" } as const

const dialectOf = ({ path }: Recorded): Dialect | undefined => dialects.find((one) => paths[one] === path)

/** What an answer says, whoever says it. */
interface Said {
  readonly text: string
  readonly calls: ReadonlyArray<unknown>
  readonly tokens: readonly [input: number, output: number]
  readonly end: "stop" | "length" | "tool_calls"
}

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** A member far within; `undefined` where one on the way is missing. */
const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce((inner: unknown, name) => Object(inner ?? {})[name], value)

const textAt = (value: unknown, ...path: ReadonlyArray<string | number>): string =>
  String(at(value, ...path) ?? "")

const numberAt = (value: unknown, ...path: ReadonlyArray<string | number>): number =>
  Number(at(value, ...path) ?? 0)

const objectsOf = (body: string): ReadonlyArray<unknown> =>
  dataOf([body])
    .filter((data) => data !== "[DONE]")
    .map((data): unknown => JSON.parse(data))

/** Inputs that are no objects cannot be said in messages. */
const inputOf = (input: string): unknown => {
  const read: unknown = JSON.parse(input)
  return typeof read === "object" ? read : {}
}

/** In a whole message, whose inputs are objects, an input that is none stands in a member of that name. */
const inputIn = (input: unknown): unknown => {
  const text = at(input, "INVALID_JSON")
  return typeof text === "string" ? inputOf(text) : input
}

/** Calls of a chat or of messages whose names and inputs come in pieces. */
const joined = (pieces: ReadonlyArray<readonly [key: unknown, name: string, input: string]>) => {
  const calls = new Map<unknown, readonly [string, string]>()
  for (const [key, name, input] of pieces) {
    const [before, begun] = calls.get(key) ?? ["", ""]
    calls.set(key, [before + name, begun + input])
  }
  return [...calls.values()].map(([name, input]) => [name, inputOf(input)])
}

const inChat = (objects: ReadonlyArray<unknown>): Said => {
  const said = objects.map((one) => at(one, "choices", 0, "delta") ?? at(one, "choices", 0, "message"))
  const ends = objects.flatMap((one) => at(one, "choices", 0, "finish_reason") ?? [])
  const usage = objects.findLast((one) => at(one, "usage") !== undefined && at(one, "usage") !== null)
  return {
    // What is thought between tags is reasoning to others.
    text: said
      .map((one) => textAt(one, "content"))
      .join("")
      .replace(/^<think>.*<\/think>/, ""),
    calls: joined(
      said.flatMap((one) =>
        list(at(one, "tool_calls")).map((call, place) => [
          at(call, "index") ?? place,
          textAt(call, "function", "name"),
          textAt(call, "function", "arguments"),
        ]),
      ),
    ),
    tokens: [numberAt(usage, "usage", "prompt_tokens"), numberAt(usage, "usage", "completion_tokens")],
    end: ends[0] === "length" ? "length" : ends[0] === "tool_calls" ? "tool_calls" : "stop",
  }
}

const inResponses = (objects: ReadonlyArray<unknown>): Said => {
  const last = objects.at(-1)
  const response = at(last, "response") ?? last
  const output = list(at(response, "output"))
  const calls = output.filter((item) => at(item, "type") === "function_call")
  return {
    text: output.flatMap((item) => list(at(item, "content")).map((part) => textAt(part, "text"))).join(""),
    calls: calls.map((item) => [at(item, "name"), inputOf(textAt(item, "arguments"))]),
    tokens: [numberAt(response, "usage", "input_tokens"), numberAt(response, "usage", "output_tokens")],
    end: at(response, "status") === "incomplete" ? "length" : calls.length > 0 ? "tool_calls" : "stop",
  }
}

const inMessages = (objects: ReadonlyArray<unknown>): Said => {
  const whole = objects.map((one) => at(one, "message") ?? one)
  const blocks = whole.flatMap((one) => [...list(at(one, "content")), at(one, "content_block") ?? {}])
  const counts = (name: string): number =>
    whole.reduce((count: number, one) => numberAt(one, "usage", name) || count, 0)
  const reason = whole
    .map((one) => at(one, "stop_reason") ?? at(one, "delta", "stop_reason"))
    .findLast(Boolean)
  const begun = blocks.filter((block) => at(block, "type") === "tool_use")
  const pieces = objects.filter((one) => at(one, "delta", "type") === "input_json_delta")
  const isStream = objects.length > 1
  return {
    text: [...blocks, ...objects.map((one) => at(one, "delta"))].map((one) => textAt(one, "text")).join(""),
    calls: isStream
      ? joined([
          ...objects.flatMap(
            (one): ReadonlyArray<readonly [unknown, string, string]> =>
              at(one, "content_block", "type") === "tool_use"
                ? [[at(one, "index"), textAt(one, "content_block", "name"), ""]]
                : [],
          ),
          ...pieces.map((one) => [at(one, "index"), "", textAt(one, "delta", "partial_json")] as const),
        ])
      : begun.map((block) => [at(block, "name"), inputIn(at(block, "input"))]),
    tokens: [counts("input_tokens") + counts("cache_read_input_tokens"), counts("output_tokens")],
    end: reason === "max_tokens" ? "length" : reason === "tool_use" ? "tool_calls" : "stop",
  }
}

const readers = { chat: inChat, responses: inResponses, messages: inMessages }

const saidIn = (dialect: Dialect, body: string): Said =>
  readers[dialect](body.startsWith("{") ? [JSON.parse(body)] : objectsOf(body))

const asking = {
  chat: { messages: [{ role: "user", content: "Hello?" }], stream_options: { include_usage: true } },
  responses: { input: "Hello?" },
  messages: { messages: [{ role: "user", content: "Hello?" }], max_tokens: 8 },
}

const isStream = ({ body, stream }: Recorded): boolean => stream ?? body?.["stream"] === true

/** What the callers of a dialect are told by a gateway whose only upstream gives the recording. */
const told = (recorded: Recorded, from: Dialect, to: Dialect) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(replay(recorded))
    const gateway = yield* startGateway(
      configOf([
        { base_url: upstream.url, dialects: [to], model_match: { type: "keyword", value: ["tiny"] } },
      ]),
    )
    const { stream_options: options, ...asked } = { stream_options: undefined, ...asking[from] }
    const stream = isStream(recorded)
    const answer = yield* post(gateway.port, `/v1${paths[from]}`, {
      model: "tiny",
      ...asked,
      ...(stream ? { stream, ...(options === undefined ? {} : { stream_options: options }) } : {}),
    })
    return answer === undefined ? yield* Effect.dieMessage("no answer") : answer
  })

/** Of those whose usage is told, which a translated request always asks for, and of one choice. */
const isComparable = (recorded: Recorded): boolean =>
  recorded.status === 200 &&
  dialectOf(recorded) !== undefined &&
  !/two-choices|logprobs/.test(recorded.name) &&
  recorded.reads.join("").includes('"usage":{')

const cases = servers.flatMap((server) =>
  recordingsOf(server)
    .filter(isComparable)
    .flatMap((recorded) =>
      dialects.flatMap((from) => {
        const to = dialectOf(recorded)
        return to === undefined || to === from ? [] : [{ ...recorded, recorded, from, to }]
      }),
    ),
)

describe("The answer of a real server", () => {
  it("is there in each dialect, with texts and with calls", () => {
    const pairs = new Set(cases.map(({ from, to }) => `${from} before ${to}`))
    expect(pairs.size).toBe(6)
    const all = cases.map(({ recorded, to }) => saidIn(to, recorded.reads.join("")))
    expect(all.filter(({ text }) => text !== "").length).toBeGreaterThan(cases.length / 2)
    expect(all.every(({ tokens }) => tokens[1] > 0)).toBe(true)
    expect(all.some(({ calls }) => calls.length > 0)).toBe(true)
  })

  it.scopedLive.each(cases)("$server $name: says the same to callers of $from", ({ from, recorded, to }) =>
    Effect.gen(function* () {
      const answer = yield* told(recorded, from, to)
      expect(answer.status).toBe(200)
      expect(answer.headers["x-sluice-dialect"]).toBe(to)
      expect(saidIn(from, answer.body.toString())).toEqual(saidIn(to, recorded.reads.join("")))
    }),
  )
})
