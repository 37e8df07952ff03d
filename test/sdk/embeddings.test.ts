/** Embeddings through the official package, which asks for base64 unless it is told otherwise, and decodes it. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import {
  json,
  type RecordedRequest,
  raw,
  reset,
  scriptedUpstream,
  status,
} from "../support/ScriptedUpstream.ts"
import { call, rejection, sdk } from "../support/Sdk.ts"
import { openAiError } from "../support/Wire.ts"

/** Numbers that a float of 32 bits has exactly. */
const vectors = [
  [0.25, -1, 3.5],
  [0.125, 8, -0.5],
]

const usage = { prompt_tokens: 8, total_tokens: 8 }

const answerTo = ({ body }: RecordedRequest) => {
  const asksBase64 = Object(body).encoding_format === "base64"
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: asksBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector,
  }))
  return json({ object: "list", data, model: "gpt-embed", usage })
}

const request = { model: "gpt-embed", input: ["Hello", "Good day"] }

describe("Embeddings", () => {
  it.scopedLive("arrive as numbers, whether they came in base64, as the package asks, or as floats", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(answerTo)
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const client = sdk(gateway)
      for (const format of [undefined, "float" as const]) {
        const asked = format === undefined ? request : { ...request, encoding_format: format }
        const answer = yield* call(() => client.embeddings.create(asked))
        expect(answer.data.map(({ embedding }) => Array.from(embedding))).toEqual(vectors)
        expect(answer.usage).toEqual(usage)
      }
      expect(upstream.requests.map(({ body }) => Object(body).encoding_format)).toEqual(["base64", "float"])
      const records = yield* gateway.awaitRecords(2)
      for (const record of records) {
        expect(record).toMatchObject({
          endpoint: "embeddings",
          usage: { inputTokens: 8, outputTokens: undefined, totalTokens: 8 },
          finishReason: undefined,
        })
      }
    }),
  )

  it.scopedLive("come from another upstream unseen where one fails", () =>
    Effect.gen(function* () {
      for (const failing of [
        status(503, openAiError("down")),
        reset("in_body"),
        json({ data: [] }),
        json([]),
      ]) {
        const first = yield* scriptedUpstream(failing)
        const second = yield* scriptedUpstream(answerTo)
        const gateway = yield* startGateway(configOf([{ base_url: first.url }, { base_url: second.url }]))
        const answer = yield* call(() => sdk(gateway).embeddings.create(request))
        expect(answer.data[1]?.embedding).toEqual(vectors[1])
        expect(second.requests.length).toBe(1)
      }
    }),
  )

  it.scopedLive("raise the package's own errors", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(status(400, openAiError("`input` is too long")))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const error = yield* rejection(() => sdk(gateway).embeddings.create(request))
      expect(error).toBeInstanceOf(OpenAI.BadRequestError)
      const unknown = yield* rejection(() => sdk(gateway).embeddings.create({ ...request, model: "other" }))
      expect(unknown).toBeInstanceOf(OpenAI.NotFoundError)
      expect(unknown.code).toBe("model_not_found")
    }),
  )
})

describe("A long answer of embeddings", () => {
  const embedding = Buffer.alloc(4 * 3_072, 9).toString("base64")
  const element = (index: number) => JSON.stringify({ object: "embedding", index, embedding })
  const data = `"data": [${Array.from({ length: 2_048 }, (_, index) => element(index)).join(", ")}]`
  const told = '"usage": {"prompt_tokens": 40960, "total_tokens": 40960}'

  it.scopedLive.each([
    ["behind", `{"object": "list", ${data}, "model": "gpt-embed", ${told}}\n`],
    ["before", `{"model": "gpt-embed", ${told}, ${data}}`],
  ])(
    "of 2,048 vectors passes byte for byte, and its usage %s them is read",
    ([, text = ""]) =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(
          raw(
            `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
            "end",
          ),
        )
        const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
        const answer = yield* within(
          "the answer",
          Effect.promise(async () => {
            const response = await fetch(`${gateway.baseUrl}/v1/embeddings`, {
              method: "POST",
              body: JSON.stringify(request),
            })
            return Buffer.from(await response.arrayBuffer())
          }),
        )
        expect(answer.equals(Buffer.from(text))).toBe(true)
        const [record] = yield* gateway.awaitRecords(1)
        expect(record).toMatchObject({ outcome: "ok", usage: { inputTokens: 40_960, totalTokens: 40_960 } })
      }),
    60_000,
  )
})
