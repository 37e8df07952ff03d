// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** The configuration in force: over real files where events arrive, over a file in memory and a test clock where they do not. */

import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { keyCount } from "../../../src/access/AccessKey.ts"
import { CurrentConfig } from "../../../src/config/CurrentConfig.ts"
import type { ConfigInvalid } from "../../../src/config/file/ConfigInvalid.ts"
import type { ConfigUnreadable } from "../../../src/config/file/ConfigText.ts"
import { type FollowedFileOptions, layer } from "../../../src/config/reload/FollowedFile.ts"

const clientCalled = (name: string, more = "") =>
  `openai_clients:\n  - name: ${name}\n    base_url: http://localhost/v1\n    model_match: { type: keyword, value: [gpt] }\n${more}`

const namesOf = (snapshot: {
  readonly routes: { readonly upstreams: ReadonlyArray<{ readonly name: string }> }
}) => snapshot.routes.upstreams.map(({ name }) => name)

class NotFollowed extends Data.TaggedError("NotFollowed")<{ readonly name: string }> {}

/** Sooner than the poll of 5 s could notice, so that it was an event; later than 1 s on a machine that is busy. */
const withoutPoll = "4 seconds"

const startOver = (path: string, options: FollowedFileOptions = {}) =>
  layer(path, options).pipe(
    Layer.provide(Logger.remove(Logger.defaultLogger)),
    Layer.build,
    Effect.map(Context.get(CurrentConfig)),
  )

/** Does `change`, and waits until a configuration whose only client is called `name` is in force. */
const followed = <E, R>(
  config: Context.Tag.Service<CurrentConfig>,
  name: string,
  change: Effect.Effect<unknown, E, R>,
) =>
  Effect.gen(function* () {
    // A new watch makes the file be read once more; after that only an event can tell of the change.
    yield* Effect.sleep("300 millis")
    const seen = yield* config.changes.pipe(
      Stream.filter((snapshot) => namesOf(snapshot).join() === name),
      Stream.runHead,
      Effect.fork,
    )
    yield* change
    const snapshot = yield* Effect.timeoutFail(Fiber.join(seen), {
      duration: withoutPoll,
      onTimeout: () => new NotFollowed({ name }),
    })
    expect(Option.isSome(snapshot)).toBe(true)
    expect(namesOf(config.snapshot())).toEqual([name])
    return config.snapshot().generation
  })

const inDirectory = <A, E>(
  test: (
    fs: FileSystem.FileSystem,
    directory: string,
  ) => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>,
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(fs, yield* fs.makeTempDirectoryScoped({ prefix: "sluice-config-" }))
  }).pipe(Effect.provide(NodeFileSystem.layer))

describe.concurrent("over real files", () => {
  it.scopedLive("an edit in place takes effect, and the next one too", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const path = `${directory}/config.yaml`
        yield* fs.writeFileString(path, clientCalled("a"))
        const config = yield* startOver(path)
        expect(config.snapshot().generation).toBe(1)
        expect(yield* followed(config, "b", fs.writeFileString(path, clientCalled("b")))).toBe(2)
        expect(yield* followed(config, "c", fs.writeFileString(path, clientCalled("c")))).toBe(3)
      }),
    ),
  )

  it.scopedLive("atomic renames take effect, one after another", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const path = `${directory}/config.yaml`
        const rename = (name: string) =>
          Effect.zipRight(
            fs.writeFileString(`${path}.tmp`, clientCalled(name)),
            fs.rename(`${path}.tmp`, path),
          )
        yield* rename("a")
        const config = yield* startOver(path)
        yield* followed(config, "b", rename("b"))
        yield* followed(config, "c", rename("c"))
      }),
    ),
  )

  it.scopedLive("a Kubernetes ConfigMap is followed from one ..data to the next", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const publish = (version: string, name: string) =>
          Effect.gen(function* () {
            yield* fs.makeDirectory(`${directory}/..${version}`)
            yield* fs.writeFileString(`${directory}/..${version}/config.yaml`, clientCalled(name))
            yield* fs.symlink(`..${version}`, `${directory}/..data_tmp`)
            yield* fs.rename(`${directory}/..data_tmp`, `${directory}/..data`)
          })
        yield* publish("v1", "a")
        yield* fs.symlink("..data/config.yaml", `${directory}/config.yaml`)
        const config = yield* startOver(`${directory}/config.yaml`)
        yield* followed(config, "b", publish("v2", "b"))
        yield* followed(config, "c", publish("v3", "c"))
        yield* fs.remove(`${directory}/..v1`, { recursive: true })
        yield* fs.remove(`${directory}/..v2`, { recursive: true })
        yield* followed(config, "d", publish("v4", "d"))
      }),
    ),
  )

  it.scopedLive("a link to the directory is followed when it is replaced, and edits behind it too", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        for (const [version, name] of [
          ["v1", "a"],
          ["v2", "b"],
        ]) {
          yield* fs.makeDirectory(`${directory}/${version}`)
          yield* fs.writeFileString(`${directory}/${version}/config.yaml`, clientCalled(`${name}`))
        }
        yield* fs.symlink("v1", `${directory}/current`)
        const config = yield* startOver(`${directory}/current/config.yaml`)
        const swap = Effect.zipRight(
          fs.symlink("v2", `${directory}/next`),
          fs.rename(`${directory}/next`, `${directory}/current`),
        )
        yield* followed(config, "b", swap)
        yield* followed(config, "c", fs.writeFileString(`${directory}/v2/config.yaml`, clientCalled("c")))
      }),
    ),
  )

  it.scopedLive("watching goes on after the file, and after its directory, was deleted and recreated", () =>
    inDirectory((fs, parent) =>
      Effect.gen(function* () {
        const directory = `${parent}/config`
        const path = `${directory}/config.yaml`
        const write = (name: string) =>
          Effect.zipRight(
            fs.makeDirectory(directory, { recursive: true }),
            fs.writeFileString(path, clientCalled(name)),
          )
        yield* write("a")
        const config = yield* startOver(path)
        yield* followed(config, "b", Effect.zipRight(fs.remove(path), write("b")))
        yield* followed(config, "c", write("c"))
        yield* followed(config, "d", Effect.zipRight(fs.remove(directory, { recursive: true }), write("d")))
        yield* followed(config, "e", write("e"))
        yield* followed(config, "f", Effect.zipRight(fs.rename(directory, `${directory}.old`), write("f")))
        yield* followed(config, "g", write("g"))
      }),
    ),
  )
})

describe("SIGHUP", () => {
  it.scopedLive("SIGHUP reads file and environment anew", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const path = `${directory}/config.yaml`
        const env: Record<string, string> = { NAME: "a" }
        yield* fs.writeFileString(path, clientCalled("${NAME}"))
        const config = yield* startOver(path, { env: Effect.succeed(env) })
        const hangUp = Effect.sync(() => {
          env["NAME"] = "b"
          process.kill(process.pid, "SIGHUP")
        })
        expect(yield* followed(config, "b", hangUp)).toBe(2)
      }),
    ),
  )

  it.scopedLive("nothing of it is left when the scope closes", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const path = `${directory}/config.yaml`
        yield* fs.writeFileString(path, clientCalled("a"))
        const before = process.listenerCount("SIGHUP")
        yield* Effect.scoped(
          Effect.tap(startOver(path), () => expect(process.listenerCount("SIGHUP")).toBe(before + 1)),
        )
        expect(process.listenerCount("SIGHUP")).toBe(before)
      }),
    ),
  )
})

describe("where no events are delivered", () => {
  const path = "/etc/sluice/config.yaml"

  /** A file in memory that nobody watches; `undefined` is no file. */
  const makeFile = (text: string | undefined) => {
    const file = { text, bytes: undefined as Uint8Array | undefined, reads: 0, writtenAt: 0 }
    const missing = (method: string) =>
      new SystemError({ module: "FileSystem", method, reason: "NotFound", pathOrDescriptor: path })
    const info = (): FileSystem.File.Info => ({
      type: "File",
      mtime: Option.some(new Date(file.writtenAt)),
      atime: Option.none(),
      birthtime: Option.none(),
      dev: 0,
      ino: Option.none(),
      mode: 0o600,
      nlink: Option.none(),
      uid: Option.none(),
      gid: Option.none(),
      rdev: Option.none(),
      size: FileSystem.Size(0),
      blksize: Option.none(),
      blocks: Option.none(),
    })
    const fs = FileSystem.layerNoop({
      stat: () => Effect.suspend(() => (file.text === undefined ? missing("stat") : Effect.succeed(info()))),
      readFile: () =>
        Effect.suspend(() => {
          file.reads++
          return file.text === undefined
            ? missing("readFile")
            : Effect.succeed(file.bytes ?? new TextEncoder().encode(file.text))
        }),
      readLink: () => missing("readLink"),
      watch: () => Stream.empty,
    })
    return { file, fs }
  }

  const start = (text: string | undefined, options: FollowedFileOptions = {}) =>
    Effect.gen(function* () {
      const { file, fs } = makeFile(text)
      const lines: Array<string> = []
      const log = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => {
          lines.push(Array.isArray(message) ? message.join(" ") : String(message))
        }),
      )
      const context = yield* Layer.build(layer(path, options).pipe(Layer.provide(Layer.merge(fs, log))))
      // The first reading, right after the watch was set up, is over.
      yield* TestClock.adjust("1 seconds")
      return { file, lines, config: Context.get(context, CurrentConfig) }
    })

  const poll = TestClock.adjust("5 seconds")

  it.scoped("a poll every 5 seconds notices, not before and not later", () =>
    Effect.gen(function* () {
      const { file, config } = yield* start(clientCalled("a"))
      yield* poll
      const reads = file.reads
      yield* poll
      expect(file.reads).toBe(reads + 1)
      file.text = clientCalled("b")
      yield* poll
      expect(namesOf(config.snapshot())).toEqual(["b"])
    }),
  )

  it.scoped(
    "a bad edit keeps the last good configuration, is logged once, and is over when the file is good again",
    () =>
      Effect.gen(function* () {
        const { file, lines, config } = yield* start(clientCalled("a"))
        const good = config.snapshot()
        file.text = clientCalled("b", "    fallbak: c\n    priority: much\n")
        yield* poll
        yield* poll
        yield* poll
        expect(config.snapshot()).toBe(good)
        const { generation, lastError, lastErrorAt } = yield* config.status
        expect(generation).toBe(1)
        expect(lastError).toBe(
          'config.yaml:5:5 openai_clients[0]["\u2026"]: unknown key; did you mean "fallback"?; config.yaml:6:15 openai_clients[0].priority: expected a number of at least 0, got a string',
        )
        expect(lastErrorAt).not.toBeNull()
        expect(lines).toEqual([
          "config.yaml has errors; still serving the previous configuration",
          `${path}:5:5 openai_clients[0]["\u2026"]: unknown key; did you mean "fallback"?`,
          `${path}:6:15 openai_clients[0].priority: expected a number of at least 0, got a string`,
        ])

        file.text = clientCalled("a")
        yield* poll
        expect(yield* config.status).toMatchObject({ generation: 1, lastError: null, lastErrorAt })
        expect(config.snapshot()).toBe(good)

        file.text = clientCalled("b")
        yield* poll
        expect(yield* config.status).toMatchObject({ generation: 2, lastError: null })
        expect(lines.slice(3)).toEqual([
          "config.yaml is good again; the configuration in force is the one it says (1)",
          "configuration reloaded (2): 1 client added (b), 1 client removed (a)",
        ])
      }),
  )

  it.scoped("the first few problems are in the status, and how many more there are", () =>
    Effect.gen(function* () {
      const { file, config } = yield* start(clientCalled("a"))
      file.text = "a: 1\nb: 1\nc: 1\nd: 1\nopenai_clients: []\n"
      yield* poll
      expect((yield* config.status).lastError).toMatch(
        /^config\.yaml:1:1 \["\u2026"\]: .*; config\.yaml:3:1 \["\u2026"\]: .*; and 1 more$/,
      )
    }),
  )

  it.scoped("each half-written state of an edit changes nothing, until it is whole", () =>
    Effect.gen(function* () {
      const { file, config } = yield* start(clientCalled("a"))
      const next = clientCalled("b")
      // Cut anywhere before the end of the last value.
      for (let length = 0; length < next.lastIndexOf("}"); length += 7) {
        file.text = next.slice(0, length)
        yield* poll
        expect(namesOf(config.snapshot())).toEqual(["a"])
        expect((yield* config.status).lastError).not.toBeNull()
      }
      file.text = next
      yield* poll
      expect(namesOf(config.snapshot())).toEqual(["b"])
      expect((yield* config.status).lastError).toBeNull()
    }),
  )

  it.scoped(
    "a deleted file, and bytes that are no text, are told and change nothing; it is back within a second",
    () =>
      Effect.gen(function* () {
        const { file, lines, config } = yield* start(clientCalled("a"))
        file.text = undefined
        yield* poll
        yield* poll
        expect((yield* config.status).lastError).toBe(
          `${path}: the configuration cannot be read: there is no such file`,
        )
        expect(lines).toHaveLength(2)
        file.text = clientCalled("b")
        yield* TestClock.adjust("1 seconds")
        expect(namesOf(config.snapshot())).toEqual(["b"])
        file.bytes = Uint8Array.of(0xff, 0xfe)
        yield* poll
        expect((yield* config.status).lastError).toContain("it is not UTF-8")
        expect(namesOf(config.snapshot())).toEqual(["b"])
      }),
  )

  describe("a file that is written in steps", () => {
    const keys = "server: { access_keys: [key-of-callers] }\n"
    const whole = `${clientCalled("a", "    api_key: x\n")}${keys}`
    const half = whole.slice(0, -keys.length)
    const opened = `${half}server: { access_keys: [] }\n`
    const asksKeys = (config: CurrentConfig["Type"]) => keyCount(config.snapshot().server.accessKeys) > 0

    it.scoped("and good in between, takes no client away until it has rested for most of a second", () =>
      Effect.gen(function* () {
        const two = `${clientCalled("a")}${clientCalled("b").replace("openai_clients:\n", "")}`
        const { config, file, lines } = yield* start(two)
        file.text = clientCalled("a")
        file.writtenAt = 5000
        // Read by the poll at 5 s.
        yield* TestClock.adjust("4500 millis")
        expect(config.snapshot().generation).toBe(1)
        file.text = two
        yield* poll
        expect(config.snapshot().generation).toBe(1)
        expect(lines).toEqual([])
      }),
    )

    it.scoped("is in force within a second of the last step, which is told with what it opens", () =>
      Effect.gen(function* () {
        const { config, file, lines } = yield* start(whole)
        file.text = opened
        file.writtenAt = 5000
        yield* TestClock.adjust("4500 millis")
        expect(asksKeys(config)).toBe(true)
        yield* TestClock.adjust("500 millis")
        expect(asksKeys(config)).toBe(false)
        expect(lines).toEqual([
          "configuration reloaded (2): server.access_keys changed",
          expect.stringMatching(
            /access_keys: warning: empty, and 1 client has an api_key: everybody who reaches/,
          ),
        ])
      }),
    )

    it.scoped("is in force at once where it adds, or where a reload is asked for", () =>
      Effect.gen(function* () {
        const { config, file } = yield* start(half)
        file.text = whole
        file.writtenAt = 5000
        yield* TestClock.adjust("4200 millis")
        expect(asksKeys(config)).toBe(true)
        file.text = opened
        file.writtenAt = 9000
        yield* config.reload
        expect(asksKeys(config)).toBe(false)
      }),
    )

    it.scoped("and lacks the keys in force is refused, however long it rests and whoever asks", () =>
      Effect.gen(function* () {
        const { config, file } = yield* start(`${whole}admin: { keys: [operators-key] }\n`)
        for (const lacking of [
          half,
          `${half}server:\n`,
          `${half}server: {}\n`,
          `${half}server: { access_keys: }\n`,
          `${half}server: { access_keys: ~, max_in_flight: 5 }\n`,
          `${whole}admin:\n`,
          `${whole}admin: { keys: }\n`,
          whole,
        ]) {
          file.text = lacking
          file.writtenAt = 0
          yield* TestClock.adjust("20 seconds")
          yield* config.reload
          const { lastError } = yield* config.status
          expect([lacking, config.snapshot().generation, lastError]).toEqual([
            lacking,
            1,
            expect.stringContaining("the keys in force are gone from the file"),
          ])
        }
        file.text = `${opened}admin: { keys: [] }\n`
        yield* TestClock.adjust("6 seconds")
        expect(asksKeys(config)).toBe(false)
        expect((yield* config.status).lastError).toBe(null)
      }),
    )

    it.scoped("is not waited for longer because its clock runs ahead", () =>
      Effect.gen(function* () {
        const { config, file } = yield* start(whole)
        file.text = opened
        file.writtenAt = 1_000_000_000
        yield* TestClock.adjust("6 seconds")
        expect(asksKeys(config)).toBe(false)
      }),
    )
  })

  it.scoped("the log repeats ten problems of a file and says how many more there are", () =>
    Effect.gen(function* () {
      const { file, lines } = yield* start(clientCalled("a"))
      file.text = `${Array.from({ length: 25 }, (_, at) => `zzz${at}: 1\n`).join("")}openai_clients: []\n`
      yield* poll
      expect(lines).toHaveLength(12)
      expect(lines.at(-1)).toBe(`and 15 more: "sluice check ${path}" tells them all`)
    }),
  )

  it.scoped("a reload that somebody asks for tells again what is wrong", () =>
    Effect.gen(function* () {
      const { file, lines, config } = yield* start(clientCalled("a"))
      file.text = clientCalled("b", "    fallbak: c\n")
      yield* poll
      const told = [...lines]
      expect(told).toHaveLength(2)
      expect(yield* config.reload).toMatchObject({ _tag: "Rejected" })
      expect(lines).toEqual([...told, ...told])
    }),
  )

  it.scoped("reload reads the environment anew, a poll does not", () =>
    Effect.gen(function* () {
      const env: Record<string, string> = { KEY: "S3CR3T-1" }
      const { config, lines } = yield* start(clientCalled("a", "    api_key: ${KEY}\n"), {
        env: Effect.succeed(env),
      })
      expect(yield* config.reload).toEqual({ _tag: "Unchanged", generation: 1 })
      env["KEY"] = "S3CR3T-2"
      yield* poll
      expect(config.snapshot().generation).toBe(1)
      expect(yield* config.reload).toEqual({ _tag: "Reloaded", generation: 2 })
      expect(lines.filter((line) => !line.includes("at your expense"))).toEqual([
        "configuration reloaded (2): 1 client changed (a)",
      ])
      delete env["KEY"]
      expect(yield* config.reload).toMatchObject({ _tag: "Rejected" })
      expect((yield* config.status).lastError).toContain("an environment variable is not set")
      yield* poll
      expect((yield* config.status).lastError).toContain("an environment variable is not set")
      expect(lines.join("\n")).not.toContain("S3CR3T")
    }),
  )

  it.scoped("changes gives the snapshot in force and then each that follows, once", () =>
    Effect.gen(function* () {
      const { file, config } = yield* start(clientCalled("a"))
      const seen = yield* config.changes.pipe(Stream.take(3), Stream.runCollect, Effect.fork)
      for (const name of ["b", "c"]) {
        file.text = clientCalled(name)
        yield* poll
      }
      expect(
        [...(yield* Fiber.join(seen))].map((snapshot) => [snapshot.generation, ...namesOf(snapshot)]),
      ).toEqual([
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ])
    }),
  )

  it.scoped("warnings are logged, and keep nothing from being used", () =>
    Effect.gen(function* () {
      const { lines, config } = yield* start(`check_config: {}\n${clientCalled("a")}`)
      expect(namesOf(config.snapshot())).toEqual(["a"])
      expect(lines).toEqual([
        `${path}:1:1 check_config: warning: a leftover of GPT_API without meaning here; it is ignored`,
      ])
    }),
  )

  it.scoped("the start fails with every problem, or with why the file cannot be read", () =>
    Effect.gen(function* () {
      const failure = (text: string | undefined) =>
        Effect.map(Effect.flip(start(text)), (error: ConfigInvalid | ConfigUnreadable) => [
          error._tag,
          error.message,
        ])
      expect(yield* failure("a: 1\n")).toEqual([
        "ConfigInvalid",
        expect.stringMatching(
          /^\/etc\/sluice\/config\.yaml:1:1 \["\u2026"\]: unknown key.*\n.*:1:1 openai_clients: missing; expected a list of clients$/,
        ),
      ])
      expect(yield* failure(undefined)).toEqual([
        "ConfigUnreadable",
        `${path}: the configuration cannot be read: there is no such file`,
      ])
    }),
  )
})
