/** Prefix and thinking through the official package: the streamed answer, joined, is the plain one. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { chat, json, scriptedUpstream, sse } from "../support/ScriptedUpstream.ts"
import { call, collect, sdk } from "../support/Sdk.ts"
import { chatChunks, chatCompletion, chunk, finishChunk, textChunk } from "../support/Wire.ts"

const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello?" }] }

interface Said {
  readonly content: string | null
  readonly reasoning: string | undefined
}

const textIn = (value: object, name: string): string | undefined => {
  const found: unknown = Object.entries(value).find(([key]) => key === name)?.[1]
  return typeof found === "string" ? found : undefined
}

const reasoningIn = (value: object): string | undefined =>
  textIn(value, "reasoning_content") ?? textIn(value, "reasoning")

/** What the caller reads of an upstream's answer, asked for plainly and in a stream of single characters. */
const read = (text: string, settings: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(chat(text, { deltas: [...text] }))
    const client = sdk(yield* startGateway(configOf([{ base_url: upstream.url, ...settings }])))
    const message = yield* Effect.map(
      call(() => client.chat.completions.create(request)),
      ({ choices }) => choices[0]?.message,
    )
    const chunks = yield* Effect.flatMap(
      call(() => client.chat.completions.create({ ...request, stream: true })),
      collect,
    )
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
    const reasoning = deltas.map((delta) => reasoningIn(delta) ?? "").join("")
    const plain: Said = {
      content: message?.content ?? null,
      reasoning: message === undefined ? undefined : reasoningIn(message),
    }
    const streamed: Said = {
      content: deltas.map(({ content }) => content ?? "").join(""),
      reasoning: reasoning === "" ? undefined : reasoning,
    }
    return { plain, streamed }
  })

const cases: Readonly<
  Record<
    string,
    { readonly text: string; readonly settings: Readonly<Record<string, unknown>>; readonly said: Said }
  >
> = {
  "A prefix goes before the answer": {
    text: "Forty-two.",
    settings: { special_prefix: "【DeepSeek 思考】\n" },
    said: { content: "【DeepSeek 思考】\nForty-two.", reasoning: undefined },
  },
  "Thinking is stripped, with the white space after it": {
    text: "<think>\nhm, 6 × 7\n</think>\n\nForty-two.",
    settings: { thinking_format: "strip" },
    said: { content: "Forty-two.", reasoning: undefined },
  },
  "Thinking between tags of other names becomes reasoning": {
    text: "<thought>\nhm, </think>\n</thought>\n\nForty-two.",
    settings: { thinking_format: "reasoning", thinking_tags: ["think", "thought"] },
    said: { content: "Forty-two.", reasoning: "\nhm, </think>\n" },
  },
  "A prefix that opens the thinking an upstream leaves unopened is stripped with it": {
    text: "hm, 6 × 7\n</think>\n\nForty-two.",
    settings: { special_prefix: "<think>\n", thinking_format: "strip" },
    said: { content: "Forty-two.", reasoning: undefined },
  },
  "Thinking becomes reasoning_content": {
    text: "<think>hm</think>Forty-two.",
    settings: { thinking_format: "reasoning_content" },
    said: { content: "Forty-two.", reasoning: "hm" },
  },
  "Thinking becomes reasoning": {
    text: "<think>hm</think>Forty-two.",
    settings: { thinking_format: "reasoning" },
    said: { content: "Forty-two.", reasoning: "hm" },
  },
  "Prose about tags stays": {
    text: "The <think> tag opens, the </think> tag closes.",
    settings: { thinking_format: "strip" },
    said: { content: "The <think> tag opens, the </think> tag closes.", reasoning: undefined },
  },
  "Without settings thinking passes through": {
    text: "<think>hm</think>Forty-two.",
    settings: {},
    said: { content: "<think>hm</think>Forty-two.", reasoning: undefined },
  },
}

describe("Transforms, plain and streamed alike", () => {
  for (const [name, { said, settings, text }] of Object.entries(cases)) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        expect(yield* read(text, settings)).toEqual({ plain: said, streamed: said })
      }),
    )
  }

  it.scopedLive("Models named in strip_think_models are stripped without a thinking_format", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(chat("<think>hm</think>\nForty-two."))
      const client = sdk(
        yield* startGateway(
          configOf([{ base_url: upstream.url, model_match: { type: "keyword", value: ["seek", "gpt"] } }]),
        ),
      )
      const contentOf = (model: string) =>
        Effect.map(
          call(() => client.chat.completions.create({ ...request, model })),
          ({ choices }) => choices[0]?.message.content,
        )
      expect(yield* contentOf("deepseek-r1")).toBe("Forty-two.")
      expect(yield* contentOf("gpt-4o")).toBe("<think>hm</think>\nForty-two.")
    }),
  )

  it.scopedLive("Each choice is prefixed and stripped by itself", () =>
    Effect.gen(function* () {
      const texts = ["<think>a</think>Heads.", "<think>b</think>Tails."] as const
      const settings = { special_prefix: "> \n", thinking_format: "strip" }
      const plain = yield* scriptedUpstream(json(chatCompletion(texts)))
      const answer = yield* Effect.flatMap(
        startGateway(configOf([{ base_url: plain.url, ...settings }])),
        (gateway) => call(() => sdk(gateway).chat.completions.create({ ...request, n: 2 })),
      )
      const expected = ["> \nHeads.", "> \nTails."]
      expect(answer.choices.map(({ message }) => message.content)).toEqual(expected)

      const interleaved = [...texts[0]].flatMap((character, at) => [
        textChunk(character, { index: 0 }),
        textChunk(texts[1][at] ?? "", { index: 1 }),
      ])
      const streaming = yield* scriptedUpstream(
        sse([...interleaved, finishChunk("stop", { index: 0 }), finishChunk("stop", { index: 1 })]),
      )
      const chunks = yield* Effect.flatMap(
        startGateway(configOf([{ base_url: streaming.url, ...settings }])),
        (gateway) =>
          Effect.flatMap(
            call(() => sdk(gateway).chat.completions.create({ ...request, n: 2, stream: true })),
            collect,
          ),
      )
      const joined = [0, 1].map((index) =>
        chunks
          .flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
          .map(({ delta }) => delta.content ?? "")
          .join(""),
      )
      expect(joined).toEqual(expected)
    }),
  )

  it.scopedLive("An answer of tool calls only gets no prefix", () =>
    Effect.gen(function* () {
      const call1 = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }
      const upstream = yield* scriptedUpstream((incoming) =>
        JSON.stringify(incoming.body).includes('"stream":true')
          ? sse([
              chunk({ role: "assistant", content: null, tool_calls: [{ index: 0, ...call1 }] }),
              finishChunk("tool_calls"),
            ])
          : json(chatCompletion(null, { finishReason: "tool_calls", message: { tool_calls: [call1] } })),
      )
      const client = sdk(
        yield* startGateway(configOf([{ base_url: upstream.url, special_prefix: "never said" }])),
      )
      const plain = yield* call(() => client.chat.completions.create(request))
      expect(JSON.stringify(plain)).not.toContain("never said")
      const chunks = yield* Effect.flatMap(
        call(() => client.chat.completions.create({ ...request, stream: true })),
        collect,
      )
      expect(chunks.length).toBeGreaterThan(0)
      expect(JSON.stringify(chunks)).not.toContain("never said")
    }),
  )

  it.scopedLive("Usage and finish reason survive a transformed stream", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(
        sse(chatChunks(["<think>hm", "</think>", "Yes."], { usage: { prompt: 5, completion: 9 } })),
      )
      const client = sdk(
        yield* startGateway(configOf([{ base_url: upstream.url, thinking_format: "strip" }])),
      )
      const chunks = yield* Effect.flatMap(
        call(() =>
          client.chat.completions.create({
            ...request,
            stream: true,
            stream_options: { include_usage: true },
          }),
        ),
        collect,
      )
      expect(chunks.at(-1)?.usage?.total_tokens).toBe(14)
      expect(chunks.flatMap(({ choices }) => choices).at(-1)?.finish_reason).toBe("stop")
    }),
  )
})
