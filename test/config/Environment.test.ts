import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import { describe, expect, it } from "vitest"
import { environment, problemsOf } from "../../src/config/Environment.ts"

const read = (variables: Record<string, string>, terminal = false) =>
  Effect.runSync(
    environment(terminal).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)))),
      Effect.mapError(problemsOf),
      Effect.either,
    ),
  )

describe("environment", () => {
  it("has the documented defaults", () => {
    expect(read({})).toMatchObject({
      _tag: "Right",
      right: {
        port: 8000,
        host: "::",
        configPath: "config/config.yaml",
        auditUrl: "sqlite:./logs/record.db",
        logLevel: LogLevel.Info,
        logFormat: "json",
        logDirectory: undefined,
        logKeepDays: 30,
        shutdownGrace: Duration.seconds(30),
        workers: 1,
      },
    })
    expect(read({}, true)).toMatchObject({ right: { logFormat: "pretty" } })
  })

  it("takes every variable, and RECD_PATH where AUDIT_URL is not set", () => {
    expect(
      read({
        SERVER_PORT: "9000",
        SERVER_HOST: "127.0.0.1",
        CONFIG_PATH: "/etc/sluice.yaml",
        RECD_PATH: "sqlite:./old.db",
        LOG_LEVEL: "WARN",
        LOG_FORMAT: "pretty",
        LOG_DIR: "/var/log/sluice",
        LOG_KEEP_DAYS: "7",
        SHUTDOWN_GRACE_SECONDS: "5",
        SHUTDOWN_DELAY_SECONDS: "7",
        WORKERS: "auto",
      }),
    ).toMatchObject({
      right: {
        port: 9000,
        host: "127.0.0.1",
        configPath: "/etc/sluice.yaml",
        auditUrl: "sqlite:./old.db",
        logLevel: LogLevel.Warning,
        logFormat: "pretty",
        logDirectory: "/var/log/sluice",
        logKeepDays: 7,
        shutdownGrace: Duration.seconds(5),
        shutdownDelay: Duration.seconds(7),
        workers: "auto",
      },
    })
    expect(read({ RECD_PATH: "sqlite:./old.db", AUDIT_URL: "sqlite:./new.db" })).toMatchObject({
      right: { auditUrl: "sqlite:./new.db" },
    })
  })

  it("takes an empty variable, as compose files pass unset ones on, for one that is not set", () => {
    const names = [
      "SERVER_PORT",
      "SERVER_HOST",
      "CONFIG_PATH",
      "AUDIT_URL",
      "RECD_PATH",
      "LOG_LEVEL",
      "LOG_FORMAT",
      "LOG_DIR",
      "LOG_KEEP_DAYS",
      "SHUTDOWN_DELAY_SECONDS",
      "SHUTDOWN_GRACE_SECONDS",
      "WORKERS",
    ]
    for (const empty of ["", " "]) {
      expect(read(Object.fromEntries(names.map((name) => [name, empty])))).toEqual(read({}))
    }
    expect(read({ AUDIT_URL: "", RECD_PATH: "old.db" })).toMatchObject({ right: { auditUrl: "old.db" } })
  })

  it("takes an IPv6 address in the brackets of URLs", () => {
    expect(read({ SERVER_HOST: "[::1]" })).toMatchObject({ right: { host: "::1" } })
  })

  it.each([
    ["SERVER_PORT", "80000", "a whole number from 0 to 65535"],
    ["SERVER_PORT", "8e3.5", "a whole number from 0 to 65535"],
    ["LOG_LEVEL", "loud", "one of all, trace, debug"],
    ["LOG_FORMAT", "xml", "one of pretty, json"],
    ["LOG_KEEP_DAYS", "0", "a whole number from 1 to 3650"],
    ["SHUTDOWN_GRACE_SECONDS", "-1", "a whole number from 0 to 86400"],
    ["WORKERS", "0", 'a whole number from 1 to 256, or "auto"'],
    ["WORKERS", "many", 'a whole number from 1 to 256, or "auto"'],
  ])("refuses %s=%j and says what would be right", (name, value, expected) => {
    const result = read({ [name]: value })
    expect(result._tag).toBe("Left")
    expect(JSON.stringify(result)).toContain(name)
    expect(JSON.stringify(result).replaceAll('\\"', '"')).toContain(expected)
    expect(JSON.stringify(result)).not.toContain(`"${value}`)
  })
})
