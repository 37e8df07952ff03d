/**
 * What a message cost in tokens, as Anthropic counts: the input without what was read from its cache and written to it, which are counted apart. Here,
 * as everywhere, the input is all of it.
 */
import { isJsonObject, type Json } from "../../wire/Json.ts"
import { noUsage, type Usage } from "../Usage.ts"
import { within } from "./MessageEvent.ts"

/** The counts as they are said. What was not said is `undefined`, never 0. */
export interface MessageCounts {
  /** What was neither read from a cache nor written to one. */
  readonly fresh: number | undefined
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly output: number | undefined
  /** Of the output. */
  readonly thinking: number | undefined
}

export const noCounts: MessageCounts = {
  fresh: undefined,
  cacheRead: undefined,
  cacheWrite: undefined,
  output: undefined,
  thinking: undefined,
}

const count = (value: Json | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined

const sum = (...counts: ReadonlyArray<number | undefined>): number | undefined => {
  const known = counts.filter((one) => one !== undefined)
  return known.length === 0 ? undefined : known.reduce((all, one) => all + one, 0)
}

/** The counts of a `usage`. */
export const readCounts = (usage: Json | undefined): MessageCounts => {
  if (!isJsonObject(usage)) return noCounts
  const written = within(usage, "cache_creation")
  return {
    fresh: count(usage["input_tokens"]),
    cacheRead: count(usage["cache_read_input_tokens"]),
    cacheWrite:
      count(usage["cache_creation_input_tokens"]) ??
      sum(count(written["ephemeral_5m_input_tokens"]), count(written["ephemeral_1h_input_tokens"])),
    output: count(usage["output_tokens"]),
    thinking: count(within(usage, "output_tokens_details")["thinking_tokens"]),
  }
}

const larger = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b)

/** Counts that come in pieces, each as much as there was until then: of each the largest. */
export const mergeCounts = (before: MessageCounts, now: MessageCounts): MessageCounts => ({
  fresh: larger(before.fresh, now.fresh),
  cacheRead: larger(before.cacheRead, now.cacheRead),
  cacheWrite: larger(before.cacheWrite, now.cacheWrite),
  output: larger(before.output, now.output),
  thinking: larger(before.thinking, now.thinking),
})

/** The same as everything else counts: no token twice, and none left out. */
export const usageOf = ({ cacheRead, cacheWrite, fresh, output, thinking }: MessageCounts): Usage => {
  const input = sum(fresh, cacheRead, cacheWrite)
  return {
    ...noUsage,
    inputTokens: input,
    outputTokens: output,
    totalTokens: input === undefined || output === undefined ? undefined : input + output,
    cachedTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    reasoningTokens: thinking,
  }
}
