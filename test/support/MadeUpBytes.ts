/** Bytes that look random, cannot be compressed, and are the same each time. */
import { createCipheriv } from "node:crypto"

/** Other bytes for each seed, a whole number from 0. */
export const madeUpBytes = (length: number, seed = 0): Buffer =>
  createCipheriv("aes-128-ctr", String(seed).padStart(16, "0"), Buffer.alloc(16)).update(Buffer.alloc(length))
