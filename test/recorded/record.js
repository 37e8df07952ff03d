/**
 * Asks a real model server what the tests ask, and writes its answers beside this file as they came, read by read:
 *
 *   node test/recorded/record.js llama.cpp http://127.0.0.1:22001/v1 tiny
 *
 * README.md in this folder says how such a server is started. A fourth argument limits it to the requests whose names begin with it.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { fileURLToPath } from "node:url"

const [server, baseUrl, model, only = ""] = process.argv.slice(2)
if (model === undefined) {
  console.error("usage: node test/recorded/record.js SERVER BASE_URL MODEL [NAMES]")
  process.exit(2)
}

const messages = [{ role: "user", content: "Hello?" }]
const weather = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather of a town.",
    parameters: {
      type: "object",
      properties: { town: { type: "string", minLength: 4, maxLength: 8 } },
      required: ["town"],
    },
  },
}
const ask = { model, messages, max_tokens: 8, temperature: 0, seed: 7 }
const usage = { stream_options: { include_usage: true } }
const chat = (body) => ({ path: "/chat/completions", body: { ...ask, ...body } })
const completion = (body) => ({
  path: "/completions",
  body: { model, prompt: "Hello", max_tokens: 8, temperature: 0, seed: 7, ...body },
})
const thinking = {
  max_tokens: 96,
  temperature: 1,
  // llama.cpp's; others do not know it.
  grammar: 'root ::= "<think>" [a-z]{4,8} "</think>" [a-z]{4,8}',
}
/** llama.cpp holds a call to its grammar once it has begun: this makes random weights begin one, end it, and end the answer (312). */
const begun = {
  seed: 11,
  logit_bias: [
    ["<tool_call>", 100],
    [312, 100],
    ['"', 12],
    [" ", -100],
    ["\n", -100],
  ],
}
const called = {
  tools: [weather],
  tool_choice: "required",
  max_tokens: 128,
  temperature: 1,
  ...(server === "llama.cpp" ? begun : {}),
}
/** The same in the other dialects, which some servers speak. */
const responses = (body) => ({
  path: "/responses",
  body: { model, input: "Hello?", max_output_tokens: 8, temperature: 0, seed: 7, ...body },
})
const calledInResponses = {
  ...called,
  max_tokens: undefined,
  max_output_tokens: 128,
  tools: [{ type: "function", ...weather.function }],
}
const messagesOf = (body) => ({ path: "/messages", body: { ...ask, ...body } })
const embedding = (body) => ({ path: "/embeddings", body: { model, ...body } })
const schema = {
  type: "json_schema",
  json_schema: {
    name: "answer",
    schema: {
      type: "object",
      properties: { answer: { type: "integer", minimum: 0, maximum: 99 } },
      required: ["answer"],
      additionalProperties: false,
    },
  },
}

/** By name; `GET` where there is no body. */
const requests = {
  models: { path: "/models" },
  chat: chat({}),
  "chat-stream": chat({ stream: true }),
  "chat-stream-usage": chat({ stream: true, ...usage }),
  "chat-two-choices": chat({ n: 2, temperature: 1 }),
  "chat-two-choices-stream": chat({ n: 2, temperature: 1, stream: true, ...usage }),
  "chat-logprobs": chat({ logprobs: true, top_logprobs: 2, max_tokens: 2 }),
  "chat-logprobs-stream": chat({ logprobs: true, top_logprobs: 2, max_tokens: 2, stream: true, ...usage }),
  "chat-thinking": chat(thinking),
  "chat-thinking-stream": chat({ ...thinking, stream: true, ...usage }),
  "chat-tools": chat(called),
  "chat-tools-stream": chat({ ...called, stream: true, ...usage }),
  "chat-schema": chat({ response_format: schema, max_tokens: 96, temperature: 1 }),
  completion: completion({}),
  "completion-stream": completion({ stream: true, ...usage }),
  responses: responses({}),
  "responses-stream": responses({ stream: true }),
  "responses-tools": responses(calledInResponses),
  "responses-tools-stream": responses({ ...calledInResponses, stream: true }),
  messages: messagesOf({}),
  "messages-stream": messagesOf({ stream: true }),
  "messages-stop": messagesOf({ max_tokens: 32, stop_sequences: [" of"] }),
  "messages-stop-stream": messagesOf({ max_tokens: 32, stop_sequences: [" of"], stream: true }),
  // By a server that is started for them; one of chats refuses, which is recorded below.
  embedding: embedding({ input: "Hello" }),
  "embedding-two": embedding({ input: ["Hello", "Good day"] }),
  "embedding-base64": embedding({ input: ["Hello", "Good day"], encoding_format: "base64" }),
  "embedding-error-too-long": embedding({ input: "Hello? ".repeat(20_000) }),
  "error-model": { ...chat({}), body: { ...ask, model: "unknown" } },
  "error-member": chat({ max_tokens: "many" }),
  "error-member-stream": chat({ max_tokens: "many", stream: true }),
  "error-too-long": chat({ messages: [{ role: "user", content: "Hello? ".repeat(20_000) }] }),
  "error-too-long-stream": chat({
    messages: [{ role: "user", content: "Hello? ".repeat(20_000) }],
    stream: true,
  }),
  "error-embedding": embedding({ input: "Hello" }),
  "error-path": { path: "/nowhere", body: ask },
}

const exchange = ({ body, path }) =>
  new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : JSON.stringify(body)
    const sent = request(
      `${baseUrl}${path}`,
      {
        agent: false,
        method: bytes === undefined ? "GET" : "POST",
        headers: bytes === undefined ? {} : { "content-type": "application/json" },
      },
      (answer) => {
        const reads = []
        answer.setEncoding("utf8")
        answer.on("data", (read) => reads.push(read))
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, reads }))
        answer.on("error", reject)
      },
    )
    sent.on("error", reject)
    sent.end(bytes)
  })

const folder = fileURLToPath(new URL(`./${server}/`, import.meta.url))
mkdirSync(folder, { recursive: true })
for (const [name, asked] of Object.entries(requests)) {
  if (!name.startsWith(only)) continue
  const { headers, reads, status } = await exchange(asked)
  const { "content-type": type } = headers
  // What was asked for is in this file, but for what would make it long.
  const long = JSON.stringify(asked.body ?? null).length > 10_000
  const written = {
    path: asked.path,
    ...(long ? { stream: asked.body.stream === true } : { body: asked.body }),
    status,
    type,
    reads,
  }
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(written, null, 2)}\n`)
  console.log(`${name}: ${status}, ${reads.length} reads`)
}
