/** The random numbers of a request, all of one seed. */
import { type Bits64, splitMix64 } from "./Hash.ts"

/** Independent random numbers in [0, 1), by index: the same index gives the same number. */
export type Draws = (index: number) => number

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
