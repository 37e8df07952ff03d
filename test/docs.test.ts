/** The documents are true: their commands run, their examples load, their links lead somewhere, their tables say what the code does. */
import { spawn } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { givenId } from "../src/answer/responses/ResponseId.ts"
import { loadConfig, toldToOperator } from "../src/config/file/ConfigFile.ts"
import {
  AccessDenied,
  AdminDenied,
  AdminRefused,
  PageRefused,
  UnsupportedMediaType,
} from "../src/errors/AccessErrors.ts"
import { answerOf, type GatewayError } from "../src/errors/GatewayError.ts"
import {
  DialectNotSpoken,
  EndpointLacking,
  InvalidRequest,
  MethodNotAllowed,
  ModelNotFound,
  NoUpgrade,
  RequestTooLarge,
  RequestTooSlow,
  RequestUnreadable,
  ResponseNotFound,
  TooManyValues,
  UnknownPath,
  UnsupportedEncoding,
} from "../src/errors/RequestErrors.ts"
import { InternalError, Overloaded, ShareTaken, ShuttingDown } from "../src/errors/ServerErrors.ts"
import {
  DeadlineExceeded,
  LoopDetected,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "../src/errors/UpstreamErrors.ts"
import { withEndpointNames, withEndpoints } from "../src/operations/EndpointTable.ts"
import { allOperations } from "../src/operations/Operations.ts"
import { toldAs } from "../src/operations/paths/Spellings.ts"
import { withMetrics } from "../src/telemetry/metrics/MetricsTable.ts"
import { configOf } from "./support/GatewayConfig.ts"
import { startGateway } from "./support/gateway.ts"
import { sampleBody, samples } from "./support/OperationSamples.ts"
import { type NeverHappened, within } from "./support/Patience.ts"
import { addressOf, sluice } from "./support/process.ts"
import { chat, json, models, scriptedUpstream, status } from "./support/ScriptedUpstream.ts"

const root = fileURLToPath(new URL("../", import.meta.url))

const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** From the root of the repository. */
const documents: ReadonlyArray<string> = [".", "docs"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => normalize(`${folder}/${name}`)),
)

const readme = read("README.md")

/** What stands in the fenced blocks of a language. */
const blocks = (markdown: string, language: string): ReadonlyArray<string> =>
  Array.from(markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)).flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  )

/** The only one that holds these words. */
const blockWith = (markdown: string, language: string, words: string): string => {
  const [found, ...more] = blocks(markdown, language).filter((block) => block.includes(words))
  if (found === undefined || more.length > 0) throw new Error(`not one ${language} block has "${words}"`)
  return found
}

/** The rows, cell by cell, of the table whose head begins with these cells. */
const table = (markdown: string, ...head: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const lines = markdown.split("\n")
  const start = lines.findIndex((line) => line.startsWith(`| ${head.join(" | ")} |`))
  if (start === -1) throw new Error(`no table begins with ${head.join(", ")}`)
  const rows = lines.slice(start + 2)
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
}

/** What a cell has in code quotes; the last, where it has several. */
const quoted = (cell: string | undefined): string =>
  cell
    ?.match(/`[^`]+`/g)
    ?.at(-1)
    ?.slice(1, -1) ?? ""

// Running what the README says

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  readonly output: () => string
  readonly until: (words: string) => Effect.Effect<void>
  readonly exited: Effect.Effect<Ran>
  /** To the command and all it started, as Ctrl-C does. */
  readonly interrupt: Effect.Effect<void>
}

/** Starts a command line in a process group of its own, of which nothing is left when the scope closes. */
const start = (
  command: string,
  env: Readonly<Record<string, string>> = {},
  cwd = root,
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = spawn("sh", ["-c", command], {
      cwd,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    })
    /** Fails where none of the group is left to be told, which is as good. */
    const send = (signal: NodeJS.Signals) =>
      Effect.ignore(Effect.try(() => child.pid !== undefined && process.kill(-child.pid, signal)))
    yield* Effect.addFinalizer(() => send("SIGKILL"))
    const output = { stdout: "", stderr: "" }
    const look = new Set<() => void>()
    const changed = () => {
      for (const one of [...look]) one()
    }
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text
        changed()
      })
    }
    let ran: Ran | undefined
    child.once("close", (code) => {
      ran = { code, ...output }
      changed()
    })
    const awaited = <A>(found: () => A | undefined): Effect.Effect<A> =>
      Effect.async((resume) => {
        const attempt = () => {
          const value = found()
          if (value === undefined) return
          look.delete(attempt)
          resume(Effect.succeed(value))
        }
        look.add(attempt)
        attempt()
      })
    return {
      output: () => output.stdout,
      until: (words) =>
        awaited(() => (output.stdout.includes(words) || ran !== undefined ? "seen or over" : undefined)).pipe(
          Effect.andThen(Effect.sync(() => expect(output.stdout + output.stderr).toContain(words))),
        ),
      exited: awaited(() => ran),
      interrupt: send("SIGINT"),
    }
  })

/** Runs a command line to its end. */
const run = (command: string, env: Readonly<Record<string, string>> = {}, cwd = root) =>
  within(
    `the end of ${command}`,
    Effect.flatMap(start(command, env, cwd), ({ exited }) => exited),
    25_000,
  )

const temporaryFolder = Effect.flatMap(FileSystem.FileSystem, (files) =>
  files.makeTempDirectoryScoped(),
).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

const write = (path: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(path, text)).pipe(
    Effect.orDie,
    Effect.provide(NodeContext.layer),
  )

/** The environment that the references in a configuration ask for. */
const namedIn = (yaml: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(yaml.matchAll(/\$\{([A-Za-z_]\w*)\}/g), ([, name = ""]) => [name, `of-${name.toLowerCase()}`]),
  )

const keyOfTheReader = "sk-of-the-reader"

/** Runs what speaks to port 8000 against the shipped configuration, before a fake OpenAI; gives what it printed. */
const spoken = (command: string) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(chat("Hello there."))
    const gateway = yield* startGateway(
      read("config/config.yaml").replace("https://api.openai.com/v1", upstream.url),
    )
    const { code, stdout, stderr } = yield* run(
      command.replaceAll("http://localhost:8000", gateway.baseUrl),
      { OPENAI_API_KEY: keyOfTheReader },
    )
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" })
    for (const { headers } of upstream.requests) {
      expect(headers.authorization).toBe(`Bearer ${keyOfTheReader}`)
    }
    return stdout
  })

const example = blockWith(readme, "yaml", "openai_clients")

/** Runs a command of `sluice`, the README's configuration being the one in place. */
const commanded = (command: string) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    yield* write(`${folder}/config.yaml`, example)
    return yield* run(command.replace("npx sluice", "node dist/sluice.js"), {
      ...namedIn(example),
      CONFIG_PATH: `${folder}/config.yaml`,
    })
  })

/** What a command prints of the audit of a gateway that had one request. */
const ofOneRequest = (command: string) =>
  Effect.gen(function* () {
    const AUDIT_URL = `sqlite:${yield* temporaryFolder}/record.db`
    const gateway = yield* sluice(["serve", "--port", "0"], { AUDIT_URL })
    const address = yield* addressOf(gateway)
    const body = JSON.stringify({ model: "nobody", messages: [{ role: "user", content: "Hello" }] })
    yield* Effect.promise(() => fetch(`${address}/v1/chat/completions`, { method: "POST", body }))
    yield* gateway.signal("SIGTERM")
    expect((yield* gateway.exited).code).toBe(0)
    const { code, stdout } = yield* run(command.replace("npx sluice", "node dist/sluice.js"), { AUDIT_URL })
    expect(code).toBe(0)
    return stdout
  })

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The names in an object, and in the objects within. */
const shapeOf = (value: unknown): unknown =>
  isObject(value)
    ? Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((name) => [name, shapeOf(value[name])]),
      )
    : "a value"

const scripts: unknown = JSON.parse(read("package.json")).scripts

/** How each command of the README is tried, by its first line. */
const tries: Readonly<Record<string, (command: string) => Effect.Effect<void, NeverHappened, Scope.Scope>>> =
  {
    "npm ci && npm start": () =>
      Effect.gen(function* () {
        // CI runs `npm cit`, whose first half is `npm ci`.
        // The bundles were built before the tests, and others are running them: they are left alone where they are up to date.
        expect(scripts).toMatchObject({
          start: expect.stringMatching(/^node scripts\/build\.js changed && /),
        })
        const started = yield* start("npm start", {
          SERVER_PORT: "0",
          SERVER_HOST: "127.0.0.1",
          LOG_FORMAT: "json",
          AUDIT_URL: `sqlite:${yield* temporaryFolder}/record.db`,
        })
        yield* within("the start", started.until('"message":"listening"'), 20_000)
        const [, address = ""] = /"address":"([^"]+)"/.exec(started.output()) ?? []
        const ready = yield* Effect.promise(() => fetch(`${address}/readyz`))
        expect(ready.status).toBe(200)
        expect(started.output()).toContain('"config":"config/config.yaml"')
        yield* started.interrupt
        yield* within("the end", started.exited, 20_000)
        expect(started.output()).toContain('"message":"draining')
      }),
    "curl http://localhost:8000/v1/chat/completions \\": (command) =>
      Effect.map(spoken(command), (answer) => {
        expect(JSON.parse(answer)).toMatchObject({ choices: [{ message: { content: "Hello there." } }] })
      }),
    "curl -N http://localhost:8000/v1/chat/completions \\": (command) =>
      Effect.map(spoken(command), (answer) => {
        expect(answer).toMatch(/^data: \{/)
        expect(answer.endsWith("data: [DONE]\n\n")).toBe(true)
      }),
    'curl http://localhost:8000/v1/models -H "Authorization: Bearer $ACCESS_KEY"': (command) =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(models(["gpt-4o"]))
        const { ACCESS_KEY: key = "" } = namedIn(example)
        const gateway = yield* startGateway(
          configOf([{ base_url: upstream.url }], { server: { access_keys: [key] } }),
        )
        const asked = command.replace("http://localhost:8000", gateway.baseUrl)
        const { stdout } = yield* run(asked, { ACCESS_KEY: key })
        expect(JSON.parse(stdout)).toMatchObject({ data: [{ id: "gpt-4o" }] })
      }),
    "npx sluice check": (command) =>
      Effect.map(commanded(command), ({ code, stdout }) => {
        expect([code, stdout]).toEqual([0, expect.stringMatching(/config\.yaml: good; 3 clients\n$/)])
      }),
    "npx sluice explain gpt-4o": (command) =>
      Effect.map(commanded(command), ({ code, stdout }) => {
        expect(code).toBe(0)
        expect(stdout.trimEnd()).toBe(blockWith(readme, "text", "strategy").trimEnd())
      }),
    "npx sluice --help": (command) =>
      Effect.map(commanded(command), ({ code, stdout }) => {
        expect(code).toBe(0)
        for (const name of ["serve", "check", "explain", "audit"]) expect(stdout).toContain(`\n  ${name} `)
      }),
    "npx sluice audit list --since 2h": (command) =>
      Effect.map(ofOneRequest(command), (printed) => {
        expect(printed).toMatch(/^TIME .*\n.* 404 rejected +chat +nobody /)
      }),
    "npx sluice audit stats --by model --since 7d": (command) =>
      Effect.map(ofOneRequest(command), (printed) => {
        expect(printed).toMatch(/^MODEL .*\n *nobody +1 /)
      }),
    "curl http://localhost:8000/health": (command) =>
      Effect.map(spoken(command), (answer) => {
        const shown: unknown = JSON.parse(blockWith(readme, "json", "uptime_seconds"))
        expect(shapeOf(JSON.parse(answer))).toEqual(shapeOf(shown))
      }),
    "node dist/sluice.js serve --config config/config.yaml --port 8000": (command) =>
      Effect.gen(function* () {
        const [, , ...args] = command.replace("8000", "0").split(" ")
        const gateway = yield* sluice(args)
        yield* addressOf(gateway)
        yield* gateway.signal("SIGTERM")
        expect((yield* gateway.exited).code).toBe(0)
      }),
    "npm cit": () =>
      Effect.sync(() => {
        expect(read(".ci/run").split("\n")).toContain("npm cit")
      }),
    "npm run demo": (command) =>
      Effect.gen(function* () {
        expect(scripts).toMatchObject({ demo: expect.stringMatching(/^node scripts\/build\.js changed && /) })
        const { code, stdout, stderr } = yield* run(command)
        expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" })
        expect(stdout).toContain("All of it as promised")
      }),
    "npm run generate": () =>
      Effect.gen(function* () {
        expect(scripts).toMatchObject({ generate: "npm run build && node dist/generate.js" })
        // In a folder of its own: the files of the repository are being read by other tests.
        const folder = yield* temporaryFolder
        for (const name of ["config", "docs"]) mkdirSync(`${folder}/${name}`)
        const within = ["README.md", "docs/audit.md", "docs/metrics.md", "docs/providers.md"]
        for (const path of within) writeFileSync(`${folder}/${path}`, read(path))
        expect((yield* run(`node ${join(root, "dist/generate.js")}`, {}, folder)).code).toBe(0)
        for (const path of ["config/config.schema.json", "docs/configuration.md", ...within]) {
          expect(readFileSync(`${folder}/${path}`, "utf8")).toBe(read(path))
        }
      }),
  }

/** The command lines of the README, those that go over several lines as one. */
const commands = blocks(readme, "sh").flatMap((block) => block.trim().split(/(?<!\\)\n/))

const firstLine = (command: string): string => command.split("\n", 1)[0] ?? ""

// Each waits for processes more than it works.
describe.concurrent("The README's commands", () => {
  it("are all tried here", () => {
    expect(commands.map(firstLine).sort()).toEqual(Object.keys(tries).sort())
  })

  for (const command of commands) {
    it.scopedLive(firstLine(command), () => tries[firstLine(command)]?.(command) ?? Effect.void)
  }

  it.scopedLive("npx sluice finds the program of the checkout", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      mkdirSync(`${folder}/dist`)
      symlinkSync(join(root, "node_modules"), `${folder}/node_modules`)
      for (const path of ["package.json", "dist/sluice.js"])
        copyFileSync(join(root, path), `${folder}/${path}`)
      const { code, stdout } = yield* run(
        "npx sluice --version",
        {
          npm_config_cache: `${folder}/cache`,
          npm_config_offline: "true",
          npm_config_ignore_scripts: "true",
        },
        folder,
      )
      expect([code, stdout.trim()]).toEqual([0, JSON.parse(read("package.json")).version])
    }),
  )

  it.scopedLive("its program prints the answer", () =>
    Effect.gen(function* () {
      const [program = ""] = blocks(readme, "js")
      expect(program).toContain("http://localhost:8000/v1")
      const quotedForShell = `'${program.replaceAll("'", "'\\''")}'`
      expect(yield* spoken(`node --input-type=module --eval ${quotedForShell}`)).toBe("Hello there.")
    }),
  )
})

describe("The README's examples", () => {
  it.scopedLive("of log lines have the members of real ones", () =>
    Effect.gen(function* () {
      const shown = blockWith(readme, "json", "attempt failed").trim().split("\n")
      const failing = yield* scriptedUpstream(status(503))
      const answering = yield* scriptedUpstream(chat("Hello there."))
      const folder = yield* temporaryFolder
      yield* write(
        `${folder}/config.yaml`,
        configOf([{ base_url: failing.url }, { base_url: answering.url }]),
      )
      const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"])
      const address = yield* addressOf(gateway)
      yield* Effect.promise(async () => {
        const response = await fetch(`${address}/v1/chat/completions`, {
          method: "POST",
          body: JSON.stringify({
            model: "gpt-4o",
            stream: true,
            messages: [{ role: "user", content: "Hello" }],
          }),
        })
        await response.text()
      })
      const real = [yield* gateway.logged("attempt failed"), yield* gateway.logged("request")]
      expect(shown.map((line) => shapeOf(JSON.parse(line)))).toEqual(real.map(shapeOf))
    }),
  )
})

describe("The README's tables", () => {
  it("of errors is what the code declares", () => {
    const failures = [{ upstream: "a", reason: "b" }]
    const all: Readonly<Record<GatewayError["_tag"], GatewayError>> = {
      InvalidRequest: new InvalidRequest({ message: "m", param: "model" }),
      ModelNotFound: new ModelNotFound({ model: "m" }),
      DialectNotSpoken: new DialectNotSpoken({
        model: "m",
        dialect: "chat",
        speakers: [],
        paths: [],
        part: undefined,
      }),
      EndpointLacking: new EndpointLacking({ model: "m", path: "/v1/x", lacking: [] }),
      ResponseNotFound: new ResponseNotFound({ id: "resp_x", param: null }),
      NoUpgrade: new NoUpgrade(),
      AccessDenied: new AccessDenied({ reason: "missing" }),
      AdminDenied: new AdminDenied({ reason: "missing" }),
      AdminRefused: new AdminRefused({ reason: "shut" }),
      PageRefused: new PageRefused({ reason: "origin", told: undefined }),
      UnsupportedMediaType: new UnsupportedMediaType({ contentType: undefined }),
      RequestTooLarge: new RequestTooLarge({ limitBytes: 1, setBy: "max_body_bytes" }),
      TooManyValues: new TooManyValues(),
      UnsupportedEncoding: new UnsupportedEncoding({ encoding: "x", taken: "gzip" }),
      RequestUnreadable: new RequestUnreadable({ reason: "r" }),
      UnknownPath: new UnknownPath({ method: "GET", path: "/", meant: undefined, served: ["/a", "/b"] }),
      MethodNotAllowed: new MethodNotAllowed({ method: "GET", path: "/", allow: "POST" }),
      UpstreamRefused: new UpstreamRefused({
        upstream: "a",
        status: 500,
        said: { kind: "provider", answered: 500, location: undefined, baseUrl: undefined },
        isClientsFault: false,
        headers: {},
        body: new Uint8Array(),
        failures,
      }),
      UpstreamCredentialsRejected: new UpstreamCredentialsRejected({
        upstream: "a",
        status: 401,
        reason: "credentials",
        failures,
      }),
      UpstreamUnreachable: new UpstreamUnreachable({ failures }),
      UpstreamTimeout: new UpstreamTimeout({ failures }),
      DeadlineExceeded: new DeadlineExceeded({ afterMs: 1, setBy: "client", failures }),
      LoopDetected: new LoopDetected({ hops: 8 }),
      Overloaded: new Overloaded({ reason: "requests", retryAfterSeconds: 1 }),
      ShareTaken: new ShareTaken({ of: "requests", retryAfterSeconds: 1 }),
      RequestTooSlow: new RequestTooSlow({ afterMs: 1, leastBytesPerSecond: 1 }),
      ShuttingDown: new ShuttingDown({ retryAfterSeconds: 1 }),
      InternalError: new InternalError({ requestId: "r" }),
    }
    const others = [
      new PageRefused({ reason: "host", told: undefined }),
      new ResponseNotFound({ id: "resp_x", param: "previous_response_id" }),
      new UpstreamCredentialsRejected({ upstream: "a", status: 402, reason: "billing", failures }),
    ]
    const declared = [...Object.values(all), ...others].map((error) => {
      const { body, status: code } = answerOf(error, { face: "openai", id: "r" })
      const { error: said } = JSON.parse(new TextDecoder().decode(body))
      const shownStatus = error._tag === "UpstreamRefused" ? "the provider's" : String(code)
      return [shownStatus, said.type, said.code ?? ""].join(" ")
    })
    const shown = table(readme, "case", "status", "type", "code").map(([, code, type, name]) =>
      [code, quoted(type), quoted(name)].join(" "),
    )
    expect(shown.sort()).toEqual([...new Set(declared)].sort())
  })

  it.scopedLive("of endpoints is what is served", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream((request) => {
        const asked = allOperations.find(({ paths: [path] }) => request.path === toldAs(path))
        return asked === undefined ? models(["gpt-4o"]) : json(samples[asked.name].answer)
      })
      const gateway = yield* startGateway(
        configOf([{ base_url: upstream.url, dialects: ["chat", "responses", "messages"] }]),
      )
      for (const [method = "", path] of table(readme, "method", "path")) {
        const id = quoted(path).startsWith("/v1/responses/") ? givenId("resp_x", "first") : "gpt-4o"
        const url = `${gateway.baseUrl}${quoted(path).replace("{id}", id)}`
        const asked = allOperations.find(({ paths: [told] }) => toldAs(told) === quoted(path))
        const sent =
          asked === undefined
            ? undefined
            : sampleBody(asked.name, { model: "gpt-4o", ...samples[asked.name].request })
        for (const spelled of [url, url.replace("/v1/", "/")]) {
          const response = yield* Effect.promise(() =>
            fetch(spelled, {
              method,
              ...(sent === undefined ? {} : { body: sent.bytes, headers: { "content-type": sent.type } }),
            }),
          )
          expect([spelled, response.status]).toEqual([spelled, 200])
        }
      }
    }),
  )

  it("of endpoints, and of their names in the audit, are generated from the table of operations", () => {
    expect(withEndpoints(readme)).toBe(readme)
    expect(withEndpointNames(read("docs/audit.md"))).toBe(read("docs/audit.md"))
    expect(withMetrics(read("docs/metrics.md"))).toBe(read("docs/metrics.md"))
    const rows = table(readme, "method", "path").map(([method, path]) => [method, quoted(path)])
    const served = allOperations.map(({ method, paths: [path] }) => [method, toldAs(path)])
    expect(rows.slice(0, served.length)).toEqual(served)
  })

  it("of the environment is the one of docs/configuration.md", () => {
    const names = (markdown: string) =>
      table(markdown, "variable", "default", "meaning").map(([name, value]) => [name, value])
    expect(names(readme)).toEqual(names(read("docs/configuration.md")))
  })
})

/** Where links of a document lead, what stands in code blocks aside. */
const linksOf = (markdown: string): ReadonlyArray<string> =>
  Array.from(
    markdown.replace(/^```.*?^```$/gms, "").matchAll(/\]\(([^()\s]+)\)/g),
    ([, target = ""]) => target,
  )

/** The anchors that GitHub gives headings, as far as those here need it. */
const anchorsOf = (markdown: string): ReadonlySet<string> =>
  new Set(
    Array.from(markdown.replace(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
      heading
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  )

describe.each(documents)("%s", (document) => {
  const markdown = read(document)

  it("has links that lead somewhere in the repository", () => {
    const broken = linksOf(markdown).filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path = "", anchor] = link.split("#")
      const target = path === "" ? document : normalize(join(dirname(document), path))
      if (/^(\.\.|node_modules|dist)\b/.test(target) || !existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(read(target)).has(anchor)
    })
    expect(broken).toEqual([])
  })

  it("has YAML that loads, with the variables it names", () => {
    for (const yaml of blocks(markdown, "yaml")) {
      // What shows only some settings needs the one required key.
      const whole = /^openai_clients:/m.test(yaml) ? yaml : `${yaml}openai_clients: []\n`
      const problems = Either.match(loadConfig(whole, namedIn(whole)), {
        onLeft: (all) => all.filter(({ severity }) => severity === "error"),
        onRight: () => [],
      })
      expect(problems.map((problem) => toldToOperator(document, problem))).toEqual([])
    }
  })
})
