/** Chat completions through the official package: what the upstream says is what the caller reads, plain and streamed. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import OpenAI from "openai"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import {
  type Answer,
  chat,
  controlled,
  hang,
  json,
  scriptedUpstream,
  sse,
} from "../support/ScriptedUpstream.ts"
import { call, callersKey, collect, next, rejection, sdk, textOf } from "../support/Sdk.ts"
import { chatCompletion, chunk, finishChunk, textChunk } from "../support/Wire.ts"

/** A gateway in front of one upstream, and the package in front of the gateway. */
const stack = (script: Answer) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(script)
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
    return { upstream, gateway, client: sdk(gateway) }
  })

const hello = [{ role: "user" as const, content: "Hello?" }]

describe("A plain chat completion", () => {
  it.scopedLive("arrives whole, and its request reached the upstream with the configured key alone", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* stack(chat("Hello there."))
      const request = {
        model: "gpt-4o",
        messages: hello,
        temperature: 0.3,
        top_p: 0.9,
        logit_bias: { "50256": -100 },
        response_format: { type: "json_object" as const },
        seed: 7,
        user: "someone",
      }
      const { data, request_id, response } = yield* call(() =>
        client.chat.completions.create(request).withResponse(),
      )
      expect(data).toEqual(chatCompletion("Hello there."))
      expect(response.headers.get("x-sluice-upstream")).toBe("first")
      expect(response.headers.get("x-sluice-attempts")).toBe("1")
      expect(request_id).toMatch(/^[0-9a-f-]{36}$/)

      const [recorded] = upstream.requests
      expect(recorded?.path).toBe("/v1/chat/completions")
      expect(recorded?.body).toEqual(request)
      expect(recorded?.headers.authorization).toBe(`Bearer ${configuredKey}`)
      expect(JSON.stringify(recorded?.headers)).not.toContain(callersKey)
    }),
  )

  it.scopedLive("has every choice that was asked for", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(json(chatCompletion(["Heads.", "Tails."])))
      const answer = yield* call(() =>
        client.chat.completions.create({ model: "gpt-4o", messages: hello, n: 2 }),
      )
      expect(answer.choices.map(({ index, message }) => [index, message.content])).toEqual([
        [0, "Heads."],
        [1, "Tails."],
      ])
    }),
  )
})

describe("A streamed chat completion", () => {
  it.scopedLive("reaches the caller chunk by chunk, each before the next is sent", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { client, upstream } = yield* stack(answer.answer)
      const opening = yield* Effect.fork(
        call(() => client.chat.completions.create({ model: "gpt-4o", messages: hello, stream: true })),
      )
      // A role says nothing yet: it waits for the first word.
      yield* answer.push(chunk({ role: "assistant", content: "" }))
      yield* answer.push(textChunk("Well"))
      const stream = yield* within("the stream's beginning", Fiber.join(opening))
      const chunks = stream[Symbol.asyncIterator]()
      expect(yield* next(chunks)).toEqual(chunk({ role: "assistant", content: "" }))
      expect(yield* next(chunks)).toEqual(textChunk("Well"))
      for (const text of ["One", ", two", ", <three>", " — 四"]) {
        yield* answer.push(textChunk(text))
        expect(yield* next(chunks)).toEqual(textChunk(text))
      }
      yield* answer.push(finishChunk())
      expect((yield* next(chunks))?.choices[0]?.finish_reason).toBe("stop")
      yield* answer.end()
      expect(yield* next(chunks)).toBeUndefined()
      expect(upstream.requests[0]?.body).toEqual({
        model: "gpt-4o",
        messages: hello,
        stream: true,
        stream_options: { include_usage: true },
      })
    }),
  )

  it.scopedLive("keeps interleaved choices apart", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(
        sse([
          textChunk("He", { index: 0 }),
          textChunk("Ta", { index: 1 }),
          textChunk("ads.", { index: 0 }),
          textChunk("ils.", { index: 1 }),
          finishChunk("stop", { index: 1 }),
          finishChunk("length", { index: 0 }),
        ]),
      )
      const chunks = yield* Effect.flatMap(
        call(() => client.chat.completions.create({ model: "gpt-4o", messages: hello, n: 2, stream: true })),
        collect,
      )
      expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual(["Heads.", "Tails."])
    }),
  )

  it.scopedLive(
    "counts its tokens for the audit, and gives the usage chunk only to a caller who asked for it",
    () =>
      Effect.gen(function* () {
        const { client, gateway, upstream } = yield* stack(
          chat("Hi.", { tokens: { prompt: 11, completion: 5 } }),
        )
        const chunksOf = (streamOptions?: { readonly include_usage: boolean }) =>
          Effect.flatMap(
            call(() =>
              client.chat.completions.create({
                model: "gpt-4o",
                messages: hello,
                stream: true,
                ...(streamOptions === undefined ? {} : { stream_options: streamOptions }),
              }),
            ),
            collect,
          )
        const isUsageChunk = (one: { readonly choices: ReadonlyArray<unknown>; readonly usage?: unknown }) =>
          one.choices.length === 0 || (one.usage !== undefined && one.usage !== null)

        const unasked = yield* chunksOf()
        expect(textOf(unasked)).toBe("Hi.")
        expect(unasked.filter(isUsageChunk)).toEqual([])
        const refused = yield* chunksOf({ include_usage: false })
        expect(refused.filter(isUsageChunk)).toEqual([])
        const asked = yield* chunksOf({ include_usage: true })
        expect(asked.filter(isUsageChunk).map(({ usage }) => usage?.total_tokens)).toEqual([16])
        expect(asked.at(-1)?.choices).toEqual([])

        for (const { body } of upstream.requests) {
          expect(body).toMatchObject({ stream_options: { include_usage: true } })
        }
        const records = yield* within("three audit records", gateway.awaitRecords(3))
        expect(records.map(({ usage }) => usage.totalTokens)).toEqual([16, 16, 16])
      }),
  )

  it.scopedLive("is read by the package's own accumulator", () =>
    Effect.gen(function* () {
      const { client } = yield* stack(chat("All of it, in pieces."))
      const content = yield* call(() =>
        client.chat.completions.stream({ model: "gpt-4o", messages: hello }).finalContent(),
      )
      expect(content).toBe("All of it, in pieces.")
    }),
  )
})

const tools = [
  {
    type: "function" as const,
    function: {
      name: "weather",
      description: "The weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      strict: true,
    },
  },
]

const toolCalls = [
  { id: "call_1", type: "function" as const, function: { name: "weather", arguments: '{"city":"Zürich"}' } },
  { id: "call_2", type: "function" as const, function: { name: "weather", arguments: '{"city":"Bern"}' } },
]

describe("Tools", () => {
  it.scopedLive("are offered to the upstream as they came, and called in a plain answer", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* stack(
        json(chatCompletion(null, { finishReason: "tool_calls", message: { tool_calls: toolCalls } })),
      )
      const answer = yield* call(() =>
        client.chat.completions.create({ model: "gpt-4o", messages: hello, tools, tool_choice: "auto" }),
      )
      expect(answer.choices[0]?.finish_reason).toBe("tool_calls")
      expect(answer.choices[0]?.message.content).toBeNull()
      expect(answer.choices[0]?.message.tool_calls).toEqual(toolCalls)
      expect(upstream.requests[0]?.body).toMatchObject({ tools, tool_choice: "auto" })
    }),
  )

  it.scopedLive("are called in a stream, their arguments in pieces", () =>
    Effect.gen(function* () {
      const pieces = toolCalls.flatMap(({ function: { arguments: text, name }, id, type }, index) => [
        chunk({ tool_calls: [{ index, id, type, function: { name, arguments: "" } }] }),
        ...[...text].map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
      ])
      const { client, gateway } = yield* stack(
        sse([chunk({ role: "assistant", content: null }), ...pieces, finishChunk("tool_calls")]),
      )
      const message = yield* call(() =>
        client.chat.completions
          .stream({
            model: "gpt-4o",
            messages: hello,
            tools: tools.map(({ function: { strict: _, ...rest }, type }) => ({ type, function: rest })),
          })
          .finalMessage(),
      )
      expect(
        message.tool_calls?.map((one) => (one.type === "function" ? [one.id, one.function.arguments] : [])),
      ).toEqual([
        ["call_1", '{"city":"Zürich"}'],
        ["call_2", '{"city":"Bern"}'],
      ])
      const [record] = yield* within("the audit record", gateway.awaitRecords(1))
      expect(record).toMatchObject({ tools: true, toolCalls: true, finishReason: "tool_calls" })
    }),
  )

  it.scopedLive("have their results sent back untouched", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* stack(chat("Sunny in both."))
      const messages = [
        ...hello,
        { role: "assistant" as const, content: null, tool_calls: toolCalls },
        { role: "tool" as const, tool_call_id: "call_1", content: "" },
        { role: "tool" as const, tool_call_id: "call_2", content: '{"sky":"clear"}' },
      ]
      yield* call(() => client.chat.completions.create({ model: "gpt-4o", messages, tools }))
      expect(upstream.requests[0]?.body).toEqual({ model: "gpt-4o", messages, tools })
    }),
  )
})

describe("Vision and audio parts", () => {
  it.scopedLive("arrive at the upstream as they were sent", () =>
    Effect.gen(function* () {
      const { client, gateway, upstream } = yield* stack(chat("A cat."))
      const messages = [
        {
          role: "user" as const,
          content: [
            { type: "text" as const, text: "What is this?" },
            {
              type: "image_url" as const,
              image_url: {
                url: `data:image/png;base64,${"iVBORw0KGgo".repeat(50_000)}`,
                detail: "low" as const,
              },
            },
            { type: "input_audio" as const, input_audio: { data: "UklGRg==", format: "wav" as const } },
          ],
        },
      ]
      yield* call(() => client.chat.completions.create({ model: "gpt-4o", messages }))
      expect(upstream.requests[0]?.body).toEqual({ model: "gpt-4o", messages })
      const [record] = yield* within("the audit record", gateway.awaitRecords(1))
      expect(record?.multimodal).toBe(true)
    }),
  )
})

describe("A caller who aborts", () => {
  it.scopedLive("before the answer gets an abort error, and the upstream is let go", () =>
    Effect.gen(function* () {
      const { client, gateway, upstream } = yield* stack(hang())
      const controller = new AbortController()
      const failing = yield* Effect.fork(
        rejection(() =>
          client.chat.completions.create({ model: "gpt-4o", messages: hello }, { signal: controller.signal }),
        ),
      )
      const recorded = yield* within("the upstream's request", upstream.awaitRequest(1))
      controller.abort()
      expect(yield* Fiber.join(failing)).toBeInstanceOf(OpenAI.APIUserAbortError)
      yield* within("the upstream connection's end", recorded.abandoned)
      const [record] = yield* within("the audit record", gateway.awaitRecords(1))
      expect(record?.outcome).toBe("client_closed")
      expect(upstream.requests.length).toBe(1)
    }),
  )

  it.scopedLive("in the middle of a stream, by leaving the loop, lets the upstream go", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { client, gateway } = yield* stack(answer.answer)
      yield* Effect.fork(answer.push(textChunk("Once upon a time")))
      const stream = yield* call(() =>
        client.chat.completions.create({ model: "gpt-4o", messages: hello, stream: true }),
      )
      yield* call(async () => {
        for await (const _ of stream) break
      })
      yield* within("the upstream connection's end", answer.closed)
      const [record] = yield* within("the audit record", gateway.awaitRecords(1))
      expect(record?.outcome).toBe("client_closed")
    }),
  )
})
