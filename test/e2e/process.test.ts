/** The process people run: how it starts, refuses to start, reloads, drains and ends. */
import { connect } from "node:net"
import { basename } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const configOf = (url: string, extra = "") => `
openai_clients:
  - name: only
    base_url: ${url}
    api_key: sk-test
    model_match: { type: keyword, value: [gpt] }
${extra}`

/** A configuration in a folder of its own. */
const configFile = (text: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    yield* files.writeFileString(`${folder}/config.yaml`, text, { mode: 0o600 })
    return `${folder}/config.yaml`
  }).pipe(Effect.orDie)

const post = (address: string, stream: boolean) =>
  Effect.promise(() =>
    fetch(`${address}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "gpt-4", stream, messages: [{ role: "user", content: "hi" }] }),
    }),
  )

const textOf = (response: Response) => Effect.promise(() => response.text())

/** One request on a kept-alive connection, as often as it is asked. */
const keptAlive = (address: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<ReturnType<typeof connect>>((resume) => {
        const socket = connect(Number(new URL(address).port), "127.0.0.1", () =>
          resume(Effect.succeed(socket)),
        )
      }),
      (socket) => Effect.sync(() => socket.destroy()),
    ),
    (socket) => (path: string) =>
      Effect.async<string>((resume) => {
        socket.once("data", (data) => resume(Effect.succeed(data.toString())))
        socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
      }),
  )

const chunk = (content: string) => ({ choices: [{ index: 0, delta: { content } }] })

describe("the sluice process", () => {
  it.scopedLive("finishes what is under way on SIGTERM, takes nothing new, and exits 0", () =>
    Effect.gen(function* () {
      const answer = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(answer.answer)
      const gateway = yield* sluice([
        "serve",
        "--config",
        yield* configFile(configOf(upstream.url)),
        "--port",
        "0",
      ])
      const address = yield* addressOf(gateway)
      const probe = yield* keptAlive(address)
      expect(yield* probe("/readyz")).toContain("200 OK")

      const streaming = yield* Effect.fork(post(address, true))
      yield* answer.push(chunk("one"))
      const response = yield* streaming
      expect(response.status).toBe(200)

      yield* gateway.signal("SIGTERM")
      yield* gateway.logged("draining")
      const drained = yield* probe("/readyz")
      expect(drained).toContain("503 Service Unavailable")
      expect(drained).toContain('"code":"shutting_down"')
      expect(drained.toLowerCase()).toContain("retry-after:")
      const refused = yield* Effect.flip(Effect.tryPromise(() => fetch(`${address}/health`)))
      expect(String(refused.error)).toContain("fetch failed")

      yield* answer.push(chunk(" two"))
      yield* answer.end()
      const text = yield* textOf(response)
      expect(text).toContain('" two"')
      expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true)
      const { code, stdout } = yield* gateway.exited
      expect(code).toBe(0)
      expect(stdout).toContain('"outcome":"ok"')
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("cuts what is still under way when the grace period is over", () =>
    Effect.gen(function* () {
      const answer = Scripted.controlled()
      const upstream = yield* Scripted.scriptedUpstream(answer.answer)
      const gateway = yield* sluice(
        ["serve", "--config", yield* configFile(configOf(upstream.url)), "--port", "0"],
        {
          SHUTDOWN_GRACE_SECONDS: "1",
        },
      )
      const address = yield* addressOf(gateway)
      const streaming = yield* Effect.fork(post(address, true))
      yield* answer.push(chunk("one"))
      const response = yield* streaming
      yield* gateway.signal("SIGTERM")
      const text = yield* textOf(response)
      expect(text.trimEnd().split("\n").at(-1)).toContain('"code":"shutting_down"')
      expect(text).toContain("cut at the end of the grace period")
      yield* answer.closed
      const { code, stdout } = yield* gateway.exited
      expect(code).toBe(0)
      expect(stdout).toContain('"outcome":"stream_broken"')
      expect(stdout.trimEnd().split("\n").at(-1)).toContain('"message":"stopped"')
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive.each(["1", "2"])(
    "ends a stream that began at once with WORKERS=%s, though nobody has answered it, in an error event",
    (workers) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
        const config = yield* configFile(configOf(upstream.url, "stream_start: at_once"))
        const gateway = yield* sluice(["serve", "--config", config, "--port", "0"], {
          WORKERS: workers,
          SHUTDOWN_GRACE_SECONDS: "1",
        })
        const response = yield* post(yield* addressOf(gateway), true)
        const asked = yield* upstream.awaitRequest(1)
        yield* gateway.signal("SIGTERM")
        const text = yield* textOf(response)
        expect([response.status, text.startsWith(": ping\n")]).toEqual([200, true])
        expect(text.trimEnd().split("\n").at(-1)).toContain('"code":"shutting_down"')
        yield* asked.abandoned
        const { code, stdout } = yield* gateway.exited
        expect(code).toBe(0)
        expect(stdout).toContain('"status":200,"outcome":"stream_broken"')
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive.each(["1", "2"])(
    "ends at once on a second signal with WORKERS=%s, and what it cuts has its answer, its line and its row",
    (workers) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
        const path = yield* configFile(configOf(upstream.url))
        const audit = path.replace("config.yaml", "record.db")
        const gateway = yield* sluice(["serve", "--config", path, "--port", "0"], {
          WORKERS: workers,
          AUDIT_URL: `sqlite:${audit}`,
        })
        const address = yield* addressOf(gateway)
        const asked = yield* Effect.fork(post(address, false))
        yield* upstream.awaitRequest(1)
        yield* gateway.signal("SIGTERM")
        expect(yield* gateway.logged("draining: 1 request is under way")).toBeDefined()
        yield* gateway.signal("SIGINT")
        const answer = yield* asked
        expect([answer.status, yield* textOf(answer)]).toEqual([
          503,
          expect.stringContaining("cut by a second signal"),
        ])
        const { code, stdout } = yield* gateway.exited
        expect(code).toBe(1)
        expect(stdout).toContain('"status":503,"outcome":"rejected"')
        const rows = yield* (yield* sluice(["audit", "list", "--json", "--db", audit])).exited
        expect(rows.stdout).toContain("cut by a second signal")
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive.each(["1", "2"])(
    "does not wait for connections with nothing under way with WORKERS=%s, and refuses what is half begun",
    (workers) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
        // The grace period is longer than this test may take.
        const gateway = yield* sluice(
          ["serve", "--config", yield* configFile(configOf(upstream.url)), "--port", "0"],
          { SHUTDOWN_GRACE_SECONDS: "600", WORKERS: workers },
        )
        const port = Number(new URL(yield* addressOf(gateway)).port)
        const silent = yield* rawConnection(port)
        const halfHead = yield* rawConnection(port)
        yield* halfHead.send("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n")
        const halfBody = yield* rawConnection(port)
        yield* halfBody.send(
          'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{"model":',
        )
        const idle = yield* rawConnection(port)
        yield* idle.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        yield* idle.until((soFar) => soFar.includes("200 OK"))
        yield* gateway.signal("SIGTERM")
        const refused = yield* halfBody.until((soFar) => soFar.includes("shutting_down"))
        expect(refused.toString()).toContain("503 Service Unavailable")
        expect((yield* gateway.exited).code).toBe(0)
        expect(silent).toBeDefined()
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive(
    "says on /readyz that it leaves for SHUTDOWN_DELAY_SECONDS, and serves as ever meanwhile",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
        const gateway = yield* sluice(
          ["serve", "--config", yield* configFile(configOf(upstream.url)), "--port", "0"],
          { SHUTDOWN_DELAY_SECONDS: "600" },
        )
        const address = yield* addressOf(gateway)
        yield* gateway.signal("SIGTERM")
        yield* gateway.logged("leaving")
        const ready = () => Effect.promise(() => fetch(`${address}/readyz`).then(({ status }) => status))
        yield* Effect.repeat(ready(), { until: (status) => status === 503 })
        expect((yield* post(address, false)).status).toBe(200)
        yield* gateway.signal("SIGINT")
        expect((yield* gateway.exited).code).toBe(1)
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive.each(["1", "2"])(
    "goes on serving with WORKERS=%s when nobody reads its log any more",
    (workers) =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
        const gateway = yield* sluice(
          ["serve", "--config", yield* configFile(configOf(upstream.url)), "--port", "0"],
          { WORKERS: workers },
        )
        const address = yield* addressOf(gateway)
        gateway.process.stdout?.destroy()
        gateway.process.stderr?.destroy()
        for (let i = 0; i < 4; i++) expect(yield* textOf(yield* post(address, false))).toContain("hello")
        const health = Effect.promise(() => fetch(`${address}/health`).then((got) => got.text()))
        yield* Effect.repeat(health, {
          until: (text) => Number(/"log":\{"dropped":(\d+)\}/.exec(text)?.[1]) >= 4,
        })
        yield* gateway.signal("SIGTERM")
        expect((yield* gateway.exited).code).toBe(0)
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive(
    "reads its configuration again on SIGHUP, says what came of it, and keeps the good one when the new one is bad",
    () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("hello"))
        const path = yield* configFile(configOf(upstream.url))
        const gateway = yield* sluice(["serve", "--config", path, "--port", "0"])
        const address = yield* addressOf(gateway)
        yield* gateway.signal("SIGHUP")
        yield* gateway.logged("configuration read again: nothing changed (1)")
        yield* files.writeFileString(path, configOf(upstream.url, "    special_prefix: 'P: '"))
        yield* gateway.signal("SIGHUP")
        yield* gateway.logged("configuration reloaded (2)")
        expect(yield* textOf(yield* post(address, false))).toContain("P: hello")
        yield* files.writeFileString(path, configOf(upstream.url, "    fallbak: other"))
        yield* gateway.signal("SIGHUP")
        yield* gateway.logged(`${basename(path)} has errors; still serving the previous configuration`)
        // The line may be of a moment before, in which the file was written half: what is said now is waited for.
        const health = yield* eventually(
          "the refusal of this file",
          Effect.flatMap(
            Effect.promise(() => fetch(`${address}/health`)),
            textOf,
          ),
          (text) => text.includes("did you mean"),
        )
        expect(JSON.parse(health)).toMatchObject({
          status: "ok",
          config: { generation: 2, last_error: expect.stringContaining('did you mean "fallback"') },
        })
        expect(yield* textOf(yield* post(address, false))).toContain("P: hello")
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  describe("that cannot start", () => {
    const badConfig = configFile(configOf("not-a-url", "    fallbak: other"))
    const badDatabase = Effect.map(badConfig, (path) => `sqlite:${path}`)
    const cases = [
      {
        name: "has a bad configuration",
        code: 1,
        problems: [
          /config\.yaml:4:\d+ openai_clients\[0\]\.base_url:/,
          /config\.yaml:7:\d+ .*did you mean "fallback"/,
          /^"sluice check .*" says more$/,
        ],
        given: Effect.map(badConfig, (path) => ({ args: ["--config", path], env: {} })),
      },
      {
        name: "has no configuration",
        code: 1,
        problems: [/\/nowhere\.yaml/],
        given: Effect.succeed({ args: ["--config", "/nowhere.yaml"], env: {} }),
      },
      {
        name: "has bad variables",
        code: 2,
        problems: [/^SERVER_PORT: /, /^LOG_LEVEL: /, /^SHUTDOWN_GRACE_SECONDS: /, /postgres/],
        given: Effect.succeed({
          args: [],
          env: {
            SERVER_PORT: "eighty",
            LOG_LEVEL: "loud",
            SHUTDOWN_GRACE_SECONDS: "-3",
            AUDIT_URL: "postgres://x",
          },
        }),
      },
      {
        name: "has a bad number of workers",
        code: 2,
        problems: [/^WORKERS: /],
        given: Effect.succeed({ args: [], env: { WORKERS: "none" } }),
      },
      {
        name: "cannot keep its audit",
        code: 1,
        problems: [/^AUDIT_URL: .*not an SQLite database/],
        given: Effect.map(badDatabase, (url) => ({ args: [], env: { AUDIT_URL: url } })),
      },
      ...["1", "2"].map((workers) => ({
        name: `finds its port in use with WORKERS=${workers}`,
        code: 1,
        problems: [/^port \d+ is in use; choose another with --port/],
        given: Effect.gen(function* () {
          const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
          const path = yield* configFile(configOf(upstream.url))
          return {
            args: ["--config", path, "--port", new URL(upstream.url).port],
            env: { WORKERS: workers },
          }
        }),
      })),
    ]

    it.scopedLive.each(cases)("as it $name says why in one line of the log", ({ code, given, problems }) =>
      Effect.gen(function* () {
        const { args, env } = yield* given
        const { stderr, stdout, ...ended } = yield* (yield* sluice(["serve", ...args], env)).exited
        expect([ended.code, stderr]).toEqual([code, ""])
        const lines = stdout.split("\n").map((line) => JSON.parse(line))
        expect(lines.filter(({ level }) => level === "error")).toEqual([
          {
            time: expect.any(String),
            level: "error",
            message: "cannot start",
            problems: problems.map((one) => expect.stringMatching(one)),
          },
        ])
      }).pipe(Effect.provide(NodeContext.layer)),
    )

    it.scopedLive.each(cases)(
      "as it $name says why to people, whatever is logged",
      ({ code, given, problems }) =>
        Effect.gen(function* () {
          const { args, env } = yield* given
          const quiet = { LOG_LEVEL: "none", LOG_FORMAT: "pretty", ...env }
          const ended = yield* (yield* sluice(["serve", ...args], quiet)).exited
          expect([ended.code, ended.stdout]).toEqual([code, ""])
          expect(ended.stderr.split("\n")).toEqual([
            "cannot start:",
            ...problems.map((one) => expect.stringMatching(one)),
          ])
        }).pipe(Effect.provide(NodeContext.layer)),
    )
  })

  it.scopedLive("says why it cannot start in JSON where LOG_LEVEL is none, or LOG_FORMAT no word", () =>
    Effect.gen(function* () {
      const gateway = yield* sluice(["serve"], { LOG_LEVEL: "none", SERVER_PORT: "x", LOG_FORMAT: "yaml" })
      const { stdout } = yield* gateway.exited
      expect(JSON.parse(stdout)).toMatchObject({
        message: "cannot start",
        problems: [
          expect.stringContaining("SERVER_PORT"),
          expect.stringContaining("LOG_FORMAT: expected one of"),
        ],
      })
    }),
  )
})
