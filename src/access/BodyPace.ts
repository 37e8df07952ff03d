/** How fast a client must send its body at least: who sends slower keeps a place, and what it has sent, for no use of its own. */

/** Slower than any network that people use, and than any client that means to be heard. */
export const leastBytesPerSecond = 1_024

/** Whether so many bytes are too few for the time they took. */
export const isTooSlow = (bytes: number, ms: number): boolean => bytes * 1_000 < leastBytesPerSecond * ms
