/** The files of the log in real folders: by day, for their owner, whole lines, and nothing told but once where they cannot be written. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as Scope from "effect/Scope"
import * as Lines from "../../src/telemetry/Lines.ts"
import { logFiles } from "../../src/telemetry/LogFiles.ts"
import { eventually } from "../support/Patience.ts"

const noon = Date.UTC(2026, 10, 28, 12)
const dayMs = 86_400_000

const newFolder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return `${yield* files.makeTempDirectoryScoped()}/logs`
}).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "")

const holds = (path: string, text: string) =>
  eventually(
    `${path} holds it`,
    Effect.sync(() => textOf(path)),
    (found) => found === text,
    10_000,
  )

/** The files of a log that writes at a time that can be set, with what it told. */
const opened = (directory: string, days = 30) =>
  Effect.gen(function* () {
    const told: Array<string | undefined> = []
    const clock = { now: noon }
    const files = yield* logFiles(
      { directory, days },
      () => clock.now,
      (reason) => void told.push(reason),
    )
    return { clock, told, ...files }
  })

/** The next write to any file takes only so many bytes, as on a disk that becomes full. */
const nextWriteTakes = (count: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const handle = await open(process.execPath)
      const prototype = Object.getPrototypeOf(handle)
      await handle.close()
      const whole: FileHandle["write"] = prototype.write
      const restore = () => {
        prototype.write = whole
      }
      prototype.write = function (this: FileHandle, bytes: Uint8Array) {
        restore()
        return Reflect.apply(whole, this, [bytes.subarray(0, count)])
      }
      return restore
    }),
    (restore) => Effect.sync(restore),
  )

describe("The files of the log", () => {
  it.scopedLive.each([
    { cut: 6, where: "at the end of a line", holding: "first\nsecond\nthird\nfourth\n", lost: 0 },
    { cut: 9, where: "within a line", holding: "first\nsec\nthird\nfourth\n", lost: 1 },
    { cut: 15, where: "within the last line", holding: "first\nsecond\nth\nfourth\n", lost: 1 },
    { cut: 0, where: "before any", holding: "first\nsecond\nthird\nfourth\n", lost: 0 },
  ])(
    "hold whole lines where a full disk cuts a write off $where, and count what is torn",
    ({ cut, lost, holding }) =>
      Effect.gen(function* () {
        const directory = yield* newFolder
        const { dropped, write } = yield* opened(directory)
        yield* nextWriteTakes(cut)
        for (const line of ["first", "second", "third"]) write(line, undefined)
        yield* eventually(
          "the write that was cut off",
          Effect.sync(() => textOf(`${directory}/system.2026-11-28.log`)),
          (text) => text !== "" || cut === 0,
          10_000,
        )
        write("fourth", undefined)
        yield* holds(`${directory}/system.2026-11-28.log`, holding)
        expect(dropped()).toBe(lost)
      }),
  )

  it.scopedLive("have all lines, and those of requests once more by their status", () =>
    Effect.gen(function* () {
      const directory = yield* newFolder
      const { write } = yield* opened(directory)
      write("started", undefined)
      write("good", 200)
      write("bad", 404)
      write("broken", 502)
      yield* holds(`${directory}/system.2026-11-28.log`, "started\ngood\nbad\nbroken\n")
      yield* holds(`${directory}/info.2026-11-28.log`, "good\n")
      yield* holds(`${directory}/error.2026-11-28.log`, "bad\nbroken\n")
      expect(statSync(directory).mode & 0o777).toBe(0o700)
      for (const name of readdirSync(directory)) {
        expect(statSync(`${directory}/${name}`).mode & 0o777).toBe(0o600)
      }
    }),
  )

  it.scopedLive("go on where they were, after a restart and where the clock jumps back", () =>
    Effect.gen(function* () {
      const directory = yield* newFolder
      yield* Effect.scoped(Effect.map(opened(directory), ({ write }) => write("before", undefined)))
      const { clock, write } = yield* opened(directory)
      write("after", undefined)
      yield* holds(`${directory}/system.2026-11-28.log`, "before\nafter\n")
      clock.now = noon + dayMs
      write("tomorrow", undefined)
      yield* holds(`${directory}/system.2026-11-29.log`, "tomorrow\n")
      clock.now = noon
      write("today again", undefined)
      yield* holds(`${directory}/system.2026-11-28.log`, "before\nafter\ntoday again\n")
    }),
  )

  it.scopedLive("are removed when they are too old, and nothing else is", () =>
    Effect.gen(function* () {
      const directory = yield* newFolder
      mkdirSync(`${directory}/system.2020-01-02.log`, { recursive: true })
      const others = ["record.db", "mine.2020-01-01.log", "system.2020-01-01.log.gz", "info.2026-11-27.log"]
      for (const name of [
        ...others,
        "system.2020-01-01.log",
        "info.2026-11-26.log",
        "error.2026-11-25.log",
      ]) {
        writeFileSync(`${directory}/${name}`, "x")
      }
      const { clock, write } = yield* opened(directory, 2)
      write("a", undefined)
      const kept = [...others, "system.2020-01-02.log"]
      const become = (...names: ReadonlyArray<string>) =>
        eventually(
          "only those are left that may be",
          Effect.sync(() => readdirSync(directory).toSorted()),
          (found) => JSON.stringify(found) === JSON.stringify([...names].toSorted()),
          10_000,
        )
      yield* become(...kept, "system.2026-11-28.log")
      clock.now = noon + 2 * dayMs
      write("b", undefined)
      yield* become(...kept.filter((name) => name !== "info.2026-11-27.log"), "system.2026-11-30.log")
    }),
  )

  it.scopedLive("are told of where no folder can be made, even if its system says that it is not there", () =>
    Effect.gen(function* () {
      const { told, write } = yield* opened("/proc/sluice/nowhere", 2)
      write("a", undefined)
      yield* eventually(
        "the reason",
        Effect.sync(() => told.length),
        (many) => many > 0,
        10_000,
      )
      expect(told).toHaveLength(1)
    }),
  )

  it.scopedLive(
    "that cannot be written are told of once, and again when they can; what waited is written then",
    () =>
      Effect.gen(function* () {
        const directory = yield* newFolder
        // A file where the folder should be: root may write into a read-only one.
        writeFileSync(directory, "")
        const { dropped, told, write } = yield* opened(directory)
        write("one", 200)
        yield* eventually(
          "it is told",
          Effect.sync(() => told.length),
          (count) => count > 0,
          10_000,
        )
        write("two", 500)
        for (let i = 0; i < 30; i++) write("x".repeat(100_000), undefined)
        expect(dropped()).toBeGreaterThanOrEqual(20)
        rmSync(directory)
        yield* holds(`${directory}/info.2026-11-28.log`, "one\n")
        yield* holds(`${directory}/error.2026-11-28.log`, "two\n")
        yield* eventually(
          "it is told",
          Effect.sync(() => told),
          (found) => found.length === 2,
          10_000,
        )
        expect(told).toEqual(["ENOTDIR", undefined])
        expect(textOf(`${directory}/system.2026-11-28.log`)).toMatch(/^one\ntwo\nx+\n/)
        expect(textOf(`${directory}/system.2026-11-28.log`).length).toBeLessThan(2_100_000)
      }),
  )

  it.scopedLive("are made again where somebody moved them away, and lead nowhere else by a link", () =>
    Effect.gen(function* () {
      const directory = yield* newFolder
      const { clock, told, write } = yield* opened(directory)
      const path = `${directory}/system.2026-11-28.log`
      write("a", undefined)
      yield* holds(path, "a\n")
      rmSync(path)
      clock.now += 61_000
      write("b", undefined)
      yield* holds(path, "b\n")
      const elsewhere = `${directory}/../elsewhere`
      writeFileSync(elsewhere, "")
      symlinkSync(elsewhere, `${directory}/system.2026-11-29.log`)
      clock.now += dayMs
      write("c", undefined)
      yield* eventually(
        "it is told",
        Effect.sync(() => told),
        (found) => found.length === 1,
        10_000,
      )
      expect(told).toEqual(["ELOOP"])
      expect(textOf(elsewhere)).toBe("")
    }),
  )

  it.scopedLive("have whole lines where several write to them", () =>
    Effect.gen(function* () {
      const directory = yield* newFolder
      const writers = yield* Effect.replicateEffect(opened(directory), 4)
      for (let line = 0; line < 500; line++) {
        for (const [at, { write }] of writers.entries())
          write(`${at}-${line}-${"é".repeat(1_000)}`, undefined)
        if (line % 50 === 0) yield* Effect.yieldNow()
      }
      const path = `${directory}/system.2026-11-28.log`
      const lines = () => textOf(path).split("\n").slice(0, -1)
      yield* eventually(
        "all are there",
        Effect.sync(() => lines().length),
        (count) => count === 2_000,
        10_000,
      )
      const expected = writers.flatMap((_, at) =>
        Array.from({ length: 500 }, (_, line) => `${at}-${line}-${"é".repeat(1_000)}`),
      )
      expect(lines().toSorted()).toEqual(expected.toSorted())
    }),
  )

  it.live("have what was written last, when the log ends", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const directory = yield* Scope.extend(newFolder, scope)
      const inner = yield* Scope.make()
      const { write } = yield* Scope.extend(opened(directory), inner)
      write("last", 200)
      yield* Scope.close(inner, Exit.void)
      expect(textOf(`${directory}/system.2026-11-28.log`)).toBe("last\n")
      expect(textOf(`${directory}/info.2026-11-28.log`)).toBe("last\n")
      yield* Scope.close(scope, Exit.void)
    }),
  )

  it.live.each([
    ["json", false],
    ["pretty", false],
    ["pretty", true],
  ] as const)("have %s lines as standard output has them, without colour (%s)", ([format, colour]) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const directory = yield* Scope.extend(newFolder, scope)
      const sunk: Array<string> = []
      yield* Effect.gen(function* () {
        const { people, request, write } = yield* Lines.Lines
        write(LogLevel.Warning, people?.("red", "painted") ?? "painted", { name: "va\u001b[31mlue" })
        write(LogLevel.Debug, "below the level", {})
        request(200, people?.("green", "200") ?? "request", {})
      }).pipe(
        Effect.provide(
          Lines.layer({
            format,
            level: LogLevel.Info,
            colour,
            sink: (line) => void sunk.push(line),
            folder: { directory, days: 1 },
          }),
        ),
      )
      const [name = ""] = readdirSync(directory).filter((found) => found.startsWith("system"))
      const filed = textOf(`${directory}/${name}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: of paint
      expect(filed).toBe(sunk.map((line) => `${line.replace(/\u001b\[\d+m/g, "")}\n`).join(""))
      expect(filed).not.toContain("\u001b")
      expect(filed.split("\n")).toHaveLength(3)
      yield* Scope.close(scope, Exit.void)
    }),
  )
})
