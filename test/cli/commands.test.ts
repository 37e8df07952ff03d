/** The commands beside `serve`: what they print, where, and how they end. */
import { chmodSync, renameSync, symlinkSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { startGateway } from "../support/gateway.ts"
import { sluice } from "../support/process.ts"
import { post } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

/** Runs to the end. */
const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(sluice(args, env), ({ exited }) => exited)

const configFile = (text: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* files.makeTempFileScoped({ suffix: ".yaml" })
    yield* files.writeFileString(path, text)
    yield* files.chmod(path, 0o600)
    return path
  }).pipe(Effect.orDie)

const good = `
openai_clients:
  - name: first
    base_url: http://127.0.0.1:9/v1
    api_key: sk-secret-of-first
    model_match: { type: keyword, value: [gpt] }
    priority: 3
    fallback: second
  - name: second
    base_url: http://127.0.0.1:9/v1
    model_match: { type: exact, value: [gpt-spare] }
`

/** The same, where callers need a key. */
const shut = `${good}    priority: 1\nserver: { access_keys: [key-of-callers] }\n`

describe("sluice", () => {
  it.scopedLive.each([
    { args: [] },
    { args: ["--help"] },
    { args: ["check", "--help"] },
    { args: ["explain", "--help"] },
    { args: ["help"] },
    { args: ["-h"] },
    { args: ["audit"] },
    { args: ["help", "audit", "list"] },
    { args: ["audit", "list", "--since", "-h"] },
  ])("prints its usage for $args and exits 0, without colours where no terminal is", ({ args }) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(args)
      expect(code).toBe(0)
      expect(stdout).toContain("Usage: sluice ")
      expect(stdout).not.toContain("\u001b")
    }),
  )

  it.scopedLive.each(["--version", "-V", "version"])("prints its version for %s and exits 0", (word) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run([word])
      expect([code, stdout.trim()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
    }),
  )

  it.scopedLive.each([
    { args: ["frobnicate"] },
    { args: ["check", "--nonsense"] },
    { args: ["check", "one.yaml", "two.yaml"] },
    { args: ["explain"] },
    { args: ["serve", "--port", "eighty"] },
    { args: ["serve", "--port", "70000"] },
  ])("exits 2 when it is misused: $args", ({ args }) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(args)
      expect(code).toBe(2)
      expect(stderr).not.toBe("")
      expect(stderr).not.toMatch(/\n\s+at /)
    }),
  )
})

describe("sluice check", () => {
  it.scopedLive("says that a good configuration is good, by name, by --config or by CONFIG_PATH", () =>
    Effect.gen(function* () {
      const path = yield* configFile(shut)
      const named = yield* run(["check", path])
      expect([named.code, named.stdout]).toEqual([0, `${path}: good; 2 clients`])
      expect((yield* run(["check", "--config", path])).stdout).toBe(named.stdout)
      expect((yield* run(["check"], { CONFIG_PATH: path })).stdout).toBe(named.stdout)
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("prints every problem with file, line and column and exits 1", () =>
    Effect.gen(function* () {
      const path = yield* configFile(
        shut.replace("fallback: second", "fallbak: second").replace("http:", "htp:"),
      )
      const { code, stderr, stdout } = yield* run(["check", path])
      expect(code).toBe(1)
      expect(stdout.replaceAll(path, "F").split("\n")).toEqual([
        'F:4:15 error openai_clients[0].base_url (first): expected a URL that begins with http:// or https://, got "htp://\u2026"',
        "  4 |     base_url: htp:\u2026:\u2026",
        "                    ^",
        'F:8:5 error openai_clients[0].fallbak (first): unknown key; did you mean "fallback"?',
        "  8 |     fallbak: \u2026",
        "          ^",
        "F: 2 errors",
      ])
      expect(stderr).toBe("")
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("counts warnings, such as of keys that are open to everybody, and exits 0 with them", () =>
    Effect.gen(function* () {
      const path = yield* configFile(good)
      const { code, stdout } = yield* run(["check", path])
      expect(code).toBe(0)
      expect(stdout).toContain(
        "warning server.access_keys: empty, and 1 client has an api_key: everybody who reaches the gateway's port is served at your expense",
      )
      expect(stdout).not.toContain("sk-secret")
      expect(stdout.split("\n").at(-1)).toBe(`${path}: good; 2 clients; 1 warning`)
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive(
    "says once that others may read a file in which keys stand, and not of references and links",
    () =>
      Effect.gen(function* () {
        const path = yield* configFile(shut)
        const told = Effect.map(run(["check", path]), ({ stdout }) =>
          stdout.includes("every user of this machine"),
        )
        expect(yield* told).toBe(false)
        chmodSync(path, 0o644)
        expect(yield* told).toBe(true)
        expect((yield* run(["check", path])).stdout).toMatch(
          / warning every user .*\n.*: good; 2 clients; 1 warning$/,
        )
        renameSync(path, `${path}.real`)
        symlinkSync(`${path}.real`, path)
        expect(yield* told).toBe(false)
        const open = yield* configFile(
          shut
            .replaceAll(/sk-secret-of-\w+/g, "$" + "{NOT_SET_HERE:-}")
            .replaceAll(/access_keys: .*/g, "access_keys: []"),
        )
        chmodSync(open, 0o644)
        expect((yield* run(["check", open])).stdout).not.toContain("every user of this machine")
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("checks a file away from its environment with --no-env", () =>
    Effect.gen(function* () {
      const path = yield* configFile(shut.replace("sk-secret-of-first", "$" + "{NOT_SET_HERE}"))
      expect((yield* run(["check", path])).code).toBe(1)
      const { code, stdout } = yield* run(["check", "--no-env", path])
      expect(code).toBe(0)
      expect(stdout).toContain(
        "warning openai_clients[0].api_key (first): the environment variable NOT_SET_HERE is not set",
      )
      expect((yield* run(["check", "--no-env", yield* configFile(shut.replace("http:", "htp:"))])).code).toBe(
        1,
      )
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("says so when there is no such file", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["check", "nowhere.yaml"])
      expect([code, stderr]).toEqual([
        1,
        "nowhere.yaml: the configuration cannot be read: there is no such file; name yours on the command line, or by CONFIG_PATH",
      ])
      expect((yield* run(["check", "src"])).stderr).toBe(
        "src: the configuration cannot be read: it is a directory, not a file",
      )
    }),
  )
})

describe("sluice explain", () => {
  it.scopedLive("prints the plan of a model, and no secret", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* run(["explain", "gpt-4", "--config", yield* configFile(good)])
      expect(code).toBe(0)
      expect(stdout).toMatch(/first +100% +3 +keyword "gpt" +gpt-4 +configured +second/)
      expect(stdout).toMatch(/second .* gpt-spare/)
      expect(stdout).not.toContain("sk-secret")
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("tells of a running gateway which upstreams it has set aside, and why", () =>
    Effect.gen(function* () {
      const refusing = yield* Scripted.scriptedUpstream(Scripted.status(401, {}))
      const config = good.replace("http://127.0.0.1:9/v1", refusing.url)
      const gateway = yield* startGateway(config)
      yield* post(gateway.port, "/v1/chat/completions", {
        model: "gpt-4",
        messages: [{ role: "user", content: "hello" }],
      })
      const args = ["explain", "-m", "gpt-4", "--config", yield* configFile(config), "--running"]
      const { code, stdout } = yield* run([...args, gateway.baseUrl])
      expect(code).toBe(0)
      expect(stdout).toMatch(/first +open +credentials_rejected +20\S+Z +0 +0/)
      expect(stdout).toMatch(/second +closed +- +- +0 +0/)

      const bare = yield* run([...args, gateway.baseUrl.replace("http://", "")])
      expect([bare.code, bare.stdout]).toEqual([0, expect.stringMatching(/first +open/)])
      const json = yield* run([...args, gateway.baseUrl, "--json"])
      expect(JSON.parse(json.stdout)).toMatchObject({
        model: "gpt-4",
        groups: [{ label: "1", targets: [{ client: "first", share: 1, priority: 3 }] }, { label: "2" }],
        now: [{ name: "first", state: "open" }, { name: "second" }],
      })

      // Where a plan is empty, what the gateway learned is what one looks for.
      const unspoken = yield* run([...args, gateway.baseUrl, "--endpoint", "messages.count_tokens"])
      expect([unspoken.code, unspoken.stdout]).toEqual([
        1,
        expect.stringMatching(/now, at [\s\S]*first +open/),
      ])

      const nobody = yield* run([...args, `http://127.0.0.1:${yield* Scripted.closedPort}`])
      expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("no Sluice answers there")])
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive(
    "shows a running gateway one of its admin.keys: the configuration's on this machine, else the environment's",
    () =>
      Effect.gen(function* () {
        const config = `${shut}admin: { keys: [key-of-operators] }\n`
        const gateway = yield* startGateway(config)
        const ask = (written: string, env: Readonly<Record<string, string>> = {}) =>
          Effect.flatMap(configFile(written), (path) =>
            run(["explain", "gpt-4", "--config", path, "--running", gateway.baseUrl], env),
          )
        const known = yield* ask(config)
        expect([known.code, known.stdout]).toEqual([0, expect.stringMatching(/first +closed/)])
        const named = yield* ask(shut, { SLUICE_ADMIN_KEY: "key-of-operators" })
        expect([named.code, named.stdout]).toEqual([0, expect.stringMatching(/first +closed/)])
        for (const env of [{}, { SLUICE_ADMIN_KEY: "another-key" }]) {
          const { code, stderr, stdout } = yield* ask(shut, env)
          expect([code, stderr]).toEqual([
            1,
            expect.stringContaining("Set SLUICE_ADMIN_KEY to one of its admin.keys"),
          ])
          expect(stdout + stderr).not.toContain("another-key")
        }
      }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("exits 1 for a model that nobody serves, and says so", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run([
        "explain",
        "-m",
        "llama",
        "--config",
        yield* configFile(good),
      ])
      expect(code).toBe(1)
      expect(stdout + stderr).toContain("llama")
    }).pipe(Effect.provide(NodeContext.layer)),
  )

  it.scopedLive("exits 1 on a bad configuration, with its problems", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run([
        "explain",
        "-m",
        "gpt",
        "--config",
        yield* configFile("openai_clients: 5"),
      ])
      expect([code, stderr]).toEqual([1, expect.stringContaining(":1:17 openai_clients: ")])
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
