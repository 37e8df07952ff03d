/** The log of several processes in files. */
import { readdirSync, readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask } from "../support/Ask.ts"
import { addressOf, sluice } from "../support/process.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

describe("LOG_DIR", () => {
  it.scopedLive("has every line of all workers that standard output has, whole, and no key in any", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      yield* files.writeFileString(
        `${folder}/config.yaml`,
        `openai_clients:\n  - { name: only, base_url: "${upstream.url}", api_key: sk-of-the-upstream, model_match: { type: exact, value: [m] } }\n`,
        { mode: 0o600 },
      )
      const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"], {
        WORKERS: "2",
        LOG_DIR: `${folder}/logs`,
      })
      const address = yield* addressOf(gateway)
      const headers = { authorization: "Bearer sk-of-the-caller", connection: "close" }
      yield* Effect.replicateEffect(ask(address, { headers }), 12)
      yield* Effect.replicateEffect(ask(address, { headers, model: "nobody" }), 3)
      yield* gateway.signal("SIGTERM")
      const { stdout } = yield* gateway.exited
      const linesOf = (kind: string) =>
        readdirSync(`${folder}/logs`)
          .filter((name) => name.startsWith(`${kind}.`))
          .flatMap((name) => readFileSync(`${folder}/logs/${name}`, "utf8").split("\n").slice(0, -1))
          .toSorted()
      expect(linesOf("system")).toEqual(stdout.split("\n").toSorted())
      expect(linesOf("info").map((line) => JSON.parse(line).status)).toEqual(
        Array.from({ length: 12 }, () => 200),
      )
      expect(linesOf("error").map((line) => JSON.parse(line).status)).toEqual([404, 404, 404])
      expect(linesOf("system").join("\n")).not.toContain("sk-of-the")
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
