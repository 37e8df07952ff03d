/** What a caller and a probe see of an upstream that fails for good: the others answer, and it comes back by itself. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const configOf = (first: string, second: string, openMs: number) => `
retry: { rounds: 1 }
breaker: { failures: 3, open_ms: ${openMs} }
openai_clients:
  - { name: first, base_url: "${first}", api_key: sk-own, model_match: { type: keyword, value: [gpt] } }
  - { name: standby, base_url: "${second}", api_key: sk-own, priority: 0, model_match: { type: keyword, value: [gpt] } }
`

const ask = (baseUrl: string, model = "gpt-4", content = "hello") =>
  Effect.promise(async () => {
    const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
    })
    await answer.arrayBuffer()
    return { status: answer.status, by: answer.headers.get("x-sluice-upstream") }
  })

const upstreamsOf = (baseUrl: string, query: string) =>
  Effect.promise(async () => {
    const health: unknown = await (await fetch(`${baseUrl}/health${query}`)).json()
    return typeof health === "object" && health !== null && "upstreams" in health
      ? health.upstreams
      : undefined
  })

describe("An upstream that fails again and again", () => {
  it.scopedLive("is asked last, says so in /health?verbose, and is taken back when it is well", () =>
    Effect.gen(function* () {
      let well = false
      const first = yield* Scripted.scriptedUpstream(() =>
        well ? Scripted.chat("mended") : Scripted.status(500, { error: { message: "out of order" } }),
      )
      const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const { baseUrl } = yield* startGateway(configOf(first.url, second.url, 100))
      for (let i = 0; i < 3; i++) expect(yield* ask(baseUrl)).toEqual({ status: 200, by: "standby" })
      expect(yield* upstreamsOf(baseUrl, "?verbose")).toMatchObject([
        { name: "first", state: "open", reason: "failing", openings_total: 1, in_flight: 0 },
        { name: "standby", state: "closed", reason: null, probe_at: null },
      ])
      expect(yield* upstreamsOf(baseUrl, "")).toBeUndefined()

      well = true
      const back = yield* eventually("the probe that goes well", ask(baseUrl), ({ by }) => by === "first")
      expect(back.status).toBe(200)
      expect(yield* upstreamsOf(baseUrl, "?verbose=1")).toMatchObject([
        { name: "first", state: "closed" },
        {},
      ])
    }),
  )

  it.scopedLive("costs no request an attempt while it is set aside", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(() => Scripted.status(401, {}))
      const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const { baseUrl } = yield* startGateway(configOf(first.url, second.url, 60_000))
      // A refused key of its own sets it aside at once.
      for (let i = 0; i < 10; i++) expect(yield* ask(baseUrl)).toEqual({ status: 200, by: "standby" })
      expect(yield* upstreamsOf(baseUrl, "?verbose")).toMatchObject([
        { name: "first", state: "open", reason: "credentials_rejected" },
        {},
      ])
      expect(first.requests.length).toBe(1)
    }),
  )

  it.scopedLive("begins anew when its entry gets another key", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(({ headers }) =>
        headers["authorization"] === "Bearer sk-new" ? Scripted.chat("mended") : Scripted.status(401, {}),
      )
      const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const config = configOf(first.url, second.url, 60_000)
      const { baseUrl, reload } = yield* startGateway(config)
      expect((yield* ask(baseUrl)).by).toBe("standby")
      yield* reload(config.replace("sk-own", "sk-new"))
      expect((yield* ask(baseUrl)).by).toBe("first")
    }),
  )
})

/** What a refusing upstream is sent: how far its refusal is to reach is decided by what it says. */
const asked = (body: unknown) => {
  const text = JSON.stringify(body)
  return { isLimited: text.includes("gpt-limited"), isFlagged: text.includes("flagged") }
}

describe("An upstream that refuses", () => {
  it.scopedLive("one model for its limit is asked for others all the same, and says so", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(({ body }) =>
        asked(body).isLimited
          ? Scripted.status(429, { error: { message: "slow down" } }, { "retry-after": "60" })
          : Scripted.chat("mine"),
      )
      const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const { baseUrl } = yield* startGateway(configOf(first.url, second.url, 60_000))
      expect(yield* ask(baseUrl, "gpt-limited")).toEqual({ status: 200, by: "standby" })
      expect(yield* ask(baseUrl, "gpt-other")).toEqual({ status: 200, by: "first" })
      expect(yield* ask(baseUrl, "gpt-limited")).toEqual({ status: 200, by: "standby" })
      expect(first.requests.filter(({ body }) => asked(body).isLimited).length).toBe(1)
      expect(yield* upstreamsOf(baseUrl, "?verbose")).toMatchObject([
        {
          name: "first",
          state: "closed",
          models: [{ model: "gpt-limited", state: "open", reason: "rate_limited" }],
        },
        { name: "standby", models: [] },
      ])
    }),
  )

  it.scopedLive(
    "a prompt that its moderation flagged is asked for others all the same, and nobody is asked instead",
    () =>
      Effect.gen(function* () {
        const first = yield* Scripted.scriptedUpstream(({ body }) =>
          asked(body).isFlagged
            ? Scripted.status(403, { error: { message: "Your input was flagged." } })
            : Scripted.chat("mine"),
        )
        const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
        const { baseUrl } = yield* startGateway(configOf(first.url, second.url, 60_000))
        expect(yield* ask(baseUrl, "gpt-4", "flagged")).toEqual({ status: 403, by: "first" })
        expect(yield* ask(baseUrl)).toEqual({ status: 200, by: "first" })
        expect(second.requests.length).toBe(0)
      }),
  )

  it.scopedLive("for want of credit is set aside as a whole", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(() => Scripted.status(402, {}))
      const second = yield* Scripted.scriptedUpstream(() => Scripted.chat("spare"))
      const { baseUrl } = yield* startGateway(configOf(first.url, second.url, 60_000))
      for (const model of ["gpt-4", "gpt-5"]) {
        expect(yield* ask(baseUrl, model)).toEqual({ status: 200, by: "standby" })
      }
      expect(first.requests.length).toBe(1)
      expect(yield* upstreamsOf(baseUrl, "?verbose")).toMatchObject([
        { name: "first", state: "open", reason: "out_of_credit" },
        {},
      ])
    }),
  )
})
