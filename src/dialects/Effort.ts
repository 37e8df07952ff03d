/** How much a model is to reason, in efforts and in tokens, each out of the other. The steps of tokens are those of LiteLLM's catalogue, November 2026. */
import { allEfforts as knownEfforts, type ModelAbilities } from "../routing/ModelAbilities.ts"
import type { ReasoningWish, Setting } from "./Conversation.ts"
import type { Losses } from "./Losses.ts"

const allEfforts: ReadonlyArray<string> = knownEfforts

const budgets: ReadonlyArray<readonly [least: number, effort: string]> = [
  [4_096, "high"],
  [2_048, "medium"],
  [1_024, "low"],
]

const effortOfBudget = (budget: number): string =>
  budgets.find(([least]) => budget >= least)?.[1] ?? "minimal"

const rankOf = (effort: string): number => allEfforts.indexOf(effort)

/** The nearest of the efforts that a model knows, the lesser one of two as near; as it is said where none are known, or it is no effort. */
export const nearestEffort = (effort: string, known: ReadonlyArray<string>): string => {
  const rank = rankOf(effort)
  if (known.length === 0 || rank < 0 || known.includes(effort)) return effort
  const distance = (one: string): number => Math.abs(rankOf(one) - rank)
  return known.reduce((best, one) => (distance(one) < distance(best) ? one : best))
}

/** The effort that is wished for, of those a model knows; `undefined` where nothing is said that an effort could say. */
export const effortOf = (
  { budget, effort, mode }: ReasoningWish,
  known: ReadonlyArray<string>,
): string | undefined => {
  if (mode === "off") return nearestEffort("none", known)
  const wished = effort ?? (budget === undefined ? undefined : effortOfBudget(budget))
  return wished === undefined ? undefined : nearestEffort(wished, known)
}

/**
 * The effort that OpenAI's dialects say. What is not to think, and knows no `none`, is told nothing where it thinks only when it is asked to, and to think
 * as little as it can where it does so anyway; another effort than was wished for is told. To think without more is to do so with a medium effort.
 */
export const effortFor = (
  { as, value: wish }: Setting<ReasoningWish>,
  { efforts, thinks }: ModelAbilities,
  losses: Losses,
): string | undefined => {
  if (efforts?.length === 0) {
    if (wish.mode === "on" || thinks !== "when_asked") losses.tellUntaken(as)
    return undefined
  }
  const effort = effortOf(wish, efforts ?? [])
  if (wish.mode === "off") {
    // Servers that are older than `none` refuse it, and nothing is known of this one.
    if (effort === "none" && efforts !== undefined) return effort
    if (thinks === "when_asked") return undefined
    losses.tellUntaken(as)
    return effort
  }
  if (effort === undefined && thinks === "when_asked") return nearestEffort("medium", efforts ?? [])
  if (wish.effort !== undefined && effort !== wish.effort) losses.tellUntaken(as)
  return effort
}

const tokens: ReadonlyMap<string, number> = new Map([
  ["minimal", 1_024],
  ["low", 1_024],
  ["medium", 2_048],
  ["high", 4_096],
  ["xhigh", 8_192],
  ["max", 16_384],
])

/** As many tokens as an effort is worth; those of `medium` for what is no effort. */
export const budgetOf = ({ budget, effort }: ReasoningWish): number =>
  budget ?? tokens.get(effort ?? "medium") ?? 2_048
