import { describe, expect, it } from "vitest"
import { speaksOfPath } from "../../../src/upstream/policy/MissingPath.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const json = (value: unknown) => JSON.stringify(value)
const openAi = (error: object) => json({ error: { param: null, code: null, ...error } })

/** Answers as servers really give them, and who gives them. */
const ofPath: ReadonlyArray<readonly [string, number, string]> = [
  ["FastAPI (vLLM, SGLang, LiteLLM)", 404, json({ detail: "Not Found" })],
  ["FastAPI, of another method", 405, json({ detail: "Method Not Allowed" })],
  [
    "vLLM, of a path that it has for other models",
    501,
    openAi({ message: "Tool usage is not supported", type: "NotImplementedError" }),
  ],
  ["Ollama, as Go's routers do", 404, "404 page not found"],
  ["llama.cpp", 404, openAi({ code: 404, message: "File Not Found", type: "not_found_error" })],
  [
    "llama.cpp, of what it was not started for",
    501,
    openAi({
      code: 501,
      message: "This server does not support embeddings. Start it with `--embeddings`",
      type: "not_supported_error",
    }),
  ],
  [
    "nginx",
    404,
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.27.0</center>\r\n</body>\r\n</html>\r\n",
  ],
  ["nginx, of another method", 405, "<html><head><title>405 Not Allowed</title></head></html>"],
  ["Text Generation Inference, without a word", 404, ""],
  ["OpenAI", 404, openAi({ message: "Invalid URL (POST /v1/respones)", type: "invalid_request_error" })],
  [
    "OpenAI, newer",
    404,
    openAi({
      message: "Unknown request URL: POST /v1/x. Please check the URL for typos, or see the docs.",
      type: "invalid_request_error",
      code: "unknown_url",
    }),
  ],
  [
    "Anthropic",
    404,
    json({ type: "error", error: { type: "not_found_error", message: "Not Found" }, request_id: "req_1" }),
  ],
  [
    "Groq",
    404,
    openAi({
      message:
        "Unknown request URL: POST /openai/v1/messages. Please check the URL for typos, or see the docs at https://console.groq.com/docs/",
      type: "invalid_request_error",
      code: "unknown_url",
    }),
  ],
  ["Azure", 404, json({ error: { code: "404", message: "Resource not found" } })],
  ["Mistral, by its router", 404, json({ message: "no Route matched with those values" })],
  ["Express", 404, "Cannot POST /v1/responses"],
  ["Express, as a page", 404, "<!DOCTYPE html><pre>Cannot POST /v1/responses</pre>"],
  [
    "Spring",
    404,
    json({ timestamp: "2026-11-28T00:00:00Z", status: 404, error: "Not Found", path: "/v1/responses" }),
  ],
  [
    "Flask",
    404,
    json({
      message:
        "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.",
    }),
  ],
  [
    "Sluice",
    404,
    openAi({
      message:
        "Nothing is served at POST /v1/responses. The endpoints are /v1/chat/completions and /v1/models.",
      type: "invalid_request_error",
      code: "unknown_url",
    }),
  ],
  [
    "LM Studio, before it served it",
    404,
    json({ error: "Unexpected endpoint or method. (POST /v1/messages)" }),
  ],
  ["a gateway", 404, json({ error: { message: "/v1/messages not found" } })],
]

const ofSomethingElse: ReadonlyArray<readonly [string, number, string]> = [
  [
    "vLLM",
    404,
    openAi({ message: "The model `x` does not exist.", type: "NotFoundError", param: "model", code: 404 }),
  ],
  [
    "older vLLM",
    404,
    json({
      object: "error",
      message: "The model `x` does not exist.",
      type: "NotFoundError",
      param: null,
      code: 404,
    }),
  ],
  ["Ollama", 404, openAi({ message: 'model "x" not found, try pulling it first', type: "api_error" })],
  ["Ollama's own", 404, json({ error: "model 'x' not found" })],
  ["llama.cpp's router", 404, openAi({ code: 404, message: "model not found", type: "not_found_error" })],
  [
    "OpenAI",
    404,
    openAi({
      message: "The model `x` does not exist or you do not have access to it.",
      type: "invalid_request_error",
      code: "model_not_found",
    }),
  ],
  [
    "OpenAI, of a model's wrong endpoint",
    404,
    openAi({
      message:
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
      type: "invalid_request_error",
      param: "model",
    }),
  ],
  [
    "OpenAI, of a model that has another",
    404,
    openAi({
      message: "This model is only supported in v1/responses and not in v1/chat/completions.",
      type: "invalid_request_error",
      param: "model",
    }),
  ],
  [
    "OpenAI, of an answer of before",
    404,
    openAi({ message: "Response with id 'resp_1' not found.", type: "invalid_request_error" }),
  ],
  ["Anthropic", 404, json({ type: "error", error: { type: "not_found_error", message: "model: claude-x" } })],
  [
    "Groq",
    404,
    openAi({
      message: "The model `x` does not exist or you do not have access to it.",
      type: "invalid_request_error",
      code: "model_not_found",
    }),
  ],
  [
    "Google",
    404,
    json([
      {
        error: {
          code: 404,
          message: "models/x is not found for API version v1main, or is not supported for generateContent.",
          status: "NOT_FOUND",
        },
      },
    ]),
  ],
  [
    "Azure",
    404,
    json({
      error: { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." },
    }),
  ],
  ["OpenRouter", 404, json({ error: { message: "No endpoints found for x/y.", code: 404 } })],
  [
    "Sluice, of a model",
    404,
    openAi({
      message: "The model `x` is not served here: no entry of openai_clients matches it.",
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    }),
  ],
  [
    "Sluice, of a model's dialect",
    404,
    openAi({
      message: "The model `x` is not served in the dialect `responses`. Its clients speak others: a (chat).",
      type: "invalid_request_error",
      param: "model",
      code: "dialect_not_spoken",
    }),
  ],
  ["a text of a model", 404, "model not found"],
  ["Kubernetes' ingress, whose service is not there at the moment", 404, "default backend - 404"],
  ["a list that is no error", 404, "[]"],
  ["an object without words", 404, "{}"],
  ["JSON that is cut", 404, '{"error": {"message": "Not Fou'],
  ["any error", 404, json({ error: { message: "the prompt was not found funny" } })],
  [
    "a model's method, whatever the status",
    405,
    openAi({ message: "The model `x` does not exist.", code: "model_not_found" }),
  ],
  ["another status", 400, json({ detail: "Not Found" })],
  ["another status of a router", 502, "<html>"],
]

describe("speaksOfPath", () => {
  it.each(ofPath)("takes for the path's: %s, %i", (_, status, body) => {
    expect(speaksOfPath(status, bytes(body))).toBe(true)
  })

  it.each(ofSomethingElse)("does not take for the path's: %s, %i", (_, status, body) => {
    expect(speaksOfPath(status, bytes(body))).toBe(false)
  })
})
