/**
 * That a conversation is longer than its model's context. Each provider says so in words of its own; agents look for those of one family,
 * and make the conversation or its answer shorter then.
 */
import type { JsonObject } from "../../wire/Json.ts"
import type { ShapedError } from "../SaidError.ts"

/** Tokens, as far as they are told: of the conversation, for its answer, and at most of both. */
export interface TooLong {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly limit: number | undefined
}

/** OpenAI's code for it. */
export const tooLongCode = "context_length_exceeded"

const labels: ReadonlySet<string | null> = new Set([
  tooLongCode,
  "context_window_exceeded",
  "exceed_context_size_error",
  "model_max_prompt_tokens_exceeded",
])

/** The numbers first: of what fits several, the first is right. */
const wordings: ReadonlyArray<RegExp> = [
  // Anthropic.
  /prompt is too long: (?<input>\d{1,9}) tokens > (?<limit>\d{1,9})/i,
  /exceed context limit: (?<input>\d{1,9}) \+ (?<output>\d{1,9}) > (?<limit>\d{1,9})/i,
  // vLLM.
  /too large: (?<output>\d{1,9})\b.{0,40}context length is (?<limit>\d{1,9}) tokens and your request has (?<input>\d{1,9}) input/i,
  /passed (?<input>\d{1,9}) input tokens and requested (?<output>\d{1,9}) output tokens.{0,60}context length is only (?<limit>\d{1,9})/i,
  // OpenRouter.
  /context length is (?<limit>\d{1,9}) tokens.{0,60}?(?<input>\d{1,9}) of text input, (?:(?<tools>\d{1,9}) of tool input, )?(?<output>\d{1,9}) in the output/i,
  // OpenAI, DeepSeek, vLLM before, SGLang.
  /context length (?:of|is) (?<limit>\d{1,9}) tokens.{0,40}?requested (?:a total of )?\d{1,9} tokens.{1,3}?(?<input>\d{1,9}) (?:in|tokens from) .{0,40}?(?<output>\d{1,9}) (?:in|for|tokens for) the completion/i,
  /context length is (?<limit>\d{1,9}) tokens.{0,40}?(?:resulted in|your request has|requested(?: about)?) (?<input>\d{1,9})/i,
  // SGLang, llama.cpp, Gemini, xAI, Copilot, Kimi, Mistral.
  /input \((?<input>\d{1,9}) tokens\) is longer than the model's context length \((?<limit>\d{1,9})/i,
  /request \((?<input>\d{1,9}) tokens\) exceeds the available context size \((?<limit>\d{1,9})/i,
  /input token count \(?(?<input>\d{1,9})\)? exceeds the maximum number of tokens allowed \(?(?<limit>\d{1,9})/i,
  /maximum prompt length is (?<limit>\d{1,9}) but the request contains (?<input>\d{1,9})/i,
  /prompt token count of (?<input>\d{1,9}) exceeds the limit of (?<limit>\d{1,9})/i,
  /exceeded model token limit: (?<limit>\d{1,9})(?: \(requested: (?<input>\d{1,9}))?/i,
  /prompt contains (?<input>\d{1,9}) tokens.{0,60}?too large for model with (?<limit>\d{1,9}) maximum context length/i,
  // DashScope.
  /range of input length should be \[\d{1,9}, ?(?<limit>\d{1,9})\]/i,
  // Whoever else, and without numbers.
  /(?:prompt|input) is too long\b|maximum context length|context (?:length|window|size) (?:is )?(?:exceeded|exceeds)|exceeds? (?:the )?(?:model's )?(?:available |maximum )?context (?:length|window|size)|(?:greater|longer) than the (?:model's )?context (?:length|window)|input token count.{0,40}exceeds the maximum|reduce the length of the messages/i,
]

/** As much of a message is looked at. */
const longestLooked = 1_000

const count = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text)

const ofMember = (value: JsonObject[string] | undefined): number | undefined =>
  typeof value === "number" ? value : undefined

/**
 * What an error says of a conversation that is too long; `undefined` where it says something else.
 *
 * @param members the provider's own: llama.cpp has the numbers there
 */
export const tooLongIn = (
  { code, message, type }: ShapedError,
  members: JsonObject = {},
): TooLong | undefined => {
  const looked = message.slice(0, longestLooked)
  let said: RegExpExecArray | null = null
  for (const wording of wordings) {
    said = wording.exec(looked)
    if (said !== null) break
  }
  if (said === null && !labels.has(code) && !labels.has(type)) return undefined
  const { input, limit, output, tools = "0" } = said?.groups ?? {}
  return {
    input: input === undefined ? ofMember(members["n_prompt_tokens"]) : Number(input) + Number(tools),
    output: count(output),
    limit: count(limit) ?? ofMember(members["n_ctx"]),
  }
}

/** What this gateway says for a provider, with the provider's own words behind. */
const withOwn = (words: string, { message }: ShapedError): string => `${words} (${message})`

const anthropicWords = ({ input, limit, output }: TooLong): string => {
  if (input === undefined || limit === undefined) return "prompt is too long"
  return output !== undefined && input <= limit
    ? `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`
    : `prompt is too long: ${input} tokens > ${limit} maximum`
}

const anthropicAlready = /prompt is too long|input length and `max_tokens` exceed context limit/

/** In the words by which Anthropic's clients know it. */
export const inAnthropicWords = (tooLong: TooLong, error: ShapedError): string =>
  anthropicAlready.test(error.message) ? error.message : withOwn(anthropicWords(tooLong), error)

const openAiWords = ({ input, limit, output }: TooLong): string => {
  if (input === undefined || limit === undefined) {
    return "Your input exceeds the context window of this model. Please adjust your input and try again."
  }
  const most = `This model's maximum context length is ${limit} tokens. However,`
  return output !== undefined && input <= limit
    ? `${most} you requested ${input + output} tokens (${input} in the messages, ${output} in the completion). Please reduce the length of the messages or completion.`
    : `${most} your messages resulted in ${input} tokens. Please reduce the length of the messages.`
}

const openAiAlready = /context (?:length|window|size)/i

/** In the words by which OpenAI's clients know it. */
export const inOpenAiWords = (tooLong: TooLong, error: ShapedError): string =>
  openAiAlready.test(error.message) ? error.message : withOwn(openAiWords(tooLong), error)
