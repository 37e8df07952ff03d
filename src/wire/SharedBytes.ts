/**
 * Memory that threads share, which the engine lets go of in time.
 *
 * V8 counts no shared memory as memory of a thread, so gigabytes of it that nobody refers to are no reason for it to collect anything: 64 refused bodies of
 * 50 MB took 3 GB. So each stands with a weight beside it, an ordinary buffer as long, which is counted and never written to: it takes addresses, no memory.
 */

declare global {
  interface ArrayBufferConstructor {
    /** ES2024, in Node since 20. */
    new (byteLength: number, options: { readonly maxByteLength: number }): ArrayBuffer
  }
}

/** Shorter ones come seldom without other garbage, and are not worth a mapping each. */
const leastWeighed = 256 * 1024

const weights = new WeakMap<ArrayBufferLike, ArrayBuffer>()

/**
 * Gives shared bytes their weight in this thread, and gives them back. What another thread sent is to be weighed as well: each thread that was given
 * shared memory keeps it alive until it collects its own word for it.
 */
export const weighed = (bytes: Uint8Array): Uint8Array => {
  const { buffer } = bytes
  const { byteLength } = buffer
  if (byteLength >= leastWeighed && buffer instanceof SharedArrayBuffer && !weights.has(buffer)) {
    // One that could be resized has its addresses from the system, which gives memory for those that are touched.
    weights.set(buffer, new ArrayBuffer(byteLength, { maxByteLength: byteLength }))
  }
  return bytes
}

/** So many bytes of shared memory. */
export const sharedBytes = (length: number): Uint8Array =>
  weighed(new Uint8Array(new SharedArrayBuffer(length)))
