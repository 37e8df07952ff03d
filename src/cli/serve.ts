/** `sluice serve`: the server, until a signal ends it. */
import cluster from "node:cluster"
import { availableParallelism } from "node:os"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as App from "../App.ts"
import * as Primary from "../cluster/Primary.ts"
import * as WorkerProcess from "../cluster/WorkerProcess.ts"
import { renderProblem } from "../config/ConfigFile.ts"
import { environment, problemsOf } from "../config/Environment.ts"
import { NodeServer } from "../http/NodeServer.ts"
import * as Lines from "../telemetry/Lines.ts"
import * as Log from "../telemetry/Log.ts"
import { version } from "../version.ts"
import { CliFailure } from "./CliFailure.ts"

const config = Options.text("config").pipe(
  Options.withDescription("The configuration; CONFIG_PATH or config/config.yaml if left out."),
  Options.optional,
)

const port = Options.integer("port").pipe(
  Options.withDescription("The port to listen on, 0 for any free one; SERVER_PORT or 8000 if left out."),
  Options.optional,
)

/** Bundled beside this program. */
const auditWorker = new URL("./audit-worker.js", import.meta.url)

const misuse = (message: string) => new CliFailure({ exitCode: 2, message })

export const serve = Command.make("serve", { config, port }, ({ config, port }) =>
  Effect.gen(function* () {
    const terminal = process.stdout.isTTY === true
    const fromEnvironment = yield* Effect.mapError(environment(terminal), (error) =>
      misuse(problemsOf(error).join("\n")),
    )
    const settings = {
      ...fromEnvironment,
      configPath: Option.getOrElse(config, () => fromEnvironment.configPath),
      port: Option.getOrElse(port, () => fromEnvironment.port),
    }
    if (settings.port < 0 || settings.port > 65_535) {
      return yield* misuse(`--port ${settings.port}: expected a whole number from 0 to 65535`)
    }
    const lines = Lines.layer({
      format: settings.logFormat,
      level: settings.logLevel,
      colour: terminal && (process.env["NO_COLOR"] ?? "") === "",
    })
    const announce = (url: string, members: Readonly<Record<string, unknown>> = {}) =>
      Effect.zipRight(
        Effect.logInfo("listening", { address: url, version, config: settings.configPath, ...members }),
        Effect.addFinalizer(() => Effect.logInfo("draining: requests under way go on, new ones are refused")),
      )
    const alone = Layer.launch(
      Layer.provide(
        Layer.scopedDiscard(Effect.flatMap(NodeServer, ({ url }) => announce(url))),
        App.layer(settings, App.auditLayer(settings, auditWorker)),
      ),
    )
    const worker = Effect.raceFirst(Layer.launch(App.workerLayer(settings)), WorkerProcess.told).pipe(
      Effect.zipRight(WorkerProcess.leave),
    )
    const primary = (workers: number) =>
      Layer.launch(
        Layer.provide(
          Layer.scopedDiscard(
            Effect.gen(function* () {
              const { shutdownGrace } = settings
              const port = yield* Primary.startWorkers({ workers, shutdownGrace })
              yield* announce(
                `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
                {
                  workers,
                },
              )
            }),
          ),
          App.primaryLayer(settings, auditWorker),
        ),
      )
    const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
    const serving = Effect.gen(function* () {
      if (cluster.isWorker) return yield* worker
      return workers === 1 ? yield* alone : yield* primary(workers)
    })
    return yield* serving.pipe(
      Effect.provide(Layer.provideMerge(Log.layer, lines)),
      Effect.catchTags({
        ConfigInvalid: ({ path, problems }) =>
          new CliFailure({
            exitCode: 1,
            message: problems.map((problem) => renderProblem(path, problem)).join("\n"),
          }),
        AuditUnusable: ({ message }) => new CliFailure({ exitCode: 1, message }),
        ConfigUnreadable: ({ message }) => new CliFailure({ exitCode: 1, message }),
        // It has said why.
        WorkerFailed: ({ code }) => new CliFailure({ exitCode: code === 2 ? 2 : 1, message: "" }),
        ListenFailed: ({ message }) => new CliFailure({ exitCode: 1, message }),
      }),
    )
  }),
).pipe(
  Command.withDescription("Serves the gateway until SIGTERM or SIGINT; SIGHUP reloads the configuration."),
)
