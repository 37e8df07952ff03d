/** What a model takes of a request: several settings are written by it, and not by the dialect alone. */

/** When a model takes what not every one does. */
export const takenWhen = ["always", "while_not_thinking", "never"] as const

export type TakenWhen = (typeof takenWhen)[number]

/** In messages: by a budget of tokens, adaptively with an effort, or not at all. */
export const thinkingForms = ["budget", "adaptive", "none"] as const

/** `always` where it cannot be told not to. */
export const thinksWhen = ["when_asked", "by_default", "always"] as const

/** Nothing, what it thought since the user spoke last, or all. */
export const reasoningHistories = ["none", "tool_loop", "all"] as const

/** From the least to the most; `none` is not to reason. */
export const allEfforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const

export interface ModelAbilities {
  /** Whether `temperature`, `top_p` and `top_k` are taken. */
  readonly sampling: TakenWhen
  /** Chat: takes `top_k`, which OpenAI's own does not have. */
  readonly topK: boolean
  /** How reasoning is asked for in messages. */
  readonly thinking: (typeof thinkingForms)[number]
  /** When it reasons. */
  readonly thinks: (typeof thinksWhen)[number]
  /** The efforts it knows, from the least to the most; empty where it takes none, `undefined` where that is not known. */
  readonly efforts: ReadonlyArray<string> | undefined
  /** Chat: the stop words that it takes at most; any number where that is not known. */
  readonly mostStops: number | undefined
  /** Goes on from a message of its own. */
  readonly prefill: boolean
  /** Whether it can be made to call a tool. */
  readonly forcedTools: TakenWhen
  /** Knows tools that take any text. */
  readonly freeFormTools: boolean
  /** Messages: answers in the form of a JSON Schema, and calls tools strictly by theirs. */
  readonly schemas: boolean
  /** Messages: takes instructions later than at the beginning as what they are. */
  readonly laterInstructions: boolean
  /** Tokens that an answer has at most; what messages are asked for where the caller does not say. */
  readonly maxOutput: number | undefined
  /** What of its earlier reasoning it is told again in chat. */
  readonly reasoningHistory: (typeof reasoningHistories)[number]
  /** The member by which chat caps answers. */
  readonly capMember: "max_completion_tokens" | "max_tokens"
}
