/** What the access log says of requests that were refused or reached nothing. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { post, request } from "../support/RawHttp.ts"
import { scriptedUpstream, sse } from "../support/ScriptedUpstream.ts"
import { finishChunk, textChunk, usageChunk } from "../support/Wire.ts"

describe("The access log", () => {
  it.scopedLive("says where wrong paths led, clipped and without their query", () =>
    Effect.gen(function* () {
      const lines: Array<Readonly<Record<string, unknown>>> = []
      const { port } = yield* startGateway(
        configOf([{ base_url: "http://127.0.0.1:9/v1" }]),
        {},
        (line) => void lines.push(JSON.parse(line)),
      )
      yield* post(port, "/v1/v1/chat/completions?key=sk-secret", {})
      yield* request(port, "GET", "/v1/chat/completions")
      yield* request(port, "GET", `/${"x".repeat(5_000)}`)
      expect(lines.filter(({ message }) => message === "request")).toMatchObject([
        { method: "POST", path: "/v1/v1/chat/completions", status: 404, code: "unknown_url" },
        { method: "GET", path: "/v1/chat/completions", status: 405, code: "method_not_allowed" },
        { method: "GET", path: `/${"x".repeat(199)}…`, status: 404, code: "unknown_url" },
      ])
    }),
  )

  it.scopedLive("says what the gateway took itself, and of a stream the time of a token", () =>
    Effect.gen(function* () {
      const lines: Array<Readonly<Record<string, unknown>>> = []
      const upstream = yield* scriptedUpstream(
        sse([textChunk("one"), textChunk("two"), finishChunk(), usageChunk()]),
      )
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: upstream.url }]),
        {},
        (line) => void lines.push(JSON.parse(line)),
      )
      yield* post(port, "/v1/chat/completions", {
        model: "gpt-4o",
        stream: true,
        messages: [{ role: "user", content: "Hello?" }],
      })
      const [record] = yield* awaitRecords(1)
      const [line] = lines.filter(({ message }) => message === "request")
      const { latencyMs = 0, overheadMs = 0, ttftMs = 0, usage } = record ?? {}
      expect(line?.["overhead_ms"]).toBe(Math.round(overheadMs * 10) / 10)
      const perToken = (latencyMs - ttftMs) / ((usage?.outputTokens ?? 0) - 1)
      expect(line?.["per_token_ms"]).toBe(Math.round(perToken * 10) / 10)
    }),
  )

  it.scopedLive("says why a request was refused, with the model where it could be read", () =>
    Effect.gen(function* () {
      const lines: Array<Readonly<Record<string, unknown>>> = []
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: "http://127.0.0.1:9/v1" }]),
        {},
        (line) => void lines.push(JSON.parse(line)),
      )
      yield* post(port, "/v1/chat/completions", { model: "gpt-4o", messages: [] })
      yield* post(port, "/v1/chat/completions", {
        model: "claude",
        messages: [{ role: "user", content: "Hello?" }],
      })
      yield* post(port, "/v1/chat/completions", "{")
      const records = yield* awaitRecords(3)
      expect(records.map(({ model }) => model)).toEqual(["gpt-4o", "claude", undefined])
      const refused = lines.filter(({ message }) => message === "request")
      expect(refused).toMatchObject([
        {
          model: "gpt-4o",
          status: 400,
          outcome: "rejected",
          error: "`messages` is empty; at least one is needed.",
        },
        { model: "claude", status: 404, outcome: "rejected", code: "model_not_found" },
        { status: 400, outcome: "rejected", error: expect.stringContaining("not JSON") },
      ])
    }),
  )

  it.scopedLive(
    "tells once of a request that events were passed over, of whom and how many, and never their text",
    () =>
      Effect.gen(function* () {
        const odd = ["loading a-secret", "12", '{"a-secret":"half', '{"choices" "a-secret"}']
        const said = [textChunk("one"), ...odd, textChunk("two"), finishChunk()]
        const failing = yield* scriptedUpstream(sse(["a-secret"], { done: false }))
        const upstream = yield* scriptedUpstream(sse(said))
        const lines: Array<string> = []
        const gateway = yield* startGateway(
          configOf([{ base_url: failing.url }, { base_url: upstream.url }]),
          {},
          (line) => void lines.push(line),
        )
        const body = { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "Hello?" }] }
        const answer = yield* post(gateway.port, "/v1/chat/completions", body, {
          "x-request-id": "a-request",
        })
        expect(answer?.body.toString("utf8")).not.toContain("a-secret")
        yield* gateway.awaitRecords(1)
        upstream.setScript(sse([textChunk("one"), finishChunk()]))
        yield* post(gateway.port, "/v1/chat/completions", body)
        yield* gateway.awaitRecords(2)
        expect(lines.join("\n")).not.toContain("a-secret")
        const told = lines
          .map((line) => JSON.parse(line))
          .filter(({ message }) => message.includes("passed over"))
        expect(told).toMatchObject([
          { level: "info", id: "a-request", upstream: "first", events: 1 },
          { level: "info", id: "a-request", upstream: "second", events: odd.length },
          { upstream: "first", events: 1 },
        ])
      }),
  )
})
