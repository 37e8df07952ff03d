/** What an answer cost, in tokens and whatever else is paid for, read from the `usage` an upstream reports in any of the spellings in use. */
import { isJsonObject, type JsonObject } from "../wire/Json.ts"

/** Counts of what is paid for. What was not reported is `undefined`, never 0. */
export interface Usage {
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  readonly totalTokens: number | undefined
  /** Of the input, those read from the upstream's cache. */
  readonly cachedTokens: number | undefined
  /** Of the output, those spent on reasoning. */
  readonly reasoningTokens: number | undefined
  /** Of the input, those written into the upstream's cache. */
  readonly cacheWriteTokens: number | undefined
  /** Of the input and the output together, those of audio. */
  readonly audioTokens: number | undefined
  /** Of the input and the output together, those of images. */
  readonly imageTokens: number | undefined
  /** What is paid of a rerank: a query and so many documents (Cohere). */
  readonly searchUnits: number | undefined
  /** Of the sound that was heard. */
  readonly audioSeconds: number | undefined
  /** Made, as the answer holds them. */
  readonly images: number | undefined
}

/** Nothing was reported. */
export const noUsage: Usage = {
  inputTokens: undefined,
  outputTokens: undefined,
  totalTokens: undefined,
  cachedTokens: undefined,
  reasoningTokens: undefined,
  cacheWriteTokens: undefined,
  audioTokens: undefined,
  imageTokens: undefined,
  searchUnits: undefined,
  audioSeconds: undefined,
  images: undefined,
}

/** A count of tokens, or `undefined` for whatever an upstream may send in its place. */
const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined

/** An amount that need not be whole. */
export const amount = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined

const details = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})

/** What is known of both together. */
const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b

/**
 * The counts in a `usage` member: OpenAI's names first (its transcripts have `input_token_details`), then those of Anthropic and of OpenAI's Responses (`input_tokens`,
 * `output_tokens`, `cache_read_input_tokens`, `cache_creation_input_tokens`) and DeepSeek's (`prompt_cache_hit_tokens`). Sound is counted in `seconds`
 * where that is its `type`, and in Mistral's `prompt_audio_seconds`. Anything that is no such number counts as not reported.
 */
export const readUsage = (usage: unknown): Usage => {
  if (!isJsonObject(usage)) return noUsage
  const input = details(
    usage["prompt_tokens_details"] ?? usage["input_tokens_details"] ?? usage["input_token_details"],
  )
  const output = details(usage["completion_tokens_details"] ?? usage["output_tokens_details"])
  return {
    inputTokens: count(usage["prompt_tokens"]) ?? count(usage["input_tokens"]),
    outputTokens: count(usage["completion_tokens"]) ?? count(usage["output_tokens"]),
    totalTokens: count(usage["total_tokens"]),
    cachedTokens:
      count(input["cached_tokens"]) ??
      count(usage["cache_read_input_tokens"]) ??
      count(usage["prompt_cache_hit_tokens"]),
    reasoningTokens: count(output["reasoning_tokens"]) ?? count(usage["reasoning_tokens"]),
    cacheWriteTokens: count(input["cache_write_tokens"]) ?? count(usage["cache_creation_input_tokens"]),
    audioTokens: sum(count(input["audio_tokens"]), count(output["audio_tokens"])),
    imageTokens: sum(count(input["image_tokens"]), count(output["image_tokens"])),
    searchUnits: amount(usage["search_units"]),
    audioSeconds: amount(usage["type"] === "duration" ? usage["seconds"] : usage["prompt_audio_seconds"]),
    images: undefined,
  }
}

/** A count of a later report; 0 is no news of what was counted before. */
const later = (before: number | undefined, now: number | undefined): number | undefined =>
  now === undefined || (now === 0 && before !== undefined) ? before : now

/**
 * Usage that comes in pieces (the input first, the output at the end, or more of it with each chunk): of each count the last word. A total that was
 * said before another count came is that of the counts, no longer the one that was said.
 */
export const mergeUsage = (before: Usage, now: Usage): Usage => {
  const inputTokens = later(before.inputTokens, now.inputTokens)
  const outputTokens = later(before.outputTokens, now.outputTokens)
  const isOutdated = inputTokens !== before.inputTokens || outputTokens !== before.outputTokens
  const said = later(before.totalTokens, now.totalTokens)
  const isSummed = now.totalTokens === undefined && before.totalTokens !== undefined && isOutdated
  return {
    inputTokens,
    outputTokens,
    totalTokens:
      isSummed && inputTokens !== undefined && outputTokens !== undefined ? inputTokens + outputTokens : said,
    cachedTokens: later(before.cachedTokens, now.cachedTokens),
    reasoningTokens: later(before.reasoningTokens, now.reasoningTokens),
    cacheWriteTokens: later(before.cacheWriteTokens, now.cacheWriteTokens),
    audioTokens: later(before.audioTokens, now.audioTokens),
    imageTokens: later(before.imageTokens, now.imageTokens),
    searchUnits: later(before.searchUnits, now.searchUnits),
    audioSeconds: later(before.audioSeconds, now.audioSeconds),
    images: later(before.images, now.images),
  }
}
