/**
 * What is known of providers, and of servers that people run themselves: where they answer, how they take a key, which dialects they speak, and what
 * is theirs alone. Data: a client that names a preset is spared saying it, and says otherwise where it knows better.
 */
import type { Dialect } from "../../routing/Dialect.ts"
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { TokenLimit } from "../../routing/Upstream.ts"

export interface Preset {
  /** What it is called. */
  readonly of: string
  /** A word in braces is to be filled in by whoever has an account there. */
  readonly baseUrl: string
  readonly dialects: ReadonlyArray<Dialect>
  /** Those it speaks too, though worse than Sluice translates. */
  readonly speaksToo?: ReadonlyArray<Dialect>
  /** Run by oneself, in whatever version: its answers may teach that it lacks a dialect. */
  readonly isServer?: true
  /** The header of its key, where that is no bearer token. */
  readonly auth?: "x-api-key" | "api-key"
  /** Where it answers operations elsewhere than others do. */
  readonly paths?: Readonly<Record<string, string>>
  readonly maxTokensMember?: TokenLimit
  /** What its models take, where their names do not tell. */
  readonly abilities?: Partial<ModelAbilities>
  /** It takes no `stream_options`, or tells the usage unasked. */
  readonly asksUsage?: false
  /** What else to know of it. */
  readonly note?: string
}

/** Its chat has more settings than OpenAI's. */
const takesTopK = { topK: true }

/** Claude's dialect beside another, as several providers serve it. */
const besideAnthropic = { messages: "//anthropic/v1/messages" }

const services = {
  openai: {
    of: "OpenAI",
    baseUrl: "https://api.openai.com/v1",
    dialects: ["chat", "responses"],
    maxTokensMember: "max_completion_tokens",
    note: "its newer models refuse `max_tokens`; the cap is sent as `max_completion_tokens`",
  },
  anthropic: {
    of: "Anthropic",
    baseUrl: "https://api.anthropic.com/v1",
    dialects: ["messages"],
    speaksToo: ["chat"],
    auth: "x-api-key",
    note: "chats are translated: its own `/chat/completions` ignores `response_format` and `strict`, caches nothing and tells no thoughts; `dialects: [messages, chat]` sends chats there as they come",
  },
  azure: {
    of: "Azure OpenAI",
    baseUrl: "https://{resource}.openai.azure.com/openai/v1",
    dialects: ["chat", "responses"],
    auth: "api-key",
    maxTokensMember: "max_completion_tokens",
    note: "the model is the name of the deployment: set `model` where it differs; the first chunk holds filter results and says nothing",
  },
  bedrock: {
    of: "Amazon Bedrock",
    baseUrl: "https://bedrock-mantle.{region}.api.aws/openai/v1",
    dialects: ["chat", "responses", "messages"],
    paths: besideAnthropic,
    note: "with a key of Bedrock; requests are not signed",
  },
  gemini: {
    of: "Google Gemini",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    dialects: ["chat"],
    note: "its list calls models `models/…`",
  },
  deepseek: {
    of: "DeepSeek",
    baseUrl: "https://api.deepseek.com",
    dialects: ["chat", "messages"],
    paths: { ...besideAnthropic, completions: "//beta/completions" },
    note: "answers with `reasoning_content`; sends comments while a request waits, which count as signs of life",
  },
  groq: {
    of: "Groq",
    baseUrl: "https://api.groq.com/openai/v1",
    dialects: ["chat", "responses"],
    note: "answers 413 and 498 for limits of tokens a minute; the next client is asked",
  },
  mistral: {
    of: "Mistral",
    baseUrl: "https://api.mistral.ai/v1",
    dialects: ["chat"],
    asksUsage: false,
    note: "refuses members it does not know; reasoning models answer in lists of parts",
  },
  xai: {
    of: "xAI",
    baseUrl: "https://api.x.ai/v1",
    dialects: ["responses", "chat"],
    note: "reasoning models refuse stop words and penalties",
  },
  openrouter: {
    of: "OpenRouter",
    baseUrl: "https://openrouter.ai/api/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    note: "comments while it waits; errors inside a 200 stream, which are seen",
  },
  together: {
    of: "Together",
    baseUrl: "https://api.together.ai/v1",
    dialects: ["chat"],
    abilities: takesTopK,
    note: "lists its models as a bare array, which is read",
  },
  fireworks: {
    of: "Fireworks",
    baseUrl: "https://api.fireworks.ai/inference/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    note: "models are called `accounts/fireworks/models/…`",
  },
  deepinfra: {
    of: "DeepInfra",
    baseUrl: "https://api.deepinfra.com/v1/openai",
    dialects: ["chat"],
    abilities: takesTopK,
  },
  cerebras: { of: "Cerebras", baseUrl: "https://api.cerebras.ai/v1", dialects: ["chat"] },
  sambanova: {
    of: "SambaNova",
    baseUrl: "https://api.sambanova.ai/v1",
    dialects: ["chat"],
    abilities: takesTopK,
  },
  nvidia: { of: "NVIDIA", baseUrl: "https://integrate.api.nvidia.com/v1", dialects: ["chat"] },
  perplexity: {
    of: "Perplexity",
    baseUrl: "https://api.perplexity.ai",
    dialects: ["chat"],
    note: "no `/v1`",
  },
  moonshot: {
    of: "Moonshot (Kimi)",
    baseUrl: "https://api.moonshot.ai/v1",
    dialects: ["chat", "responses", "messages"],
    paths: besideAnthropic,
    note: "in China `base_url: https://api.moonshot.cn/v1`",
  },
  zai: {
    of: "Z.ai (GLM)",
    baseUrl: "https://api.z.ai/api/paas/v4",
    dialects: ["chat", "messages"],
    paths: { messages: "//api/anthropic/v1/messages" },
    note: "`v4`, not `v1`",
  },
  minimax: {
    of: "MiniMax",
    baseUrl: "https://api.minimax.io/v1",
    dialects: ["chat", "responses", "messages"],
    paths: besideAnthropic,
    note: "tells of errors with status 200 and `base_resp`, which is seen",
  },
  dashscope: {
    of: "Alibaba Model Studio (Qwen)",
    baseUrl: "https://dashscope.aliyuncs.com/compatible-mode/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    paths: {
      responses: "//api/v2/apps/protocols/compatible-mode/v1/responses",
      messages: "//apps/anthropic/v1/messages",
      rerank: "//compatible-api/v1/reranks",
    },
    note: "elsewhere than in China `base_url: https://dashscope-intl.aliyuncs.com/compatible-mode/v1`",
  },
  volcengine: {
    of: "Volcengine (Doubao)",
    baseUrl: "https://ark.cn-beijing.volces.com/api/v3",
    dialects: ["chat", "responses"],
  },
  cohere: {
    of: "Cohere",
    baseUrl: "https://api.cohere.ai/compatibility/v1",
    dialects: ["chat"],
    paths: { models: "//v1/models", rerank: "//v2/rerank" },
    asksUsage: false,
  },
  voyage: { of: "Voyage", baseUrl: "https://api.voyageai.com/v1", dialects: [] },
  jina: { of: "Jina", baseUrl: "https://api.jina.ai/v1", dialects: [] },
  huggingface: {
    of: "Hugging Face",
    baseUrl: "https://router.huggingface.co/v1",
    dialects: ["chat", "responses"],
    note: "`model:provider` chooses who serves it",
  },
  meta: { of: "Meta", baseUrl: "https://api.meta.ai/v1", dialects: ["chat"] },
  vercel: {
    of: "Vercel's AI Gateway",
    baseUrl: "https://ai-gateway.vercel.sh/v1",
    dialects: ["chat", "responses", "messages"],
  },
  cloudflare: {
    of: "Cloudflare's AI Gateway",
    baseUrl: "https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/compat",
    dialects: ["chat"],
  },
} as const satisfies Readonly<Record<string, Preset>>

/** vLLM's own, which stand at the root of its host. */
const tokenizing = { tokenize: "//tokenize", detokenize: "//detokenize" }

const servers = {
  vllm: {
    of: "vLLM",
    baseUrl: "http://localhost:8000/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
    paths: {
      ...tokenizing,
      // Counts as it would read them.
      "messages.count_tokens": "//tokenize",
      classify: "//classify",
      pooling: "//pooling",
    },
    note: "**Sluice listens on 8000 too: start vLLM with `--port 8001`, and write `base_url: http://localhost:8001/v1`**; its `--api-key` guards `/v1` alone",
  },
  sglang: {
    of: "SGLang",
    baseUrl: "http://localhost:30000/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
    paths: { classify: "//classify" },
  },
  ollama: {
    of: "Ollama",
    baseUrl: "http://localhost:11434/v1",
    dialects: ["chat", "responses", "messages"],
    isServer: true,
    note: "the first answer waits for the model to load, minutes for a large one",
  },
  "llama.cpp": {
    of: "llama.cpp's server",
    baseUrl: "http://localhost:8080/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
    paths: tokenizing,
    note: "503 while it loads; gives any model name the one it has",
  },
  "llama-swap": {
    of: "llama-swap",
    baseUrl: "http://localhost:8080/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
  },
  lmstudio: {
    of: "LM Studio",
    baseUrl: "http://localhost:1234/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
  },
  tgi: {
    of: "Text Generation Inference",
    baseUrl: "http://localhost:8080/v1",
    dialects: ["chat"],
    isServer: true,
  },
  litellm: {
    of: "LiteLLM's proxy",
    baseUrl: "http://localhost:4000/v1",
    dialects: ["chat", "responses", "messages"],
    isServer: true,
  },
  sluice: {
    of: "another Sluice",
    baseUrl: "http://{host}:8000/v1",
    dialects: ["chat", "responses", "messages"],
    abilities: takesTopK,
    isServer: true,
  },
} as const satisfies Readonly<Record<string, Preset>>

const table = { ...services, ...servers }

export type PresetName = keyof typeof table

/** All of them by their names: providers first, then servers. */
export const presets: Readonly<Record<PresetName, Preset>> = table

const named: ReadonlyMap<string, Preset> = new Map(Object.entries(presets))

/** Their names, in the order of the table. */
export const presetNames: ReadonlyArray<string> = [...named.keys()]

/** The preset that is called so. */
export const presetCalled = (name: string | undefined): Preset | undefined =>
  name === undefined ? undefined : named.get(name)

const hole = /\{[^{}/]*\}/g

/** What is to be filled in of an address: the words in braces, with these. */
export const holesIn = (address: string): ReadonlyArray<string> => address.match(hole) ?? []
