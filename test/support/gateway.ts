/** A whole gateway on a free port in this process, with its configuration in a temporary folder and its audit in memory. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import { CurrentConfig } from "../../src/config/CurrentConfig.ts"
import type { Environment } from "../../src/config/Environment.ts"
import { NodeServer } from "../../src/http/NodeServer.ts"
import * as Lines from "../../src/telemetry/Lines.ts"
import { nothingExported } from "../../src/telemetry/otlp/OtlpSettings.ts"
import { asideThread, readThread } from "./AsideBundle.ts"
import { type RecordedAudit, recordedAudit } from "./RecordedAudit.ts"

/** As `npm run build` leaves it. */
export const dashboard = new URL("../../dist/dashboard/", import.meta.url)

export interface RunningGateway extends Pick<RecordedAudit, "records" | "awaitRecord" | "awaitRecords"> {
  /** Without `/v1`. */
  readonly baseUrl: string
  readonly port: number
  readonly configPath: string
  /** Replaces the file's text; the gateway notices by itself. */
  readonly writeConfig: (text: string) => Effect.Effect<void>
  /** Replaces the file's text and waits until it is in force. */
  readonly reload: (text: string) => Effect.Effect<void>
  readonly config: CurrentConfig["Type"]
}

/** Starts a gateway that ends with the scope; `onLine` is given its log, from `info` on. */
export const startGateway = (
  config: string,
  options: Partial<Environment> = {},
  onLine?: (line: string) => void,
): Effect.Effect<RunningGateway, never, Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const configPath = `${folder}/config.yaml`
    yield* files.writeFileString(configPath, config, { mode: 0o600 })
    const { awaitRecord, awaitRecords, layer: audit, records } = yield* recordedAudit
    const services = yield* Layer.build(
      Layer.provideMerge(
        App.layer(
          {
            port: 0,
            host: "127.0.0.1",
            configPath,
            auditUrl: "unused",
            logLevel: LogLevel.None,
            logFormat: "json",
            logDirectory: undefined,
            logKeepDays: 30,
            shutdownGrace: Duration.zero,
            shutdownDelay: Duration.zero,
            workers: 1,
            otlp: nothingExported,
            ...options,
          },
          audit,
          { aside: asideThread(), read: readThread(), dashboard },
        ),
        Layer.mergeAll(
          NodeContext.layer,
          Logger.minimumLogLevel(LogLevel.None),
          Lines.layer({
            format: "json",
            level: onLine === undefined ? LogLevel.None : LogLevel.Info,
            colour: false,
            ...(onLine === undefined ? {} : { sink: onLine }),
          }),
        ),
      ),
    )
    const { port } = Context.get(services, NodeServer)
    const current = Context.get(services, CurrentConfig)
    const writeConfig = (text: string) => Effect.orDie(files.writeFileString(configPath, text))
    return {
      baseUrl: `http://127.0.0.1:${port}`,
      port,
      configPath,
      records,
      awaitRecord,
      awaitRecords,
      config: current,
      writeConfig,
      reload: (text: string) => Effect.zipRight(writeConfig(text), Effect.asVoid(current.reload)),
    }
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))
