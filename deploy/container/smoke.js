/**
 * The smoke test of a running image, from outside, through the openai package. `node smoke.js FOLDER serve-upstream` is a fake provider and writes a
 * configuration for it into the folder; `node smoke.js FOLDER check` asks the gateway at SLUICE_PORT, and what operators see at that port and, after a
 * reload, at one of its own. Plain Node, so that CI runs it beside any image.
 */
import { strict as assert } from "node:assert"
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import OpenAI from "openai"

const [folder, task] = process.argv.slice(2)
const port = process.env.SLUICE_PORT ?? "8000"
const path = `${folder}/config.yaml`

const configOf = (url, model) => `openai_clients:
  - name: fake
    base_url: ${url}
    api_key: sk-fake
    model_match: { type: exact, value: [${model}] }
`

const chunk = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason }] })}\n\n`

const serveUpstream = () => {
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (bytes) => {
      body += bytes
    })
    request.on("end", () => {
      if (body.includes('"stream":true')) {
        response.writeHead(200, { "content-type": "text/event-stream" })
        for (const word of ["Hello", " from", " a", " stream"]) response.write(chunk({ content: word }))
        response.end(`${chunk({}, "stop")}data: [DONE]\n\n`)
        return
      }
      const message = { role: "assistant", content: "Hello from a container" }
      response.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          id: "c",
          object: "chat.completion",
          created: 1,
          model: "m",
          choices: [{ index: 0, message, finish_reason: "stop" }],
        }),
      )
    })
  }).listen(0, "127.0.0.1", () => {
    writeFileSync(path, configOf(`http://127.0.0.1:${server.address().port}/v1`, "first-model"))
  })
}

/** What operators see of the gateway at this address: the dashboard with its files, metrics, health with all details. */
const operatorsSee = async (origin, headers = {}) => {
  const get = async (path) => {
    const answer = await fetch(`${origin}${path}`, { headers })
    assert.equal(answer.status, 200, `${path}: ${answer.status}`)
    return answer.text()
  }
  assert.match(await get("/metrics"), /^sluice_requests_total\{/m)
  assert.ok(Array.isArray(JSON.parse(await get("/health?verbose")).upstreams))
  const page = await get("/dashboard")
  const files = [...page.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, path]) => path)
  assert.ok(files.length >= 2, page)
  for (const path of files) assert.notEqual(await get(`/${path}`), "")
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const operatorsKey = "sk-of-the-operators-of-the-smoke-test"

const check = async () => {
  const origin = `http://127.0.0.1:${port}`
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: "sk-caller", maxRetries: 0 })
  const health = await (await fetch(`${origin}/health`)).json()
  assert.equal(health.status, "ok")

  const ask = (model) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: "Hello?" }] })
  assert.equal((await ask("first-model")).choices[0].message.content, "Hello from a container")

  let text = ""
  const stream = await client.chat.completions.create({
    model: "first-model",
    stream: true,
    messages: [{ role: "user", content: "Hello?" }],
  })
  for await (const one of stream) text += one.choices[0]?.delta.content ?? ""
  assert.equal(text, "Hello from a stream")

  await operatorsSee(origin)
  const adminPort = await freePort()
  const admin = `admin: { keys: [${operatorsKey}], port: ${adminPort}, host: 127.0.0.1 }\n`

  await assert.rejects(ask("second-model"), OpenAI.NotFoundError)
  writeFileSync(`${path}.new`, readFileSync(path, "utf8").replace("first-model", "second-model") + admin)
  renameSync(`${path}.new`, path)
  const until = Date.now() + 7_000
  for (let generation = 1; generation < 2 && Date.now() < until; ) {
    generation = (await (await fetch(`${origin}/health`)).json()).config.generation
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal((await ask("second-model")).choices[0].message.content, "Hello from a container")

  for (const place of [origin, `http://127.0.0.1:${adminPort}`]) {
    assert.notEqual((await fetch(`${place}/metrics`)).status, 200)
  }
  await operatorsSee(`http://127.0.0.1:${adminPort}`, { authorization: `Bearer ${operatorsKey}` })
}

if (task === "serve-upstream") serveUpstream()
else await check()
