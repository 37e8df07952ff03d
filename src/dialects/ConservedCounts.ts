/** Counts that add up, whatever an upstream reports: each dialect then tells the same sums of them. */
import type { Counts } from "./Answer.ts"

const within = (count: number | undefined, most: number): number | undefined =>
  count === undefined ? undefined : Math.min(count, most)

/** Of the input no more was read from a cache, or written into one, than it has. */
export const conserved = (counts: Counts): Counts => {
  const { cacheWriteTokens, cachedTokens, inputTokens } = counts
  if (inputTokens === undefined || (cachedTokens ?? 0) + (cacheWriteTokens ?? 0) <= inputTokens) return counts
  const cached = within(cachedTokens, inputTokens)
  const written = within(cacheWriteTokens, inputTokens - (cached ?? 0))
  return { ...counts, cachedTokens: cached, cacheWriteTokens: written }
}

/** The output is what the total has beside the input, where that is more: several hosts (Gemini, xAI) leave out of it what was thought. */
export const withThoughts = (counts: Counts): Counts => {
  const { inputTokens, outputTokens, totalTokens } = counts
  if (inputTokens === undefined || outputTokens === undefined || totalTokens === undefined) return counts
  return totalTokens - inputTokens > outputTokens
    ? { ...counts, outputTokens: totalTokens - inputTokens }
    : counts
}
