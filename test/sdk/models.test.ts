/** Model lists through the official package. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { models, scriptedUpstream, sequence, status } from "../support/ScriptedUpstream.ts"
import { call, callersKey, rejection, sdk } from "../support/Sdk.ts"

const listed = (client: OpenAI) =>
  call(async () => {
    const ids: Array<string> = []
    for await (const model of client.models.list()) ids.push(model.id)
    return ids.sort()
  })

const keyword = (...value: ReadonlyArray<string>) => ({ type: "keyword", value })
const exact = (...value: ReadonlyArray<string>) => ({ type: "exact", value })

describe("models.list", () => {
  it.scopedLive(
    "is the union of what each upstream lists and its match admits, and the exact names, each once",
    () =>
      Effect.gen(function* () {
        const one = yield* scriptedUpstream(models(["gpt-4o", "gpt-3.5", "text-embedding-3", "whisper-1"]))
        const other = yield* scriptedUpstream(models(["gpt-4o", "org/gpt-oss"]))
        const unlisted = yield* scriptedUpstream(status(404))
        const gateway = yield* startGateway(
          configOf([
            { base_url: one.url, model_match: keyword("gpt") },
            { base_url: other.url, model_match: keyword("gpt") },
            { base_url: unlisted.url, model_match: exact("deepseek-chat", "gpt-3.5") },
          ]),
        )
        expect(yield* listed(sdk(gateway))).toEqual(["deepseek-chat", "gpt-3.5", "gpt-4o", "org/gpt-oss"])
      }),
  )

  it.scopedLive(
    "asks an upstream without a key with the caller's, and keeps the lists of two callers apart",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream((request) =>
          models(request.headers.authorization === `Bearer ${callersKey}` ? ["gpt-mine"] : ["gpt-theirs"]),
        )
        const gateway = yield* startGateway(configOf([{ base_url: upstream.url, api_key: "" }]))
        expect(yield* listed(sdk(gateway))).toEqual(["gpt-mine"])
        expect(yield* listed(sdk(gateway, { apiKey: "sk-of-another" }))).toEqual(["gpt-theirs"])
        expect(yield* listed(sdk(gateway))).toEqual(["gpt-mine"])
        expect(upstream.requests.length).toBe(2)
      }),
  )

  it.scopedLive(
    "asks each upstream once for many callers at once, and then not until the list has aged",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(models(["gpt-4o"]))
        const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
        const client = sdk(gateway)
        const lists = yield* Effect.all(
          Array.from({ length: 8 }, () => listed(client)),
          { concurrency: "unbounded" },
        )
        expect(new Set(lists.map(String))).toEqual(new Set(["gpt-4o"]))
        expect(upstream.requests.length).toBe(1)
      }),
  )

  it.scopedLive("goes on serving the last list while the upstream is down", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(sequence(models(["gpt-4o"]), status(503)))
      const gateway = yield* startGateway(
        configOf([{ base_url: upstream.url }], { models_cache: { ttl_seconds: 0 } }),
      )
      const client = sdk(gateway)
      expect(yield* listed(client)).toEqual(["gpt-4o"])
      expect(yield* listed(client)).toEqual(["gpt-4o"])
      expect(upstream.requests.length).toBe(2)
    }),
  )
})

describe("models.retrieve", () => {
  it.scopedLive("finds a model, its id with slashes too", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(models(["gpt-4o", "org/team/gpt-oss"]))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const client = sdk(gateway)
      for (const id of ["gpt-4o", "org/team/gpt-oss"]) {
        expect(yield* call(() => client.models.retrieve(id))).toMatchObject({ id, object: "model" })
        const unencoded = yield* call(() => client.get<OpenAI.Model>(`/models/${id}`, {}))
        expect(unencoded.id).toBe(id)
      }
    }),
  )

  it.scopedLive("raises NotFoundError for a model that nobody serves", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(models(["gpt-4o", "whisper-1"]))
      const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
      for (const id of ["gpt-5", "whisper-1", "org/none"]) {
        const error = yield* rejection(() => sdk(gateway).models.retrieve(id))
        expect(error).toBeInstanceOf(OpenAI.NotFoundError)
        expect(error.code).toBe("model_not_found")
        expect(error.message).toContain(id)
      }
    }),
  )
})
