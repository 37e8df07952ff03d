/** What several processes export to a collector, to the last of it: when they end, when one is killed, and when the collector does not answer. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, onItsOwn } from "../support/Ask.ts"
import { collector } from "../support/Collector.ts"
import { eventually, within } from "../support/Patience.ts"
import { addressOf, type GatewayProcess, sluice, workersOf } from "../support/process.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

/** Ten minutes for an export, so that only the bound of the end can be what ends it. */
const patientExports = { OTEL_EXPORTER_OTLP_TIMEOUT: "600000" }

/** Far longer than the end takes on a busy machine, and far shorter than an export may. */
const endsWithinMs = 90_000

/** Two workers that export to this origin, and what they ask. */
const running = (origin: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    yield* files.writeFileString(
      `${folder}/config.yaml`,
      `openai_clients:\n  - { name: only, base_url: "${upstream.url}", api_key: sk-test, model_match: { type: exact, value: [m] } }\n`,
      { mode: 0o600 },
    )
    const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"], {
      WORKERS: "2",
      OTEL_EXPORTER_OTLP_ENDPOINT: origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      ...env,
    })
    return { gateway, upstream, address: yield* addressOf(gateway) }
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

/** So many requests, each on a connection of its own, so that every worker gets some. */
const askTimes = (address: string, times: number) => Effect.replicateEffect(ask(address, onItsOwn), times)

/** What a process says when it is told to end. */
const ended = (gateway: GatewayProcess) =>
  Effect.zipRight(gateway.signal("SIGTERM"), within("the end of the gateway", gateway.exited, endsWithinMs))

const server = 2

describe("Several processes that export", () => {
  it.scopedLive("send every span and the last metrics of each of them before they end", () =>
    Effect.gen(function* () {
      const to = yield* collector
      const { address, gateway, upstream } = yield* running(to.origin)
      yield* askTimes(address, 8)
      expect((yield* ended(gateway)).code).toBe(0)

      const spans = to.spans()
      const requests = spans.filter(({ kind }) => kind === server)
      const attempts = spans.filter(({ kind }) => kind !== server)
      const told = (family: typeof spans, key: "parentSpanId" | "spanId") =>
        family.map((span) => `${span.traceId} ${span[key]}`).toSorted()
      expect(requests).toHaveLength(8)
      expect(told(attempts, "parentSpanId")).toEqual(told(requests, "spanId"))
      expect(attempts.map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`).toSorted()).toEqual(
        upstream.requests.map(({ headers }) => headers["traceparent"]).toSorted(),
      )

      const metrics = to.metrics()
      const of = (name: string) =>
        metrics
          .filter((metric) => metric.name === name)
          .flatMap(({ points, resource }) =>
            points.map((point) => ({ ...point, from: resource["service.instance.id"] })),
          )
      const sum = (points: ReturnType<typeof of>) =>
        points.reduce((all, { asDouble = 0 }) => all + asDouble, 0)
      const from = (points: ReturnType<typeof of>) => new Set(points.map((point) => point.from)).size
      expect([sum(of("sluice.requests")), from(of("sluice.requests"))]).toEqual([8, 2])
      // The primary serves none, and keeps the audit for both.
      const kept = of("sluice.audit_rows").filter(({ attributes }) => attributes["result"] === "kept")
      expect([sum(kept), from(kept)]).toEqual([8, 1])
      expect(from(of("sluice.processes"))).toBe(3)
    }),
  )

  it.scopedLive("send it as protobuf, which is the default, and go on when one of them is killed", () =>
    Effect.gen(function* () {
      const to = yield* collector
      const { address, gateway, upstream } = yield* running(to.origin, {
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
        OTEL_BSP_SCHEDULE_DELAY: "50",
      })
      /** Whether a span of this id stands in what arrived, as bytes. */
      const hasArrived = (traceparent: unknown) => {
        const id = Buffer.from(String(traceparent).split("-")[2] ?? "", "hex")
        return to.requests.some(({ bytes, path }) => path === "/v1/traces" && bytes.includes(id))
      }
      const missing = Effect.sync(
        () => upstream.requests.filter(({ headers }) => !hasArrived(headers["traceparent"])).length,
      )
      yield* askTimes(address, 4)
      yield* eventually("the spans of both", missing, (count) => count === 0)
      const [first = 0] = workersOf(gateway)
      process.kill(first, "SIGKILL")
      yield* gateway.logged("a worker died")
      yield* askTimes(address, 4)
      expect((yield* ended(gateway)).code).toBe(0)
      expect(upstream.requests).toHaveLength(8)
      expect(yield* missing).toBe(0)
      expect(new Set(to.requests.map(({ headers }) => headers["content-type"]))).toEqual(
        new Set(["application/x-protobuf"]),
      )
    }),
  )

  it.scopedLive("end in order where the collector is away or never answers, and say what is lost", () =>
    Effect.gen(function* () {
      const away = Effect.map(Scripted.closedPort, (port) => `http://127.0.0.1:${port}`)
      const silent = Effect.map(Scripted.scriptedUpstream(Scripted.hang()), ({ origin }) => origin)
      const endings = Effect.forEach(
        [away, silent],
        (origin) =>
          Effect.gen(function* () {
            const { address, gateway } = yield* running(yield* origin, patientExports)
            const answers = yield* askTimes(address, 4)
            const { code, stderr, stdout } = yield* ended(gateway)
            const lost = [...stdout.matchAll(/traces could not be exported before the end: (\d+) are lost/g)]
            return { answers, code, stderr, lost: lost.reduce((sum, [, count]) => sum + Number(count), 0) }
          }),
        { concurrency: 2 },
      )
      const inOrder = { answers: [200, 200, 200, 200], code: 0, stderr: "", lost: 8 }
      expect(yield* endings).toEqual([inOrder, inOrder])
    }),
  )
})
