/** Moderations, rerank, and vLLM's own endpoints, as those who call them expect: their paths, and what may be left out. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { samples } from "../support/OperationSamples.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { call, rejection, sdk } from "../support/Sdk.ts"
import { openAiError } from "../support/Wire.ts"

const exactly = (...value: ReadonlyArray<string>) => ({ type: "exact", value })

/** vLLM's: all but score and rerank at the root alone. */
const vllmPaths = {
  classify: "//classify",
  pooling: "//pooling",
  tokenize: "//tokenize",
  detokenize: "//detokenize",
}

/** Serves what vLLM does where vLLM does, and nothing else. */
const vllm: Scripted.Script = ({ path }) => {
  const served = {
    "/v1/rerank": samples.rerank.answer,
    "/v1/score": samples.score.answer,
    "/classify": samples.classify.answer,
    "/pooling": samples.pooling.answer,
    "/tokenize": samples.tokenize.answer,
    "/detokenize": samples.detokenize.answer,
  }
  const found = Object.entries(served).find(([one]) => one === path)
  return found === undefined ? Scripted.status(404, { detail: "Not Found" }) : Scripted.json(found[1])
}

describe("a record", () => {
  const vector = Array.from({ length: 1_536 }, (_, at) => at / 7)
  const embedding = { object: "embedding", index: 0, embedding: vector }
  const answered = {
    object: "list",
    data: [embedding],
    model: "m",
    usage: { prompt_tokens: 8, total_tokens: 8 },
  }
  const answers: Scripted.Script = ({ path }) =>
    path === "/v1/audio/speech"
      ? Scripted.status(200, Buffer.alloc(3_000, 0xff), { "content-type": "audio/mpeg" })
      : Scripted.json(path === "/v1/embeddings" ? answered : samples["images.generations"].answer)

  it.scopedLive("of embeddings holds what stands beside the vectors, which the caller has as they came", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(answers)
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: upstream.url, model_match: exactly("m") }]),
      )
      const got = yield* post(port, "/v1/embeddings", { model: "m", input: "a" })
      expect(got?.body.equals(Buffer.from(JSON.stringify(answered)))).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record?.usage.inputTokens).toBe(8)
      const kept = record?.response?.kind === "plain" ? parseObject(record.response.bytes) : undefined
      const bytes = got?.body.length
      expect(kept).toEqual({ ...answered, data: [{ ...embedding, embedding: "[1536 numbers]" }], bytes })
    }),
  )

  it.scopedLive(
    "has what is paid for, and of bytes their number and type, also where no bodies are kept",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(answers)
        const config = configOf([{ base_url: upstream.url, model_match: exactly("m") }], {
          audit: { bodies: "none" },
        })
        const { awaitRecords, port } = yield* startGateway(config)
        yield* post(port, "/v1/audio/speech", { model: "m", voice: "v", input: "Grüße" })
        yield* post(port, "/v1/images/generations", { model: "m", prompt: "A cat." })
        const [spoken, drawn] = yield* awaitRecords(2)
        expect(spoken).toMatchObject({ characters: 5, answerBytes: 3_000, answerType: "audio/mpeg" })
        expect(drawn).toMatchObject({ usage: { images: 1 }, answerType: "application/json" })
        expect(drawn?.answerBytes).toBeGreaterThan(200)
        for (const record of [spoken, drawn])
          expect(record).toMatchObject({ request: undefined, response: undefined })
      }),
  )
})

describe("vLLM's endpoints", () => {
  it.scopedLive("are asked where vLLM has them, whatever they are called here", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(vllm)
      const { port } = yield* startGateway(
        configOf([{ base_url: upstream.url, model_match: exactly("m"), paths: vllmPaths }]),
      )
      for (const name of ["rerank", "score", "classify", "pooling", "tokenize", "detokenize"] as const) {
        const { answer, request } = samples[name]
        const paths = [`/${name}`, `/v1/${name}`, ...(name === "rerank" ? ["/v2/rerank"] : [])]
        for (const path of paths) {
          const got = yield* post(port, path, { model: "m", ...request })
          expect([path, got?.status, jsonOf(got)]).toEqual([path, 200, answer])
        }
      }
      expect([...new Set(upstream.requests.map(({ path }) => path))]).toEqual([
        "/v1/rerank",
        "/v1/score",
        "/classify",
        "/pooling",
        "/tokenize",
        "/detokenize",
      ])
    }),
  )

  it.scopedLive("are of the only model that is served, where a request for tokens names none", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(vllm)
      const clients = [{ base_url: upstream.url, model_match: exactly("m"), paths: vllmPaths }]
      const { awaitRecords, port, reload } = yield* startGateway(configOf(clients))
      const { answer, request } = samples.tokenize
      const got = yield* post(port, "/tokenize", request)
      expect([got?.status, jsonOf(got)]).toEqual([200, answer])
      expect(upstream.requests[0]?.body).toEqual(request)
      expect((yield* awaitRecords(1))[0]).toMatchObject({ endpoint: "tokenize", model: "m", outcome: "ok" })

      // So long that it is read aside.
      const long = { tokens: Array.from({ length: 400_000 }, () => 7) }
      expect((yield* post(port, "/detokenize", long))?.status).toBe(200)
      expect(upstream.requests[1]?.body).toEqual(long)

      yield* reload(configOf([...clients, { base_url: upstream.url, model_match: exactly("n") }]))
      const refused = yield* post(port, "/tokenize", request)
      expect([refused?.status, jsonOf(refused)]).toMatchObject([400, { error: { param: "model" } }])
      expect((yield* post(port, "/tokenize", { ...request, model: "m" }))?.status).toBe(200)
    }),
  )

  it.scopedLive("are not found where the client has them elsewhere, in its own words", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(vllm)
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url, model_match: exactly("m") }]))
      const got = yield* post(port, "/classify", { model: "m", ...samples.classify.request })
      expect([got?.status, jsonOf(got)]).toMatchObject([404, { error: { message: "Not Found" } }])
      expect(upstream.requests.map(({ path }) => path)).toEqual(["/v1/classify"])
    }),
  )
})

describe("Rerank", () => {
  it.scopedLive.each([
    ["Cohere's", "//v2/rerank", "/v2/rerank"],
    ["Voyage's", undefined, "/v1/rerank"],
  ])("passes %s requests as they came, to their own path", ([, path, asked]) =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json(samples.rerank.answer))
      const paths = path === undefined ? {} : { paths: { rerank: path } }
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url, ...paths }]))
      const sent = {
        model: "gpt-rerank",
        query: "q",
        documents: ["a", { text: "b" }],
        top_n: 1,
        max_tokens_per_doc: 4_096,
        return_documents: true,
        top_k: 2,
      }
      const got = yield* post(port, "/v2/rerank", sent)
      expect([got?.status, jsonOf(got)]).toEqual([200, samples.rerank.answer])
      expect(upstream.requests.map((one) => [one.path, one.body])).toEqual([[asked, sent]])
    }),
  )
})

describe("Moderations", () => {
  it.scopedLive("are asked by the official package, with a model and without one", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json(samples.moderations.answer))
      const gateway = yield* startGateway(
        configOf([{ base_url: upstream.url, model_match: { type: "keyword", value: ["moderation"] } }]),
      )
      const image = { type: "image_url" as const, image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }
      for (const asked of [
        { input: "Hello" },
        { input: ["Hello", "Good day"], model: "omni-moderation-2024-09-26" },
        { input: [{ type: "text" as const, text: "Hello" }, image] },
      ]) {
        const answer = yield* call(() => sdk(gateway).moderations.create(asked))
        expect(answer.results[0]).toMatchObject({ flagged: true, categories: { violence: true } })
      }
      expect(upstream.requests.map(({ body }) => Object(body).model)).toEqual([
        undefined,
        "omni-moderation-2024-09-26",
        undefined,
      ])
      const records = yield* gateway.awaitRecords(3)
      expect(records.map(({ model, multimodal }) => [model, multimodal])).toEqual([
        ["omni-moderation-latest", false],
        ["omni-moderation-2024-09-26", false],
        ["omni-moderation-latest", true],
      ])
    }),
  )

  it.scopedLive("raise the package's own errors", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.status(400, openAiError("too long")))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const asked = { input: "Hello", model: "gpt-moderation" }
      expect(yield* rejection(() => sdk(gateway).moderations.create(asked))).toBeInstanceOf(
        OpenAI.BadRequestError,
      )
      const unknown = yield* rejection(() => sdk(gateway).moderations.create({ input: "Hello" }))
      expect(unknown).toBeInstanceOf(OpenAI.NotFoundError)
    }),
  )
})

describe("An answer of 50 MB of numbers", () => {
  const vector = JSON.stringify(Array.from({ length: 4_096 }, (_, at) => Math.sin(at)))
  const element = (index: number) => `{"object":"embedding","index":${index},"embedding":${vector}}`
  const text = `{"object":"list","data":[${Array.from({ length: 640 }, (_, at) => element(at)).join()}],"model":"m","usage":{"prompt_tokens":640,"total_tokens":640}}`

  it.scopedLive(
    "passes byte for byte, and the usage behind them is read",
    () =>
      Effect.gen(function* () {
        expect(text.length).toBeGreaterThan(50_000_000)
        const upstream = yield* Scripted.scriptedUpstream(Scripted.status(200, text))
        const { awaitRecords, baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url }]))
        const got = yield* call(async () => {
          const body = JSON.stringify({ model: "gpt-embed", input: ["a"] })
          const response = await fetch(`${baseUrl}/v1/embeddings`, { method: "POST", body })
          return Buffer.from(await response.arrayBuffer())
        })
        expect(got.equals(Buffer.from(text))).toBe(true)
        const [record] = yield* awaitRecords(1)
        expect(record).toMatchObject({ outcome: "ok", usage: { inputTokens: 640, totalTokens: 640 } })
      }),
    60_000,
  )
})

describe("A client that lacks the endpoint", () => {
  const methodNotAllowed = Scripted.status(405, { detail: "Method Not Allowed" })
  const notImplemented = Scripted.status(501, { error: { message: "Not Implemented" } })

  it.scopedLive("leaves it to the next one by a 405 as by a 404 or a 501, and is not set aside for it", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(methodNotAllowed)
      const second = yield* Scripted.scriptedUpstream(Scripted.json(samples.rerank.answer))
      const { awaitRecords, port } = yield* startGateway(
        configOf(
          [
            { base_url: first.url, model_match: exactly("m") },
            { base_url: second.url, model_match: exactly("m") },
          ],
          { breaker: { failures: 1 } },
        ),
      )
      for (let times = 0; times < 2; times++) {
        const got = yield* post(port, "/v1/rerank", { model: "m", ...samples.rerank.request })
        expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([200, "second"])
      }
      expect(first.requests).toHaveLength(2)
      expect((yield* awaitRecords(2))[0]?.attempts[0]).toMatchObject({ upstream: "first", status: 405 })
    }),
  )

  it.scopedLive("has its 405 given out where nobody else is left", () =>
    Effect.gen(function* () {
      const only = yield* Scripted.scriptedUpstream(methodNotAllowed)
      const { port } = yield* startGateway(configOf([{ base_url: only.url, model_match: exactly("m") }]))
      const got = yield* post(port, "/v1/rerank", { model: "m", ...samples.rerank.request })
      expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([405, "first"])
    }),
  )

  it.scopedLive("of tokens that nobody counts is a 404 in Anthropic's words, which agents know", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(methodNotAllowed)
      const second = yield* Scripted.scriptedUpstream(notImplemented)
      const entry = { model_match: exactly("m"), dialects: ["messages"] }
      const { awaitRecords, port } = yield* startGateway(
        configOf([
          { base_url: first.url, ...entry },
          { base_url: second.url, ...entry },
        ]),
      )
      const got = yield* post(port, "/v1/messages/count_tokens", { model: "m", ...samples.messages.request })
      expect([got?.status, jsonOf(got)]).toMatchObject([
        404,
        {
          type: "error",
          error: {
            type: "not_found_error",
            message:
              "No client of the model `m` has /v1/messages/count_tokens (first answered 405, second answered 501).",
          },
        },
      ])
      expect((yield* awaitRecords(1))[0]?.attempts[0]?.cause).toBe("answered 405: it has no such endpoint")
      second.setScript(Scripted.json({ input_tokens: 7 }))
      const counted = yield* post(port, "/v1/messages/count_tokens", {
        model: "m",
        ...samples.messages.request,
      })
      expect([counted?.status, jsonOf(counted)]).toEqual([200, { input_tokens: 7 }])
    }),
  )

  it.scopedLive("is asked of a client that was told its path, whatever that speaks", () =>
    Effect.gen(function* () {
      const chatting = { dialects: ["chat"], model_match: { type: "exact", value: ["m"] } }
      const upstream = yield* Scripted.scriptedUpstream(Scripted.json({ count: 12, max_model_len: 4096 }))
      const { port } = yield* startGateway(
        configOf([
          { base_url: upstream.url, ...chatting, fallback: "second" },
          { base_url: upstream.url, ...chatting, paths: { "messages.count_tokens": "//tokenize" } },
        ]),
      )
      const got = yield* post(port, "/v1/messages/count_tokens", { model: "m", ...samples.messages.request })
      expect([got?.headers["x-sluice-upstream"], jsonOf(got)]).toEqual(["second", { input_tokens: 12 }])
      expect(upstream.requests.map(({ path }) => path)).toEqual(["/tokenize"])
    }),
  )
})
