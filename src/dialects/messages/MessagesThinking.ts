/** How a model of Anthropic's dialect is told to think, as far as it can be told. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { ReasoningWish, Setting } from "../Conversation.ts"
import { budgetOf, effortOf } from "../Effort.ts"
import type { Losses } from "../Losses.ts"

/** What of a request thinking depends on. */
export interface ThinkingFor {
  readonly abilities: ModelAbilities
  readonly wish: Setting<ReasoningWish> | undefined
  readonly maxTokens: number
  /** A tool has to be called. */
  readonly isForced: boolean
  /** The last message is one of the model's own, or calls tools without what it thought before, as it must have it. */
  readonly isUnderWay: boolean
}

export interface Thinking {
  readonly thinking: JsonObject | undefined
  readonly effort: string | undefined
  /** Whether the model thinks, told or by itself. */
  readonly isOn: boolean
}

const leastBudget = 1024

const unsaid = ({ thinks }: ModelAbilities): Thinking => ({
  thinking: undefined,
  effort: undefined,
  isOn: thinks !== "when_asked",
})

const disabled: Thinking = { thinking: { type: "disabled" }, effort: undefined, isOn: false }

const withBudget = (asked: ThinkingFor, wish: ReasoningWish): Thinking | undefined => {
  const { isUnderWay, maxTokens } = asked
  if (maxTokens <= leastBudget || isUnderWay) return undefined
  return {
    thinking: {
      type: "enabled",
      budget_tokens: Math.min(Math.max(leastBudget, Math.floor(budgetOf(wish))), maxTokens - 1),
      ...(wish.told === "nothing" ? { display: "omitted" } : {}),
    },
    effort: undefined,
    isOn: true,
  }
}

/** Others than those that it knows are refused. */
const knownEffort = (wish: ReasoningWish, efforts: ReadonlyArray<string> = []): string | undefined => {
  const nearest = effortOf(wish, efforts)
  return nearest !== undefined && efforts.includes(nearest) ? nearest : undefined
}

const adaptively = ({ abilities }: ThinkingFor, wish: ReasoningWish): Thinking => ({
  thinking: { type: "adaptive", display: wish.told === "nothing" ? "omitted" : "summarized" },
  effort: knownEffort(wish, abilities.efforts),
  isOn: true,
})

const written = (asked: ThinkingFor, wish: ReasoningWish): Thinking | undefined => {
  switch (asked.abilities.thinking) {
    case "budget":
      return withBudget(asked, wish)
    case "adaptive":
      return adaptively(asked, wish)
    case "none":
      return undefined
  }
}

const asWished = (
  asked: ThinkingFor,
  { as, value: wish }: Setting<ReasoningWish>,
  losses: Losses,
): Thinking => {
  const { abilities } = asked
  const thinking = written(asked, wish)
  const isMeasured = wish.effort !== undefined || wish.budget !== undefined
  const isOther = abilities.thinking === "adaptive" && isMeasured && thinking?.effort !== wish.effort
  if (thinking === undefined || isOther) losses.tellUntaken(as)
  return thinking ?? unsaid(abilities)
}

const off = (abilities: ModelAbilities, as: string, losses: Losses): Thinking => {
  if (abilities.thinks === "by_default") return disabled
  if (abilities.thinks === "always") losses.tellUntaken(as)
  return unsaid(abilities)
}

export const thinkingFor = (asked: ThinkingFor, losses: Losses): Thinking => {
  const { abilities, isForced, wish } = asked
  if (wish?.value.mode === "off") return off(abilities, wish.as, losses)
  if (wish !== undefined) return asWished(asked, wish, losses)
  // What thinks by itself and was not asked to does as it is told to otherwise.
  const isInTheWay = isForced && abilities.forcedTools === "while_not_thinking"
  return isInTheWay && abilities.thinks === "by_default" ? disabled : unsaid(abilities)
}
