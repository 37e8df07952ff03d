/** The order in which upstreams that serve a model are tried, by the strategy in force. */
import { isStandby } from "./strategies/Race.ts"
import { type Strategy, strategies } from "./strategies/Strategies.ts"
import type { Circumstances } from "./strategies/Strategy.ts"
import type { Upstream } from "./Upstream.ts"

/** All of `upstreams` in the order to try them; those of weight 0 come after all others, whatever the strategy. */
export const select = (
  strategy: Strategy,
  upstreams: ReadonlyArray<Upstream>,
  circumstances: Circumstances,
): ReadonlyArray<Upstream> =>
  upstreams.length < 2 ? upstreams : strategies[strategy].order(upstreams, circumstances)

/**
 * The probability of each of `upstreams` to stand first, in their order, under a strategy by shares: its part of the sum of weights. Where all are standby, they are equals.
 */
export const shares = (upstreams: ReadonlyArray<Upstream>): ReadonlyArray<number> => {
  const weights = upstreams.map((upstream) => (isStandby(upstream) ? 0 : upstream.weight))
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  if (largest === 0) return upstreams.map(() => 1 / upstreams.length)
  // In terms of the largest, so that the sum of huge weights stays finite.
  const relative = weights.map((weight) => weight / largest)
  const sum = relative.reduce((total, part) => total + part, 0)
  return relative.map((part) => part / sum)
}
