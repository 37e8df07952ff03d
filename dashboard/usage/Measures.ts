/** What usage is measured in. */
import type { UsageOf } from "../../src/admin/api/UsageReport.ts"

export interface Measure {
  readonly words: string
  readonly value: (usage: UsageOf) => number
  /** More of it is worse. */
  readonly isBad?: boolean
}

export const tokensOf = ({ completion_tokens: out, prompt_tokens: prompt }: UsageOf): number =>
  (prompt ?? 0) + (out ?? 0)

export const measures = {
  requests: { words: "Requests", value: ({ requests }) => requests },
  errors: { words: "Errors", value: ({ errors }) => errors, isBad: true },
  tokens: { words: "Tokens", value: tokensOf },
  prompt: { words: "Prompt tokens", value: (usage) => usage.prompt_tokens ?? 0 },
  answer: { words: "Answer tokens", value: (usage) => usage.completion_tokens ?? 0 },
} as const satisfies Readonly<Record<string, Measure>>

export type MeasureName = keyof typeof measures

export const measureNames: ReadonlyArray<MeasureName> = ["requests", "tokens", "prompt", "answer", "errors"]

export const measureNamed = (name: string | undefined): MeasureName =>
  measureNames.find((known) => known === name) ?? "tokens"
