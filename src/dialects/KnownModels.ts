/** What models take that are known by their names; data of November 2026. A client's entry may say otherwise. */
import type { ModelAbilities } from "../routing/ModelAbilities.ts"

/** Of a model that nothing is known of, as most hosts of open models serve them. */
const unknown: ModelAbilities = {
  sampling: "always",
  topK: false,
  thinking: "budget",
  thinks: "when_asked",
  efforts: undefined,
  mostStops: undefined,
  prefill: true,
  forcedTools: "always",
  freeFormTools: false,
  schemas: false,
  laterInstructions: false,
  maxOutput: undefined,
  reasoningHistory: "none",
  capMember: "max_tokens",
}

const claude3: ModelAbilities = { ...unknown, thinking: "none", maxOutput: 4096 }

const claude4: ModelAbilities = {
  ...unknown,
  sampling: "while_not_thinking",
  forcedTools: "while_not_thinking",
  maxOutput: 32_000,
}

/** They answer by schemas, too. */
const claude45: ModelAbilities = { ...claude4, schemas: true, maxOutput: 64_000 }

const claude46: ModelAbilities = {
  ...claude45,
  thinking: "adaptive",
  efforts: ["low", "medium", "high", "max"],
  prefill: false,
}

const claude47: ModelAbilities = {
  ...claude46,
  sampling: "never",
  efforts: ["low", "medium", "high", "xhigh", "max"],
  maxOutput: 128_000,
}

const claude48: ModelAbilities = { ...claude47, laterInstructions: true }

const claude5: ModelAbilities = { ...claude48, thinks: "by_default" }

const claude55: ModelAbilities = { ...claude5, thinks: "always", forcedTools: "never" }

/** OpenAI's models that reason. Who serves them in messages takes a budget as for any model, and makes an effort of it. */
const reasoner: ModelAbilities = {
  ...unknown,
  sampling: "never",
  thinks: "always",
  efforts: ["low", "medium", "high"],
  mostStops: 0,
  prefill: false,
  capMember: "max_completion_tokens",
}

const gpt5: ModelAbilities = {
  ...reasoner,
  freeFormTools: true,
  efforts: ["minimal", "low", "medium", "high"],
}

/** They do not reason unless they are asked to. */
const gpt51: ModelAbilities = {
  ...gpt5,
  sampling: "while_not_thinking",
  thinks: "when_asked",
  efforts: ["none", "low", "medium", "high", "xhigh"],
}

/** OpenAI's models that do not reason, and refuse an effort. */
const gpt4: ModelAbilities = { ...unknown, thinking: "none", efforts: [], mostStops: 4 }

const gpt6: ModelAbilities = { ...gpt5, efforts: ["low", "medium", "high", "xhigh"] }

/** Reason, and are told how much of it in chat. */
const withEfforts: ModelAbilities = { ...unknown, efforts: ["low", "medium", "high"] }

/**
 * By what models are called, whatever stands before it (`anthropic/`, `us.anthropic.`) or behind (a date, `-v1:0`, `@20250929`), with dashes for all
 * that parts words and numbers. The first that is found in a name counts: of two that begin alike, the longer stands first.
 */
const table: ReadonlyArray<readonly [names: ReadonlyArray<string>, abilities: ModelAbilities]> = [
  [
    [
      "claude-sonnet-5-5",
      "claude-opus-5-5",
      "claude-fable-5-1",
      "claude-fable-5-2",
      "claude-mythos-5-1",
      "claude-mythos-5-2",
    ],
    claude55,
  ],
  [["claude-haiku-5-5"], { ...claude5, forcedTools: "always", maxOutput: 64_000 }],
  [["claude-sonnet-5", "claude-opus-5", "claude-fable-5", "claude-mythos-5", "claude-mythos"], claude5],
  [["claude-opus-4-8"], claude48],
  [["claude-opus-4-7"], claude47],
  [["claude-opus-4-6"], { ...claude46, maxOutput: 128_000 }],
  [["claude-sonnet-4-6"], claude46],
  [["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"], claude45],
  [["claude-opus-4-1"], { ...claude4, schemas: true }],
  [["claude-opus-4", "claude-4-opus"], claude4],
  [["claude-sonnet-4", "claude-4-sonnet"], { ...claude4, maxOutput: 64_000 }],
  [["claude-3-7"], { ...claude4, maxOutput: 64_000 }],
  [["claude-3-5"], { ...claude3, maxOutput: 8192 }],
  [["claude-3", "claude-2", "claude-instant"], claude3],
  // What came later is taken for the strictest of those that are known.
  [["claude"], claude55],
  [["gpt-oss"], withEfforts],
  [["gpt-5-chat"], { ...gpt4, capMember: "max_completion_tokens" }],
  [["gpt-4", "gpt-4o", "chatgpt-4o", "gpt-4-1", "gpt-4-5", "gpt-3-5"], gpt4],
  [["gpt-5-1", "gpt-5-2", "gpt-5-3", "gpt-5-4", "gpt-5-5"], gpt51],
  [["gpt-5"], gpt5],
  [["gpt-6", "gpt-6-1"], gpt6],
  [["o1-mini", "o1-preview"], { ...reasoner, thinking: "none", efforts: [] }],
  [["o1", "o3", "o4-mini"], reasoner],
  [["gemini-2-5", "gemini-3", "gemini-3-1"], withEfforts],
  // They ask back for what they thought between calls of tools.
  [["deepseek", "kimi", "glm", "minimax"], { ...unknown, reasoningHistory: "tool_loop" }],
  [["grok-3-mini"], { ...unknown, efforts: ["low", "high"] }],
]

/** What a model takes, by its upstream's name for it. */
export const abilitiesOf = (model: string): ModelAbilities => {
  const name = `-${model.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-`
  return table.find(([names]) => names.some((one) => name.includes(`-${one}-`)))?.[1] ?? unknown
}
