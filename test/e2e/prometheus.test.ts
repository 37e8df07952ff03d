/** A real Prometheus scrapes a gateway of several processes, and its sums are right, also when one of them dies. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, onItsOwn } from "../support/Ask.ts"
import { eventually } from "../support/Patience.ts"
import { hasPrometheus, prometheus } from "../support/Prometheus.ts"
import { addressOf, sluice, workersOf } from "../support/process.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

/** What a query comes to; `undefined` as long as there is no answer. */
const asked = (prometheus: string, query: string): Effect.Effect<number | undefined> =>
  Effect.promise(async () => {
    const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
      () => undefined,
    )
    const found = /"value":\[[\d.]+,"([^"]+)"\]/.exec((await answer?.text()) ?? "")?.[1]
    return found === undefined ? undefined : Number(found)
  })

describe("Prometheus", () => {
  it.scopedLive.skipIf(!hasPrometheus)("sees the sums of all workers, which do not fall when one dies", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      yield* files.writeFileString(
        `${folder}/config.yaml`,
        `openai_clients:\n  - { name: only, base_url: "${upstream.url}", api_key: sk-test, model_match: { type: exact, value: [m] } }\n`,
        { mode: 0o600 },
      )
      const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"], {
        WORKERS: "2",
      })
      const address = yield* addressOf(gateway)
      const at = yield* prometheus(folder, address.replace("http://", ""))
      const becomes = (query: string, value: number) =>
        eventually(query, asked(at, query), (found) => found === value, 30_000)

      yield* Effect.replicateEffect(ask(address, onItsOwn), 20)
      yield* becomes('sum(sluice_requests_total{outcome="ok"})', 20)
      yield* becomes("sum(sluice_request_duration_seconds_count)", 20)
      yield* becomes('sluice_audit_rows_total{result="kept"}', 20)
      yield* becomes("sluice_processes", 3)
      expect(yield* asked(at, "count(sluice_client_active)")).toBe(1)

      const [first = 0] = workersOf(gateway)
      process.kill(first, "SIGKILL")
      yield* eventually(
        "another worker",
        Effect.sync(() => workersOf(gateway)),
        (workers) => workers.length === 2 && !workers.includes(first),
        30_000,
      )
      yield* Effect.replicateEffect(ask(address, onItsOwn), 10)
      yield* becomes('sum(sluice_requests_total{outcome="ok"})', 30)
      expect(yield* asked(at, "sum(resets(sluice_requests_total[5m]))")).toBe(0)
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
