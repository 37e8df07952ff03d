/** A fake provider on a free port, of all three dialects or of some, and of what else is asked; the model asked for says how it answers. */
import { once } from "node:events"
import { createServer } from "node:http"
import { chat, completions } from "./provider/Chat.js"
import { messages } from "./provider/Messages.js"
import { bytes, others, streamed } from "./provider/Others.js"
import { responses, stored } from "./provider/Responses.js"

/** What answers a conversation, by its dialect. */
const byDialect = { chat, responses, messages }

/** The dialects that it speaks unless it is told which. */
export const dialects = Object.keys(byDialect)

const models = ["fake", "gpt-5-x", "claude-sonnet-4-x"]

const list = {
  object: "list",
  data: models.map((id) => ({ id, object: "model", created: 0, owned_by: "fake" })),
}

/** How models called `status-…` fail: the type of the error in most dialects, what it says, and what else it holds in OpenAI's. */
const errors = {
  400: ["invalid_request_error", "`temperature` is too high", { param: "temperature" }],
  401: ["authentication_error", "that key is not known", { code: "invalid_api_key" }],
  403: ["permission_error", "that is not for you", {}],
  404: ["not_found_error", "no such thing", {}],
  422: ["invalid_request_error", "that cannot be done", {}],
  429: ["rate_limit_error", "slow down", { code: "rate_limit_exceeded" }],
  500: ["server_error", "the engine is on fire", {}],
  529: ["overloaded_error", "too much to do", {}],
}

const send = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

const sendAll = (response, frames) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  for (const one of frames) response.write(one)
}

/** Sends so much of a stream, and breaks the connection. */
const cutOff = async (request, response, frames) => {
  sendAll(response, frames)
  await new Promise((done) => setTimeout(done, 20))
  request.socket.destroy()
}

const goOn = (response, { begun, more }, closed) => {
  sendAll(response, begun)
  const timer = setInterval(() => response.write(more), 20)
  response.once("close", () => {
    clearInterval(timer)
    closed("endless")
  })
}

const stream = async (request, response, speaker, asked, closed) => {
  const { model } = asked
  const whole = speaker.stream(asked)
  const frames = [...whole.begun, ...whole.ended]
  const [, after] = /^cut-(\d+)$/.exec(model) ?? []
  const [, fault] = /^fault-(.+)$/.exec(model) ?? []
  if (model === "endless") goOn(response, whole, closed)
  else if (model === "cut") await cutOff(request, response, whole.begun)
  else if (after !== undefined) await cutOff(request, response, frames.slice(0, Number(after)))
  else {
    sendAll(response, fault === undefined ? frames : speaker.faults[fault](whole))
    response.end()
  }
}

const converse = async (request, response, speaker, asked, closed) => {
  const { model } = asked
  if (speaker === messages && asked.max_tokens === undefined)
    send(response, 400, messages.error("invalid_request_error", "max_tokens: Field required"))
  else if (model === "hangs") response.once("close", () => closed("hangs"))
  else if (asked.stream === true) await stream(request, response, speaker, asked, closed)
  else send(response, 200, speaker.plain(asked, model === "json" ? '{"answer":42}' : undefined))
}

/** A body that is JSON; of a form the model, and whether it asks for a stream. */
const read = (request, body) => {
  if (!request.headers["content-type"]?.startsWith("multipart/")) return JSON.parse(body.toString() || "{}")
  const form = body.toString("latin1")
  const field = (name) =>
    new RegExp(`name="${name}"\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n([^\\r\\n]+)`).exec(form)?.[1]
  return { model: field("model"), stream: field("stream") === "true" }
}

const ofStored = (request, path) => {
  const [, id, behind = ""] = /^responses\/(resp_[^/]+)\/?(.*)$/.exec(path) ?? []
  return stored[`${request.method} ${behind}`]?.(id)
}

const answerOther = (request, response, path, asked) => {
  const isStreamed = asked.stream === true || asked.stream_format === "sse"
  if (path === "models") send(response, 200, list)
  else if (isStreamed && path in streamed) {
    sendAll(
      response,
      streamed[path].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
    )
    response.end()
  } else if (path === "audio/speech") response.writeHead(200, { "content-type": "audio/mpeg" }).end(bytes)
  else {
    const body = others[path]?.(asked) ?? ofStored(request, path)
    const missing = chat.error("invalid_request_error", `nothing is at ${path}`)
    send(response, body === undefined ? 404 : 200, body ?? missing)
  }
}

/** What answers at a path: a conversation in a dialect that is spoken, or a text that is to be continued. */
const speakerAt = (path, spoken) =>
  [completions, ...spoken.map((dialect) => byDialect[dialect])].find((one) => one.path === path)

const answer = async (request, response, { body, spoken }, closed) => {
  const path = request.url.split("?")[0].replace(/^\/v1\//, "")
  const asked = read(request, body)
  const speaker = speakerAt(path, spoken)
  const [, status] = /^status-(\d+)$/.exec(asked.model ?? "") ?? []
  const face = path.startsWith("messages") ? messages : chat
  if (status !== undefined) send(response, Number(status), face.error(...errors[status]))
  else if (speaker !== undefined) await converse(request, response, speaker, asked, closed)
  else answerOther(request, response, path, asked)
}

/** Starts it, of these dialects; `closed` gives, once, when a call of a model that never ends has been given up by the gateway; `/closed/MODEL` answers then. */
export const startProvider = async (spoken = dialects) => {
  const waiting = new Map()
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const one of request) chunks.push(one)
    const awaited = /^\/closed\/(.+)/.exec(request.url)?.[1]
    if (awaited !== undefined) waiting.set(awaited, () => response.end())
    else
      await answer(request, response, { body: Buffer.concat(chunks), spoken }, (model) =>
        waiting.get(model)?.(),
      )
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const root = `http://127.0.0.1:${server.address().port}`
  return {
    root,
    url: `${root}/v1`,
    closed: (model) => new Promise((done) => waiting.set(model, done)),
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
