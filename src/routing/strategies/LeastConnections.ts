/** `least_connections`: least load per weight; equals (all of them, where nothing is in flight) in weighted random order. */
import { arrival, inOrder, isStandby, rateOf } from "./Race.ts"
import type { StrategyRow } from "./Strategy.ts"

export const leastConnections: StrategyRow = {
  order: (upstreams, { draws, load }) =>
    inOrder(
      upstreams.map((upstream, index) => ({
        upstream,
        standby: isStandby(upstream),
        key: load(upstream.name) / rateOf(upstream),
        tieBreak: arrival(draws(index), rateOf(upstream)),
      })),
    ),
  first: { whoever: "has the fewest requests under way" },
  meaning: "takes the client with the fewest requests under way per weight",
  explained: {
    anyPrompt: "fewest requests in flight per priority first, equals in weighted random order",
    thisPrompt: "fewest requests in flight per priority first, equals in weighted random order",
  },
}
