/**
 * `npm run demo`: the gateway with two local fake upstreams, one of them broken, used through the official `openai` package. Every
 * step is checked; the process exits 0 only if all of it was so.
 */
import { strict as assert } from "node:assert"
import { execFileSync, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type RequestListener, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import OpenAI from "openai"

const say = (text: string) => console.log(text)
const step = (text: string) => console.log(`\n— ${text}`)

/** Starts a fake upstream on a free port. */
const listen = (handler: RequestListener): Promise<{ readonly server: Server; readonly url: string }> =>
  new Promise((resolve) => {
    const server = createServer(handler)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({ server, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/v1` })
    })
  })

const broken = await listen((request, response) => {
  request.resume()
  response.writeHead(500, { "content-type": "application/json" }).end('{"error":{"message":"I am broken"}}')
})

const thought = "<think>The user greets me. I greet back.</think>\n\n"
const words = ["Hello", " from", " the", " healthy", " upstream", "."]

const envelope = { id: "chatcmpl-demo", created: 0, model: "demo-1" }
const usage = { prompt_tokens: 9, completion_tokens: 15, total_tokens: 24 }

const healthy = await listen((request, response) => {
  let body = ""
  request.on("data", (chunk: Buffer) => {
    body += chunk.toString()
  })
  request.on("end", () => {
    if (!body.includes('"stream":true')) {
      const message = { role: "assistant", content: thought + words.join("") }
      response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          ...envelope,
          object: "chat.completion",
          choices: [{ index: 0, message, finish_reason: "stop" }],
          usage,
        }),
      )
      return
    }
    const chunk = (choices: ReadonlyArray<object>, more = {}) =>
      response.write(
        `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", choices, ...more })}\n\n`,
      )
    response.writeHead(200, { "content-type": "text/event-stream" })
    for (const content of ["<th", "ink>The user greets me.", "</thi", "nk>\n\n", ...words]) {
      chunk([{ index: 0, delta: { content }, finish_reason: null }])
    }
    chunk([{ index: 0, delta: {}, finish_reason: "stop" }])
    chunk([], { usage })
    response.end("data: [DONE]\n\n")
  })
})

const config = (prefix: string) => `
openai_clients:
  - name: broken
    base_url: ${broken.url}
    api_key: sk-demo
    model_match: { type: keyword, value: [demo] }
    priority: 1000000        # nearly always asked first
    fallback: healthy
  - name: healthy
    base_url: ${healthy.url}
    api_key: sk-demo
    model_match: { type: exact, value: [demo-1] }
    priority: 0
    special_prefix: "${prefix}"
    thinking_format: strip
`

const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"))
const configPath = join(folder, "config.yaml")
await writeFile(configPath, config("[demo] "))

step("Starting the gateway before a broken and a healthy upstream")
const gateway = spawn(process.execPath, ["dist/sluice.js", "serve", "--config", configPath, "--port", "0"], {
  env: {
    ...process.env,
    LOG_FORMAT: "json",
    SERVER_HOST: "127.0.0.1",
    AUDIT_URL: `sqlite:${folder}/record.db`,
  },
  stdio: ["ignore", "pipe", "inherit"],
})
process.once("exit", () => gateway.kill("SIGKILL"))
const exited = new Promise<number | null>((resolve) => gateway.once("exit", resolve))

interface LogLine {
  readonly message: string
  readonly [name: string]: unknown
}
const lines: Array<LogLine> = []
const waiting: Array<{
  readonly wanted: (line: LogLine) => boolean
  readonly found: (line: LogLine) => void
}> = []
createInterface({ input: gateway.stdout }).on("line", (text) => {
  const line: LogLine = JSON.parse(text)
  lines.push(line)
  for (const one of waiting.splice(0)) {
    if (one.wanted(line)) one.found(line)
    else waiting.push(one)
  }
})
/** The first log line, past or to come, that is wanted. */
const logged = (wanted: (line: LogLine) => boolean): Promise<LogLine> => {
  const past = lines.find(wanted)
  return past === undefined ? new Promise((found) => waiting.push({ wanted, found })) : Promise.resolve(past)
}

const watchdog = setTimeout(() => {
  console.error("The demo took too long.")
  process.exit(1)
}, 60_000)

const { address } = await logged(({ message }) => message === "listening")
say(`  it listens on ${address}`)

const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: "the-callers-own-key", maxRetries: 0 })
const request = { model: "demo-1", messages: [{ role: "user" as const, content: "Hello?" }] }

step("A plain request: the broken upstream fails, the healthy one answers, the caller notices nothing")
const { data, response } = await client.chat.completions.create(request).withResponse()
const text = data.choices[0]?.message.content
say(`  answer:   ${JSON.stringify(text)}`)
say(
  `  upstream: ${response.headers.get("x-sluice-upstream")}, attempts: ${response.headers.get("x-sluice-attempts")}`,
)
assert.equal(text, "[demo] Hello from the healthy upstream.")
assert.equal(response.headers.get("x-sluice-upstream"), "healthy")
assert.equal(response.headers.get("x-sluice-attempts"), "2")

const streamed = async (): Promise<string> => {
  let all = ""
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    const piece = chunk.choices[0]?.delta.content ?? ""
    if (piece !== "") say(`  ${JSON.stringify(piece)}`)
    all += piece
  }
  return all
}

step("A stream: the prefix comes first, the <think> block, cut over four chunks, is gone")
assert.equal(await streamed(), "[demo] Hello from the healthy upstream.")

step("Hot reload: another prefix, without a restart")
await writeFile(configPath, config("[reloaded] "))
await logged(({ message }) => message.startsWith("configuration reloaded (2)"))
assert.equal(await streamed(), "[reloaded] Hello from the healthy upstream.")
const health: unknown = await (await fetch(`${address}/health`)).json()
say(`  /health says ${JSON.stringify(health)}`)

step("A model nobody serves is the caller's mistake, and said so")
const refusal = await client.chat.completions
  .create({ ...request, model: "nonsense" })
  .catch((error: unknown) => error)
assert(refusal instanceof OpenAI.NotFoundError)
say(`  ${refusal.constructor.name}: ${refusal.message}`)

gateway.kill("SIGTERM")
assert.equal(await exited, 0)

step("SIGTERM ended the gateway with code 0; these are the rows of its audit")
const audit = (...args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, ["dist/sluice.js", "audit", ...args, "--db", `${folder}/record.db`], {
    encoding: "utf8",
  })
say(audit("list"))
const rows = audit("export", "--json").trim().split("\n")
assert.equal(rows.length, 4)
assert.equal(rows.filter((row) => row.includes("Hello from the healthy upstream.")).length, 3)
assert(!rows.some((row) => row.includes("the-callers-own-key") || row.includes("sk-demo")))

clearTimeout(watchdog)
broken.server.close()
healthy.server.close()
await rm(folder, { recursive: true })
say("\nAll of it as promised.")
