/** How the strings of a JSON text are passed over in its bytes: looked at one by one first, and then searched through for the next quote. */

export const quote = 0x22
export const backslash = 0x5c

/** How far inside a string each byte is looked at, before its end is searched for: where quotes are dense, a search costs more than a look. */
export const nearBytes = 32

/** Where the next quote is, escaped or not; -1 where there is none. A search of the C library's: through much the fastest there is. */
export const nextQuote = (bytes: Uint8Array, from: number): number =>
  Buffer.prototype.indexOf.call(bytes, quote, from)

/** How many backslashes stand before `end`, one behind the other, and none before `from`: an odd number escapes what stands there. */
export const backslashesBefore = (bytes: Uint8Array, from: number, end: number): number => {
  let first = end
  while (first > from && bytes[first - 1] === backslash) first--
  return end - first
}
