/** Answers in another form than was asked for, through the official package: each caller gets the one that was, paid for once. */
import * as zlib from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import {
  type Answer,
  chat,
  controlled,
  eventStream,
  json,
  scriptedUpstream,
  sse,
  status,
  streamed,
} from "../support/ScriptedUpstream.ts"
import { call, collect, next, sdk, textOf } from "../support/Sdk.ts"
import {
  chatChunks,
  chatCompletion,
  chunk,
  finishChunk,
  modelList,
  textChunk,
  textCompletion,
  textCompletionChunk,
  usageChunk,
} from "../support/Wire.ts"

const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello?" }] }
const legacy = { model: "gpt-3.5-turbo-instruct", prompt: "Once upon" }

const stack = (script: Answer, settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(script)
    const standby = yield* scriptedUpstream(chat("From the standby."))
    const gateway = yield* startGateway(
      configOf([{ base_url: upstream.url, ...settings }, { base_url: standby.url }]),
    )
    return { upstream, standby, gateway, client: sdk(gateway) }
  })

const toolCall = { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } }

const whole = chatCompletion("Hello there.", {
  message: { reasoning_content: "A greeting.", tool_calls: [toolCall, { ...toolCall, id: "call_2" }] },
  finishReason: "tool_calls",
})

describe("A plain answer to a request for a stream", () => {
  it.scopedLive("is given out as chunks, which the package puts together to the same", () =>
    Effect.gen(function* () {
      const { client, gateway, standby, upstream } = yield* stack(json(whole))
      const answer = yield* call(() =>
        client.chat.completions
          .stream({ ...request, stream_options: { include_usage: true } })
          .finalChatCompletion(),
      )
      expect(answer).toMatchObject({
        id: whole.id,
        model: whole.model,
        created: whole.created,
        usage: whole.usage,
      })
      expect(answer.choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: {
          role: "assistant",
          content: "Hello there.",
          tool_calls: [toolCall, { ...toolCall, id: "call_2" }],
        },
      })
      expect([upstream.requests.length, standby.requests.length]).toEqual([1, 0])
      const [record] = yield* gateway.awaitRecords(1)
      expect(record).toMatchObject({
        outcome: "ok",
        stream: true,
        finishReason: "tool_calls",
        toolCalls: true,
        usage: { inputTokens: 7, outputTokens: 3 },
      })
    }),
  )

  it.scopedLive("has no usage chunk for a caller who did not ask for one", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(json(chatCompletion(["Hello ", "there."])))
      const { data, response } = yield* call(() =>
        client.chat.completions.create({ ...request, n: 2, stream: true }).withResponse(),
      )
      const chunks = yield* collect(data)
      expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual(["Hello ", "there."])
      expect(chunks.every(({ choices, usage }) => choices.length === 1 && usage == null)).toBe(true)
      expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/)
    }),
  )

  it.scopedLive("is transformed as any other", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(json(chatCompletion("hm\n</think>\n\nHello.")), {
        special_prefix: "<think>\n",
        thinking_format: "reasoning_content",
      })
      const chunks = yield* Effect.flatMap(
        call(() => client.chat.completions.create({ ...request, stream: true })),
        collect,
      )
      expect(textOf(chunks)).toBe("Hello.")
      const deltas: ReadonlyArray<object> = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
      const thought = deltas.map((delta) => ("reasoning_content" in delta ? delta.reasoning_content : ""))
      expect(thought.join("").trim()).toBe("hm")
    }),
  )

  it.scopedLive("may be a legacy completion", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(json(textCompletion(" a time.", { finishReason: "length" })))
      const chunks = yield* Effect.flatMap(
        call(() => client.completions.create({ ...legacy, stream: true })),
        collect,
      )
      expect(chunks.map(({ choices }) => choices[0]?.text).join("")).toBe(" a time.")
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("length")
    }),
  )

  it.scopedLive("leads to the next upstream where no stream can be made of it", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(json({ id: "x", answer: "Hello." }))
      const chunks = yield* Effect.flatMap(
        call(() => client.chat.completions.create({ ...request, stream: true })),
        collect,
      )
      expect(textOf(chunks)).toBe("From the standby.")
    }),
  )
})

describe("A stream in answer to a plain request", () => {
  it.scopedLive("is put together, and says that it is JSON", () =>
    Effect.gen(function* () {
      const events = [
        chunk({ role: "assistant", content: "" }),
        chunk({ reasoning_content: "A greeting." }),
        ...["Hello ", "there."].map((text) => textChunk(text)),
        chunk({ tool_calls: [{ index: 0, ...toolCall, function: { name: "look", arguments: "" } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{"at":"sky"}' } }] }),
        finishChunk("tool_calls"),
        usageChunk(),
      ]
      const { client, gateway, standby, upstream } = yield* stack(sse(events))
      const { data, response } = yield* call(() => client.chat.completions.create(request).withResponse())
      expect(data).toMatchObject({ object: "chat.completion", usage: { prompt_tokens: 7 } })
      expect(data.choices).toMatchObject([
        {
          finish_reason: "tool_calls",
          message: {
            role: "assistant",
            content: "Hello there.",
            reasoning_content: "A greeting.",
            tool_calls: [toolCall],
          },
        },
      ])
      expect(response.headers.get("content-type")).toBe("application/json")
      expect([upstream.requests.length, standby.requests.length]).toEqual([1, 0])
      const [record] = yield* gateway.awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", stream: false, usage: { outputTokens: 3 } })
    }),
  )

  it.scopedLive("may end with its finish reason, and may be a legacy completion", () =>
    Effect.gen(function* () {
      const events = [
        textCompletionChunk(" a"),
        textCompletionChunk(" time."),
        textCompletionChunk("", "stop"),
      ]
      const { client } = yield* stack(sse(events, { done: false }))
      const answer = yield* call(() => client.completions.create(legacy))
      expect(answer.choices[0]).toMatchObject({ text: " a time.", finish_reason: "stop" })
    }),
  )

  it.scopedLive.each<readonly [string, Answer]>([
    ["breaks off", sse([textChunk("Hel")], { done: false })],
    ["is cut", sse([textChunk("Hel")], { done: false, ending: "reset" })],
    ["ends in an error", sse([textChunk("Hel"), { error: { message: "overloaded" } }])],
    ["says nothing", sse([])],
  ])("leads to the next upstream where it %s", ([, script]) =>
    Effect.gen(function* () {
      const { client, gateway } = yield* stack(script)
      expect(yield* call(() => client.chat.completions.create(request))).toEqual(
        chatCompletion("From the standby."),
      )
      const [record] = yield* gateway.awaitRecords(1)
      expect(record?.attempts.map(({ upstream }) => upstream)).toEqual(["first", "second"])
    }),
  )

  it.scopedLive("does not wait for an upstream that keeps the connection open behind [DONE]", () =>
    Effect.gen(function* () {
      const bytes = eventStream(chatChunks(["Hello."]))
      const { client, upstream } = yield* stack(streamed(bytes, { ending: "silence" }))
      const answer = yield* call(() => client.chat.completions.create(request))
      expect(answer.choices[0]?.message.content).toBe("Hello.")
      const [asked] = upstream.requests
      if (asked !== undefined) yield* asked.abandoned
    }),
  )
})

describe("What comes packed", () => {
  it.scopedLive("reaches a caller who streams event by event", () =>
    Effect.gen(function* () {
      const script = controlled("text/event-stream", { "content-encoding": "gzip" })
      const { client } = yield* stack(script.answer)
      const packer = zlib.createGzip()
      const push = (event: unknown) =>
        Effect.flatMap(
          Effect.async<Buffer>((resume) => {
            packer.write(eventStream([event], { done: false }))
            packer.flush(() => {
              const bytes: unknown = packer.read()
              resume(Effect.succeed(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0)))
            })
          }),
          script.write,
        )
      const answering = yield* Effect.fork(
        call(() => client.chat.completions.create({ ...request, stream: true }).withResponse()),
      )
      yield* push(textChunk("Hel"))
      const { data, response } = yield* answering
      const iterator = data[Symbol.asyncIterator]()
      expect((yield* next(iterator))?.choices[0]?.delta.content).toBe("Hel")
      yield* push(textChunk("lo."))
      expect((yield* next(iterator))?.choices[0]?.delta.content).toBe("lo.")
      expect(response.headers.get("content-encoding")).toBeNull()
      data.controller.abort()
      yield* script.closed
    }),
  )

  it.scopedLive("may be the list of models", () =>
    Effect.gen(function* () {
      const packed = zlib.gzipSync(JSON.stringify(modelList(["gpt-4o"])))
      const { client } = yield* stack(status(200, packed, { "content-encoding": "gzip" }))
      const list = yield* call(() => client.models.list())
      expect(list.data.map(({ id }) => id)).toContain("gpt-4o")
    }),
  )
})
