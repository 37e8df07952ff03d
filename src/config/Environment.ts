/** The environment variables Sluice reads, decoded once at the start; an invalid one is an error that names it. */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type { OtlpSettings } from "../telemetry/otlp/OtlpSettings.ts"
import { otlpSettings } from "./OtlpVariables.ts"
import { digits, invalid, oneOf, variable, wholeNumber } from "./Variables.ts"

export interface Environment {
  /** 0 takes any free port. */
  readonly port: number
  readonly host: string
  readonly configPath: string
  readonly auditUrl: string
  readonly logLevel: LogLevel.LogLevel
  readonly logFormat: "pretty" | "json"
  /** Where the files of the log are; none are written where it is `undefined`. */
  readonly logDirectory: string | undefined
  /** How many days of them are kept. */
  readonly logKeepDays: number
  readonly shutdownGrace: Duration.Duration
  /** How long `/readyz` says no before anything else ends. */
  readonly shutdownDelay: Duration.Duration
  /** Processes that serve; `auto` is as many as there are cores. */
  readonly workers: number | "auto"
  /** What is exported to a collector of OpenTelemetry. */
  readonly otlp: OtlpSettings
}

const logLevels = {
  all: LogLevel.All,
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warn: LogLevel.Warning,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  fatal: LogLevel.Fatal,
  none: LogLevel.None,
} as const

/** Where the audit is: `AUDIT_URL`, else the older `RECD_PATH`, else the default. */
export const auditUrl: Config.Config<string> = Config.all({
  current: Config.option(variable("AUDIT_URL")),
  older: Config.option(variable("RECD_PATH")),
}).pipe(
  Config.map(({ current, older }) =>
    Option.getOrElse(
      Option.orElse(current, () => older),
      () => "sqlite:./logs/record.db",
    ),
  ),
)

/** Where the configuration is. */
export const configPath: Config.Config<string> = Config.withDefault(
  variable("CONFIG_PATH"),
  "config/config.yaml",
)

/**
 * What the lines of the log look like.
 *
 * @param terminal whether standard output is a terminal: they are pretty there unless `LOG_FORMAT` says otherwise
 */
export const logFormat = (terminal: boolean): Config.Config<"pretty" | "json"> =>
  Config.withDefault(oneOf("LOG_FORMAT", ["pretty", "json"]), terminal ? "pretty" : "json")

/**
 * All variables of the environment with their defaults.
 *
 * @param terminal whether standard output is a terminal
 */
export const environment = (terminal: boolean): Effect.Effect<Environment, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const own = yield* Effect.either(ownVariables(terminal))
    const otlp = yield* Effect.either(otlpSettings)
    if (Either.isLeft(own) && Either.isLeft(otlp))
      return yield* Effect.fail(ConfigError.And(own.left, otlp.left))
    return { ...(yield* own), otlp: yield* otlp }
  })

const ownVariables = (terminal: boolean): Config.Config<Omit<Environment, "otlp">> =>
  Config.all({
    port: wholeNumber("SERVER_PORT", 0, 65_535).pipe(Config.withDefault(8000)),
    host: variable("SERVER_HOST").pipe(
      // As an IPv6 address stands in URLs.
      Config.map((host) => host.trim().replace(/^\[(.*)\]$/, "$1")),
      Config.withDefault("::"),
    ),
    configPath,
    auditUrl,
    logLevel: oneOf("LOG_LEVEL", [
      "all",
      "trace",
      "debug",
      "info",
      "warn",
      "warning",
      "error",
      "fatal",
      "none",
    ]).pipe(
      Config.map((level) => logLevels[level]),
      Config.withDefault(LogLevel.Info),
    ),
    logFormat: logFormat(terminal),
    logDirectory: Config.withDefault(variable("LOG_DIR"), undefined),
    logKeepDays: wholeNumber("LOG_KEEP_DAYS", 1, 3_650).pipe(Config.withDefault(30)),
    shutdownGrace: wholeNumber("SHUTDOWN_GRACE_SECONDS", 0, 86_400).pipe(
      Config.map(Duration.seconds),
      Config.withDefault(Duration.seconds(30)),
    ),
    shutdownDelay: wholeNumber("SHUTDOWN_DELAY_SECONDS", 0, 3_600).pipe(
      Config.map(Duration.seconds),
      Config.withDefault(Duration.zero),
    ),
    workers: variable("WORKERS").pipe(
      Config.mapOrFail((value): Either.Either<number | "auto", ConfigError.ConfigError> => {
        if (value.trim().toLowerCase() === "auto") return Either.right("auto")
        const number = digits.test(value) ? Number(value) : Number.NaN
        return number >= 1 && number <= 256
          ? Either.right(number)
          : invalid("WORKERS", 'a whole number from 1 to 256, or "auto"')
      }),
      Config.withDefault<number | "auto">(1),
    ),
  })

/** The problems of a `ConfigError`, one line each. */
export const problemsOf = (error: ConfigError.ConfigError): ReadonlyArray<string> => {
  switch (error._op) {
    // One of several variables is enough: that the first is absent is no problem.
    case "Or":
      return error.left._op === "MissingData"
        ? problemsOf(error.right)
        : [...problemsOf(error.left), ...problemsOf(error.right)]
    case "And":
      return [...problemsOf(error.left), ...problemsOf(error.right)]
    default:
      return [error.message]
  }
}
