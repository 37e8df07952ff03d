import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Lines from "../../src/telemetry/Lines.ts"
import * as Log from "../../src/telemetry/Log.ts"
import { timeOfDay } from "../../src/terminal/Quantity.ts"

/** The lines a program logs. */
const linesOf = (program: Effect.Effect<void>, format: "json" | "pretty", colour = false) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const write = (line: string) => void lines.push(line)
    // In a fiber of its own: what a layer of loggers changes stays with the fiber it is provided to.
    const fiber = yield* program.pipe(
      Effect.provide(
        Layer.provide(Log.layer, Lines.layer({ format, level: LogLevel.Info, colour, sink: write })),
      ),
      Effect.fork,
    )
    yield* Fiber.await(fiber)
    return lines
  })

describe("Log", () => {
  it.effect("writes one JSON object a line, members by name and in order", () =>
    Effect.gen(function* () {
      const lines = yield* linesOf(Effect.logInfo("request", { status: 200, id: "r" }), "json")
      expect(lines).toEqual([
        '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"request","status":200,"id":"r"}',
      ])
    }),
  )

  it.effect("leaves out what is below its level", () =>
    Effect.gen(function* () {
      expect(yield* linesOf(Effect.logDebug("detail"), "json")).toEqual([])
    }),
  )

  it.effect("writes a line for people, coloured only where that is wanted", () =>
    Effect.gen(function* () {
      const program = Effect.logWarning("attempt failed", { upstream: "a", ms: 12 })
      expect(yield* linesOf(program, "pretty")).toEqual([
        `${timeOfDay(new Date(0), "local")} WARN  attempt failed upstream=a ms=12`,
      ])
      expect((yield* linesOf(program, "pretty", true))[0]).toContain("\u001b[33m")
    }),
  )

  it.effect("lets no value forge a line or drive a terminal", () =>
    Effect.gen(function* () {
      const hostile = "x\nERROR forged\u001b[31m\u009b2J"
      expect((yield* linesOf(Effect.logInfo("request", { model: "a\u202eb" }), "pretty"))[0]).toContain(
        "model=a\\u202eb",
      )
      for (const format of ["json", "pretty"] as const) {
        const lines = yield* linesOf(Effect.logInfo("request", { model: hostile }), format)
        expect(lines).toHaveLength(1)
        expect(lines[0]).not.toContain("\n")
        expect(lines[0]).not.toContain("\u001b")
      }
      expect((yield* linesOf(Effect.logInfo("request", { model: hostile }), "pretty"))[0]).not.toContain(
        "\u009b",
      )
    }),
  )

  it.effect("lets no message and no cause forge a line, and shows which lines belong to another", () =>
    Effect.gen(function* () {
      const forged = "no\n12:00:00.000 INFO  forged\r\u001b[2J\u0085\u2028\u2029\u202e\u009b\u007f"
      const programs = [
        Effect.logInfo(forged),
        Effect.logInfo("x", { cause: forged }),
        Effect.logInfo("x", { [forged]: forged }),
        Effect.logError("x", Cause.die(new Error(forged))),
      ]
      for (const [format, colour] of [
        ["json", false],
        ["pretty", false],
        ["pretty", true],
      ] as const) {
        for (const program of programs) {
          for (const line of (yield* linesOf(program, format, colour)).join("\n").split("\n").slice(1)) {
            expect(line).toMatch(/^ {4}/)
          }
          const whole = (yield* linesOf(program, format)).join("")
          expect(whole.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        }
      }
    }),
  )

  it.effect("says what an error among its parts is, and where it came from", () =>
    Effect.gen(function* () {
      for (const format of ["json", "pretty"] as const) {
        const lines = yield* linesOf(
          Effect.logError("x", { id: "one" }, new TypeError("no such thing")),
          format,
        )
        expect(lines.join("\n")).toContain("TypeError: no such thing")
        expect(lines.join("\n")).toContain("Log.test.ts")
      }
    }),
  )

  it.effect("bounds a line, whatever stands in it", () =>
    Effect.gen(function* () {
      const long = "m".repeat(5_000_000)
      const programs = [
        Effect.logInfo(long),
        Effect.logInfo("x", { cause: long, list: Array.from({ length: 1e5 }, () => "x") }),
        Effect.logInfo("x", Object.fromEntries(Array.from({ length: 1e4 }, (_, at) => [`m${at}`, "x"]))),
        Effect.logError("x", Cause.die(new Error(`${long}\n${long}`))),
      ]
      for (const format of ["json", "pretty"] as const) {
        for (const program of programs) {
          const [line = ""] = yield* linesOf(program, format)
          expect(line.length).toBeLessThan(40_000)
          if (format === "json") expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) })
        }
      }
    }),
  )
})
