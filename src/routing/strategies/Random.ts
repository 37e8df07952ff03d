/** `random`: weighted, without replacement, by the draws of the request. */
import { arrival, inOrder, isStandby, rateOf } from "./Race.ts"
import type { StrategyRow } from "./Strategy.ts"

export const random: StrategyRow = {
  order: (upstreams, { draws }) =>
    inOrder(
      upstreams.map((upstream, index) => ({
        upstream,
        standby: isStandby(upstream),
        key: arrival(draws(index), rateOf(upstream)),
        tieBreak: 0,
      })),
    ),
  first: { sharesOf: "requests" },
  meaning: "draws by weight",
  explained: {
    anyPrompt: "each request draws its order, share = who is first",
    thisPrompt: "each request draws its order, share = who is first",
  },
}
