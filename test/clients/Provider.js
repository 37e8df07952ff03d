/** A fake provider on a free port; of chats the model asked for says how it answers. */
import { once } from "node:events"
import { createServer } from "node:http"

const envelope = { id: "chatcmpl-1", created: 1_700_000_000, model: "fake" }

const words = ["Hello", ", ", "world", "."]

/** The text that a good answer holds. */
export const text = words.join("")

const toolCall = { id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1,"b":2}' } }

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

const completion = (message, finish_reason) => ({
  ...envelope,
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: null, ...message }, finish_reason }],
  usage,
})

const chunk = (delta, finish_reason = null) => ({
  ...envelope,
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason }],
})

/** The vector of every text: numbers that a float of 32 bits has exactly. */
export const vector = [0.25, -1, 3.5]

const base64 = Buffer.from(Float32Array.from(vector).buffer).toString("base64")

/** What is answered but for chats, by the end of the path. */
const others = {
  embeddings: ({ encoding_format, input, model }) => ({
    object: "list",
    data: [input].flat().map((_, index) => ({
      object: "embedding",
      index,
      embedding: encoding_format === "base64" ? base64 : vector,
    })),
    model,
    usage: { prompt_tokens: 3, total_tokens: 3 },
  }),
  moderations: ({ input, model = "omni-moderation-latest" }) => ({
    id: "modr-1",
    model,
    results: [input].flat().map(() => ({
      flagged: true,
      categories: { violence: true },
      category_scores: { violence: 0.86 },
      category_applied_input_types: { violence: ["text"] },
    })),
  }),
  rerank: ({ documents }) => ({
    id: "rerank-1",
    results: documents.map((_, at) => ({ index: documents.length - 1 - at, relevance_score: 1 / (at + 1) })),
    meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
  }),
}

const role = chunk({ role: "assistant", content: "" })

const calling = [
  chunk({ tool_calls: [{ index: 0, ...toolCall, function: { name: "add", arguments: "" } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1,' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"b":2}' } }] }),
]

const data = (value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`

const send = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

/** How each model fails, by status. */
const errors = {
  400: {
    message: "`temperature` is too high",
    type: "invalid_request_error",
    param: "temperature",
    code: null,
  },
  429: { message: "slow down", type: "rate_limit_error", param: null, code: "rate_limit_exceeded" },
  500: { message: "the engine is on fire", type: "server_error", param: null, code: null },
}

const answer = async (request, response, asked, closed) => {
  const { messages, model, stream, stream_options, tools } = asked
  const status = Number(/^status-(\d+)$/.exec(model)?.[1] ?? 0)
  if (status !== 0) {
    send(response, status, { error: errors[status] })
    return
  }
  if (model === "hangs") {
    response.once("close", () => closed("hangs"))
    return
  }
  const calls = tools !== undefined && messages.at(-1)?.role !== "tool"
  if (stream !== true) {
    send(
      response,
      200,
      calls
        ? completion({ tool_calls: [toolCall] }, "tool_calls")
        : completion({ content: model === "json" ? '{"answer":42}' : text }, "stop"),
    )
    return
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.write(data(role))
  if (calls) for (const one of calling) response.write(data(one))
  else for (const word of words) response.write(data(chunk({ content: word })))
  if (model === "cut") {
    await new Promise((done) => setTimeout(done, 50))
    request.socket.destroy()
    return
  }
  if (model === "endless") {
    const timer = setInterval(() => response.write(data(chunk({ content: "more" }))), 20)
    response.once("close", () => {
      clearInterval(timer)
      closed("endless")
    })
    return
  }
  response.write(data(chunk({}, calls ? "tool_calls" : "stop")))
  if (stream_options?.include_usage === true) response.write(data({ ...chunk({}), choices: [], usage }))
  response.end(data("[DONE]"))
}

/** Starts it; `closed` gives, once, when a call of a model that never ends has been given up by the gateway. */
export const startProvider = async () => {
  const waiting = new Map()
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const one of request) chunks.push(one)
    const told = (model) => waiting.get(model)?.()
    if (request.url.endsWith("/models"))
      send(response, 200, {
        object: "list",
        data: [{ id: "fake", object: "model", created: 0, owned_by: "fake" }],
      })
    else {
      const asked = JSON.parse(Buffer.concat(chunks).toString())
      const other = others[request.url.split("/").at(-1)]
      if (other === undefined || asked.model?.startsWith("status-")) {
        await answer(request, response, asked, told)
      } else send(response, 200, other(asked))
    }
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    closed: (model) => new Promise((done) => waiting.set(model, done)),
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
