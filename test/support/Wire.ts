/** OpenAI's wire shapes as an upstream writes them: whole answers, chunks of a stream, model lists, errors. */

export interface Tokens {
  readonly prompt: number
  readonly completion: number
}

const usageOf = ({ prompt, completion }: Tokens) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
})

/** 2026-11-22T00:00:00Z: fixed, so that two answers of the same content are equal. */
const created = 1_795_305_600

export interface CompletionOptions {
  readonly model?: string
  readonly id?: string
  readonly finishReason?: string
  readonly tokens?: Tokens
  /** Further members of the message, such as `tool_calls` or `reasoning_content`. */
  readonly message?: Readonly<Record<string, unknown>>
}

const choiceOf = (text: string | null, index: number, options: CompletionOptions) => ({
  index,
  message: { role: "assistant", content: text, refusal: null, ...options.message },
  logprobs: null,
  finish_reason: options.finishReason ?? "stop",
})

/** A `chat.completion` with one choice per text. */
export const chatCompletion = (
  texts: string | null | ReadonlyArray<string | null>,
  options: CompletionOptions = {},
) => ({
  id: options.id ?? "chatcmpl-scripted",
  object: "chat.completion",
  created,
  model: options.model ?? "gpt-4o",
  choices: (typeof texts === "string" || texts === null ? [texts] : texts).map((text, index) =>
    choiceOf(text, index, options),
  ),
  usage: usageOf(options.tokens ?? { prompt: 7, completion: 3 }),
})

/** A legacy `text_completion`. */
export const textCompletion = (text: string, options: CompletionOptions = {}) => ({
  id: options.id ?? "cmpl-scripted",
  object: "text_completion",
  created,
  model: options.model ?? "gpt-3.5-turbo-instruct",
  choices: [{ index: 0, text, logprobs: null, finish_reason: options.finishReason ?? "stop" }],
  usage: usageOf(options.tokens ?? { prompt: 7, completion: 3 }),
})

export interface ChunkOptions {
  readonly model?: string
  readonly id?: string
  readonly index?: number
  readonly finishReason?: string | null
}

/** A `chat.completion.chunk` with one choice that holds this delta. */
export const chunk = (delta: Readonly<Record<string, unknown>>, options: ChunkOptions = {}) => ({
  id: options.id ?? "chatcmpl-scripted",
  object: "chat.completion.chunk",
  created,
  model: options.model ?? "gpt-4o",
  choices: [
    { index: options.index ?? 0, delta, logprobs: null, finish_reason: options.finishReason ?? null },
  ],
})

/** A chunk of text. */
export const textChunk = (content: string, options: ChunkOptions = {}) => chunk({ content }, options)

/** The chunk that says why the choice ended. */
export const finishChunk = (finishReason = "stop", options: ChunkOptions = {}) =>
  chunk({}, { ...options, finishReason })

/** The chunk after the last, that `stream_options.include_usage` asks for. */
export const usageChunk = (tokens: Tokens = { prompt: 7, completion: 3 }, options: ChunkOptions = {}) => ({
  id: options.id ?? "chatcmpl-scripted",
  object: "chat.completion.chunk",
  created,
  model: options.model ?? "gpt-4o",
  choices: [],
  usage: usageOf(tokens),
})

/** What a well-behaved upstream streams for these deltas of text: role, deltas, finish reason, usage if it was asked for. */
export const chatChunks = (
  deltas: ReadonlyArray<string>,
  options: ChunkOptions & { readonly usage?: Tokens } = {},
): ReadonlyArray<unknown> => [
  chunk({ role: "assistant", content: "" }, options),
  ...deltas.map((delta) => textChunk(delta, options)),
  finishChunk("stop", options),
  ...(options.usage === undefined ? [] : [usageChunk(options.usage, options)]),
]

/** A chunk of a legacy stream. */
export const textCompletionChunk = (text: string, finishReason: string | null = null) => ({
  id: "cmpl-scripted",
  object: "text_completion",
  created,
  model: "gpt-3.5-turbo-instruct",
  choices: [{ index: 0, text, logprobs: null, finish_reason: finishReason }],
})

/** An OpenAI error body. */
export const openAiError = (
  message: string,
  { type = "server_error", code = null }: { readonly type?: string; readonly code?: string | null } = {},
) => ({ error: { message, type, param: null, code } })

/** The list `GET /models` answers. */
export const modelList = (ids: ReadonlyArray<string>) => ({
  object: "list",
  data: ids.map((id) => ({ id, object: "model", created, owned_by: "scripted" })),
})
