/** The board and the alerts that ship: each of their queries is run by a real Prometheus that has scraped a gateway. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parse } from "yaml"
import { instruments } from "../../src/telemetry/metrics/Instruments.ts"
import { eventually } from "../support/Patience.ts"
import { hasPrometheus, prometheus } from "../support/Prometheus.ts"
import { addressOf, sluice } from "../support/process.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatChunks } from "../support/Wire.ts"

interface Board {
  readonly panels: ReadonlyArray<{
    readonly title: string
    readonly targets?: ReadonlyArray<{ readonly expr: string }>
  }>
}

interface Rules {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<{ readonly expr: string }> }>
}

const board: Board = JSON.parse(readFileSync("deploy/grafana/sluice.json", "utf8"))
const rules: Rules = parse(readFileSync("deploy/prometheus/alerts.yml", "utf8"))

const shown = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const watched = rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr))

/** As Grafana fills it in. */
const filled = (expr: string): string =>
  expr
    .replaceAll("$__rate_interval", "1m")
    .replaceAll("$__range", "1h")
    .replace(/\$(model|client)/g, ".*")

/** Nothing waits, is hedged or resumed in the traffic below. */
const mayBeEmpty = /hedges|resumes|waiting|telemetry_dropped/

const promtool = (...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync("promtool", args, { encoding: "utf8" })
  return { status, said: `${stdout}${stderr}` }
}

describe("The board and the alerts", () => {
  it("name metrics that are declared", () => {
    const declared = new Set(instruments.map(({ name }) => name))
    const names = [...shown, ...watched]
      .flatMap((expr) => expr.match(/\b(?:sluice|process|nodejs)_\w+/g) ?? [])
      .map((name) => name.replace(/_bucket$/, ""))
    expect(names.length).toBeGreaterThan(40)
    expect(names.filter((name) => !declared.has(name))).toEqual([])
  })

  it.skipIf(!hasPrometheus)("are sound to promtool, and the alerts fire when they should", () => {
    expect(promtool("check", "config", "deploy/prometheus/prometheus.yml")).toMatchObject({ status: 0 })
    expect(promtool("check", "rules", "deploy/prometheus/alerts.yml")).toMatchObject({ status: 0 })
    const tested = promtool("test", "rules", "deploy/prometheus/alerts.test.yml")
    expect(tested.status, tested.said).toBe(0)
  })

  it.scopedLive.skipIf(!hasPrometheus)("have queries that find something in a gateway's metrics", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const failing = yield* Scripted.scriptedUpstream(Scripted.status(500, {}))
      const upstream = yield* Scripted.scriptedUpstream(
        Scripted.sse(chatChunks(["a", "b"], { usage: { prompt: 7, completion: 3 } })),
      )
      const clientOf = (name: string, url: string, models: string, more: string) =>
        `  - { name: ${name}, base_url: "${url}", api_key: sk-test, model_match: { type: exact, value: [${models}] }${more} }`
      yield* files.writeFileString(
        `${folder}/config.yaml`,
        `openai_clients:\n${clientOf("bad", failing.url, "m", ", fallback: good")}\n${clientOf("dead", failing.url, "dead", "")}\n${clientOf("good", upstream.url, "spare", "")}\n`,
        { mode: 0o600 },
      )
      const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"])
      const address = yield* addressOf(gateway)
      const at = yield* prometheus(folder, address.replace("http://", ""))
      const ask = (model: string) =>
        Effect.promise(async () => {
          const body = { model, stream: true, messages: [{ role: "user", content: "hi" }] }
          await (
            await fetch(`${address}/v1/chat/completions`, { method: "POST", body: JSON.stringify(body) })
          ).text()
        })
      const found = (expr: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`${at}/api/v1/query?query=${encodeURIComponent(filled(expr))}`)
          const { data, error, status } = JSON.parse(await answer.text())
          expect({ expr, status, error }).toEqual({ expr, status: "success", error: undefined })
          return data.result.length
        })
      const must = shown.filter((expr) => !mayBeEmpty.test(expr))
      // A rate is known from the second scrape on that has the series.
      yield* eventually(
        "Prometheus is there",
        Effect.promise(() =>
          fetch(`${at}/-/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
        (ok) => ok,
        30_000,
      )
      yield* eventually(
        "all find something",
        Effect.zipRight(
          Effect.zipRight(ask("m"), ask("dead")),
          Effect.forEach(must, (expr) => Effect.map(found(expr), (count) => (count > 0 ? [] : [expr]))),
        ),
        (empty) => empty.flat().length === 0,
        30_000,
      )
      for (const expr of [...shown, ...watched]) yield* found(expr)
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
