/** The order in which upstreams that serve a model are tried, by the strategy in force. */
import { type Bits64, hash64, splitMix64 } from "./Hash.ts"
import type { Upstream } from "./Upstream.ts"

/** How the upstreams that match a model are ordered; see docs/routing.md. */
export type Strategy = "random" | "deterministic" | "least_connections"

/** Independent random numbers in [0, 1), by index: the same index gives the same number. */
export type Draws = (index: number) => number

/** Requests in flight at the upstream of that name. */
export type Load = (upstreamName: string) => number

/** What an order may depend on beside the upstreams themselves. */
export interface Circumstances {
  readonly draws: Draws
  readonly load: Load
  /** The conversation's leading content; asked for only where the order depends on it. */
  readonly affinity: () => string
}

/** For reading a number's bits; one for all, since a buffer for each request would be work for the garbage collector. */
const scratch = new DataView(new ArrayBuffer(8))

/** The 64 bits of a seed: an integer is itself (two's complement), any other number its IEEE 754 bits. */
const bitsOf = (seed: number): Bits64 => {
  if (Number.isSafeInteger(seed)) return { high: Math.floor(seed / 2 ** 32) | 0, low: seed | 0 }
  scratch.setFloat64(0, seed)
  return { high: scratch.getInt32(0), low: scratch.getInt32(4) }
}

/** The draws of `seed`, which may be any number (of `Math.random()` too): SplitMix64, read at any index. */
export const drawsFrom = (seed: number): Draws => {
  const bits = bitsOf(seed)
  return (index) => splitMix64(bits, index)
}

/**
 * The arrival time of an upstream in a race whose winner is `i` with probability wᵢ / Σw: exponentially distributed with rate
 * `weight`, from a uniform `unit` in [0, 1). Sorting by it gives Efraimidis and Spirakis' weighted order without replacement
 * (Weighted random sampling with a reservoir, 2006) when `unit` is drawn, and Schindelhauer and Schomaker's weighted rendezvous
 * hashing (Weighted distributed hash tables, 2005: score -w / ln h, the same race read backwards) when `unit` is a hash.
 *
 * As a logarithm, because -ln(u) / w itself overflows or vanishes for extreme weights. 1 - u is never 0, so -ln(1 - u) is finite,
 * and 0 merely arrives at -Infinity: there is no NaN.
 */
const arrival = (unit: number, weight: number): number => Math.log(-Math.log1p(-unit)) - Math.log(weight)

/** Tried only after all others: weight 0, and whatever is not a weight at all. */
export const isStandby = (upstream: Upstream): boolean => !(upstream.weight > 0)

/** Standby upstreams race each other as equals. */
const rateOf = (upstream: Upstream): number => (isStandby(upstream) ? 1 : upstream.weight)

/** A number in [0, 1) from an upstream's name and the hash of a conversation, every bit of which depends on all of both. */
const rendezvous = (name: string, conversation: Bits64): number => {
  const own = hash64(name)
  return splitMix64({ high: own.high ^ conversation.high, low: own.low ^ conversation.low }, 0)
}

interface Entrant {
  readonly upstream: Upstream
  readonly standby: boolean
  /** Smaller goes first. */
  readonly key: number
  /** Decides between equal keys, before the order of the configuration does (sorting is stable). */
  readonly tieBreak: number
}

/** By `<`, not by difference: Infinity - Infinity is NaN. */
const ascending = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

const inOrder = (entrants: ReadonlyArray<Entrant>): ReadonlyArray<Upstream> =>
  entrants
    .toSorted(
      (a, b) =>
        Number(a.standby) - Number(b.standby) || ascending(a.key, b.key) || ascending(a.tieBreak, b.tieBreak),
    )
    .map(({ upstream }) => upstream)

/**
 * All of `upstreams` in the order to try them; those of weight 0 come after all others, whatever the strategy.
 *
 * - `random`: weighted, without replacement, from `draws`.
 * - `deterministic`: weighted rendezvous hashing of name and affinity. An upstream's place depends on nothing but its own name and
 *   weight, so removing one moves only what it had, and the order holds across restarts and machines.
 * - `least_connections`: least `load` per weight; equals (all of them, where nothing is in flight) in weighted random order.
 */
export const select = (
  strategy: Strategy,
  upstreams: ReadonlyArray<Upstream>,
  { draws, load, affinity }: Circumstances,
): ReadonlyArray<Upstream> => {
  if (upstreams.length < 2) return upstreams
  switch (strategy) {
    case "random":
      return inOrder(
        upstreams.map((upstream, index) => ({
          upstream,
          standby: isStandby(upstream),
          key: arrival(draws(index), rateOf(upstream)),
          tieBreak: 0,
        })),
      )
    case "deterministic": {
      const conversation = hash64(affinity())
      return inOrder(
        upstreams.map((upstream) => ({
          upstream,
          standby: isStandby(upstream),
          key: arrival(rendezvous(upstream.name, conversation), rateOf(upstream)),
          tieBreak: 0,
        })),
      )
    }
    case "least_connections":
      return inOrder(
        upstreams.map((upstream, index) => ({
          upstream,
          standby: isStandby(upstream),
          key: load(upstream.name) / rateOf(upstream),
          tieBreak: arrival(draws(index), rateOf(upstream)),
        })),
      )
  }
}

/**
 * The probability of each of `upstreams` to stand first, in their order, under `random` (over draws) and `deterministic` (over
 * conversations): its part of the sum of weights. Where all are standby, they are equals.
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
