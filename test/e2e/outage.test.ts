/** Outages: a provider that dies amid its streams, one that fails always, one that says nothing. The others go on; it comes back by itself. */
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { upstreamProcess } from "../support/UpstreamProcess.ts"

const client = (name: string, url: string, priority: number) =>
  `  - { name: ${name}, base_url: "${url}", api_key: sk-own, priority: ${priority}, model_match: { type: keyword, value: [gpt] } }\n`

const post = (baseUrl: string, stream: boolean, signal: AbortSignal) =>
  fetch(`${baseUrl}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "gpt-4", stream, messages: [{ role: "user", content: "hello" }] }),
    signal,
  })

const ask = (baseUrl: string) =>
  Effect.promise(async (signal) => {
    const answer = await post(baseUrl, false, signal)
    await answer.arrayBuffer()
    return {
      status: answer.status,
      by: answer.headers.get("x-sluice-upstream"),
      attempts: answer.headers.get("x-sluice-attempts"),
    }
  })

const states = (baseUrl: string) =>
  Effect.promise(async () => {
    const health: unknown = await (await fetch(`${baseUrl}/health?verbose`)).json()
    return JSON.stringify(health)
  })

const openMs = 2_000

/** So many requests, one after the other, all answered by the standby, and at the first attempt but for the probes that fall due. */
const undisturbed = (baseUrl: string, count: number) =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const answers = yield* Effect.replicateEffect(ask(baseUrl), count)
    const probes = Math.ceil(((yield* Clock.currentTimeMillis) - startedAt) / openMs)
    expect(new Set(answers.map(({ by, status }) => `${status} ${by}`))).toEqual(new Set(["200 standby"]))
    expect(answers.filter(({ attempts }) => attempts !== "1").length).toBeLessThanOrEqual(probes)
    return probes
  })

const settings = `retry: { rounds: 1 }\nbreaker: { failures: 5, open_ms: ${openMs}, max_open_ms: ${openMs} }\n`

describe("A provider that is killed amid 200 streams", () => {
  it.scopedLive(
    "costs those streams alone: the next requests pass it by, and it is taken back when it lives again",
    () =>
      Effect.gen(function* () {
        const victim = yield* upstreamProcess()
        const standby = yield* Scripted.scriptedUpstream(() => Scripted.chat("standing by"))
        const { awaitRecords, baseUrl } = yield* startGateway(
          `${settings}openai_clients:\n${client("victim", `http://127.0.0.1:${victim.port}/v1`, 1)}${client(
            "standby",
            standby.url,
            0,
          )}`,
        )
        const streams = yield* Effect.forEach(
          Array.from({ length: 200 }),
          () =>
            Effect.promise(async () => {
              const answer = await post(baseUrl, true, AbortSignal.timeout(20_000))
              return { by: answer.headers.get("x-sluice-upstream"), answer }
            }),
          { concurrency: "unbounded" },
        )
        expect(new Set(streams.map(({ by }) => by))).toEqual(new Set(["victim"]))
        const texts = yield* Effect.fork(
          Effect.promise(() => Promise.all(streams.map(({ answer }) => answer.text()))),
        )
        yield* victim.kill
        for (const text of yield* Fiber.join(texts)) {
          expect(text.match(/"error":/g)).toHaveLength(1)
          expect(text.trimEnd().split("\n\n").at(-1)).toMatch(/^data: \{"error":/)
          expect(text).not.toContain("[DONE]")
        }
        const records = yield* awaitRecords(200)
        expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(["stream_broken"]))
        expect(new Set(records.map(({ id }) => id)).size).toBe(200)

        yield* undisturbed(baseUrl, 20)
        expect(yield* states(baseUrl)).toContain('"name":"victim","state":"open"')

        yield* upstreamProcess(victim.port)
        const back = yield* eventually("its return", ask(baseUrl), ({ by }) => by === "victim", 10_000)
        expect(back).toEqual({ status: 200, by: "victim", attempts: "1" })
        expect(yield* states(baseUrl)).toContain('"name":"victim","state":"closed"')
      }),
  )
})

describe("A provider out of order", () => {
  it.scopedLive.each([
    { kind: "that answers 500 to everything", fault: Scripted.status(500, { error: { message: "no" } }) },
    { kind: "that accepts and says nothing", fault: Scripted.hang() },
  ])("$kind costs a few requests an attempt, then none, and is taken back by itself", ({ fault }) =>
    Effect.gen(function* () {
      const broken = yield* Scripted.scriptedUpstream(fault)
      const standby = yield* Scripted.scriptedUpstream(() => Scripted.chat("standing by"))
      const { baseUrl } = yield* startGateway(
        `${settings}timeouts: { answer_ms: 700 }\nopenai_clients:\n${client(
          "broken",
          broken.url,
          1,
        )}${client("standby", standby.url, 0)}`,
      )
      for (let i = 0; i < 5; i++) {
        expect(yield* ask(baseUrl)).toEqual({ status: 200, by: "standby", attempts: "2" })
      }
      const probes = yield* undisturbed(baseUrl, 20)
      expect(broken.requests.length).toBeLessThanOrEqual(5 + probes)
      broken.setScript(Scripted.chat("mended"))
      const back = yield* eventually("its return", ask(baseUrl), ({ by }) => by === "broken", 10_000)
      expect(back).toEqual({ status: 200, by: "broken", attempts: "1" })
    }),
  )
})
