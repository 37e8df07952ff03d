/** Whether a model may be told how to draw its tokens. Several refuse a request that says so, even where it says what is so anyway. */
import type { ModelAbilities } from "../routing/ModelAbilities.ts"
import type { ReasoningWish } from "./Conversation.ts"

const isToThink = (
  { efforts, thinking, thinks }: ModelAbilities,
  wish: ReasoningWish | undefined,
): boolean => {
  if ((efforts === undefined || efforts.length === 0) && thinking === "none") return false
  if (wish === undefined) return thinks !== "when_asked"
  return wish.mode === "on" || thinks === "always"
}

/** Whether `temperature`, `top_p` and their like are taken where it is to reason like this. */
export const takesSampling = (abilities: ModelAbilities, wish: ReasoningWish | undefined): boolean =>
  abilities.sampling === "always" ||
  (abilities.sampling === "while_not_thinking" && !isToThink(abilities, wish))
