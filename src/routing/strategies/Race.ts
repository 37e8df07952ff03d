/** Upstreams put in order by a race: who arrives first goes first, and standby after all others. */
import type { Upstream } from "../Upstream.ts"

/**
 * The arrival time of an upstream in a race whose winner is `i` with probability wᵢ / Σw: exponentially distributed with rate
 * `weight`, from a uniform `unit` in [0, 1). Sorting by it gives Efraimidis and Spirakis' weighted order without replacement
 * (Weighted random sampling with a reservoir, 2006) when `unit` is drawn, and Schindelhauer and Schomaker's weighted rendezvous
 * hashing (Weighted distributed hash tables, 2005: score -w / ln h, the same race read backwards) when `unit` is a hash.
 *
 * As a logarithm, because -ln(u) / w itself overflows or vanishes for extreme weights. 1 - u is never 0, so -ln(1 - u) is finite,
 * and 0 merely arrives at -Infinity: there is no NaN.
 */
export const arrival = (unit: number, weight: number): number =>
  Math.log(-Math.log1p(-unit)) - Math.log(weight)

/** Tried only after all others: weight 0, and whatever is not a weight at all. */
export const isStandby = (upstream: Upstream): boolean => !(upstream.weight > 0)

/** Standby upstreams race each other as equals. */
export const rateOf = (upstream: Upstream): number => (isStandby(upstream) ? 1 : upstream.weight)

export interface Entrant {
  readonly upstream: Upstream
  readonly standby: boolean
  /** Smaller goes first. */
  readonly key: number
  /** Decides between equal keys, before the order of the configuration does (sorting is stable). */
  readonly tieBreak: number
}

/** By `<`, not by difference: Infinity - Infinity is NaN. */
const ascending = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

/** Those who race in the order of their arrival. */
export const inOrder = (entrants: ReadonlyArray<Entrant>): ReadonlyArray<Upstream> =>
  entrants
    .toSorted(
      (a, b) =>
        Number(a.standby) - Number(b.standby) || ascending(a.key, b.key) || ascending(a.tieBreak, b.tieBreak),
    )
    .map(({ upstream }) => upstream)
