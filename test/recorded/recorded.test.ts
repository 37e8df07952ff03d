/** What real model servers answer, replayed behind the gateway: what has to pass as it came does, what is read of it is right. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { AuditRecord } from "../../src/audit/record/AuditRecord.ts"
import { allOperations } from "../../src/operations/Operations.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import { scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { dataOf, type Recorded, recordingsOf, replay, servers } from "./Recordings.ts"

const member = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce((inner: unknown, name) => Object(inner)[name], value)

const isStream = ({ body, stream }: Recorded): boolean => stream ?? body?.["stream"] === true

const asksForUsage = ({ body }: Recorded): boolean => member(body, "stream_options", "include_usage") === true

/** Asks for the recording through a gateway whose only upstream gives it. */
const replayed = (recorded: Recorded, client: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(replay(recorded))
    const gateway = yield* startGateway(
      configOf([
        { base_url: upstream.url, model_match: { type: "keyword", value: ["tiny", "unknown"] }, ...client },
      ]),
    )
    const body = recorded.body ?? {
      model: "tiny",
      messages: [{ role: "user", content: "Hello?" }],
      stream: isStream(recorded),
    }
    const answer = yield* post(gateway.port, `/v1${recorded.path}`, body)
    const [record] = yield* gateway.awaitRecords(1)
    if (answer === undefined || record === undefined) return yield* Effect.dieMessage("no answer")
    return { answer, record, upstream }
  })

/** The texts of an answer's first choice, put together where they came in pieces. */
const textsOf = (recorded: Recorded, body: string) => {
  const parts = isStream(recorded)
    ? dataOf([body])
        .filter((data) => data !== "[DONE]")
        .map((data) => member(JSON.parse(data), "choices", 0, "delta"))
    : [member(JSON.parse(body), "choices", 0, "message")]
  const joined = (name: string) => parts.map((part) => member(part, name) ?? "").join("")
  return { reasoning: joined("reasoning"), content: joined("content") }
}

/** What the chunks of a stream, or a plain answer, say of tokens. */
const usageOf = (recorded: Recorded): unknown =>
  isStream(recorded)
    ? dataOf(recorded.reads)
        .filter((data) => data !== "[DONE]")
        .map((data) => member(JSON.parse(data), "usage"))
        .findLast((usage) => usage !== undefined && usage !== null)
    : member(JSON.parse(recorded.reads.join("")), "usage")

const expectTokens = (record: AuditRecord, usage: unknown): void => {
  expect(record.usage.inputTokens).toBe(member(usage, "prompt_tokens"))
  expect(record.usage.outputTokens).toBe(member(usage, "completion_tokens"))
}

describe.each(servers)("%s", (server) => {
  const all = recordingsOf(server)
  // What is said in further dialects is in translated.test.ts.
  const asked = all.filter(
    ({ path }) =>
      !["/responses", "/messages"].includes(path) &&
      allOperations.some((operation) => operation.paths[0] === path),
  )
  const good = asked.filter(({ status }) => status === 200)
  const streams = good.filter(isStream)
  const plain = good.filter((recorded) => !isStream(recorded))
  const refused = asked.filter(({ status }) => status >= 400)

  it("has recordings of each kind", () => {
    expect([streams.length, plain.length, refused.length].every((count) => count >= 4)).toBe(true)
  })

  it.scopedLive.each(plain)(
    "$name: the plain answer passes as it came, and its tokens are counted",
    (recorded) =>
      Effect.gen(function* () {
        const { answer, record } = yield* replayed(recorded)
        expect(answer.status).toBe(200)
        expect(answer.body.toString()).toBe(recorded.reads.join(""))
        expect(record.outcome).toBe("ok")
        expect(record.finishReason).toBe(
          member(JSON.parse(recorded.reads.join("")), "choices", 0, "finish_reason"),
        )
        expectTokens(record, usageOf(recorded))
      }),
  )

  it.scopedLive.each(streams.filter(asksForUsage))(
    "$name: the events pass as they came, and their tokens are counted",
    (recorded) =>
      Effect.gen(function* () {
        const { answer, record } = yield* replayed(recorded)
        expect(dataOf([answer.body.toString()])).toEqual(dataOf(recorded.reads))
        expect(record.outcome).toBe("ok")
        expectTokens(record, usageOf(recorded))
      }),
  )

  it.scopedLive.each(good.filter(({ name }) => name.startsWith("chat-tools")))(
    "$name: the record says that a tool was offered and called",
    (recorded) =>
      Effect.gen(function* () {
        const { record } = yield* replayed(recorded)
        expect([record.tools, record.toolCalls]).toEqual([true, true])
      }),
  )

  const thinking = all.filter(({ name }) => name === "chat-thinking" || name === "chat-thinking-stream")

  it.scopedLive.each(thinking)(
    "$name: reasoning is moved into the content, or into the member of its name",
    (recorded) =>
      Effect.gen(function* () {
        const tagged = textsOf(
          recorded,
          (yield* replayed(recorded, { thinking_format: "think_tag" })).answer.body.toString(),
        )
        expect(tagged.reasoning).toBe("")
        const [, thought = "", said = ""] = /^<think>([^<]+)<\/think>([\s\S]+)$/.exec(tagged.content) ?? []
        expect(thought).not.toBe("")
        const apart = textsOf(
          recorded,
          (yield* replayed(recorded, { thinking_format: "reasoning" })).answer.body.toString(),
        )
        expect(apart).toEqual({ reasoning: thought, content: said })
      }),
  )

  it.scopedLive.each(refused)(
    "$name: the error arrives with its status and message, as OpenAI shapes it",
    (recorded) =>
      Effect.gen(function* () {
        const { answer } = yield* replayed(recorded)
        expect(answer.status).toBe(recorded.status)
        const error = member(jsonOf(answer), "error")
        const said = JSON.parse(recorded.reads.join(""))
        expect(member(error, "message")).toBe(member(said, "error", "message"))
        // Typed SDKs fail on a number here, and on a member that is not there.
        expect(typeof member(error, "code")).toMatch(/^(string|object)$/)
        expect(Object.keys(Object(error))).toEqual(
          expect.arrayContaining(["message", "type", "param", "code"]),
        )
      }),
  )
})
