/** `sluice serve`: the server, until a signal ends it. */
import cluster from "node:cluster"
import { availableParallelism } from "node:os"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as App from "../App.ts"
import { parseAuditUrl } from "../audit/AuditUrl.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import { auditUrl, environment, logFormat, problemsOf } from "../config/Environment.ts"
import { toldPublicly } from "../config/file/ConfigFile.ts"
import { NodeServer } from "../http/NodeServer.ts"
import * as Primary from "../processes/Primary.ts"
import * as WorkerProcess from "../processes/WorkerProcess.ts"
import { nodeAdvice } from "../runtime/NodeSupport.ts"
import { isHurried } from "../runtime/Signals.ts"
import * as Lines from "../telemetry/Lines.ts"
import * as Log from "../telemetry/Log.ts"
import { version } from "../version.ts"
import * as Announcement from "./Announcement.ts"
import { CannotStart, tellCannotStart } from "./CannotStart.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configOption } from "./configFile.ts"
import type { GivenOf } from "./Parse.ts"

/** Bundled beside this program. */
const auditThread = new URL("./audit-thread.js", import.meta.url)
const bundles: App.Bundles = {
  aside: new URL("./aside-thread.js", import.meta.url),
  read: new URL("./read-thread.js", import.meta.url),
  dashboard: new URL("./dashboard/", import.meta.url),
}

const misuse = (...problems: ReadonlyArray<string>) => new CannotStart({ exitCode: 2, problems })

const failure = (...problems: ReadonlyArray<string>) => new CannotStart({ exitCode: 1, problems })

/** A port, as `SERVER_PORT` has it. A slip on the command line is told who typed it, wherever the log goes. */
const portOf = (text: string): Effect.Effect<number, CliFailure> => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port <= 65_535
    ? Effect.succeed(port)
    : new CliFailure({
        exitCode: 2,
        message: `--port ${JSON.stringify(text)}: expected a whole number from 0 to 65535`,
      })
}

/** The environment, or everything that is wrong with it at once. */
const readEnvironment = (terminal: boolean) =>
  Effect.gen(function* () {
    const read = yield* Effect.either(environment(terminal))
    const audit = yield* Effect.either(Effect.flatMap(auditUrl, parseAuditUrl))
    const problems = [
      ...(Either.isLeft(read) ? problemsOf(read.left) : []),
      ...(Either.isLeft(audit) && typeof audit.left === "string" ? [audit.left] : []),
    ]
    return Either.isRight(read) && problems.length === 0 ? read.right : yield* misuse(...problems)
  })

const manual = {
  name: "serve",
  summary: "Start the gateway",
  about:
    "Serves the gateway until SIGTERM or Ctrl-C: requests under way finish first, a second signal ends at once. SIGHUP reads the configuration anew, and so does saving it.",
  options: {
    config: configOption,
    port: { value: "PORT", help: "port to listen on, 0 for any free one; else SERVER_PORT, else 8000" },
  },
  examples: ["sluice serve", "sluice serve --config config/config.yaml --port 8000"],
  environment: [
    ["SERVER_PORT", "port to listen on (8000)"],
    ["SERVER_HOST", "address to listen on (::, which is all, IPv4 too)"],
    ["CONFIG_PATH", "the configuration (config/config.yaml)"],
    ["AUDIT_URL", "where the audit is kept (sqlite:./logs/record.db); also RECD_PATH"],
    ["LOG_LEVEL", "trace, debug, info, warn, error, fatal or none (info)"],
    ["LOG_FORMAT", "pretty or json (pretty on a terminal, else json)"],
    ["LOG_DIR", "folder for files of the log, one a day, beside standard output (none)"],
    ["LOG_KEEP_DAYS", "days of them that are kept (30)"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "a collector of OpenTelemetry for traces and metrics (none)"],
    ["SHUTDOWN_DELAY_SECONDS", "how long /readyz says no before anything else ends (0)"],
    ["SHUTDOWN_GRACE_SECONDS", "how long requests under way may take at the end (30)"],
    ["WORKERS", "processes that serve; auto is one for each core (1)"],
  ],
  failure: "the start or a worker failed",
} as const

/** Runs it until `end` is done or it is interrupted, and waits for its own end: a race that is interrupted would not. */
const endedBy = <A, E, R>(run: Effect.Effect<A, E, R>, end: Effect.Effect<void>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(restore(run)), (fiber) =>
      restore(Effect.raceFirst(Effect.asVoid(Fiber.join(fiber)), end)).pipe(
        Effect.ensuring(Fiber.interrupt(fiber)),
      ),
    ),
  )

/** A closed terminal ends what it started, in order; where there is none, the signal means a reload. */
const heedHangUp = Effect.acquireRelease(
  Effect.sync(() => {
    const hear = () => void process.kill(process.pid, "SIGTERM")
    process.once("SIGHUP", hear)
    return hear
  }),
  (hear) => Effect.sync(() => process.off("SIGHUP", hear)),
)

const stopped = Effect.suspend(() =>
  cluster.isWorker ? Effect.void : Effect.logInfo(isHurried() ? "stopped at once" : "stopped"),
)

/** Tells that the gateway listens, and at the end that it leaves, where others are given time to notice. */
const announce = (settings: Settings, port: number, workers: number) =>
  Effect.zipRight(
    Effect.gen(function* () {
      const { people, write } = yield* Lines.Lines
      const started = {
        version,
        host: settings.host,
        port,
        configPath: settings.configPath,
        audit: Either.getOrElse(parseAuditUrl(settings.auditUrl), () => settings.auditUrl),
        workers,
        snapshot: (yield* CurrentConfig).snapshot(),
      }
      if (people === undefined) write(LogLevel.Info, "listening", Announcement.membersOf(started))
      else write(LogLevel.Info, Announcement.textOf(started), {})
    }),
    Effect.addFinalizer(() =>
      Duration.toMillis(settings.shutdownDelay) === 0
        ? Effect.void
        : Effect.logInfo(
            `leaving: /readyz says so for ${Duration.toSeconds(settings.shutdownDelay)} s, requests are still taken`,
          ),
    ),
  )

/** Serves in this process. */
const alone = (settings: Settings) =>
  Layer.launch(
    Layer.provide(
      Layer.scopedDiscard(Effect.flatMap(NodeServer, ({ port }) => announce(settings, port, 1))),
      App.layer(settings, App.auditLayer(settings, auditThread), bundles),
    ),
  )

/** Serves as one of several processes. */
const worker = (settings: Settings) =>
  Effect.zipRight(
    endedBy(Layer.launch(App.workerLayer(settings, bundles)), WorkerProcess.told),
    WorkerProcess.leave,
  )

/** Starts the processes that serve, and keeps the audit for them. */
const primary = (settings: Settings, workers: number) =>
  Layer.launch(
    Layer.provide(
      Layer.scopedDiscard(
        Effect.gen(function* () {
          const port = yield* Primary.startWorkers({
            workers,
            shutdownGrace: settings.shutdownGrace,
            shutdownDelay: settings.shutdownDelay,
            lasting: App.lasting(),
            onDrain: (underWay) => App.draining(settings, underWay),
          })
          yield* announce(settings, port, workers)
        }),
      ),
      App.primaryLayer(settings, auditThread),
    ),
  )

/** Serves until it is told to end. */
const serving = (settings: Settings, terminal: boolean) =>
  Effect.gen(function* () {
    if (cluster.isWorker) return yield* worker(settings)
    const advice = nodeAdvice(process.versions.node)
    if (advice !== undefined) yield* Effect.logWarning(advice)
    if (terminal) yield* heedHangUp
    const workers = settings.workers === "auto" ? availableParallelism() : settings.workers
    return workers === 1 ? yield* alone(settings) : yield* primary(settings, workers)
  }).pipe(Effect.scoped)

const settingsOf = (given: GivenOf<typeof manual.options>, terminal: boolean) =>
  Effect.gen(function* () {
    const fromEnvironment = yield* readEnvironment(terminal)
    const port = given.text("port")
    return {
      ...fromEnvironment,
      configPath: given.text("config") ?? fromEnvironment.configPath,
      port: port === undefined ? fromEnvironment.port : yield* portOf(port),
    }
  })

type Settings = Effect.Effect.Success<ReturnType<typeof settingsOf>>

const linesLayer = ({ logDirectory, logFormat, logKeepDays, logLevel }: Settings, terminal: boolean) =>
  Lines.layer({
    format: logFormat,
    level: logLevel,
    folder: logDirectory === undefined ? undefined : { directory: logDirectory, days: logKeepDays },
    colour: terminal && (process.env["NO_COLOR"] ?? "") === "",
  })

const run = (given: GivenOf<typeof manual.options>, terminal: boolean) =>
  Effect.flatMap(settingsOf(given, terminal), (settings) =>
    serving(settings, terminal).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? stopped : Effect.void,
      ),
      Effect.provide(Layer.provideMerge(Log.layer, linesLayer(settings, terminal))),
      Effect.catchTags({
        // What it is warned of does not keep it from starting.
        ConfigInvalid: ({ path, problems }) =>
          failure(
            ...problems
              .filter(({ severity }) => severity === "error")
              .map((problem) => toldPublicly(path, problem)),
            `"sluice check ${path}" says more`,
          ),
        AuditUnusable: ({ message }) => failure(message),
        ConfigUnreadable: ({ message }) => failure(message),
        WorkerFailed: ({ code, problems }) => new CannotStart({ exitCode: code === 2 ? 2 : 1, problems }),
        ListenFailed: ({ message }) => failure(message),
      }),
    ),
  )

export const serve: Command = command(manual, (given) => {
  const terminal = process.stdout.isTTY === true
  return Effect.catchTag(run(given, terminal), "CannotStart", (wrong) =>
    // The primary of several processes tells it, once.
    cluster.isWorker
      ? Effect.zipRight(
          WorkerProcess.failed(wrong.problems),
          new CliFailure({ exitCode: wrong.exitCode, message: "" }),
        )
      : Effect.flatMap(
          Effect.orElseSucceed(logFormat(terminal), () => (terminal ? "pretty" : "json")),
          (format) => tellCannotStart(wrong, format, !terminal && process.stderr.isTTY === true),
        ),
  )
})
