/** Ids of traces and spans: random, in hexadecimal. Mutable on purpose. */
import { randomFillSync } from "node:crypto"

/** Asked for one at a time, random bytes were 2 % of the CPU of a gateway whose requests are all traced. */
const pool = Buffer.alloc(4_096)
let taken = pool.length

/** @param bytes 16 for a trace, 8 for a span; an id of zeros alone would be none */
export const newId = (bytes: 8 | 16): string => {
  if (taken + bytes > pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  const id = pool.toString("hex", taken, taken + bytes)
  taken += bytes
  return /[^0]/.test(id) ? id : newId(bytes)
}
