/** Several processes that serve as one: rows, health, reload, a worker's death, and the end. */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from "node:fs"
import { connect } from "node:net"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { eventually } from "../support/Patience.ts"
import { addressOf, sluice, workersOf } from "../support/process.ts"
import { head, rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const configOf = (url: string, model = "gpt") => `
retry: { rounds: 1 }
openai_clients:
  - { name: only, base_url: "${url}", api_key: sk-test, model_match: { type: keyword, value: [${model}] } }
`

/** Two workers in a folder of their own. */
const running = (config: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const path = `${folder}/config.yaml`
    yield* files.writeFileString(path, config, { mode: 0o600 })
    const gateway = yield* sluice(["serve", "--config", path, "--port", "0"], {
      WORKERS: "2",
      AUDIT_URL: `sqlite:${folder}/record.db`,
      ...env,
    })
    return { gateway, folder, write: (text: string) => Effect.orDie(files.writeFileString(path, text)) }
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

/** On a connection of its own, so that any worker may get it. */
const ask = (address: string, id: string, model = "gpt-4", stream = false) =>
  Effect.promise(async () => {
    const answer = await fetch(`${address}/v1/chat/completions`, {
      method: "POST",
      headers: { connection: "close", "x-request-id": id },
      body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "hi" }] }),
    })
    return { status: answer.status, text: await answer.text() }
  })

const healthOf = (address: string): Effect.Effect<string> =>
  Effect.promise(async () =>
    (await fetch(`${address}/health?verbose`, { headers: { connection: "close" } })).text(),
  )

const idsIn = (folder: string): ReadonlyArray<string> => {
  const database = new Database(`${folder}/record.db`, { readonly: true })
  try {
    return database.prepare("SELECT id FROM requests").raw().all().map(String)
  } finally {
    database.close()
  }
}

/** What a pipe holds, taken out of it. */
const emptied = (pipe: number): string => {
  const bytes = Buffer.alloc(65_536)
  try {
    return bytes.toString("utf8", 0, readSync(pipe, bytes))
  } catch {
    return ""
  }
}

/** Writes until the pipe takes no more. */
const filled = (pipe: number): void => {
  try {
    for (;;) writeSync(pipe, "x")
  } catch {
    return
  }
}

describe("Several workers", () => {
  it.scopedLive("stand still for no reader of the log, also when one of them has ended", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/config.yaml`, configOf(upstream.url))
      execFileSync("mkfifo", [`${folder}/log`])
      const opened = Effect.acquireRelease(
        Effect.sync(() => openSync(`${folder}/log`, constants.O_RDWR | constants.O_NONBLOCK)),
        (fd) => Effect.sync(() => closeSync(fd)),
      )
      const pipe = yield* opened
      // Not the same, whose state the gateway changes.
      const log = yield* opened
      const gateway = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(
            process.execPath,
            ["dist/sluice.js", "serve", "--config", `${folder}/config.yaml`, "--port", "0"],
            {
              env: { WORKERS: "2", AUDIT_URL: `sqlite:${folder}/record.db`, LOG_FORMAT: "json" },
              stdio: ["ignore", log, "ignore"],
            },
          ),
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL")),
      )
      const exited = once(gateway, "exit")
      const started = yield* eventually(
        "a line that says where it listens",
        Effect.sync(() => emptied(pipe)),
        (text) => text.includes("listening"),
        20_000,
      )
      const address = /"address":"([^"]+)"/.exec(started)?.[1] ?? ""
      filled(pipe)
      const first = workersOf({ process: gateway })
      process.kill(first[0] ?? 0, "SIGTERM")
      yield* eventually(
        "another worker",
        Effect.sync(() => workersOf({ process: gateway })),
        (workers) => workers.length === 2 && !workers.includes(first[0] ?? 0),
        20_000,
      )
      for (let at = 0; at < 6; at++) expect((yield* ask(address, `r${at}`)).status).toBe(200)
      gateway.kill("SIGTERM")
      expect(yield* Effect.promise(() => exited)).toEqual([0, null])
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("write one row a request, and end in order: streams to their end, rows to the last", () =>
    Effect.gen(function* () {
      const held = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(({ body }) =>
        JSON.stringify(body).includes('"stream":true') ? held.answer : Scripted.chat("hello"),
      )
      const { folder, gateway } = yield* running(configOf(upstream.url))
      const address = yield* addressOf(gateway)
      const ids = Array.from({ length: 60 }, (_, at) => `r${at}`)
      const answers = yield* Effect.forEach(ids, (id) => ask(address, id), { concurrency: 10 })
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))

      const stream = yield* Effect.fork(ask(address, "streamed", "gpt-4", true))
      yield* upstream.awaitRequest(61)
      yield* held.push({ choices: [{ index: 0, delta: { content: "still" } }] })
      yield* gateway.signal("SIGTERM")
      yield* gateway.logged("draining")
      yield* held.push({ choices: [{ index: 0, delta: { content: " here" }, finish_reason: "stop" }] })
      yield* held.end()
      expect((yield* Fiber.join(stream)).text).toContain("[DONE]")
      const { code, stderr } = yield* gateway.exited
      expect([code, stderr]).toEqual([0, ""])
      expect(idsIn(folder).toSorted()).toEqual([...ids, "streamed"].toSorted())
    }),
  )

  it.scopedLive("are one in /health, whichever answers", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { gateway } = yield* running(configOf(upstream.url))
      const address = yield* addressOf(gateway)
      for (let at = 0; at < 6; at++) yield* Effect.fork(ask(address, `waits${at}`))
      yield* upstream.awaitRequest(6)
      const healths = yield* Effect.replicateEffect(healthOf(address), 4)
      for (const health of healths) {
        expect(JSON.parse(health)).toMatchObject({
          workers: 2,
          requests: { in_flight: 6 },
          upstreams: [{ name: "only", in_flight: 6 }],
        })
      }
    }),
  )

  it.scopedLive("are asked how they are by many at once, and nothing is warned of", () =>
    Effect.gen(function* () {
      const { gateway } = yield* running("openai_clients: []")
      const address = yield* addressOf(gateway)
      const healths = yield* Effect.all(
        Array.from({ length: 60 }, () => healthOf(address)),
        { concurrency: "unbounded" },
      )
      for (const health of healths) expect(JSON.parse(health)).toMatchObject({ status: "ok", workers: 2 })
      yield* gateway.signal("SIGTERM")
      const { code, stderr } = yield* gateway.exited
      expect({ code, warning: /MaxListeners.*/.exec(stderr)?.[0] }).toEqual({ code: 0, warning: undefined })
    }),
  )

  it.scopedLive("all take a new configuration", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { gateway, write } = yield* running(configOf(upstream.url))
      const address = yield* addressOf(gateway)
      expect((yield* ask(address, "before", "llama")).status).toBe(404)
      yield* write(configOf(upstream.url, "llama"))
      yield* eventually("the new configuration", healthOf(address), (health) =>
        health.includes('"generation":2'),
      )
      for (let at = 0; at < 8; at++) expect((yield* ask(address, `after${at}`, "llama")).status).toBe(200)
    }),
  )

  it.scopedLive("are made up for when one dies, while the others serve", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
      const { folder, gateway } = yield* running(configOf(upstream.url))
      const address = yield* addressOf(gateway)
      const [first = 0] = workersOf(gateway)
      process.kill(first, "SIGKILL")
      yield* gateway.logged("a worker died")
      for (let at = 0; at < 20; at++) expect((yield* ask(address, `r${at}`)).status).toBe(200)
      const again = yield* eventually(
        "another worker",
        Effect.sync(() => workersOf(gateway)),
        (workers) => workers.length === 2 && !workers.includes(first),
      )
      expect(again).toHaveLength(2)
      yield* gateway.signal("SIGTERM")
      expect((yield* gateway.exited).code).toBe(0)
      expect(idsIn(folder)).toHaveLength(20)
    }),
  )

  it.scopedLive("may die while the primary speaks to them", () =>
    Effect.gen(function* () {
      const { gateway } = yield* running(configOf("http://127.0.0.1:9/v1"))
      const starting = yield* eventually(
        "two workers that start",
        Effect.sync(() => workersOf(gateway)),
        ({ length }) => length === 2,
      )
      // Stopped, so that it answers their question for its socket when nobody is there to hear it.
      yield* gateway.signal("SIGSTOP")
      let idle = 0
      let before = ""
      yield* eventually(
        "workers that wait for an answer",
        Effect.sync(() =>
          starting
            .map((worker) => readFileSync(`/proc/${worker}/stat`, "utf8").split(" ").slice(13, 15).join())
            .join(),
        ),
        (used) => {
          idle = used === before ? idle + 1 : 0
          before = used
          return idle > 50
        },
        20_000,
      )
      for (const worker of starting) process.kill(worker, "SIGKILL")
      yield* gateway.signal("SIGCONT")
      const { stderr, stdout } = yield* gateway.exited
      expect(`${stdout}${stderr}`).toContain("a worker ended before it served (SIGKILL)")
      expect(stderr).not.toContain("EPIPE")
    }),
  )

  it.scopedLive("die with a primary that is killed, so that nothing is left behind", () =>
    Effect.gen(function* () {
      const { gateway } = yield* running(configOf("http://127.0.0.1:9/v1"))
      const port = Number(new URL(yield* addressOf(gateway)).port)
      const connection = yield* rawConnection(port)
      yield* connection.send(head("GET", "/livez"))
      yield* connection.until((text) => text.includes("ok"))
      yield* gateway.signal("SIGKILL")
      yield* connection.closed
      yield* eventually(
        "a port that is free",
        Effect.async<boolean>((resume) => {
          const socket = connect(port, "127.0.0.1", () => {
            socket.destroy()
            resume(Effect.succeed(false))
          })
          socket.on("error", () => resume(Effect.succeed(true)))
        }),
        (isFree) => isFree,
      )
    }),
  )

  it.scopedLive("do not start with a wrong configuration, and say once why", () =>
    Effect.gen(function* () {
      const { gateway } = yield* running("openai_clients: 5")
      const { code, stderr, stdout } = yield* gateway.exited
      expect([code, stderr]).toEqual([1, ""])
      expect(stdout.match(/openai_clients/g)).toHaveLength(1)
    }),
  )

  it.scopedLive("do not start on a port that is taken, and say so once", () =>
    Effect.gen(function* () {
      const taken = yield* Scripted.silentPort
      const other = yield* sluice(["serve", "--port", String(taken)], { WORKERS: "2" })
      const { code, stderr, stdout } = yield* other.exited
      expect([code, stderr]).toEqual([1, ""])
      expect(stdout.match(/port \d+ is in use/g)).toEqual([`port ${taken} is in use`])
    }),
  )
})
