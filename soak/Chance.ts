/** Chance that can be repeated: the same seed draws the same. */

export interface Chance {
  /** From 0 up to, but not, 1. */
  readonly next: () => number
  /** Whole, from `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number
  /** One of these, each as likely as its weight among all. */
  readonly pick: <A>(weighted: ReadonlyArray<readonly [weight: number, value: A]>) => A
}

/** Mulberry32 (Tommy Ettinger, 2017): 32 bits of state, ample for a load. */
export const chanceOf = (seed: number): Chance => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (weighted) => {
      let left = next() * weighted.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of weighted) {
        left -= weight
        if (left < 0) return value
      }
      const last = weighted.at(-1)
      if (last === undefined) throw new Error("there is nothing to pick from")
      return last[1]
    },
  }
}
