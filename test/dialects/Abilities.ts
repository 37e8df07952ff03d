/** What models take of requests, for tests. */
import type { WriteFor } from "../../src/dialects/DialectForm.ts"
import type { ModelAbilities } from "../../src/routing/ModelAbilities.ts"

export const allAbilities: ModelAbilities = {
  sampling: "always",
  topK: true,
  thinking: "adaptive",
  thinks: "when_asked",
  efforts: ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
  mostStops: undefined,
  prefill: true,
  forcedTools: "always",
  freeFormTools: true,
  schemas: true,
  laterInstructions: true,
  maxOutput: undefined,
  reasoningHistory: "all",
  capMember: "max_completion_tokens",
}

export const writeFor = (abilities: Partial<ModelAbilities> = {}): WriteFor => ({
  model: "m",
  abilities: { ...allAbilities, ...abilities },
  upstream: "u",
  cacheMarks: "keep",
})

export const askedFor = { upstream: "u", askedAt: 1_780_000_000, repeated: {} }
