/** A real Prometheus, where the machine has one. */
import { spawn, spawnSync } from "node:child_process"
import { createServer } from "node:net"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"

export const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0

const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** A Prometheus that scrapes an address every second, and where it is asked. */
export const prometheus = (folder: string, target: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const port = yield* freePort
    yield* files.writeFileString(
      `${folder}/prometheus.yml`,
      `global: { scrape_interval: 1s }\nscrape_configs:\n  - { job_name: sluice, static_configs: [{ targets: ["${target}"] }] }\n`,
    )
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          "prometheus",
          [
            `--config.file=${folder}/prometheus.yml`,
            `--storage.tsdb.path=${folder}/data`,
            `--web.listen-address=127.0.0.1:${port}`,
          ],
          { stdio: "ignore" },
        ),
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL")),
    )
    return `http://127.0.0.1:${port}`
  })
