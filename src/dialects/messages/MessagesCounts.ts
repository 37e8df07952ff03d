/** Tokens as Anthropic counts them, who leaves out of the input what was read from a cache and written to one; and what tariffs are called. */
import type { JsonObject } from "../../wire/Json.ts"
import type { Counts } from "../Answer.ts"

/** What is not known is told as nothing: SDKs add these up. */
const usageParts = ({
  cacheWriteTokens,
  cachedTokens,
  inputTokens,
  outputTokens,
  reasoningTokens,
}: Counts) => {
  const [read, written] = [cachedTokens ?? 0, cacheWriteTokens ?? 0]
  return {
    input_tokens: Math.max(0, (inputTokens ?? 0) - read - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: outputTokens ?? 0,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  }
}

/** The usage that comes at the end of a stream. */
export const writtenDeltaUsage = (counts: Counts): JsonObject => usageParts(counts)

/** As OpenAI calls them. Anthropic has further ones. */
const tiers: ReadonlyMap<string, string> = new Map([
  ["standard", "default"],
  ["priority", "priority"],
  ["batch", "batch"],
])

export const tierOf = (tier: string | undefined): string | undefined =>
  tier === undefined ? undefined : (tiers.get(tier) ?? tier)

const writtenTier = (tier: string | undefined): string | null => {
  const own = tier === "default" ? "standard" : tier
  return own !== undefined && tiers.has(own) ? own : null
}

/** The usage of a whole message, or of one that begins. */
export const writtenUsage = (counts: Counts, tier: string | undefined): JsonObject => ({
  ...usageParts(counts),
  cache_creation: null,
  inference_geo: null,
  service_tier: writtenTier(tier),
})
