/** Clients that speak some dialects and not others: who is asked, what is learned, and what callers are told. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isJsonArray, isJsonObject, type Json } from "../../src/wire/Json.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { samples } from "../support/OperationSamples.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const paths = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" } as const
const operations = { chat: "chat.completions", responses: "responses", messages: "messages" } as const

type Dialect = keyof typeof paths

const ask = (baseUrl: string, dialect: Dialect, model = "gpt-4") =>
  Effect.promise(async () => {
    const answer = await fetch(baseUrl + paths[dialect], {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, ...samples[operations[dialect]].request }),
    })
    const body: unknown = await answer.json()
    const error = isJsonObject(body) && isJsonObject(body["error"]) ? body["error"] : {}
    return {
      status: answer.status,
      by: answer.headers.get("x-sluice-upstream"),
      dialect: answer.headers.get("x-sluice-dialect"),
      attempts: answer.headers.get("x-sluice-attempts"),
      code: error["code"] ?? null,
      message: String(error["message"] ?? ""),
    }
  })

const notFound = Scripted.status(404, { detail: "Not Found" })

/** Answers well at the paths of these dialects, and says of all others what its maker says. */
const speaking = (spoken: ReadonlyArray<Dialect>, otherwise: Scripted.Answer = notFound) =>
  Scripted.scriptedUpstream(({ path }) => {
    const dialect = spoken.find((one) => path.startsWith(paths[one]))
    return dialect === undefined ? otherwise : Scripted.json(samples[operations[dialect]].answer)
  })

const pathsOf = ({ requests }: Scripted.ScriptedUpstream) => requests.map(({ path }) => path)

const upstreamsIn = async (baseUrl: string): Promise<ReadonlyArray<Json>> => {
  const health: unknown = await (await fetch(`${baseUrl}/health?verbose`)).json()
  const upstreams = isJsonObject(health) ? health["upstreams"] : undefined
  return isJsonArray(upstreams) ? upstreams : []
}

describe("A client whose dialects are written", () => {
  it.scopedLive("is asked in its own, whatever the caller's is, and callers are told in which", () =>
    Effect.gen(function* () {
      const first = yield* speaking(["chat"])
      const second = yield* speaking(["messages"])
      const { baseUrl, records } = yield* startGateway(
        configOf([
          { base_url: first.url, dialects: ["chat"] },
          { base_url: second.url, dialects: ["messages"] },
        ]),
      )
      expect(yield* ask(baseUrl, "chat")).toMatchObject({ status: 200, by: "first", dialect: "chat" })
      expect(yield* ask(baseUrl, "messages")).toMatchObject({ status: 200, by: "first", dialect: "chat" })
      expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 200, by: "first", dialect: "chat" })
      first.setScript(Scripted.status(503))
      expect(yield* ask(baseUrl, "responses")).toMatchObject({
        status: 200,
        by: "second",
        dialect: "messages",
        attempts: "2",
      })
      expect(pathsOf(second)).toEqual([paths.messages])
      const row = (yield* records).find(({ endpoint }) => endpoint === "responses")
      expect(row).toMatchObject({ status: 200, outcome: "ok", dialect: "responses" })
    }),
  )

  it.scopedLive("is left out where it speaks none, and callers are told who speaks what", () =>
    Effect.gen(function* () {
      const only = yield* speaking([])
      const { baseUrl } = yield* startGateway(configOf([{ base_url: only.url, dialects: [] }]))
      const refused = yield* ask(baseUrl, "responses")
      expect(refused).toMatchObject({ status: 404, by: null, code: "dialect_not_spoken" })
      expect(refused.message).toContain("No client of it speaks any dialect of conversations: first.")
    }),
  )

  it.scopedLive(
    "is believed: what it answers at a path it says it has is its answer, and teaches nothing",
    () =>
      Effect.gen(function* () {
        const upstream = yield* speaking(["chat"], Scripted.status(405, { detail: "Method Not Allowed" }))
        const { baseUrl } = yield* startGateway(
          configOf([{ base_url: upstream.url, dialects: ["chat", "responses"] }]),
        )
        expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 405, by: "first" })
        expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 405, by: "first" })
      }),
  )
})

describe("A client whose dialects nobody wrote", () => {
  it.scopedLive.each([
    { maker: "FastAPI", said: notFound },
    { maker: "Go", said: Scripted.status(404, "404 page not found", { "content-type": "text/plain" }) },
    { maker: "nginx", said: Scripted.status(405, "<html>405</html>", { "content-type": "text/html" }) },
    { maker: "an honest server", said: Scripted.status(501, { error: { message: "Not Implemented" } }) },
  ])(
    "teaches by its answer that it lacks one, as $maker says it: it is asked in another at once, and not blamed",
    ({ said }) =>
      Effect.gen(function* () {
        const first = yield* speaking(["chat"], said)
        const second = yield* speaking(["chat", "responses"])
        const config = configOf([{ base_url: first.url }, { base_url: second.url }], {
          breaker: { failures: 1 },
        })
        const { awaitRecords, baseUrl, reload } = yield* startGateway(config)
        const asked = { status: 200, by: "first", dialect: "chat" }
        expect(yield* ask(baseUrl, "responses")).toMatchObject({ ...asked, attempts: "2" })
        expect(yield* ask(baseUrl, "responses")).toMatchObject({ ...asked, attempts: "1" })
        expect(yield* ask(baseUrl, "chat")).toMatchObject({ ...asked, attempts: "1" })
        expect(pathsOf(first)).toEqual([paths.responses, paths.chat, paths.chat, paths.chat])
        const [record] = yield* awaitRecords(1)
        expect(record?.attempts[0]?.cause).toMatch(
          /^answered (404|405|501): it does not speak responses, which was assumed, as its entry names no `dialects`$/,
        )
        expect(yield* Effect.promise(() => upstreamsIn(baseUrl))).toMatchObject([
          { name: "first", state: "closed", dialects: ["chat"], lacks: [{ dialect: "responses" }] },
          { name: "second", state: "closed", dialects: ["chat", "responses"] },
        ])

        yield* reload(`${config}\n# another\nmodels_cache: { ttl_seconds: 5 }\n`)
        expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 200, attempts: "2" })
      }),
  )

  it.scopedLive("is asked all the same where nobody else is left, and found to speak it when it does", () =>
    Effect.gen(function* () {
      const only = yield* speaking([])
      const { baseUrl } = yield* startGateway(configOf([{ base_url: only.url }]))
      const refused = yield* ask(baseUrl, "responses")
      expect(refused).toMatchObject({ status: 404, code: "dialect_not_spoken" })
      expect(pathsOf(only)).toEqual([paths.responses, paths.chat])
      yield* ask(baseUrl, "responses")
      only.setScript(Scripted.json(samples.responses.answer))
      expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 200, by: "first" })
      // What was spoken once is not unlearned by a proxy in a bad moment.
      only.setScript(notFound)
      expect(yield* ask(baseUrl, "responses")).toMatchObject({ status: 404, by: "first", code: null })
    }),
  )

  it.scopedLive("has its own words told where it lacks chat, as with a wrong base_url", () =>
    Effect.gen(function* () {
      const only = yield* Scripted.scriptedUpstream(
        Scripted.status(404, "<html><title>404 Not Found</title></html>", { "content-type": "text/html" }),
      )
      const { baseUrl } = yield* startGateway(configOf([{ base_url: only.url }]))
      const refused = yield* ask(baseUrl, "chat")
      expect(refused).toMatchObject({ status: 404, by: "first", code: "upstream_refused" })
      expect(refused.message).toContain('a page, "404 Not Found"')
    }),
  )

  it.scopedLive("is not taken to lack what it refuses for its model", () =>
    Effect.gen(function* () {
      const missing = { error: { message: "The model `gpt-4` does not exist.", code: "model_not_found" } }
      const first = yield* speaking(["chat"], Scripted.status(404, missing))
      const second = yield* speaking(["responses"])
      const { baseUrl } = yield* startGateway(
        configOf([{ base_url: first.url }, { base_url: second.url }], { breaker: { failures: 0 } }),
      )
      yield* ask(baseUrl, "responses")
      yield* ask(baseUrl, "responses")
      expect(pathsOf(first)).toEqual([paths.responses, paths.responses])
    }),
  )
})

describe("A client of a preset", () => {
  it.scopedLive(
    "is asked where it answers, in the header it wants, with the query of its address behind all",
    () =>
      Effect.gen(function* () {
        const azure = yield* speaking(["chat"])
        const deepseek = yield* Scripted.scriptedUpstream(Scripted.json(samples.messages.answer))
        const { baseUrl } = yield* startGateway(
          configOf([
            { base_url: `${azure.url}?api-version=preview`, preset: "azure" },
            {
              base_url: deepseek.origin,
              preset: "deepseek",
              api_key: "sk-deepseek",
              model_match: { type: "exact", value: ["deepseek-chat"] },
            },
          ]),
        )
        expect(yield* ask(baseUrl, "chat")).toMatchObject({ status: 200, by: "first" })
        expect(azure.requests[0]?.path).toBe("/v1/chat/completions?api-version=preview")
        expect(azure.requests[0]?.headers).toMatchObject({ "api-key": "sk-configured-secret" })
        expect(azure.requests[0]?.headers.authorization).toBeUndefined()
        expect(yield* ask(baseUrl, "messages", "deepseek-chat")).toMatchObject({ status: 200, by: "second" })
        expect(deepseek.requests[0]?.path).toBe("/anthropic/v1/messages")
        expect(deepseek.requests[0]?.headers).toMatchObject({ authorization: "Bearer sk-deepseek" })
      }),
  )
})
