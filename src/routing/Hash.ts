/**
 * 64-bit mixing and hashing in plain 32-bit operations: the same numbers on every machine and Node version, and no `BigInt` on
 * the way of a request.
 */

/** 64 bits as two 32-bit halves; whether a half is signed does not matter. */
export interface Bits64 {
  readonly high: number
  readonly low: number
}

/** SplitMix64's increment, the golden ratio's fraction in 64 bits. */
const gamma: Bits64 = { high: 0x9e3779b9, low: 0x7f4a7c15 }

/** The upper 32 bits of the unsigned product of two 32-bit numbers; `Math.imul` gives the lower ones. */
const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const first = aHigh * bLow + ((aLow * bLow) >>> 16)
  const second = aLow * bHigh + (first & 0xffff)
  return (aHigh * bHigh + (first >>> 16) + (second >>> 16)) | 0
}

/**
 * What SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014) seeded with `seed` draws after
 * `index` earlier draws: its upper 53 bits as a number in [0, 1). `index` is a whole number below 2³².
 */
export const splitMix64 = (seed: Bits64, index: number): number => {
  // The state is seed + (index + 1) · gamma, so any draw is had without those before it.
  const count = (index + 1) | 0
  const added = Math.imul(count, gamma.low)
  let low = (seed.low + added) | 0
  const carry = low >>> 0 < added >>> 0 ? 1 : 0
  let high = (seed.high + multiplyHigh(count, gamma.low) + Math.imul(count, gamma.high) + carry) | 0

  low ^= (low >>> 30) | (high << 2)
  high ^= high >>> 30
  high = (multiplyHigh(low, 0x1ce4e5b9) + Math.imul(high, 0x1ce4e5b9) + Math.imul(low, 0xbf58476d)) | 0
  low = Math.imul(low, 0x1ce4e5b9)

  low ^= (low >>> 27) | (high << 5)
  high ^= high >>> 27
  high = (multiplyHigh(low, 0x133111eb) + Math.imul(high, 0x133111eb) + Math.imul(low, 0x94d049bb)) | 0
  low = Math.imul(low, 0x133111eb)

  low ^= (low >>> 31) | (high << 1)
  high ^= high >>> 31
  return ((high >>> 0) * 2 ** 21 + (low >>> 11)) / 2 ** 53
}

const scrambled = (block: number): number => {
  const k = Math.imul(block, 0xcc9e2d51)
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593)
}

const absorbed = (hash: number, k: number): number => {
  const h = hash ^ k
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

const finished = (hash: number, bytes: number): number => {
  let h = hash ^ bytes
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/**
 * MurmurHash3_x86_32 (Austin Appleby, 2011) of the text's UTF-16LE bytes, with seed 0 as the low half and seed 0x9e3779b9 as the
 * high half. UTF-16 because strings are that already: no encoding pass, and any language can repeat it.
 */
export const hash64 = (text: string): Bits64 => {
  let low = 0
  let high = 0x9e3779b9 | 0
  const paired = text.length & ~1
  for (let at = 0; at < paired; at += 2) {
    const k = scrambled(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
    low = absorbed(low, k)
    high = absorbed(high, k)
  }
  if (paired < text.length) {
    const k = scrambled(text.charCodeAt(paired))
    low ^= k
    high ^= k
  }
  const bytes = text.length * 2
  return { high: finished(high, bytes), low: finished(low, bytes) }
}
