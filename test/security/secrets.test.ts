/**
 * Keys stand wherever one may stand, or be mistyped; the gateway is driven through all it does; then everything it wrote, logged and answered is searched for each
 * of them, in whatever form. What is kept by design is named: a key in a prompt stands in the row's `request`.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http"
import { createServer as createTcpServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Sqlite from "better-sqlite3"
import { afterAll, describe, expect, it } from "vitest"
import { mistypedConfigs } from "../support/MistypedConfigs.ts"
import { foundIn, plantedKeys } from "../support/PlantedSecrets.ts"

/** What is undone at the end, the last first. */
const endings: Array<() => void> = []
afterAll(() => {
  for (const end of endings.reverse()) end()
})

/** One planted secret for each place. */
const plant = () => {
  const forms = Object.values(plantedKeys())
  const more = Object.values(plantedKeys())
  const [
    apiKey = "",
    bearerHeader = "",
    keyHeader = "",
    odderHeader = "",
    accessKey = "",
    proxyPassword = "",
    baseUrlQuery = "",
    extraBody = "",
    nestedExtraBody = "",
    environment = "",
    callersBearer = "",
    callersKey = "",
    short = "",
  ] = [...forms.slice(0, 12), more.at(-1) ?? ""]
  const [
    callersCookie = "",
    callersQuery = "",
    callersHeader = "",
    callersPath = "",
    callersBasic = "",
    mistyped = "",
    passedOn = "",
    callersProxy = "",
    callersReferer = "",
    adminKey = "",
    collectorKey = "",
  ] = more
  return {
    apiKey,
    bearerHeader,
    keyHeader,
    odderHeader,
    accessKey,
    proxyPassword,
    baseUrlQuery,
    extraBody,
    nestedExtraBody,
    environment,
    callersBearer,
    callersKey,
    callersCookie,
    callersQuery,
    callersHeader,
    callersPath,
    callersBasic,
    mistyped,
    passedOn,
    callersProxy,
    callersReferer,
    adminKey,
    collectorKey,
    short,
  }
}

type Planted = ReturnType<typeof plant>

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    endings.push(() => {
      server.closeAllConnections()
      server.close()
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

const chunk = (content: string) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`

/** A provider that repeats what it was sent, keys too, in whatever it answers; the model's name says how it answers. */
const provider = async (): Promise<string> => {
  const answer = (incoming: IncomingMessage, body: string, response: ServerResponse) => {
    const sent = `Incorrect API key provided: ${incoming.rawHeaders.join(" ")} at ${incoming.url ?? ""} with ${body}\n12:00:00 ERROR forged`
    const error = { error: { message: sent, type: sent, code: sent, param: sent } }
    const [, status] = /gpt-(\d{3})/.exec(body) ?? []
    if (body.includes("gpt-stream")) {
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "openai-organization": sent.slice(0, 4000).replaceAll("\n", " "),
      })
      response.write(chunk("Hello"))
      if (body.includes("gpt-stream-error")) response.write(`data: ${JSON.stringify(error)}\n\n`)
      if (body.includes("gpt-stream-broken")) response.destroy()
      else response.end(": as it was sent\n\ndata: [DONE]\n\n")
    } else if (body.includes("gpt-page")) {
      response.writeHead(502, { "content-type": "text/html" }).end(`<html>${sent}</html>`)
    } else if (body.includes("gpt-garbage")) {
      response.writeHead(200, { "content-type": "application/json" }).end(`{"no": json, ${sent}`)
    } else if (status !== undefined) {
      response.writeHead(Number(status), {
        "content-type": "application/json",
        "x-request-id": sent.slice(0, 200).replaceAll("\n", " "),
      })
      response.end(JSON.stringify(error))
    } else if (incoming.url?.includes("/models")) {
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ object: "list", data: [{ id: "gpt-good", object: "model" }] }))
    } else {
      response.writeHead(200, { "content-type": "application/json" })
      const choices = [{ index: 0, message: { role: "assistant", content: "Hi." }, finish_reason: "stop" }]
      response.end(JSON.stringify({ id: "c", object: "chat.completion", created: 1, model: "m", choices }))
    }
  }
  const server = createServer((incoming, response) => {
    const pieces: Array<Buffer> = []
    incoming.on("data", (piece: Buffer) => pieces.push(piece))
    incoming.on("error", () => {})
    incoming.on("end", () => answer(incoming, Buffer.concat(pieces).toString(), response))
  })
  return `http://127.0.0.1:${await listening(server)}/v1`
}

/** A collector that refuses what it is sent, and repeats the key it came with wherever it can; and what it was sent. */
const collector = async () => {
  const sent: Array<string> = []
  const server = createServer((incoming, response) => {
    const pieces: Array<Buffer> = []
    incoming.on("data", (piece: Buffer) => pieces.push(piece))
    incoming.on("end", () => {
      sent.push(Buffer.concat(pieces).toString())
      const key = `wrong key: ${incoming.headers.authorization ?? ""}`
      response.writeHead(401, key, { "content-type": "application/json", "x-said": key })
      response.end(JSON.stringify({ message: key }))
    })
  })
  return { origin: `http://127.0.0.1:${await listening(server)}`, sent }
}

const configOf = (url: string, planted: Planted): string => `
server: { access_keys: ["${planted.accessKey}", "${planted.short}"] }
admin: { keys: ["${planted.adminKey}"] }
retry: { rounds: 2, base_delay_ms: 1, max_delay_ms: 2 }
breaker: { failures: 0 }
openai_clients:
  - { name: own, base_url: "${url}?api-key=${planted.baseUrlQuery}", api_key: "${planted.apiKey}", model_match: { type: keyword, value: [gpt] }, extra_body: { api_key: "${planted.extraBody}", deep: [{ token: "${planted.nestedExtraBody}" }] } }
  - { name: headers, base_url: "${url}", model_match: { type: keyword, value: [gpt] }, headers: { Authorization: "Bearer ${planted.bearerHeader}", x-goog-api-key: "${planted.keyHeader}", Ocp-Apim-Subscription-Key: "${planted.odderHeader}" } }
  - { name: environment, base_url: "${url}", api_key: "\${PLANTED_KEY}", model_match: { type: keyword, value: [gpt] } }
  - { name: proxied, base_url: "http://upstream.invalid/v1", proxy_url: "http://user:${planted.proxyPassword}@127.0.0.1:9", model_match: { type: keyword, value: [gpt, proxied] } }
`

interface Gateway {
  readonly process: ChildProcess
  readonly port: number
  readonly output: () => string
  readonly until: (pattern: RegExp) => Promise<void>
  readonly ended: Promise<unknown>
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createTcpServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const run = async (
  folder: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
): Promise<Gateway> => {
  const port = await freePort()
  const child = spawn(process.execPath, [join(process.cwd(), "dist/sluice.js"), ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      LOG_LEVEL: "trace",
      SERVER_HOST: "127.0.0.1",
      SERVER_PORT: String(port),
      CONFIG_PATH: "config.yaml",
      AUDIT_URL: "sqlite:./logs/record.db",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  })
  endings.push(() => child.kill("SIGKILL"))
  let output = ""
  const watching = new Set<() => void>()
  let hasEnded = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => {
      output += piece.toString()
      for (const look of [...watching]) look()
    })
  }
  const ended = new Promise((resolve) => {
    child.once("close", (code) => {
      hasEnded = true
      for (const look of [...watching]) look()
      resolve(code)
    })
  })
  return {
    process: child,
    port,
    output: () => output,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(output)) {
            watching.delete(look)
            resolve()
          } else if (hasEnded) reject(new Error(`it ended before ${pattern}: ${output}`))
        }
        watching.add(look)
        look()
      }),
  }
}

type Headers = Readonly<Record<string, string>>

/** What was answered, headers and body; where the connection broke, what had come by then. */
const ask = (port: number, path: string, headers: Headers, body?: unknown): Promise<string> =>
  new Promise((resolve) => {
    let received = ""
    const outgoing = request({
      port,
      host: "127.0.0.1",
      path,
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    })
    const done = () => resolve(received)
    outgoing.on("response", (response) => {
      received += `${response.statusCode} ${response.rawHeaders.join("\n")}\n\n`
      response.on("data", (piece: Buffer) => {
        received += piece.toString()
      })
      response.on("end", done)
      response.on("error", done)
      response.on("close", done)
    })
    outgoing.on("error", done)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })

const messages = [{ role: "user", content: "Hello" }]

/** Requests of callers, good and bad, each with a secret in some place. */
const drive = async (port: number, planted: Planted): Promise<ReadonlyArray<string>> => {
  const good = { authorization: `Bearer ${planted.accessKey}` }
  const chat = (model: string, headers: Headers = good, more = {}) =>
    ask(port, "/v1/chat/completions", headers, { model, messages, ...more })
  const answers: Array<string> = []
  const statuses = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 498, 500, 502, 503, 529]
  for (const status of statuses) answers.push(await chat(`gpt-${status}`))
  for (const model of ["gpt-good", "gpt-page", "gpt-garbage", "proxied"]) answers.push(await chat(model))
  for (const model of ["gpt-good", "gpt-stream-error", "gpt-stream-broken", "gpt-stream-good", "gpt-401"]) {
    answers.push(await chat(model, good, { stream: true }))
  }
  answers.push(
    await chat("gpt-good", { "x-api-key": planted.short }),
    await chat("gpt-good", { authorization: `Bearer ${planted.callersBearer}` }),
    await chat("gpt-good", { "x-api-key": planted.callersKey }),
    await chat("gpt-good", { "api-key": planted.callersKey }),
    await chat("gpt-good", { authorization: planted.callersBearer }),
    await chat("gpt-good", {
      authorization: `Basic ${Buffer.from(`user:${planted.callersBasic}`).toString("base64")}`,
    }),
    ...(await Promise.all(
      ["gpt-good", "gpt-401"].map((model) =>
        chat(model, {
          ...good,
          cookie: `session=${planted.callersCookie}`,
          "x-some-header": planted.callersHeader,
          "x-auth": planted.callersHeader,
          "proxy-authorization": `Bearer ${planted.callersProxy}`,
          "x-forwarded-authorization": planted.callersProxy,
          referer: `https://a.example/?token=${planted.callersReferer}`,
        }),
      ),
    )),
    await ask(port, `/v1/chat/completions?api_key=${planted.callersQuery}`, good, {
      model: "gpt-good",
      messages,
    }),
    await ask(port, `/v1/${planted.callersPath}`, good),
    await ask(port, `/v1/${planted.callersPath}/chat/completions`, good, { model: "gpt-good", messages }),
    await ask(port, `/${planted.callersPath}`, {}),
    await ask(port, `/v1/models/${planted.callersPath}`, good),
    await ask(port, `/v1/models?key=${planted.callersQuery}`, { "x-api-key": planted.callersKey }),
    await ask(port, "/v1/models", good),
    await ask(port, "/health", {}),
    await ask(port, "/health?verbose", {}),
    await ask(port, "/health?verbose", good),
    await ask(port, "/health?verbose", { authorization: `Bearer ${planted.adminKey}` }),
    await chat("gpt-good", { authorization: `Bearer ${planted.adminKey}` }),
  )
  return answers
}

/** The file is replaced by one that cannot be used, a key of ours in it, and back. */
const reloads = async (
  gateway: Gateway,
  folder: string,
  planted: Planted,
): Promise<ReadonlyArray<string>> => {
  const config = readFileSync(join(folder, "config.yaml"), "utf8")
  const answers: Array<string> = []
  const put = (text: string) => {
    writeFileSync(join(folder, "next.yaml"), text)
    renameSync(join(folder, "next.yaml"), join(folder, "config.yaml"))
  }
  const some = mistypedConfigs.filter((_, at) => at % 211 === 7)
  for (const [at, [, write]] of some.entries()) {
    // A line of our own, so that it is known when this file was read.
    put(`mark${"abcdefghij"[at]}: 1\n${write(planted.mistyped)}`)
    gateway.process.kill("SIGHUP")
    await gateway.until(new RegExp(`(?:has errors[^]*){${at + 1}}`))
    answers.push(await ask(gateway.port, "/health", {}))
  }
  put(config)
  gateway.process.kill("SIGHUP")
  await gateway.until(/good again|reloaded \(2\)|nothing changed/)
  return answers
}

/** All that was written under a folder, by name, but for configurations. */
const written = (folder: string): ReadonlyArray<readonly [string, string]> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".yaml"))
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name)).toString("latin1")])

const whole = async (folder: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) => {
  const command = await run(folder, args, env)
  await command.ended
  return command.output()
}

describe.each([
  ["json", "1"],
  ["pretty", "2"],
])("with LOG_FORMAT=%s, LOG_LEVEL=trace and WORKERS=%s", (format, workers) => {
  it("no planted secret is found in what was written, logged and answered", {
    timeout: 120_000,
  }, async () => {
    const planted = plant()
    const folder = mkdtempSync(join(tmpdir(), "sluice-secrets-"))
    endings.push(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, "config.yaml"), configOf(await provider(), planted))
    const collecting = await collector()
    const env = {
      LOG_FORMAT: format,
      LOG_DIR: "logs",
      OTEL_EXPORTER_OTLP_ENDPOINT: collecting.origin,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${encodeURIComponent(planted.collectorKey)}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      WORKERS: workers,
      PLANTED_KEY: planted.environment,
      OPENAI_API_KEY: planted.environment,
      NODE_OPTIONS: "",
    }
    const found = new Map<string, ReadonlyArray<string>>()
    const search = (place: string, text: string) => {
      const names = foundIn(text, planted)
      if (names.length > 0) found.set(place, names)
    }

    const gateway = await run(folder, ["serve"], env)
    await gateway.until(/listening|sluice \S+ on http/)
    for (const [at, answer] of (await drive(gateway.port, planted)).entries()) search(`answer ${at}`, answer)
    for (const [at, answer] of (await reloads(gateway, folder, planted)).entries())
      search(`health ${at}`, answer)
    // Rows that the database does not take go to the spill, and stand there when the process is killed.
    const other = new Sqlite(join(folder, "logs/record.db"), { timeout: 10_000 })
    endings.push(() => other.close())
    other.exec("BEGIN EXCLUSIVE")
    await drive(gateway.port, planted)
    for (const [name, text] of written(folder)) search(`file ${name} while locked`, text)
    gateway.process.kill("SIGKILL")
    await gateway.ended
    other.exec("COMMIT")
    other.close()
    search("log", gateway.output())
    for (const [name, text] of written(folder)) search(`file ${name} after the kill`, text)

    const second = await run(folder, ["serve"], env)
    await second.until(/listening|sluice \S+ on http/)
    await drive(second.port, planted)
    second.process.kill("SIGTERM")
    await second.ended
    search("log of the second run", second.output())
    expect(second.output()).toContain("traces could not be exported")
    expect(readdirSync(join(folder, "logs")).filter((name) => name.endsWith(".log"))).not.toEqual([])
    expect(collecting.sent.some((text) => text.includes("resourceSpans"))).toBe(true)
    for (const [at, text] of collecting.sent.entries()) search(`export ${at}`, text)
    for (const [name, text] of written(folder)) search(`file ${name} at the end`, text)

    const commands = [
      ["check"],
      ["explain", "gpt-good"],
      ["explain", "gpt-good", "--json"],
      ["explain", "nothing-like-it"],
      ["audit", "list", "--wide", "--limit", "500"],
      ["audit", "list", "--csv", "--limit", "500"],
      ["audit", "export"],
      ["audit", "export", "--json"],
      ["audit", "stats", "--by", "model"],
      ["audit", "stats", "--by", "key", "--json"],
      ["audit", "keys"],
    ]
    for (const args of commands) search(args.join(" "), await whole(folder, args, env))
    const rows = (await whole(folder, ["audit", "export", "--json"], env))
      .split("\n")
      .filter((line) => line.startsWith("{"))
    expect(rows.length).toBeGreaterThan(80)
    const ids = rows.slice(0, 30).map((line): { readonly id: string } => JSON.parse(line))
    for (const { id } of ids.filter((_, at) => at % 10 === 0)) {
      search(`audit show ${id}`, await whole(folder, ["audit", "show", id], env))
    }
    expect(Object.fromEntries(found)).toEqual({})
  })
})

describe("the environment", () => {
  it.each([
    "SERVER_PORT",
    "SERVER_HOST",
    "CONFIG_PATH",
    "AUDIT_URL",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "SHUTDOWN_GRACE_SECONDS",
    "SHUTDOWN_DELAY_SECONDS",
    "WORKERS",
  ])("with a key as %s, the process does not repeat it", { timeout: 60_000 }, async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-secrets-"))
    endings.push(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, "config.yaml"), "openai_clients: []\n")
    const { anthropic = "" } = plantedKeys()
    const output = await whole(folder, ["serve"], { LOG_FORMAT: "json", [name]: anthropic })
    expect(output).toContain("cannot start")
    expect(foundIn(output, { anthropic })).toEqual([])
  })
})
