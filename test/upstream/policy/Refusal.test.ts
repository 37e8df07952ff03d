/** Whose fault a refusal is, told from what providers really answer (shortened, names and numbers changed). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { RefusalKind } from "../../../src/errors/RefusalKind.ts"
import { LoopDetected } from "../../../src/errors/UpstreamErrors.ts"
import { countsAs, hiddenRefusal, isClientsFault, refusalKind } from "../../../src/upstream/policy/Refusal.ts"

const bytes = (body: unknown) =>
  new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body))

const kindOf = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  refusalKind(status, headers, bytes(body))

const error = (message: string, members: Readonly<Record<string, unknown>> = {}) => ({
  error: { message, ...members },
})

type Row = readonly [who: string, status: number, body: unknown, headers?: Readonly<Record<string, string>>]

const table: Readonly<Record<RefusalKind, ReadonlyArray<Row>>> = {
  credentials: [
    ["OpenAI", 401, error("Incorrect API key provided: sk-x.", { code: "invalid_api_key" })],
    [
      "OpenAI, from where it is not offered",
      403,
      error("Country, region, or territory not supported", {
        code: "unsupported_country_region_territory",
        param: null,
        type: "request_forbidden",
      }),
    ],
    [
      "Anthropic",
      403,
      {
        type: "error",
        error: {
          type: "permission_error",
          message: "Your API key does not have permission to use the specified resource.",
        },
      },
    ],
    [
      "Anthropic, of a closed organisation",
      400,
      {
        type: "error",
        error: { type: "invalid_request_error", message: "This organization has been disabled." },
      },
    ],
    ["Mistral", 401, { message: "Unauthorized", request_id: "r" }],
    [
      "Gemini",
      400,
      [
        {
          error: {
            code: 400,
            message: "API key not valid. Please pass a valid API key.",
            status: "INVALID_ARGUMENT",
            details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
          },
        },
      ],
    ],
    [
      "Gemini, of a project",
      403,
      [
        {
          error: {
            code: 403,
            message: "Permission denied on resource project p-1.",
            status: "PERMISSION_DENIED",
            details: [{ reason: "CONSUMER_INVALID" }],
          },
        },
      ],
    ],
    [
      "Gemini, of a key that leaked",
      403,
      error("Your API key was reported as leaked. Please use another API key.", {
        code: 403,
        status: "PERMISSION_DENIED",
      }),
    ],
    [
      "xAI",
      400,
      {
        code: "Client specified an invalid argument",
        error: "Incorrect API key provided: na***ys. You can obtain an API key from https://console.x.ai.",
      },
    ],
    [
      "xAI, of what the key may do",
      403,
      { code: "permission-denied", error: "Access to the chat endpoint is denied" },
    ],
    [
      "Azure, behind a network rule",
      403,
      error("Access denied due to Virtual Network/Firewall rules.", { code: "AccessDenied" }),
    ],
    ["Hugging Face", 403, { error: "This authentication method does not have sufficient permissions." }],
    ["a relay, of a suspended account", 403, error("Your account was suspended for a policy violation.")],
    ["a proxy, of a key", 403, error("bad key")],
    ["a proxy, in plain text", 403, "Invalid API key", { "content-type": "text/plain" }],
  ],
  billing: [
    [
      "DeepSeek",
      402,
      error("Insufficient Balance", { type: "unknown_error", code: "invalid_request_error" }),
    ],
    ["OpenRouter", 402, error("Insufficient credits. Add more using https://x", { code: 402, metadata: {} })],
    [
      "OpenRouter, of a key's own limit",
      403,
      error("Key limit exceeded (monthly limit). Manage it using https://x/settings/keys", { code: 403 }),
    ],
    [
      "OpenAI",
      429,
      error("You exceeded your current quota, please check your plan and billing details.", {
        type: "insufficient_quota",
        param: null,
        code: "insufficient_quota",
      }),
    ],
    [
      "OpenAI, of a hard limit",
      400,
      error("Billing hard limit has been reached", { code: "billing_hard_limit_reached" }),
    ],
    [
      "Anthropic",
      400,
      {
        type: "error",
        error: {
          type: "invalid_request_error",
          message: "Your credit balance is too low to access the Anthropic API.",
        },
      },
    ],
    [
      "xAI",
      429,
      {
        code: "Some resource has been exhausted",
        error:
          "Your team t-1 has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.",
      },
    ],
    [
      "xAI, with another status",
      403,
      { code: "permission-denied", error: "You have run out of credits or need a Grok subscription." },
    ],
    [
      "Moonshot",
      429,
      error("Your account org-1 has insufficient balance", { type: "exceeded_current_quota_error" }),
    ],
    ["Zhipu", 429, error("Insufficient balance or no resource package. Please recharge.", { code: "1113" })],
    ["SiliconFlow", 403, { code: 30001, message: "Sorry, your account balance is insufficient", data: null }],
    [
      "Alibaba",
      400,
      error("Access denied, please make sure your account is in good standing.", {
        type: "Arrearage",
        code: "Arrearage",
      }),
    ],
    ["New API", 403, error("用户额度不足", { type: "new_api_error", code: "insufficient_user_quota" })],
  ],
  limit: [
    [
      "OpenAI",
      429,
      error("Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000", {
        type: "tokens",
        param: null,
        code: "rate_limit_exceeded",
      }),
    ],
    [
      "Groq, of a day",
      429,
      error(
        "Rate limit reached for model `m` in organization `o` on tokens per day (TPD). Upgrade today at https://x/settings/billing",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
    ],
    [
      "Groq, of a request over its minute",
      413,
      error(
        "Request too large for model `m` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size. Upgrade at https://x/settings/billing",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
    ],
    ["Groq, of its flexible tier", 498, error("Flex tier capacity exceeded", { type: "capacity_exceeded" })],
    ["a relay of Groq", 498, error("on tokens per minute (TPM): Limit 6000, Requested 9000")],
    [
      "Gemini, which speaks of billing in each",
      429,
      [
        {
          error: {
            code: 429,
            message: "You exceeded your current quota, please check your plan and billing details.",
            status: "RESOURCE_EXHAUSTED",
            details: [{ violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }] }],
          },
        },
      ],
    ],
    [
      "Anthropic",
      429,
      {
        type: "error",
        error: { type: "rate_limit_error", message: "This request would exceed your limit." },
      },
    ],
    ["Mistral", 429, { message: "Requests rate limit exceeded" }],
    [
      "Azure",
      429,
      error("Requests have exceeded token rate limit of your current pricing tier.", { code: "429" }),
    ],
    ["nothing", 429, ""],
  ],
  missing_model: [
    [
      "OpenAI",
      404,
      error("The model `m` does not exist or you do not have access to it.", { code: "model_not_found" }),
    ],
    [
      "OpenAI, of a project",
      403,
      error("Project `proj_1` does not have access to model `gpt-4.1`", {
        type: "invalid_request_error",
        param: null,
        code: "model_not_found",
      }),
    ],
    [
      "Azure",
      404,
      error("The API deployment for this resource does not exist.", { code: "DeploymentNotFound" }),
    ],
    ["Anthropic", 404, { type: "error", error: { type: "not_found_error", message: "model: claude-9" } }],
    [
      "vLLM",
      404,
      {
        object: "error",
        message: "The model `m` does not exist.",
        type: "NotFoundError",
        param: null,
        code: 404,
      },
    ],
    ["Ollama", 404, error('model "m" not found, try pulling it first', { type: "api_error" })],
    [
      "DeepSeek",
      400,
      error("Model Not Exist", { type: "invalid_request_error", code: "invalid_request_error" }),
    ],
    ["Mistral", 400, { object: "error", message: "Invalid model: m", type: "invalid_model", code: "1500" }],
    ["OpenRouter", 400, error("m is not a valid model ID", { code: 400 })],
    ["a name that speaks of keys", 400, error("API key not valid. is not a valid model ID", { code: 400 })],
  ],
  not_found: [
    ["FastAPI", 404, { detail: "Not Found" }],
    ["Azure", 404, error("Resource not found", { code: "404" })],
    ["nginx", 404, "<html><title>404 Not Found</title></html>", { "content-type": "text/html" }],
    ["OpenRouter, of tools", 404, error("No endpoints found that support tool use.", { code: 404 })],
    ["nothing", 404, ""],
  ],
  moderation: [
    [
      "OpenRouter",
      403,
      error("The model requires moderation on OpenInference. Your input was flagged.", {
        code: 403,
        metadata: { reasons: ["violence"], flagged_input: "my api key and account", provider_name: "p" },
      }),
    ],
    [
      "xAI, which names team and key",
      403,
      {
        code: "The caller does not have permission to execute the specified operation",
        error:
          "Content violates usage guidelines. Team: t, API key ID: k, Model: grok-4, Failed check: SAFETY_CHECK_TYPE_BIO",
      },
    ],
    ["a relay, by its code", 403, error("Blocked.", { code: "content_filter" })],
    ["a provider's policy", 403, error("Your request was rejected by our content policy.")],
  ],
  firewall: [
    [
      "Cloudflare",
      403,
      "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>Sorry, you have been blocked</body></html>",
      { "content-type": "text/html; charset=UTF-8", server: "cloudflare" },
    ],
    ["Cloudflare, in a word", 403, "error code: 1020", { "content-type": "text/plain" }],
    ["Cloudflare, of a challenge", 403, "", { "cf-mitigated": "challenge" }],
    ["Apache", 403, "<h1>Forbidden</h1>You don't have permission to access this resource."],
  ],
  request: [
    [
      "Azure",
      400,
      error("The response was filtered", { code: "content_filter", param: "prompt", type: null }),
    ],
    [
      "OpenAI, of a value",
      400,
      error("'temperature' is not supported with this model.", { param: "temperature" }),
    ],
    [
      "OpenAI, of a length",
      400,
      error("maximum context length is 8192 tokens", { code: "context_length_exceeded" }),
    ],
    [
      "llama.cpp",
      400,
      error("the request exceeds the available context size", { code: 400, n_prompt_tokens: 9 }),
    ],
    ["vLLM", 422, { detail: [{ loc: ["body", "max_tokens"], msg: "not an integer" }] }],
    ["Anthropic, of a body", 413, { error: { type: "request_too_large", message: "Request exceeds 32 MB" } }],
    ["nginx, of a body", 413, "<html><title>413 Request Entity Too Large</title></html>"],
    ["Esri's invalid token", 498, error("Invalid token")],
    ["a 403 that says nothing", 403, ""],
    ["a 405 of a model", 405, error("This model does not take images")],
    ["a 403 of a word", 403, { message: "Forbidden" }],
    ["a prompt that speaks of keys, repeated", 400, error("cannot parse 'Incorrect API key provided'")],
  ],
  missing_endpoint: [
    [
      "llama.cpp, of sound",
      501,
      error("The current model does not support audio input.", { type: "not_supported_error" }),
    ],
    ["llama.cpp, of rerank", 501, error("This server does not support reranking.", { code: 501 })],
    ["FastAPI, of what it serves by another method", 405, { detail: "Method Not Allowed" }],
    ["nginx", 405, "<html><title>405 Not Allowed</title></html>"],
    ["a server without words", 405, ""],
  ],
  provider: [
    ["OpenAI", 500, error("The server had an error", { type: "server_error" })],
    ["Anthropic", 529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }],
    ["llama.cpp", 503, error("Loading model", { type: "unavailable_error", code: 503 })],
    ["a proxy, of a key", 502, error("invalid api key, out of credits, model not found")],
    ["a timeout", 408, ""],
    ["too early", 425, ""],
    ["beyond HTTP", 999, ""],
    ["a host that gives so much and no more", 508, "<h1>Resource Limit Is Reached</h1>"],
  ],
  loop: [
    ["Sluice", 508, error("x", { type: "upstream_error", code: "loop_detected" })],
    [
      "Sluice, in Anthropic's shape",
      508,
      {
        type: "error",
        error: { type: "api_error", message: new LoopDetected({ hops: 8 }).declared.message },
      },
    ],
  ],
  redirect: [["a moved API", 301, "", { location: "https://api.example/v1/chat/completions" }]],
}

const rows = Object.entries(table).flatMap(([kind, some]) =>
  some.map(([who, status, body, headers]) => ({ kind, who, status, body, headers })),
)

describe("A refusal", () => {
  it.each(rows)("is about $kind: $who ($status)", ({ body, headers, kind, status }) => {
    expect(kindOf(status, body, headers)).toBe(kind)
  })

  const bodyArb = fc.oneof(
    fc.string().map(bytes),
    fc.uint8Array(),
    fc.jsonValue().map(bytes),
    fc.record({ error: fc.record({ message: fc.string(), code: fc.jsonValue() }) }).map(bytes),
  )

  it("law: of a provider's own status nothing in the body makes another's fault", () => {
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 999 }), bodyArb, (status, body) => {
        const kinds =
          status === 501 ? ["missing_endpoint"] : status === 508 ? ["provider", "loop"] : ["provider"]
        expect(kinds).toContain(refusalKind(status, {}, body))
      }),
    )
  })

  it("law: whatever a body says, a 404 or 413 never sets more than the model aside, nor a 422 anything", () => {
    fc.assert(
      fc.property(bodyArb, (body) => {
        expect(["missing_model", "not_found"]).toContain(refusalKind(404, {}, body))
        expect(["limit", "request"]).toContain(refusalKind(413, {}, body))
        expect(refusalKind(422, {}, body)).toBe("request")
      }),
    )
  })

  it("counts as 404 where it is a 405 of an endpoint that is not there", () => {
    expect(countsAs(405, "missing_endpoint")).toEqual([405, 404])
    expect(countsAs(501, "missing_endpoint")).toEqual([501])
    expect(countsAs(405, "request")).toEqual([405])
  })

  it("law: each counts as its own status, but for a flagged prompt, which is as wrong as any 400", () => {
    const kinds = Object.keys(table).filter((kind): kind is RefusalKind => kind in table)
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 599 }), fc.constantFrom(...kinds), (status, kind) => {
        if (kind === "moderation" && status === 403) expect(countsAs(status, kind)).toEqual([400])
        else expect(countsAs(status, kind)).toContain(status)
      }),
    )
  })

  it("is the client's fault where the prompt is, and where its own key is", () => {
    for (const ownKey of [true, false]) {
      expect(isClientsFault("request", ownKey)).toBe(true)
      expect(isClientsFault("moderation", ownKey)).toBe(true)
      expect(isClientsFault("missing_model", ownKey)).toBe(true)
      expect(isClientsFault("missing_endpoint", ownKey)).toBe(false)
      expect(isClientsFault("provider", ownKey)).toBe(false)
      expect(isClientsFault("limit", ownKey)).toBe(!ownKey)
      expect(isClientsFault("credentials", ownKey)).toBe(!ownKey)
    }
  })

  it("takes no longer with a body that is made to be slow", () => {
    const hostile = ["account ", "model ", "the model ", "a. ", "tokens per "].map((one) =>
      one.repeat(200_000),
    )
    for (const message of hostile) {
      for (const status of [400, 403, 404, 413, 429, 498])
        expect(kindOf(status, error(message))).toBeDefined()
    }
  })
})

describe("An error in a good answer", () => {
  const hidden = (body: unknown) => hiddenRefusal(bytes(body))

  it.each<{ who: string; body: unknown; kind: RefusalKind; status?: number }>([
    { who: "OpenRouter", body: error("Rate limit exceeded", { code: 429 }), kind: "limit", status: 429 },
    {
      who: "OpenRouter, of a key",
      body: error("User not found.", { code: 401 }),
      kind: "credentials",
      status: 401,
    },
    {
      who: "OpenRouter, of a moderation",
      body: error("requires moderation", { code: 403, metadata: { reasons: ["violence"] } }),
      kind: "moderation",
      status: 403,
    },
    {
      who: "vLLM",
      body: {
        object: "error",
        message: "maximum context length is 16 tokens",
        type: "BadRequestError",
        code: 400,
      },
      kind: "request",
      status: 400,
    },
    {
      who: "Google",
      body: error("API key not valid.", {
        code: 400,
        status: "INVALID_ARGUMENT",
        details: [{ reason: "API_KEY_INVALID" }],
      }),
      kind: "credentials",
      status: 400,
    },
    { who: "a relay", body: { code: "502", msg: "bad gateway" }, kind: "provider", status: 502 },
    { who: "a status in words", body: error("slow down", { status: 503 }), kind: "provider", status: 503 },
    {
      who: "OpenAI, of a rate",
      body: error("Rate limit reached", { code: "rate_limit_exceeded" }),
      kind: "limit",
    },
    {
      who: "OpenAI, of a quota",
      body: error("You exceeded it", { code: "insufficient_quota" }),
      kind: "billing",
    },
    { who: "OpenAI, of a key", body: error("Incorrect API key provided: x"), kind: "credentials" },
    {
      who: "OpenAI, of a model",
      body: error("The model `x` does not exist", { code: "model_not_found" }),
      kind: "missing_model",
    },
    {
      who: "OpenAI, of a prompt",
      body: error("Too long", { code: "context_length_exceeded" }),
      kind: "request",
    },
    { who: "vLLM, without a code", body: error("Bad", { type: "BadRequestError" }), kind: "request" },
    {
      who: "Azure's filter",
      body: error("The response was filtered", { code: "content_filter" }),
      kind: "moderation",
    },
    {
      who: "MiniMax, of credit",
      body: { base_resp: { status_code: 1008, status_msg: "insufficient balance" } },
      kind: "billing",
    },
    {
      who: "MiniMax, of a rate",
      body: { base_resp: { status_code: 1002, status_msg: "rate limit" } },
      kind: "limit",
    },
    {
      who: "Anthropic, of its load",
      body: { type: "error", ...error("Overloaded", { type: "overloaded_error" }) },
      kind: "provider",
      status: 529,
    },
    {
      who: "Anthropic, of a rate",
      body: { type: "error", ...error("Slow down", { type: "rate_limit_error" }) },
      kind: "limit",
      status: 429,
    },
    {
      who: "Anthropic, of a prompt",
      body: { type: "error", ...error("prompt is too long", { type: "invalid_request_error" }) },
      kind: "request",
      status: 400,
    },
    { who: "an engine", body: error("The engine is overloaded", { type: "server_error" }), kind: "provider" },
    { who: "a code beyond HTTP", body: error("no", { code: 1002 }), kind: "provider" },
    { who: "a code that is good", body: error("no", { code: 200 }), kind: "provider" },
    { who: "no words", body: {}, kind: "provider" },
    { who: "no JSON", body: "<html>", kind: "provider" },
  ])("is about $kind: $who", ({ body, kind, status }) => {
    expect(hidden(body)).toEqual({ kind, status })
  })

  it("law: one that names a status is what a refusal of that status would be", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 400, max: 599 }),
        fc.string({ minLength: 1 }),
        fc.boolean(),
        (code, message, asText) => {
          const body = error(message, { code: asText ? String(code) : code })
          expect(hidden(body)).toEqual({ kind: kindOf(code, body), status: code })
        },
      ),
    )
  })
})
